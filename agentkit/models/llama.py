"""llama.cpp in this process: one server, and calls that can be cancelled between two tokens. Owner of xllamacpp."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentkit.errors import (
    ConfigError,
    ContextWindowError,
    MissingExtraError,
    ModelError,
    RequestRefusedError,
    ServerError,
    WeightsError,
)
from agentkit.models.slots import Slots
from agentkit.runtime.concurrency import cancel

Chunk = dict[str, Any]
Ask = Callable[[int, int], Mapping[str, Any]]
"""The body that asks for ``count`` completions from number ``start`` on."""

_PROMPT_STEP = 64  # tokens of a prompt read between two chances to cancel


class Llama:
    """The model in a GGUF file, loaded and ready: ``slots`` completions at once of up to ``context`` tokens each.

    Raises ``WeightsError`` for a file that is no model, ``MissingExtraError`` without xllamacpp. Making one takes about a
    second, so do it in a thread.
    """

    def __init__(self, path: Path, *, slots: int, context: int, threads: int) -> None:
        xllamacpp = _xllamacpp()
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel, params.n_ctx = slots, slots * context
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.n_batch = params.n_ubatch = _PROMPT_STEP
        # Its rounding depends on what else is being drawn: without it a seed gives the same text every time.
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cache_ram_mib = 0
        params.warmup = False
        params.verbosity = -1  # not a line on the user's terminal
        # It opens a port on loopback that we do not use: nobody else shall either.
        params.api_keys, params.ui, params.endpoint_slots = [secrets.token_hex(16)], False, False
        params.n_threads_http, params.sse_ping_interval, params.endpoint_metrics = 1, 0, True
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            raise WeightsError(f"{path} cannot be loaded: it is not a GGUF model that llama.cpp knows") from error
        self._slots, self._turn = Slots(slots), threading.Lock()
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="llama")
        self._calls: set[_Call] = set()

    async def draw(self, ask: Ask, n: int) -> AsyncGenerator[tuple[int, Chunk], None]:
        """The chunks of ``n`` completions as they arrive, each with the number (0-based) of its completion.

        As many as there are free slots go as one call and share the reading of the prompt; the others follow as slots
        come free. Closing cancels what is still being drawn; the slots are free again after the token under way.
        Raises ``ContextWindowError``, ``RequestRefusedError`` and ``ServerError``.
        """
        loop, arrived = asyncio.get_running_loop(), _Arrivals()
        calls: list[_Call] = []
        launching = loop.create_task(self._launch(ask, n, loop, arrived, calls))
        unfinished = n
        try:
            while unfinished:
                item = await arrived.get()
                if isinstance(item, Exception):
                    raise item
                unfinished -= "usage" in item[1]
                yield item
        finally:
            for call in calls:
                call.cancelled = True
            await cancel([launching])

    async def _launch(
        self, ask: Ask, n: int, loop: asyncio.AbstractEventLoop, arrived: _Arrivals, calls: list[_Call]
    ) -> None:
        start = 0
        try:
            while start < n:
                count = await self._slots.take(n - start)
                call = _Call(loop=loop, arrived=arrived, slots=self._slots, turn=self._turn, start=start, held=count)
                calls.append(call)
                self._threads.submit(self._run, call, ask(start, count))
                start += count
        except Exception as error:  # noqa: BLE001 - carried to the consumer, who raises it
            arrived.put_nowait(error)

    def _run(self, call: _Call, body: Mapping[str, Any]) -> None:
        self._calls.add(call)
        try:
            call.run(self._server, body)
        finally:
            self._calls.discard(call)

    def busy(self) -> int:
        """How many slots are drawing, as llama.cpp itself counts them."""
        for line in self._server.handle_metrics().splitlines():
            name, _, value = line.partition(" ")
            if name == "llamacpp:requests_processing":
                return int(float(value))
        raise ServerError("llama.cpp does not say how many of its slots are drawing")

    def close(self) -> None:
        """Cancel what is being drawn and free the memory."""
        for call in list(self._calls):
            call.cancelled = True
        self._threads.shutdown()
        self._server = None


_Arrivals = asyncio.Queue[tuple[int, Chunk] | Exception]


@dataclass(kw_only=True, eq=False)
class _Call:
    """One call of the server, in a thread of its own; ``held`` is how many slots it still occupies.

    From the reading of the prompt until the drawing has begun it is this call's ``turn``, so that no other call takes the
    slot in which the prompt was read.
    """

    loop: asyncio.AbstractEventLoop
    arrived: _Arrivals
    slots: Slots
    turn: threading.Lock
    start: int
    held: int
    cancelled: bool = False
    failed: bool = False
    _turn: bool = False
    _ended: int = 0
    _known: Mapping[str, int] | None = None

    def run(self, server: Any, body: Mapping[str, Any]) -> None:
        """Draw until the end or until ``cancelled``."""
        try:
            if self._await_turn():
                server.handle_chat_completions(_reading_only(body), self._read)
            if not (self.cancelled or self.failed):
                server.handle_chat_completions(dict(body), self._take)
            if self.held and not self.failed:
                self._tell(ServerError("the answer of llama.cpp broke off"))
        except (ValueError, RuntimeError) as error:
            self._tell(RequestRefusedError(f"llama.cpp refuses the request: {error}"))
        finally:
            self._end_turn()
            self.slots.give(self.held)

    def _await_turn(self) -> bool:
        while not (self._turn or self.cancelled):
            self._turn = self.turn.acquire(timeout=0.1)
        return self._turn

    def _end_turn(self) -> None:
        if self._turn:
            self._turn = False
            self.turn.release()

    def _read(self, chunk: Chunk) -> bool:
        """Called by llama.cpp while it reads the prompt; True makes it stop."""
        if error := chunk.get("error"):
            self.failed = True
            self._tell(failure(error))
        if self._known is None and "usage" in chunk:
            self._known = chunk["usage"]["prompt_tokens_details"]
        return self.cancelled

    def _take(self, chunk: Chunk) -> bool:
        """Called by llama.cpp with each chunk; True makes it stop."""
        self._end_turn()
        if choices := chunk.get("choices"):
            self._ended = choices[0]["index"]
            self._tell((self.start + self._ended, chunk))
        elif "usage" in chunk:
            self._end(chunk)
        return self._read(chunk)

    def _end(self, chunk: Chunk) -> None:
        """The last chunk of a completion: it names none, but follows the one that it belongs to."""
        everything = {"cached_tokens": chunk["usage"]["prompt_tokens"]}
        # Only the first of a call reads the prompt, the others are given its state.
        chunk["usage"]["prompt_tokens_details"] = everything if self._ended else self._known
        self.held -= 1
        self.slots.give(1)
        self._tell((self.start + self._ended, chunk))

    def _tell(self, item: tuple[int, Chunk] | Exception) -> None:
        with suppress(RuntimeError):  # the loop was closed over an unfinished stream
            self.loop.call_soon_threadsafe(self.arrived.put_nowait, item)


def _reading_only(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request that only reads the prompt.

    The prompt's last token is read again before the first token is drawn. Numbers differ a little between that and reading
    it together with the others, so always doing both makes a seed's text independent of what was known of the prompt.
    """
    without = {key: value for key, value in body.items() if key not in ("logprobs", "top_logprobs")}
    return {**without, "n": 1, "max_tokens": 0}


def failure(error: Mapping[str, Any]) -> ModelError:
    """The error that llama.cpp reports, as one of ours."""
    if error.get("type") == "exceed_context_size_error":
        return ContextWindowError(
            f"the prompt of {error['n_prompt_tokens']} tokens does not fit the context window of {error['n_ctx']} tokens: "
            "shorten it, or give the model a larger `context`"
        )
    if error.get("code") == 400:
        return RequestRefusedError(f"llama.cpp refuses the request: {error.get('message')}")
    return ServerError(f"llama.cpp failed: {error.get('message')}")


def _xllamacpp() -> Any:
    try:
        with _sleeping_threads():
            import xllamacpp
    except ModuleNotFoundError:
        raise MissingExtraError("xllamacpp", "local", "a local model") from None
    except ImportError as error:
        raise ConfigError(
            f"xllamacpp cannot be loaded ({error}): install the missing library, e.g. libgomp1"
        ) from error
    return xllamacpp


@contextmanager
def _sleeping_threads() -> Iterator[None]:
    """Let OpenMP's threads sleep while they wait for one another, unless the user has chosen.

    By default they spin, which makes tokens ten times slower as soon as anything else runs on the same cores. OpenMP reads
    the variable when it is loaded, so it can be taken away again.
    """
    if "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        del os.environ["OMP_WAIT_POLICY"]
