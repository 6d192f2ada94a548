"""Proportions, means and medians with the bounds that hold them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the bounds that hold the true value in a share ``level`` of repetitions.

    ``n`` counts the independent units behind it: records, or clusters of records where they were clustered.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def wilson(successes: int, trials: int, *, level: float = LEVEL) -> Interval:
    """The score interval of a proportion (Wilson 1927): never empty at 0 or 1, never outside [0, 1].

    Raises ``ValueError`` without trials or with more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes of {trials} trials is not a proportion")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / trials
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle, scale = share + z * z / (2 * trials), 1 + z * z / trials
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == trials else (middle + spread) / scale
    return Interval(share, low, high, trials, level)


def mean(
    values: Sequence[float],
    *,
    rng: Random,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """The mean of ``values`` with the percentile bootstrap interval (Efron 1979).

    ``clusters`` names the group of each value (the record of a repeat, the task of a record): whole groups are then
    resampled, because values of one group are not independent and pretending so makes intervals too narrow.
    Raises ``ValueError`` without values.
    """
    groups = _sums(values, clusters)
    if not groups:
        raise ValueError("the mean of no values is undefined")
    estimate = math.fsum(values) / len(values)
    if len(groups) == len(values):  # every value a unit of its own: the same draws, for less
        draws = [sum(rng.choices(values, k=len(values))) / len(values) for _ in range(resamples)]
    else:
        draws = [_ratio(rng.choices(groups, k=len(groups))) for _ in range(resamples)]
    low, high = percentiles(draws, level)
    return Interval(estimate, low, high, len(groups), level)


def paired_difference(
    before: Sequence[float],
    after: Sequence[float],
    *,
    rng: Random,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Mean of ``after - before`` over the same records, bootstrapped as in ``mean``; both are in the same order."""
    differences = [new - old for old, new in zip(before, after, strict=True)]
    return mean(differences, rng=rng, clusters=clusters, resamples=resamples, level=level)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a ``share`` of the ascending ``ordered`` lies, interpolated between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def median(values: Sequence[float], *, rng: Random, resamples: int = RESAMPLES, level: float = LEVEL) -> Interval:
    """The median of ``values`` with its percentile bootstrap interval: for times, which have long tails."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("the median of no values is undefined")
    draws = [quantile(sorted(rng.choices(ordered, k=len(ordered))), 0.5) for _ in range(resamples)]
    low, high = percentiles(draws, level)
    return Interval(quantile(ordered, 0.5), low, high, len(ordered), level)


_Pairs = list[tuple[float, float]]


def _sums(values: Sequence[float], clusters: Sequence[Hashable] | None) -> _Pairs:
    """(sum, count) of each group, groups in order of appearance, so that one seed means one interval."""
    if clusters is None:
        return [(value, 1.0) for value in values]
    groups: dict[Hashable, tuple[float, float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        total, count = groups.get(cluster, (0.0, 0.0))
        groups[cluster] = (total + value, count + 1)
    return list(groups.values())


def _ratio(groups: _Pairs) -> float:
    return sum(total for total, _ in groups) / sum(count for _, count in groups)


def percentiles(draws: Sequence[float], level: float) -> tuple[float, float]:
    """The bounds that leave out the same share of ``draws`` on either side."""
    ordered = sorted(draws)
    return quantile(ordered, (1 - level) / 2), quantile(ordered, (1 + level) / 2)
