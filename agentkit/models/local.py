"""The embedded model: weights from the package registry, drawn on this machine's own cores."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentkit import weights
from agentkit.errors import ConfigError, RequestRefusedError, UnknownComponentError, WeightsError
from agentkit.models.llama import Chunk, Llama
from agentkit.models.reading import Reading
from agentkit.models.wire import to_request
from agentkit.protocols import SampleStream
from agentkit.registry import provided
from agentkit.runtime.parts import part
from agentkit.runtime.price import FREE, Price
from agentkit.types import Capabilities, GenerateRequest, Sample


class _Keeper:
    """Holds the server of one model: started once, by whoever comes first."""

    def __init__(self) -> None:
        self.llama: Llama | None = None
        self._lock = threading.Lock()

    def open(self, load: Callable[[threading.Event], Llama], stop: threading.Event) -> Llama:
        """The server, loaded now if there is none; waits for another thread that is loading it."""
        while not self._lock.acquire(timeout=0.1):
            if stop.is_set():
                raise WeightsError("loading the model was broken off")
        try:
            if self.llama is None:
                self.llama = load(stop)
            return self.llama
        finally:
            self._lock.release()

    def close(self) -> None:
        """Stop the server if there is one."""
        with self._lock:
            if self.llama is not None:
                self.llama.close()
            self.llama = None


@dataclass(frozen=True, kw_only=True)
class Local:
    """A chat model in this process, by llama.cpp; free of charge, and nothing leaves the machine.

    ``model`` is a name of ``agentkit models list``; its weights are fetched at first use, telling ``progress`` (from
    another thread). ``slots`` samples are drawn at once, each of up to ``context`` tokens, prompt included; ``threads``
    is by default one a core. ``max_tokens`` bounds an answer where the request does not. Only code can set ``gguf``, the
    path of a model file of your own, which then stands in place of ``model``.

    Samples with the same prompt share its reading, whoever asks for them. Without a ``top_p`` llama.cpp's usual cuts hold
    (top-k 40, top-p .95, min-p .05); log-probabilities are those before the cuts and the temperature. The same seed gives
    the same text.

    Raises ``WeightsError``, ``MissingExtraError``, ``ContextWindowError`` and ``RequestRefusedError``.
    """

    model: str = "smollm2"
    slots: int = 4
    context: int = 4096
    max_tokens: int = 512
    threads: int | None = None
    gguf: Path | None = field(default=None, metadata={"provided": "gguf"})
    cache: Path | None = provided("cache")
    progress: weights.Progress | None = provided("progress")
    _keeper: _Keeper = field(init=False, repr=False, compare=False, default_factory=_Keeper)

    def __post_init__(self) -> None:
        chats = sorted(name for name, one in weights.CATALOGUE.items() if one.use == "chat")
        if self.gguf is None and self.model not in chats:
            raise UnknownComponentError("local model", self.model, chats)
        for name in ("slots", "context", "max_tokens", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} of the local model must be 1 or more, not {value}")

    @property
    def name(self) -> str:
        """``local/`` and the name of the weights."""
        return f"local/{self.gguf.stem if self.gguf else self.model}"

    @property
    def capabilities(self) -> Capabilities:
        """Everything but tools and separate reasoning."""
        return Capabilities(n=True, logprobs=True, schema=True, seed=True, stream=True, continues=True)

    @property
    def price(self) -> Price:
        """Nothing."""
        return FREE

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples as each finishes, with deltas where wanted; closing frees their slots."""
        if request.tools:
            raise RequestRefusedError(f"{self.name} cannot call tools: use another model for this step")
        llama, now = await self._opened(), asyncio.get_running_loop().time
        started, readings = now(), [Reading() for _ in range(request.n)]
        bodies = [to_body(part(request, index, 1), max_tokens=self.max_tokens) for index in range(request.n)]
        async with aclosing(llama.draw(bodies)) as chunks:
            async for index, chunk in chunks:
                delta = readings[index].take(_asked(chunk, request))
                if delta is not None and request.stream:
                    yield replace(delta, index=index)
                if "usage" in chunk:
                    yield self._sample(readings[index], index, now() - started)

    def busy(self) -> int:
        """How many slots are drawing now, as llama.cpp itself counts them; 0 before the first request."""
        return self._keeper.llama.busy() if self._keeper.llama else 0

    def close(self) -> None:
        """Stop the server and free its memory; the next request starts it again."""
        self._keeper.close()

    def _sample(self, reading: Reading, index: int, seconds: float) -> Sample:
        sample = reading.sample(model=self.name)
        return replace(sample, index=index, model=self.name, usage=replace(sample.usage, seconds=seconds))

    async def _opened(self) -> Llama:
        """The running server, started now if need be; cancelling breaks off a download."""
        if self._keeper.llama is not None:
            return self._keeper.llama
        stop = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(None, self._keeper.open, self._load, stop)
        except asyncio.CancelledError:
            stop.set()
            raise

    def _load(self, stop: threading.Event) -> Llama:
        path = self.gguf or weights.ensure(
            self.model, cache=self.cache or weights.default_cache(), progress=self._until(stop)
        )
        if not path.is_file():
            raise WeightsError(f"there is no model file {path}")
        return Llama(path, slots=self.slots, context=self.context, threads=self.threads or _cores())

    def _until(self, stop: threading.Event) -> weights.Progress:
        """Progress that is told to the user, and that ends the download once nobody waits for it."""

        def tell(name: str, done: int, total: int) -> None:
            if stop.is_set():
                raise WeightsError(f"fetching {name} was broken off")
            if self.progress is not None:
                self.progress(name, done, total)

        return tell


def to_body(request: GenerateRequest, *, max_tokens: int) -> dict[str, Any]:
    """The request for one sample in llama.cpp's words: the OpenAI format, and the fields that it adds."""
    ours: dict[str, Any] = {"cache_prompt": True, "return_progress": True}
    if request.max_tokens is None:
        ours["max_tokens"] = max_tokens
    if request.logprobs is not None:
        ours["top_logprobs"] = max(request.logprobs, 1)  # 0 would turn log-probabilities off altogether
    if request.seed is not None:
        ours["seed"] = request.seed % 0xFFFFFFFF  # 0xFFFFFFFF itself means chance
    return to_request(request, model="", stream=True, extra_body=ours)


def _asked(chunk: Chunk, request: GenerateRequest) -> Chunk:
    """The chunk without the alternative that had to be asked for to learn the drawn token's own log-probability."""
    if request.logprobs == 0:
        for choice in chunk["choices"]:
            for token in (choice.get("logprobs") or {}).get("content") or ():
                token.pop("top_logprobs", None)
    return chunk


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
