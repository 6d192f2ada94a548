"""From what is suspicious about each step to the chance that it was the one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentkit.evaluators.planning.attribution.features import Features, measure
from agentkit.evaluators.planning.attribution.log import Log
from agentkit.evaluators.planning.attribution.weights import WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A step with the chance that it is the decisive one; the chances of a log add up to 1."""

    step: int
    agent: str
    chance: float


def suspects(log: Log, weights: Mapping[str, float] = WEIGHTS) -> tuple[Suspect, ...]:
    """All the steps of ``log``, the likeliest first; of equals the earlier."""
    return ranked(log, chances([score(one, weights) for one in measure(log)]))


def score(features: Features, weights: Mapping[str, float]) -> float:
    """The weighted sum of a step's features."""
    return math.fsum(weights.get(name, 0.0) * value for name, value in features.items())


def chances(scores: Sequence[float]) -> list[float]:
    """The scores of a log's steps as probabilities: one of them is the decisive one."""
    top = max(scores)
    weights = [math.exp(one - top) for one in scores]
    total = math.fsum(weights)
    return [one / total for one in weights]


def ranked(log: Log, given: Sequence[float]) -> tuple[Suspect, ...]:
    """The steps of ``log`` with the chances given, the likeliest first."""
    found = [Suspect(step=turn.index, agent=turn.agent, chance=given[turn.index]) for turn in log.turns]
    return tuple(sorted(found, key=lambda one: (-one.chance, one.step)))
