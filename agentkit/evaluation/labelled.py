"""Fitting an evaluator's score to a user's own labels: a rising map, and a band in which it had better not decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from agentkit.calibration import fewest_rows, sure_from
from agentkit.errors import EvaluationError
from agentkit.statistics import Interval, Knots, at, auroc, ece, monotone_map, wilson

SCHEMA = "agentkit-calibration/v1"
_FEWEST = 20  # rows, and of each label a quarter of that


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Scores from ``accept`` on count as good and those up to ``reject`` as bad; between them is no verdict. None: never."""

    accept: float | None
    reject: float | None

    def decides(self, score: float) -> bool | None:
        """True for good, False for bad, None in the band."""
        if self.accept is not None and score >= self.accept:
            return True
        return False if self.reject is not None and score <= self.reject else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The map and the band from all rows; the figures are from rows that took no part in the fit they are judged by.

    ``before`` and ``after`` are the expected calibration errors of the raw score and of the map, ``coverage`` the share of rows
    outside the band and ``accuracy`` how many of those are right (None where all are inside).
    """

    knots: Knots
    band: Band
    rows: int
    good: int
    auroc: float
    before: float
    after: float
    coverage: Interval
    accuracy: Interval | None
    fewest: int


def fit(
    scores: Sequence[float],
    labels: Sequence[bool],
    *,
    rng: Random,
    accuracy: float = 0.95,
    confidence: float = 0.95,
    folds: int = 5,
) -> Fitted:
    """The map and the band, judged by cross-validation in ``folds`` parts drawn by ``rng``.

    With probability ``confidence`` at least, each side of the band is right for a share of at least ``accuracy`` of the rows to
    come, if they are like these. Raises ``EvaluationError`` for too few rows or labels.
    """
    _check(labels, folds)
    order = list(range(len(scores)))
    rng.shuffle(order)
    mapped, decided = dict[int, float](), dict[int, bool | None]()
    for fold in range(folds):
        held = set(order[fold::folds])
        rest = [place for place in order if place not in held]
        known, truth = [scores[place] for place in rest], [labels[place] for place in rest]
        knots, band = monotone_map(known, truth), find_band(known, truth, accuracy=accuracy, confidence=confidence)
        mapped |= {place: at(knots, scores[place]) for place in held}
        decided |= {place: band.decides(scores[place]) for place in held}
    outside = [place for place in order if decided[place] is not None]
    right = sum(decided[place] == labels[place] for place in outside)
    return Fitted(
        knots=monotone_map(scores, labels),
        band=find_band(scores, labels, accuracy=accuracy, confidence=confidence),
        rows=len(scores),
        good=sum(labels),
        auroc=auroc(labels, scores),
        before=ece(scores, labels),
        after=ece([mapped[place] for place in range(len(scores))], labels),
        coverage=wilson(len(outside), len(scores)),
        accuracy=wilson(right, len(outside)) if outside else None,
        fewest=fewest_rows(1 - accuracy, _one_side(confidence)),
    )


def find_band(scores: Sequence[float], labels: Sequence[bool], *, accuracy: float, confidence: float) -> Band:
    """The narrowest band outside of which verdicts are right as often as promised, each side tested by itself."""
    error, sure = 1 - accuracy, _one_side(confidence)
    accept = sure_from(scores, [not label for label in labels], error=error, confidence=sure)
    reject = sure_from([-score for score in scores], labels, error=error, confidence=sure)
    lowest = None if reject is None else -reject
    if accept is not None and lowest is not None and lowest >= accept:
        lowest = math.nextafter(accept, -math.inf)
    return Band(accept=accept, reject=lowest)


def _one_side(confidence: float) -> float:
    """Each of the two sides may fail half as often."""
    return (1 + confidence) / 2


def _check(labels: Sequence[bool], folds: int) -> None:
    good, least = sum(labels), _FEWEST // 4
    if len(labels) < _FEWEST or min(good, len(labels) - good) < least:
        raise EvaluationError(
            f"{good} good and {len(labels) - good} bad rows were scored: calibration needs {_FEWEST} rows and {least} of each"
        )
    if not 2 <= folds <= len(labels):
        raise EvaluationError(f"folds must lie between 2 and the number of rows, not {folds}")
