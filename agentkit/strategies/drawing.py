"""What strategies ask of a model, and which failures of a sample a strategy can do without."""

from __future__ import annotations

from collections.abc import Iterable

from agentkit.errors import (
    AuthenticationError,
    ConfigError,
    ReplayMissError,
    RunCancelledError,
    StoreError,
    WeightsError,
)
from agentkit.protocols import Model
from agentkit.types import Sample, Usage

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
