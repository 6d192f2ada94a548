"""How far agents get before they first go wrong: rows of ``agentkit evaluate`` in, tables of survival and hazard out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from agentkit import statistics
from agentkit.errors import InputError
from agentkit.statistics import Interval, Lifetime, Survival, Weibull

BINS = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 12), (13, 16), (17, 24), (25, 48), (49, 10**9))
"""Steps that are counted together in a table of hazards, first and last included."""


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """Steps ``first`` to ``last``: how many were taken, how many of them failed, and the chance to fail at one."""

    first: int
    last: int
    taken: int
    failed: int
    rate: Interval


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """One agent: its runs, the step after which half (four fifths) are still without error, and the hazard by step.

    ``h50`` and ``h80`` are read off the Kaplan-Meier curve: infinite where the data end before. ``h50_constant`` and
    ``h50_weibull`` go on beyond the data, by a constant hazard and by the fitted law. ``shape`` is that of the law, above 1 where
    the hazard rises; None without any failure.
    """

    name: str
    runs: int
    tasks: int
    failures: int
    rate: Interval
    h50: Interval
    h80: Interval
    h50_constant: Interval
    shape: Interval | None
    law: Weibull | None
    hazards: tuple[Hazard, ...]
    survival: Survival


def lifetimes(rows: Iterable[Any], *, by: str = "model", task: str = "task") -> dict[str, list[Lifetime]]:
    """The runs in rows of verdicts, by the value of their key ``by``.

    A row has ``steps`` (how many), ``first_error`` (0-based, null for none; else the first step of its findings) and the task it
    was a run of. Rows that were not scored, or have no steps, are left out; raises ``InputError`` where none is left.
    """
    found: dict[str, list[Lifetime]] = {}
    for place, row in enumerate(rows):
        if (run := _lifetime(row, task, place)) is not None:
            found.setdefault(str(row.get(by) or "all"), []).append(run)
    if not found:
        raise InputError("no row says how many 'steps' it has and at which the 'first_error' is")
    return found


def measure(name: str, runs: Sequence[Lifetime], *, seed: int = 0, resamples: int = 500) -> Horizon:
    """Everything about the runs of one agent; every interval resamples tasks. Raises ``ValueError`` without a step."""
    rng = Random(seed)

    def bounds(statistic: Any, draws: int = resamples) -> Interval:
        return statistics.bootstrap(runs, statistic, rng=rng, resamples=draws)

    failures = sum(run.failed for run in runs)
    rate = bounds(statistics.hazard_rate)
    low, high = (statistics.constant_horizon(one) for one in (rate.high, rate.low))
    return Horizon(
        name=name,
        runs=len(runs),
        tasks=rate.n,
        failures=failures,
        rate=rate,
        h50=bounds(lambda drawn: statistics.kaplan_meier(drawn).horizon(0.5)),
        h80=bounds(lambda drawn: statistics.kaplan_meier(drawn).horizon(0.8)),
        h50_constant=Interval(statistics.constant_horizon(rate.value), low, high, rate.n, rate.level),
        shape=bounds(lambda drawn: statistics.weibull(drawn).shape, min(resamples, 200)) if failures > 1 else None,
        law=statistics.weibull(runs) if failures else None,
        hazards=tuple(_hazards(runs, bounds)),
        survival=statistics.kaplan_meier(runs),
    )


def table(horizons: Sequence[Horizon]) -> str:
    """The horizons as text: one line an agent, the most reliable first; then the hazards by step."""
    ordered = sorted(horizons, key=lambda one: one.rate.value)
    width = max(len(one.name) for one in ordered)
    lines = [
        f"{'':{width}}  {'runs':>6} {'failed':>6}  {'hazard a step':22} {'H50':19} {'H80':19} {'H50, constant':22} "
        f"{'Weibull shape':19} p(shape=1)"
    ]
    lines += [_line(one, width) for one in ordered]
    columns = [f"{first}-{last}" if last < BINS[-1][1] else f"{first}+" for first, last in _bins(ordered)]
    lines += ["", f"{'hazard at step':{width}}  {' '.join(f'{one:>9}' for one in columns)}"]
    for one in ordered:
        rates = {hazard.first: f"{hazard.rate.value:.3f}" for hazard in one.hazards}
        lines.append(
            f"{one.name:{width}}  {' '.join(f'{rates.get(first, chr(45)):>9}' for first, _ in _bins(ordered))}"
        )
    return "\n".join(lines)


def as_json(horizon: Horizon) -> dict[str, Any]:
    """The horizon as plain data; infinite values are null."""
    return {
        "name": horizon.name,
        "runs": horizon.runs,
        "tasks": horizon.tasks,
        "failures": horizon.failures,
        "hazard_rate": _interval(horizon.rate),
        "h50": _interval(horizon.h50),
        "h80": _interval(horizon.h80),
        "h50_constant": _interval(horizon.h50_constant),
        "weibull_shape": None if horizon.shape is None else _interval(horizon.shape),
        "h50_weibull": None if horizon.law is None else _finite(horizon.law.horizon()),
        "p_shape_1": None if horizon.law is None else horizon.law.p_value,
        "hazards": [
            {"first": one.first, "last": one.last, "taken": one.taken, "failed": one.failed, **_interval(one.rate)}
            for one in horizon.hazards
        ],
        "survival": [round(one, 6) for one in horizon.survival.survival],
    }


def _lifetime(row: Any, task: str, place: int) -> Lifetime | None:
    if not isinstance(row, Mapping) or row.get("status", "scored") != "scored":
        return None
    steps, first = row.get("steps"), row.get("first_error")
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        return None
    if "first_error" not in row:
        found = [one.get("step") for one in row.get("findings") or () if isinstance(one, Mapping)]
        first = min((step for step in found if isinstance(step, int)), default=None)
    named = row.get("task_id") if row.get(task) is None else row[task]
    key = ("row", place) if named is None else str(named)
    if isinstance(first, int) and 0 <= first < steps:
        return Lifetime(first + 1, True, key)
    return Lifetime(steps, False, key)


def _hazards(runs: Sequence[Lifetime], bounds: Any) -> Iterable[Hazard]:
    for first, last in BINS:
        taken = sum(max(0, min(run.steps, last) - first + 1) for run in runs)
        if taken:
            inside = sum(run.failed and first <= run.steps <= last for run in runs)
            rate = bounds(lambda drawn, first=first, last=last: _rate(drawn, first, last))
            yield Hazard(first=first, last=last, taken=taken, failed=inside, rate=rate)


def _rate(runs: Sequence[Lifetime], first: int, last: int) -> float:
    taken = sum(max(0, min(run.steps, last) - first + 1) for run in runs)
    if not taken:
        raise ValueError("no run came so far")
    return sum(run.failed and first <= run.steps <= last for run in runs) / taken


def _bins(horizons: Sequence[Horizon]) -> list[tuple[int, int]]:
    there = {one.first for horizon in horizons for one in horizon.hazards}
    return [(first, last) for first, last in BINS if first in there]


def _line(one: Horizon, width: int) -> str:
    shape = _shown(one.shape, 2) if one.shape else "-"
    p_value = f"{one.law.p_value:.2g}" if one.law else "-"
    return (
        f"{one.name:{width}}  {one.runs:6,} {one.failures:6,}  {_shown(one.rate, 3):22} {_shown(one.h50, 0):19} "
        f"{_shown(one.h80, 0):19} {_shown(one.h50_constant, 1):22} {shape:19} {p_value}"
    )


def _shown(interval: Interval, digits: int) -> str:
    return f"{_number(interval.value, digits)} [{_number(interval.low, digits)}, {_number(interval.high, digits)}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "beyond"


def _interval(interval: Interval) -> dict[str, float | None]:
    return {"value": _finite(interval.value), "low": _finite(interval.low), "high": _finite(interval.high)}


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
