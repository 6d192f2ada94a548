"""vLLM in this process: the engine that shares prompts, for a GPU or a CPU of your own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count

from agentkit.errors import ConfigError, RequestRefusedError, did_you_mean
from agentkit.models.fan import fan_out
from agentkit.models.reading import Reading
from agentkit.models.vllm_engine import Engine, Piece
from agentkit.protocols import SampleStream
from agentkit.runtime.price import FREE, Price, priced
from agentkit.types import Capabilities, GenerateRequest


class _Keeper:
    """Holds the engine of one model: started once, by whoever comes first."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._lock = threading.Lock()

    def open(self, arguments: Mapping[str, object], adapters: Mapping[str, str]) -> Engine:
        """The engine, loaded now if there is none; waits for another thread that is loading it."""
        with self._lock:
            self.engine = self.engine or Engine(arguments, adapters)
            return self.engine

    def close(self) -> None:
        """End the engine if there is one."""
        with self._lock:
            if self.engine is not None:
                self.engine.close()
            self.engine = None


@dataclass(frozen=True, kw_only=True)
class VLLM:
    """A model drawn by vLLM inside this process. ``model`` is a folder of weights, or a name that vLLM finds on the hub.

    Each sample is a stream of its own that closing aborts; the first of a request reads the prompt and the others share it
    (prefix caching). ``adapters`` are LoRA adapters, name to folder, and ``adapter`` the one to use. ``tensor_parallel_size`` is
    the number of GPUs the model is spread over, ``max_model_len`` the context in tokens, ``engine`` further engine arguments
    of vLLM's. ``price`` says what a second costs. Code that comes with weights is never run. Log-probabilities are those
    before the temperature. A request whose last message is the assistant's continues it.

    Raises ``WeightsError``, ``MissingExtraError``, ``ContextWindowError``, ``RequestRefusedError`` and ``ServerError``.
    """

    model: str
    dtype: str = "auto"
    max_model_len: int | None = None
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    enforce_eager: bool = False
    adapters: Mapping[str, str] = field(default_factory=dict, hash=False)
    adapter: str = ""
    engine: Mapping[str, str | int | float | bool] = field(default_factory=dict, hash=False)
    price: Price = FREE
    opened_thought: bool = False
    _keeper: _Keeper = field(init=False, repr=False, compare=False, default_factory=_Keeper)

    def __post_init__(self) -> None:
        if self.adapter and self.adapter not in self.adapters:
            raise ConfigError(f"no LoRA adapter is named {self.adapter!r}{did_you_mean(self.adapter, self.adapters)}")
        if refused := sorted(_OURS & set(self.engine)):
            raise ConfigError(f"the engine arguments of model {self.model!r} may not set {', '.join(refused)}")

    @property
    def name(self) -> str:
        """``vllm/``, the model and the adapter."""
        return f"vllm/{self.model}" + (f"+{self.adapter}" if self.adapter else "")

    @property
    def capabilities(self) -> Capabilities:
        """Everything but tools, whose calls only vLLM's server reads."""
        return Capabilities(n=True, logprobs=True, schema=True, seed=True, reasoning=True, stream=True, continues=True)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples as each finishes, with deltas where wanted; closing aborts those under way."""
        if request.tools:
            raise RequestRefusedError(
                f"{self.name} cannot call tools in this process: run vLLM's server and use openai_http"
            )
        if request.max_reasoning_tokens is not None:
            raise RequestRefusedError(f"{self.name} cannot bound reasoning tokens: use the strategy budget_forcing")
        engine = await self._opened()
        warmed, turns = asyncio.Event(), count()

        async def draw(one: GenerateRequest) -> SampleStream:
            if next(turns):
                await warmed.wait()  # until the first has read the prompt, which the others then share
            try:
                async with aclosing(self._draw(engine, one, warmed)) as stream:
                    async for item in stream:
                        yield item
            finally:
                warmed.set()

        async with aclosing(fan_out(draw, request)) as samples:
            async for item in samples:
                yield item

    async def _draw(self, engine: Engine, request: GenerateRequest, warmed: asyncio.Event) -> SampleStream:
        now = asyncio.get_running_loop().time
        started, reading = now(), Reading(opened=self.opened_thought)
        async with aclosing(engine.draw(Piece(request=request, adapter=self.adapter))) as chunks:
            async for chunk in chunks:
                warmed.set()
                delta = reading.take(chunk)
                if delta is not None and request.stream:
                    yield delta
        sample = reading.sample(model=self.name)
        yield replace(sample, usage=priced(replace(sample.usage, seconds=now() - started), self.price))

    def close(self) -> None:
        """End the engine and free its memory; the next request loads it again."""
        self._keeper.close()

    async def _opened(self) -> Engine:
        if self._keeper.engine is not None:
            return self._keeper.engine
        return await asyncio.to_thread(self._keeper.open, self._arguments(), self.adapters)

    def _arguments(self) -> dict[str, object]:
        ours: dict[str, object] = {
            "model": self.model,
            "dtype": self.dtype,
            "max_model_len": self.max_model_len,
            "tensor_parallel_size": self.tensor_parallel_size,
            "gpu_memory_utilization": self.gpu_memory_utilization,
            "enforce_eager": self.enforce_eager,
            "enable_prefix_caching": True,
            "trust_remote_code": False,
            "enable_lora": bool(self.adapters),
        }
        return {**self.engine, **ours}


_OURS = frozenset(
    {
        "model",
        "tokenizer",
        "dtype",
        "max_model_len",
        "tensor_parallel_size",
        "gpu_memory_utilization",
        "enforce_eager",
        "enable_prefix_caching",
        "enable_lora",
        "enable_prompt_embeds",
        "trust_remote_code",
        "hf_overrides",
        "load_format",
        "worker_cls",
        "worker_extension_cls",
        "distributed_executor_backend",
        "logits_processors",
        "model_impl",
        "additional_config",
    }
)
"""Engine arguments that have an option of their own, or that would run code which comes with a model or a name."""
