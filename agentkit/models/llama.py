"""llama.cpp in this process: one server, and calls that can be cancelled between two tokens. Owner of xllamacpp."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from agentkit.errors import (
    ConfigError,
    ContextWindowError,
    MissingExtraError,
    ModelError,
    RequestRefusedError,
    ServerError,
    WeightsError,
)
from agentkit.models.shelf import Shelf
from agentkit.models.slots import Slots
from agentkit.runtime.concurrency import cancel

Chunk = dict[str, Any]
Body = Mapping[str, Any]
"""A request for one streamed chat completion, in llama.cpp's words."""

_PROMPT_STEP = 64  # tokens of a prompt read between two chances to cancel


class Llama:
    """The model in a GGUF file, loaded and ready: ``slots`` completions at once of up to ``context`` tokens each.

    Raises ``WeightsError`` for a file that is no model, ``MissingExtraError`` without xllamacpp. Making one takes about a
    second, so do it in a thread.
    """

    def __init__(self, path: Path, *, slots: int, context: int, threads: int) -> None:
        xllamacpp = _xllamacpp()
        key, folder = secrets.token_hex(16), Path(tempfile.mkdtemp(prefix="agentkit-llama-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        params = _parameters(xllamacpp, path, slots=slots, context=context, threads=threads)
        # It opens a port on loopback, with a key that nobody else has: the door through which a slot's state is copied.
        params.api_keys, params.slot_save_path = [key], f"{folder}{os.sep}"
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            raise WeightsError(f"{path} cannot be loaded: it is not a GGUF model that llama.cpp knows") from error
        self._states = _States(address=self._server.listening_address, key=key)
        self._slots, self._shelf = Slots(slots), Shelf(folder)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="llama")
        self._calls: set[_Call] = set()

    async def draw(self, bodies: Sequence[Body]) -> AsyncGenerator[tuple[int, Chunk], None]:
        """The chunks of one completion for each of ``bodies``, which differ in nothing but their seed.

        They come as they arrive, each with the place of its body. Closing cancels what is still being drawn; the slots are
        free again after the token under way. Raises ``ContextWindowError``, ``RequestRefusedError`` and ``ServerError``.
        """
        arrived, calls, prompt = _Arrivals(), list[_Call](), _prompt_of(bodies[0])
        self._shelf.want(prompt, len(bodies))
        launching = asyncio.create_task(self._launch(bodies, prompt, arrived, calls))
        unfinished = len(bodies)
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
            self._shelf.leave(prompt, len(bodies) - len(calls))

    async def _launch(self, bodies: Sequence[Body], prompt: str, arrived: _Arrivals, calls: list[_Call]) -> None:
        tell = partial(_tell, asyncio.get_running_loop(), arrived)
        try:
            for place, body in enumerate(bodies):
                slot = await self._slots.take(prompt)
                calls.append(_Call(llama=self, tell=tell, prompt=prompt, place=place, slot=slot, body=body))
                self._threads.submit(self._run, calls[-1])
        except Exception as error:  # noqa: BLE001 - carried to the consumer, who raises it
            arrived.put_nowait(error)

    def _run(self, call: _Call) -> None:
        self._calls.add(call)
        try:
            call.run()
        finally:
            self._calls.discard(call)
            self._slots.give(call.slot)

    def ask(self, body: Mapping[str, Any], take: Callable[[Chunk], bool]) -> None:
        """Have llama.cpp answer, chunk by chunk, until ``take`` returns True; blocks the calling thread."""
        self._server.handle_chat_completions(body, take)

    def prepared(self, prompt: str, slot: int) -> bool:
        """Whether the slot knows the whole prompt, from before or by the state that another has kept."""
        if self._slots.knows(slot, prompt):
            return True
        path = self._shelf.kept(prompt)
        if path is None or not self._states.copy("restore", slot, path):
            return False
        self._slots.learn(slot, prompt)
        return True

    @contextmanager
    def wanting(self, prompt: str) -> Iterator[threading.Lock]:
        """The turn to read the prompt; when left, one less wants it."""
        try:
            yield self._shelf.turn(prompt)
        finally:
            self._shelf.leave(prompt)

    def forget(self, slot: int) -> None:
        """The slot is about to read something new."""
        self._slots.learn(slot, "")

    def has_read(self, prompt: str, slot: int) -> None:
        """The slot has read the whole prompt; its state is kept when others want the same."""
        self._slots.learn(slot, prompt)
        path = self._shelf.name()
        if self._shelf.wanted(prompt) > 1 and self._states.copy("save", slot, path):
            self._shelf.keep(prompt, path)

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


_Item = tuple[int, Chunk] | Exception
_Arrivals = asyncio.Queue[_Item]


def _tell(loop: asyncio.AbstractEventLoop, arrived: _Arrivals, item: _Item) -> None:
    with suppress(RuntimeError):  # the loop was closed over an unfinished stream
        loop.call_soon_threadsafe(arrived.put_nowait, item)


@dataclass(kw_only=True, eq=False)
class _Call:
    """One completion in one slot, drawn in a thread of its own until its end or until ``cancelled``."""

    llama: Llama
    tell: Callable[[_Item], None]
    prompt: str
    place: int
    slot: int
    body: Body
    cancelled: bool = False
    _over: bool = False
    _known: int | None = None

    def run(self) -> None:
        """Read the prompt unless somebody has, then draw, telling chunk by chunk."""
        try:
            with self.llama.wanting(self.prompt) as turn:
                ready = self._ready(turn)
            if ready:
                self.llama.ask({**self.body, "id_slot": self.slot}, self._take)
            if not self._over:
                self.tell(ServerError("the answer of llama.cpp broke off"))
        except (ValueError, RuntimeError) as error:
            self.tell(RequestRefusedError(f"llama.cpp refuses the request: {error}"))

    def _ready(self, turn: threading.Lock) -> bool:
        """Whether the slot knows the prompt, so that the drawing can begin."""
        while not turn.acquire(timeout=0.1):
            if self.cancelled:
                return False
        try:
            return not self.cancelled and (self.llama.prepared(self.prompt, self.slot) or self._read())
        finally:
            turn.release()

    def _read(self) -> bool:
        self.llama.forget(self.slot)
        self.llama.ask({**_reading_only(self.body), "id_slot": self.slot}, self._see)
        if self._known is None or self.cancelled:
            return False
        self.llama.has_read(self.prompt, self.slot)
        return True

    def _see(self, chunk: Chunk) -> bool:
        """Called by llama.cpp while it reads the prompt; True makes it stop."""
        if error := chunk.get("error"):
            self._over = True
            self.tell(failure(error))
        if "usage" in chunk:
            self._known = (chunk["usage"].get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        return self.cancelled

    def _take(self, chunk: Chunk) -> bool:
        """Called by llama.cpp with each chunk of the answer; True makes it stop."""
        if "error" in chunk:
            return self._see(chunk)
        if "usage" in chunk:
            self._over = True
            if self._known is not None:  # what was known before this call read the prompt itself
                chunk["usage"]["prompt_tokens_details"] = {"cached_tokens": self._known}
        self.tell((self.place, chunk))
        return self.cancelled


@dataclass(frozen=True, kw_only=True)
class _States:
    """The HTTP door of llama.cpp, used for the one thing that it offers nowhere else: copying the state of a slot."""

    address: str
    key: str = field(repr=False)

    def copy(self, action: Literal["save", "restore"], slot: int, path: Path) -> bool:
        """Whether the slot's state is now in the file, or the file's in the slot; False leaves it to read the prompt."""
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection(self.address.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", f"/slots/{slot}?action={action}", json.dumps({"filename": path.name}), headers)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def _parameters(xllamacpp: Any, path: Path, *, slots: int, context: int, threads: int) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel, params.n_ctx = slots, slots * context
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_batch = params.n_ubatch = _PROMPT_STEP
    # With these two every row of attention is computed by itself, so rounding does not depend on what else is being read or
    # drawn, and a seed gives the same text every time. Without flash attention, or over 16-bit states, it does depend.
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    params.cache_ram_mib, params.warmup = 0, False
    params.verbosity = -1  # not a line on the user's terminal
    params.ui, params.endpoint_slots, params.endpoint_metrics = False, False, True
    params.n_threads_http, params.sse_ping_interval = 1, 0
    return params


def _prompt_of(body: Body) -> str:
    """What makes the prompt: equal for requests that differ only in how they are drawn."""
    return json.dumps([body["messages"], body.get("response_format")])


def _reading_only(body: Body) -> dict[str, Any]:
    """The request that only reads the prompt, so that its state can be copied before the drawing begins."""
    return {key: value for key, value in body.items() if key not in ("logprobs", "top_logprobs")} | {"max_tokens": 0}


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
