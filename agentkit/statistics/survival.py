"""How far a run gets before it first goes wrong: survival, horizon and hazard by step.

A run that fails at its step t (the first is 1) is a failure at t; one that ends after t steps without an error is censored at
t: who knows how far it would have gone. Runs of one task are alike, so whole tasks are resampled.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from agentkit.statistics.intervals import LEVEL, RESAMPLES, Interval


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One run: the number of the step at which it failed, or of the last step where it did not; and its task."""

    steps: int
    failed: bool
    task: Hashable = None


@dataclass(frozen=True, slots=True)
class Survival:
    """The Kaplan-Meier curve: after step ``i + 1`` a share ``survival[i]`` is without error.

    ``at_risk`` counts the runs that came to the step, ``failures`` those that failed at it.
    """

    survival: tuple[float, ...]
    at_risk: tuple[int, ...]
    failures: tuple[int, ...]

    @property
    def hazard(self) -> tuple[float, ...]:
        """The chance to fail at each step for those who came to it."""
        return tuple(failed / there for failed, there in zip(self.failures, self.at_risk, strict=True))

    def horizon(self, share: float = 0.5) -> float:
        """The first step after which at most ``share`` survive; infinite where the data end before that."""
        return next((float(step) for step, one in enumerate(self.survival, 1) if one <= share), math.inf)


@dataclass(frozen=True, slots=True)
class Weibull:
    """Survival exp(-(t / scale)^shape), fitted to whole steps. A shape above 1 is a hazard that rises with the step.

    ``p_value`` is that of the likelihood-ratio test against shape 1, a constant hazard; it takes runs for independent.
    """

    shape: float
    scale: float
    log_likelihood: float
    p_value: float

    def horizon(self, share: float = 0.5) -> float:
        """The step after which a ``share`` survives, beyond the data too."""
        return self.scale * (-math.log(share)) ** (1 / self.shape) if math.isfinite(self.scale) else math.inf


def kaplan_meier(runs: Iterable[Lifetime]) -> Survival:
    """The product-limit estimate (Kaplan and Meier 1958), step by step up to the longest run; runs of no step say nothing."""
    failed, ended = _counts(runs)
    last = max((*failed, *ended), default=0)
    there = sum(failed.values()) + sum(ended.values())
    survival, at_risk, share = [], [], 1.0
    for step in range(1, last + 1):
        at_risk.append(there)
        share *= 1 - failed[step] / there
        survival.append(share)
        there -= failed[step] + ended[step]
    return Survival(tuple(survival), tuple(at_risk), tuple(failed[step] for step in range(1, last + 1)))


def hazard_rate(runs: Iterable[Lifetime]) -> float:
    """Failures over steps taken: the hazard if it were the same at every step. Raises ``ValueError`` without steps."""
    failed, ended = _counts(runs)
    steps = sum(step * count for one in (failed, ended) for step, count in one.items())
    if not steps:
        raise ValueError("the hazard of no steps is undefined")
    return sum(failed.values()) / steps


def constant_horizon(rate: float, share: float = 0.5) -> float:
    """The step after which a ``share`` survives at a constant ``rate``; infinite at rate 0."""
    if rate <= 0:
        return math.inf
    return math.log(share) / math.log1p(-rate) if rate < 1 else 0.0


def weibull(runs: Iterable[Lifetime]) -> Weibull:
    """The most likely Weibull law for failures known to the step (Nakagawa and Osaki 1975); raises ``ValueError`` without any."""
    counts = _counts(runs)
    if not counts[0]:
        raise ValueError("a law of failures needs a failure")
    low, high = math.log(0.05), math.log(20)
    shape = math.exp(_highest(lambda log: _profile(math.exp(log), *counts)[1], low, high))
    rate, fitted = _profile(shape, *counts)
    gain = max(0.0, 2 * (fitted - _profile(1.0, *counts)[1]))
    return Weibull(shape, rate ** (-1 / shape) if rate > 0 else math.inf, fitted, math.erfc(math.sqrt(gain / 2)))


def bootstrap(
    runs: Sequence[Lifetime],
    statistic: Callable[[Sequence[Lifetime]], float],
    *,
    rng: Random,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """``statistic`` of the runs with its percentile interval; whole tasks are resampled (a run without a task is one of its own).

    Infinite values are allowed and sort last: an upper bound may be infinite. A resample for which ``statistic`` raises
    ``ValueError`` is drawn again. Raises ``ValueError`` without runs, or where hardly any resample has a value.
    """
    groups = _groups(runs)
    if not groups:
        raise ValueError("no runs, no interval")
    value, draws = statistic(runs), list[float]()
    for _ in range(10 * resamples):
        drawn = [run for group in rng.choices(groups, k=len(groups)) for run in group]
        try:
            draws.append(statistic(drawn))
        except ValueError:
            continue
        if len(draws) == resamples:
            break
    if len(draws) < resamples:
        raise ValueError("the statistic is undefined for almost all resamples")
    draws.sort()
    low, high = (draws[min(resamples - 1, int(share * resamples))] for share in ((1 - level) / 2, (1 + level) / 2))
    return Interval(value, low, high, len(groups), level)


def _groups(runs: Sequence[Lifetime]) -> list[list[Lifetime]]:
    groups: dict[Hashable, list[Lifetime]] = {}
    for place, run in enumerate(runs):
        groups.setdefault(("run", place) if run.task is None else ("task", run.task), []).append(run)
    return list(groups.values())


def _counts(runs: Iterable[Lifetime]) -> tuple[Counter[int], Counter[int]]:
    """How many runs failed at each step, and how many ended after it without an error."""
    counts = Counter[int](), Counter[int]()
    for run in runs:
        if run.steps > 0:
            counts[not run.failed][run.steps] += 1
    return counts


def _profile(shape: float, failed: Counter[int], ended: Counter[int]) -> tuple[float, float]:
    """The best rate (scale^-shape) for a shape, and its log-likelihood.

    With H(t) = rate * t^shape the failures at t add log(exp(-H(t - 1)) - exp(-H(t))), those that end -H(t): concave in rate.
    """
    widths = [(step**shape - (step - 1) ** shape, count) for step, count in failed.items()]
    exposure = sum(count * (step - 1) ** shape for step, count in failed.items())
    exposure += sum(count * step**shape for step, count in ended.items())
    rate = sum(failed.values()) / (exposure + sum(width * count for width, count in widths))
    for _ in range(100):
        slope, bend = -exposure, 0.0
        for width, count in widths:
            grown = math.expm1(min(rate * width, 700.0))
            slope += count * width / grown
            bend -= count * width * width * (grown + 1) / (grown * grown)
        step = slope / bend if bend else 0.0
        new = rate - step
        rate = new if new > 0 else rate / 2
        if abs(step) <= 1e-12 * rate or rate > 1e6:
            break
    likelihood = -rate * exposure + sum(count * math.log(-math.expm1(-rate * width)) for width, count in widths)
    return rate, likelihood


def _highest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one peak is highest, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(40):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
    return (low + high) / 2
