"""A Hugging Face causal model in torch: slower than the engines, and open to work on logits and hidden states."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError, RequestRefusedError
from agentkit.models.reading import Reading
from agentkit.models.torch_engine import Token, TorchModel
from agentkit.protocols import SampleStream
from agentkit.runtime.price import FREE, Price, priced
from agentkit.types import Capabilities, GenerateRequest, Message, Sample, Usage


class _Keeper:
    """Holds the loaded weights: loaded once, by whoever comes first."""

    def __init__(self) -> None:
        self.loaded: TorchModel | None = None
        self._lock = threading.Lock()

    def open(self, load: Callable[[], TorchModel]) -> TorchModel:
        """The weights, loaded now if need be; waits for another thread that is loading them."""
        with self._lock:
            self.loaded = self.loaded or load()
            return self.loaded


@dataclass(frozen=True, kw_only=True)
class Transformers:
    """A causal language model drawn in torch. ``model`` is a folder of weights, or a name on the hub.

    For what the engines do not give: hidden states (``hidden``), soft prompts, and prompts whose tokens are yours to see. The
    samples of a request are drawn side by side and the prompt is read once; closing stops after the token under way.
    ``device`` is ``auto``, ``cpu`` or ``cuda``; ``max_tokens`` bounds an answer where the request does not; ``soft_prompt`` is
    a file that ``agentkit train soft-prompt`` wrote. Code that comes with weights is never run. A request whose last
    message is the assistant's continues it.

    Raises ``WeightsError``, ``MissingExtraError``, ``ContextWindowError`` and ``RequestRefusedError``.
    """

    model: str
    device: str = "auto"
    dtype: str = "auto"
    max_tokens: int = 512
    soft_prompt: Path | None = None
    price: Price = FREE
    opened_thought: bool = False
    _keeper: _Keeper = field(init=False, repr=False, compare=False, default_factory=_Keeper)

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ConfigError(f"max_tokens must be 1 or more, not {self.max_tokens}")

    @property
    def name(self) -> str:
        """``transformers/`` and the model."""
        return f"transformers/{self.model}"

    @property
    def capabilities(self) -> Capabilities:
        """Everything but tools and schemas."""
        return Capabilities(n=True, logprobs=True, seed=True, reasoning=True, stream=True, continues=True)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples as each finishes, with deltas where wanted; closing stops drawing."""
        if request.tools or request.schema is not None or request.max_reasoning_tokens is not None:
            raise RequestRefusedError(f"{self.name} draws free text: no tools, schema or bound on reasoning")
        now = asyncio.get_running_loop().time
        started = now()
        loaded = await self.opened()
        prompt = loaded.tokens(request.messages)
        readings = [_Sampled(Reading(opened=self.opened_thought)) for _ in range(request.n)]
        most = request.max_tokens or self.max_tokens
        async with aclosing(_threaded(loaded, request, prompt, most)) as tokens:
            async for token in tokens:
                delta = readings[token.index].take(token)
                if delta is not None and request.stream:
                    yield replace(delta, index=token.index)
                if token.finish:
                    sample = readings[token.index].sample(self.name, token.index, len(prompt), now() - started)
                    yield replace(sample, usage=priced(sample.usage, self.price))

    async def hidden(self, messages: Sequence[Message], *, layer: int = -1) -> Any:
        """The hidden states of a chat after ``layer``: a float32 array of shape (tokens, hidden)."""
        loaded = await self.opened()
        return await asyncio.to_thread(loaded.hidden, loaded.tokens(messages), layer=layer)

    async def opened(self) -> TorchModel:
        """The loaded weights, for work on tokens and hidden states."""
        if self._keeper.loaded is not None:
            return self._keeper.loaded
        return await asyncio.to_thread(self._keeper.open, self._load)

    def _load(self) -> TorchModel:
        return TorchModel(self.model, device=self.device, dtype=self.dtype, soft_prompt=self.soft_prompt)


@dataclass
class _Sampled:
    """A sample under way, in the words that ``Reading`` knows."""

    reading: Reading
    tokens: int = 0

    def take(self, token: Token) -> Any:
        """Add a token; the delta that it makes, if any."""
        self.tokens += 1
        choice: dict[str, Any] = {"delta": {"content": token.text}, "finish_reason": token.finish or None}
        if token.logprob is not None:
            top = [{"token": text, "logprob": value} for text, value in token.logprob.top]
            drawn = {"token": token.logprob.token, "logprob": token.logprob.logprob, "top_logprobs": top}
            choice["logprobs"] = {"content": [drawn]}
        return self.reading.take({"choices": [choice]})

    def sample(self, model: str, index: int, prompt: int, seconds: float) -> Sample:
        """The whole sample."""
        usage = Usage(calls=1, input_tokens=prompt, output_tokens=self.tokens, seconds=seconds)
        return replace(self.reading.sample(model=model), index=index, usage=usage)


async def _threaded(
    loaded: TorchModel, request: GenerateRequest, prompt: Sequence[int], most: int
) -> AsyncGenerator[Token, None]:
    """The tokens, drawn in a thread; closing tells the thread to stop and does not wait for it."""
    loop, stop = asyncio.get_running_loop(), threading.Event()
    arrived: asyncio.Queue[Token | BaseException | None] = asyncio.Queue()

    def tell(item: Token | BaseException | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(arrived.put_nowait, item)

    def draw() -> None:
        try:
            for token in loaded.draw(request, prompt, most=most, stopped=stop.is_set):
                tell(token)
            tell(None)
        except Exception as error:  # noqa: BLE001 - carried to the caller's loop and raised there
            tell(error)

    threading.Thread(target=draw, name="torch", daemon=True).start()
    try:
        while (item := await arrived.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
