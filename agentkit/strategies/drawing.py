"""What strategies ask of a model, and which failures of a sample a strategy can do without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from agentkit.errors import (
    AgentkitError,
    AuthenticationError,
    BudgetExceededError,
    ConfigError,
    ReplayMissError,
    RunCancelledError,
    StoreError,
    WeightsError,
)
from agentkit.protocols import Model
from agentkit.runtime.concurrency import gather
from agentkit.runtime.sampling import draw
from agentkit.types import GenerateRequest, Sample, Usage

HOPELESS = (
    AuthenticationError,
    WeightsError,
    ConfigError,
    StoreError,
    ReplayMissError,
    RunCancelledError,
    AssertionError,
)
"""Errors that the next sample would meet too: they end a strategy at once, where any other costs one sample."""


def seeded(model: Model, seed: int, place: int) -> int | None:
    """The seed of sample ``place``: ``seed + place`` where the model takes seeds, else None."""
    return seed + place if model.capabilities.seed else None


def spent(samples: Iterable[Sample]) -> Usage:
    """What the samples cost together."""
    return sum((sample.usage for sample in samples), Usage())


@dataclass(slots=True)
class Draws:
    """What several requests came to: a sample each or None, what went wrong, and whether the budget ended it."""

    samples: list[Sample | None] = field(default_factory=list)
    errors: list[AgentkitError] = field(default_factory=list)

    @property
    def arrived(self) -> tuple[Sample, ...]:
        """The samples that came."""
        return tuple(sample for sample in self.samples if sample is not None)

    @property
    def exhausted(self) -> bool:
        """Whether a budget is spent."""
        return any(isinstance(error, BudgetExceededError) for error in self.errors)


async def several(model: Model, requests: Sequence[GenerateRequest], *, limit: int | None = None) -> Draws:
    """One sample of each request, ``limit`` at a time, in their order; raises only what every request would meet."""
    draws = Draws()

    async def one(place: int, request: GenerateRequest) -> Sample | None:
        if draws.exhausted:
            return None
        try:
            return replace(await draw(model, request), index=place)
        except HOPELESS:
            raise
        except AgentkitError as error:
            draws.errors.append(error)
            return None

    draws.samples = await gather([partial(one, *numbered) for numbered in enumerate(requests)], limit=limit)
    return draws
