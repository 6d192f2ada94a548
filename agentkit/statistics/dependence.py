"""Do errors breed errors?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from agentkit.statistics.intervals import LEVEL, RESAMPLES, Interval, mean, percentiles


def self_conditioning(
    erred_after_errors: Sequence[bool],
    erred_without: Sequence[bool],
    *,
    rng: Random,
    tasks_after_errors: Sequence[Hashable] | None = None,
    tasks_without: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """How much likelier an error is at a step whose history holds (injected) errors than at one whose history holds none.

    Positive: a model that sees its own errors makes more (Sinha et al. 2025, arXiv 2509.09677). Whole tasks are resampled; a task
    that is in both is drawn for both. Raises ``ValueError`` without values on either side.
    """
    if not erred_after_errors or not erred_without:
        raise ValueError("self-conditioning compares steps with errors before them to steps without")
    sides = (_counts(erred_after_errors, tasks_after_errors, "after"), _counts(erred_without, tasks_without, "without"))
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    value = _rate(sides[0], names) - _rate(sides[1], names)
    draws: list[float] = []
    while len(draws) < resamples:
        drawn = rng.choices(names, k=len(names))
        if all(any(name in side for name in drawn) for side in sides):
            draws.append(_rate(sides[0], drawn) - _rate(sides[1], drawn))
    low, high = percentiles(draws, level)
    return Interval(value, low, high, len(names), level)


def propagation(
    consequences: Sequence[int],
    later: Sequence[int],
    *,
    rng: Random,
    tasks: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Of the errors after the first of each run, the share that follows from it: ``consequences`` of ``later``, run by run.

    Raises ``ValueError`` where no run has a later error.
    """
    values: list[float] = []
    clusters: list[Hashable] = []
    named = tasks if tasks is not None else range(len(later))
    for caused, count, task in zip(consequences, later, named, strict=True):
        values += [1.0] * caused + [0.0] * (count - caused)
        clusters += [task] * count
    return mean(values, rng=rng, clusters=clusters, resamples=resamples, level=level)


def _counts(erred: Sequence[bool], tasks: Sequence[Hashable] | None, side: str) -> dict[Hashable, tuple[int, int]]:
    """Errors and steps of each task."""
    found: dict[Hashable, tuple[int, int]] = {}
    named = tasks if tasks is not None else [(side, place) for place in range(len(erred))]
    for one, task in zip(erred, named, strict=True):
        errors, steps = found.get(task, (0, 0))
        found[task] = (errors + one, steps + 1)
    return found


def _rate(side: dict[Hashable, tuple[int, int]], names: Sequence[Hashable]) -> float:
    there = [side[name] for name in names if name in side]
    return sum(errors for errors, _ in there) / sum(steps for _, steps in there)
