"""How sure a number is: intervals, paired tests, ranking and calibration, as pure functions of values.

Every estimate comes with its bounds. Chance is an argument: whatever resamples takes ``rng``, so the same seed gives
the same interval. Rules followed: Miller, "Adding Error Bars to Evals" (2024, arXiv 2411.00640).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from statistics import NormalDist
from typing import Literal

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
    low, high = _percentiles(draws, level)
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


def mcnemar(only_before: int, only_after: int) -> float:
    """Exact two-sided p of McNemar's test from the counts of records that only one of the two got right.

    It is the chance of a split at least this uneven if both were equally good (a fair coin for each record they
    differ on); 1.0 when they never differ.
    """
    discordant, fewer = only_before + only_after, min(only_before, only_after)
    tail = sum(math.comb(discordant, count) for count in range(fewer + 1))
    return min(1.0, float(Fraction(2 * tail, 2**discordant)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for having looked at all of them (Holm 1979), in the given order."""
    adjusted = [0.0] * len(p_values)
    floor = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def auroc(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """The chance that a true record outscores a false one, ties counting half: 1 ranks perfectly, 0.5 not at all.

    Raises ``ValueError`` unless both classes are present.
    """
    return _auroc(*_classes(labels, scores))


def auroc_interval(
    labels: Sequence[bool], scores: Sequence[float], *, rng: Random, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """``auroc`` with its percentile bootstrap interval; each class is resampled by itself, so neither can vanish."""
    positives, negatives = _classes(labels, scores)

    def redraw() -> float:
        return _auroc(rng.choices(positives, k=len(positives)), rng.choices(negatives, k=len(negatives)))

    low, high = _percentiles([redraw() for _ in range(resamples)], level)
    return Interval(_auroc(positives, negatives), low, high, len(labels), level)


def ece(
    confidences: Sequence[float],
    correct: Sequence[bool],
    *,
    bins: int = 10,
    binning: Literal["equal_mass", "equal_width"] = "equal_mass",
) -> float:
    """Expected calibration error: the mean gap, over bins of records, between confidence and accuracy.

    ``equal_mass`` fills every bin with the same number of records (HELM); ``equal_width`` cuts [0, 1] evenly
    (Guo et al. 2017). Read it with ``brier`` and the accuracy: a constant guess of the base rate has none.
    """
    pairs = sorted(zip(confidences, map(float, correct), strict=True))
    if not pairs:
        raise ValueError("the calibration of no records is undefined")
    cut = _equal_mass if binning == "equal_mass" else _equal_width
    gaps = [abs(math.fsum(confidence - right for confidence, right in part)) for part in cut(pairs, bins) if part]
    return math.fsum(gaps) / len(pairs)


def brier(confidences: Sequence[float], correct: Sequence[bool]) -> float:
    """Mean squared gap between confidence and outcome (Brier 1950): 0 is certain and right, 0.25 is a shrug."""
    gaps = [(confidence - right) ** 2 for confidence, right in zip(confidences, map(float, correct), strict=True)]
    if not gaps:
        raise ValueError("the Brier score of no records is undefined")
    return math.fsum(gaps) / len(gaps)


def pass_at_k(tries: int, correct: int, k: int) -> float:
    """The chance that at least one of ``k`` tries is right, without bias from ``tries >= k`` (Chen et al. 2021)."""
    _check_tries(tries, correct, k)
    return 1 - math.comb(tries - correct, k) / math.comb(tries, k)


def pass_hat_k(tries: int, correct: int, k: int) -> float:
    """The chance that all of ``k`` tries are right, written pass^k (Yao et al. 2024, tau-bench)."""
    _check_tries(tries, correct, k)
    return math.comb(correct, k) / math.comb(tries, k)


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
    low, high = _percentiles(draws, level)
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


def _percentiles(draws: Sequence[float], level: float) -> tuple[float, float]:
    ordered = sorted(draws)
    return quantile(ordered, (1 - level) / 2), quantile(ordered, (1 + level) / 2)


def _classes(labels: Sequence[bool], scores: Sequence[float]) -> tuple[list[float], list[float]]:
    pairs = list(zip(labels, scores, strict=True))
    positives = [score for label, score in pairs if label]
    negatives = [score for label, score in pairs if not label]
    if not positives or not negatives:
        raise ValueError("AUROC needs records of both classes")
    return positives, negatives


def _auroc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Mann and Whitney's U over the number of pairs, counted in one pass over the sorted scores."""
    counts: dict[float, list[int]] = {}
    for side, scores in enumerate((negatives, positives)):
        for score in scores:
            counts.setdefault(score, [0, 0])[side] += 1
    won, beaten = 0.0, 0
    for score in sorted(counts):
        ties, here = counts[score]
        won += here * (beaten + ties / 2)
        beaten += ties
    return won / (len(positives) * len(negatives))


def _equal_mass(pairs: _Pairs, bins: int) -> list[_Pairs]:
    """Bins by rank; equal confidences stay together, else their order among themselves would look like a gap."""
    parts: list[_Pairs] = [[] for _ in range(bins)]
    first: dict[float, int] = {}
    for rank, pair in enumerate(pairs):
        parts[first.setdefault(pair[0], rank) * bins // len(pairs)].append(pair)
    return parts


def _equal_width(pairs: _Pairs, bins: int) -> list[_Pairs]:
    parts: list[_Pairs] = [[] for _ in range(bins)]
    for pair in pairs:
        parts[min(bins - 1, int(pair[0] * bins))].append(pair)
    return parts


def _check_tries(tries: int, correct: int, k: int) -> None:
    if not (0 <= correct <= tries and 1 <= k <= tries):
        raise ValueError(f"{correct} right of {tries} tries says nothing of {k} tries")
