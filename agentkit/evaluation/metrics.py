"""Rows added up: shares and means with their intervals, what could not be scored beside each, and what it cost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agentkit import statistics
from agentkit.evaluation.row import Row
from agentkit.statistics import Interval
from agentkit.types import Usage

ACCURACY = "accuracy"
RIGHT = 0.5
"""A record is right when its first evaluator gives it at least this; a yes-or-no evaluator gives 0 or 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure over rows. ``interval`` is None when nothing could be scored.

    ``unscored`` rows were passed over by the evaluator, ``errors`` ended in one; neither is in the figure.
    """

    name: str
    interval: Interval | None
    scored: int
    unscored: int = 0
    errors: int = 0

    @property
    def unscored_rate(self) -> float:
        """The share of rows that the figure says nothing about."""
        rows = self.scored + self.unscored + self.errors
        return (self.unscored + self.errors) / rows if rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the task spent, what judging spent, and the task's cost of one right answer (None without right answers).

    ``usd`` figures leave out calls without a known price; ``Usage.unpriced_calls`` counts them.
    """

    task: Usage
    judging: Usage
    seconds: float
    usd_per_right: float | None
    tokens_per_right: float | None
    calls_per_right: float | None


def metrics(rows: Sequence[Row], evaluators: Sequence[str], *, seed: int) -> dict[str, Metric]:
    """``accuracy`` by the first evaluator, the mean score of each, and pass@k and pass^k where records were repeated.

    Repeats of one record, and records of one cluster, are resampled together; ``seed`` drives that.
    """
    if not evaluators:
        return {}
    found = {ACCURACY: _metric(ACCURACY, rows, evaluators[0], lambda value: float(value >= RIGHT), seed)}
    found |= {name: _metric(name, rows, name, float, seed) for name in evaluators}
    return {**found, **_pass_rates(rows, evaluators[0], seed)}


def cost(rows: Sequence[Row], evaluators: Sequence[str]) -> Cost:
    """What the rows cost, and a right answer by the first evaluator."""
    task = sum((row.usage for row in rows), Usage())
    judging = sum((score.usage for row in rows for score in row.scores.values()), Usage())
    right = sum(is_right(row, evaluators[0]) for row in rows) if evaluators else 0

    def each(spent: float) -> float | None:
        return spent / right if right else None

    return Cost(
        task=task,
        judging=judging,
        seconds=math.fsum(row.seconds for row in rows),
        usd_per_right=each(task.usd),
        tokens_per_right=each(task.tokens),
        calls_per_right=each(task.calls),
    )


def value(row: Row, evaluator: str) -> float | None:
    """The score of a row; None when it has none."""
    score = row.scores.get(evaluator)
    return None if score is None else score.value


def is_right(row: Row, evaluator: str) -> bool:
    """Whether the evaluator counts the row right; a row without a score is not."""
    found = value(row, evaluator)
    return found is not None and found >= RIGHT


def _metric(name: str, rows: Sequence[Row], evaluator: str, figure: Callable[[float], float], seed: int) -> Metric:
    scored = [(row, found) for row in rows if (found := value(row, evaluator)) is not None]
    errors = sum(evaluator not in row.scores or row.scores[evaluator].status == "error" for row in rows)
    values = [figure(found) for _, found in scored]
    return Metric(
        name=name,
        interval=estimate(values, [row.cluster for row, _ in scored], rng=Random(seed)),
        scored=len(scored),
        unscored=len(rows) - len(scored) - errors,
        errors=errors,
    )


def estimate(values: Sequence[float], clusters: Sequence[str], *, rng: Random) -> Interval | None:
    """The mean with its interval: Wilson's for independent yes-or-no values, the clustered bootstrap otherwise."""
    if not values:
        return None
    if len(set(clusters)) == len(clusters) and set(values) <= {0.0, 1.0}:
        return statistics.wilson(round(sum(values)), len(values))
    return statistics.mean(values, rng=rng, clusters=clusters)


def _pass_rates(rows: Sequence[Row], evaluator: str, seed: int) -> Mapping[str, Metric]:
    """pass@k and pass^k, k being the repeats; records that lack a score in one of them are unscored."""
    repeats = max((row.repeat for row in rows), default=0) + 1
    if repeats == 1:
        return {}
    tries: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        tries[row.id].append(row)
    whole = [one for one in tries.values() if sum(value(row, evaluator) is not None for row in one) == repeats]
    found = {}
    for name, rate in ((f"pass@{repeats}", statistics.pass_at_k), (f"pass^{repeats}", statistics.pass_hat_k)):
        values = [rate(repeats, sum(is_right(row, evaluator) for row in one), repeats) for one in whole]
        interval = estimate(values, [one[0].cluster for one in whole], rng=Random(seed))
        found[name] = Metric(name=name, interval=interval, scored=len(whole), unscored=len(tries) - len(whole))
    return found
