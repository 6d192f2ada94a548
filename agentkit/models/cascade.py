"""The cheap model first, the strong one where the cheap one is not sure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from agentkit.answers import Kind, Reading, extract, partition, read
from agentkit.errors import ConfigError, ModelError, RequestRefusedError
from agentkit.models.together import common, highest
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.parts import replayed
from agentkit.runtime.price import Price
from agentkit.runtime.sampling import draw_all
from agentkit.types import Capabilities, GenerateRequest, Sample, Usage


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """``models`` from the cheapest to the strongest: the next one is asked only where this one's confidence is below
    ``threshold`` (FrugalGPT, Chen et al. 2023, arXiv 2305.05176).

    With ``signal: agreement`` the confidence is the share of ``samples`` answers that agree (Yue et al. 2023, arXiv
    2310.03094), drawn at ``temperature`` where the request wants none; a request for several samples is its own vote. With
    ``logprob`` it is the geometric mean of the drawn tokens' probabilities. ``threshold`` is one number, or one for each
    model but the last; choose it with ``agentkit models calibrate`` from recorded answers, so that the accuracy it may cost
    is bounded. ``answer`` is the kind of answer that is compared.

    What the models cost that were asked in vain is part of the first sample's usage. One that fails is passed over like
    one that is not sure; raises the last model's error. ``logprob`` raises ``RequestRefusedError`` for a model without them.
    """

    models: tuple[Model, ...]
    threshold: float | tuple[float, ...] = 0.8
    signal: Literal["agreement", "logprob"] = "agreement"
    samples: int = 5
    temperature: float = 0.7
    answer: Kind = "auto"

    def __post_init__(self) -> None:
        if len(self.models) < 2:
            raise ConfigError("a cascade needs at least two of 'models'")
        if isinstance(self.threshold, tuple) and len(self.threshold) != len(self.models) - 1:
            raise ConfigError(
                f"{len(self.models)} models need {len(self.models) - 1} thresholds, not {len(self.threshold)}"
            )
        if not all(0 <= one <= 1 for one in self._thresholds):
            raise ConfigError("a threshold must lie between 0 and 1")
        if self.samples < 2:
            raise ConfigError(f"agreement needs at least 2 samples, not {self.samples}")

    @property
    def name(self) -> str:
        """``cascade(CHEAPEST, ..., STRONGEST)``."""
        return f"cascade({', '.join(model.name for model in self.models)})"

    @property
    def capabilities(self) -> Capabilities:
        """What every one of them can honour."""
        return common(self.models)

    @property
    def price(self) -> Price | None:
        """The highest of theirs; every model's calls are paid for by themselves."""
        return highest(self.models)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples of the first model that is sure enough, else of the last."""
        spent = Usage()
        for model, threshold in zip(self.models[:-1], self._thresholds, strict=True):
            try:
                samples = await self._asked(model, request)
            except ModelError as error:
                if (
                    isinstance(error, RequestRefusedError)
                    and self.signal == "logprob"
                    and not model.capabilities.logprobs
                ):
                    raise
                continue
            if self._confidence(samples) >= threshold:
                for sample in _best(samples, self._readings(samples), request, spent):
                    for item in replayed(sample, stream=request.stream):
                        yield item
                return
            spent = sum((sample.usage for sample in samples), spent)
        async with aclosing(self.models[-1].generate(request)) as stream:
            async for item in stream:
                if isinstance(item, Sample):
                    item, spent = replace(item, usage=item.usage + spent), Usage()
                yield item

    @property
    def _thresholds(self) -> tuple[float, ...]:
        if isinstance(self.threshold, tuple):
            return self.threshold
        return (self.threshold,) * (len(self.models) - 1)

    async def _asked(self, model: Model, request: GenerateRequest) -> Sequence[Sample]:
        """What a model answers, with what its confidence is read from."""
        if self.signal == "agreement":
            several = request if request.n > 1 else replace(request, n=self.samples)
            warm = request.temperature or self.temperature
            return await draw_all(model, replace(several, temperature=warm, stream=False))
        if not model.capabilities.logprobs:
            raise RequestRefusedError(f"{model.name} gives no log-probabilities: use signal: agreement in the cascade")
        asked = 0 if request.logprobs is None else request.logprobs
        return await draw_all(model, replace(request, logprobs=asked, stream=False))

    def _confidence(self, samples: Sequence[Sample]) -> float:
        if self.signal == "agreement":
            sizes = [len(one) for one in partition(self._readings(samples))]
            return max(sizes, default=0) / len(samples)
        return min(math.exp(_mean_logprob(sample)) for sample in samples)

    def _readings(self, samples: Sequence[Sample]) -> list[Reading | None]:
        return [_reading(sample, self.answer) for sample in samples]


def _best(
    samples: Sequence[Sample], readings: list[Reading | None], request: GenerateRequest, spent: Usage
) -> list[Sample]:
    """The samples to give: all that were asked for, or the first of the majority, which bears what the others cost."""
    if len(samples) == request.n:
        chosen = list(samples)
    else:
        largest = max(partition(readings), key=len, default=(0,))
        others = [sample.usage for place, sample in enumerate(samples) if place != largest[0]]
        chosen, spent = [replace(samples[largest[0]], index=0)], sum(others, spent)
    chosen[0] = replace(chosen[0], usage=chosen[0].usage + spent)
    if request.logprobs is None:
        return [replace(sample, logprobs=None) for sample in chosen]
    return chosen


def _reading(sample: Sample, kind: Kind) -> Reading | None:
    if sample.tool_calls:
        calls = [(call.name, _plain(call.arguments)) for call in sample.tool_calls]
        return read(json.dumps(calls, sort_keys=True, ensure_ascii=False), "text")
    found = extract(sample.text, kind)
    return None if found is None else read(found, kind)


def _plain(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _mean_logprob(sample: Sample) -> float:
    """The mean log-probability of the drawn tokens; minus infinity where there are none."""
    if not sample.logprobs:
        return -math.inf
    return sum(token.logprob for token in sample.logprobs) / len(sample.logprobs)
