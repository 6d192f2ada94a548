"""How well scores rank true records above false ones."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from agentkit.statistics.intervals import LEVEL, RESAMPLES, Interval, percentiles


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

    low, high = percentiles([redraw() for _ in range(resamples)], level)
    return Interval(_auroc(positives, negatives), low, high, len(labels), level)


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
