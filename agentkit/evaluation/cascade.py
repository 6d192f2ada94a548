"""What a cascade of models would have cost and lost on recorded rows, and the thresholds that keep a promised loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agentkit import statistics
from agentkit.calibration import Case, rows_needed, safe_threshold
from agentkit.errors import EvaluationError
from agentkit.statistics import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one model did with a row: right or not, how sure it was (0 to 1), and what it cost in USD."""

    correct: bool
    confidence: float = 1.0
    usd: float = 0.0


Answers = Mapping[str, Answered]
"""A recorded row: every model's answer by the model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A cascade over recorded rows: the share each model answered, accuracy, and beside the strongest model alone the
    ``loss`` of accuracy (a share) and the ``saving`` of cost (a share of it; below 0 where it costs more).
    """

    shares: tuple[float, ...]
    accuracy: Interval
    loss: Interval
    saving: Interval


def calibrate(
    rows: Sequence[Answers], models: Sequence[str], *, loss: float, confidence: float = 0.95
) -> tuple[float | None, ...]:
    """A threshold for each of ``models`` (cheapest first) but the last, None where no answer of it may be accepted.

    With probability ``confidence`` at least, the cascade loses at most ``loss`` of accuracy against the last model alone on
    rows like these; the loss and the doubt are shared out evenly over the models. Raises ``EvaluationError`` for rows that
    lack a model, or that are too few for any promise.
    """
    stages = len(models) - 1
    if stages < 1:
        raise EvaluationError("a cascade needs at least two models, the cheapest first")
    _complete(rows, models)
    share, sure = loss / stages, 1 - (1 - confidence) / stages
    if len(rows) < (needed := rows_needed(share, sure)):
        raise EvaluationError(
            f"{len(rows)} rows cannot show that a loss is at most {loss:.3g} with {confidence:.0%} certainty: "
            f"record at least {needed}, or allow more"
        )
    thresholds: list[float | None] = []
    for stage, model in enumerate(models[:-1]):
        cases = [_case(row, model, models, stage, thresholds) for row in rows]
        thresholds.append(safe_threshold(cases, loss=share, confidence=sure))
    return tuple(thresholds)


def naive(rows: Sequence[Answers], models: Sequence[str], *, loss: float) -> tuple[float | None, ...]:
    """The threshold of a cascade of two whose loss on these very rows is just within ``loss``: what tuning by eye gives."""
    cheap, strong = models
    lost, found = 0, None
    for row in sorted(rows, key=lambda row: -row[cheap].confidence):
        lost += row[strong].correct - row[cheap].correct
        if lost <= loss * len(rows):
            found = row[cheap].confidence
    return (found,)


def measure(
    rows: Sequence[Answers], models: Sequence[str], thresholds: Sequence[float | None], *, seed: int = 0
) -> Tried:
    """The cascade with these thresholds on ``rows``, with 95 % bootstrap intervals over the rows."""
    _complete(rows, models)
    taken = [_place(row, models, thresholds) for row in rows]
    right = [float(row[models[place]].correct) for row, place in zip(rows, taken, strict=True)]
    strong = [float(row[models[-1]].correct) for row in rows]
    spent = [sum(row[model].usd for model in models[: place + 1]) for row, place in zip(rows, taken, strict=True)]
    alone = math.fsum(row[models[-1]].usd for row in rows) / len(rows)
    saved = [(row[models[-1]].usd - cost) / alone if alone else 0.0 for row, cost in zip(rows, spent, strict=True)]
    return Tried(
        shares=tuple(taken.count(place) / len(rows) for place in range(len(models))),
        accuracy=statistics.mean(right, rng=Random(seed)),
        loss=statistics.paired_difference(right, strong, rng=Random(seed)),
        saving=statistics.mean(saved, rng=Random(seed)),
    )


def _complete(rows: Sequence[Answers], models: Sequence[str]) -> None:
    if not rows:
        raise EvaluationError("there are no rows to calibrate on")
    for number, row in enumerate(rows, 1):
        for model in models:
            if model not in row:
                raise EvaluationError(f"row {number} has no answer of {model!r} (it has {', '.join(row) or 'none'})")


def _case(row: Answers, model: str, models: Sequence[str], stage: int, thresholds: Sequence[float | None]) -> Case:
    """What accepting ``model`` would lose on a row; nothing where an earlier model has answered already."""
    if _place(row, models, [*thresholds, None]) < stage:
        return Case(0.0, 0)
    return Case(row[model].confidence, int(row[models[-1]].correct) - int(row[model].correct))


def _place(row: Answers, models: Sequence[str], thresholds: Sequence[float | None]) -> int:
    """Which of the models answers."""
    for place, threshold in enumerate(thresholds):
        if threshold is not None and row[models[place]].confidence >= threshold:
            return place
    return len(thresholds)
