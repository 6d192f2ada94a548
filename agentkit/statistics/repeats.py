"""What several tries of one task say: at least one right (pass@k), all right (pass^k)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from random import Random

from agentkit.statistics.intervals import LEVEL, RESAMPLES, Interval, mean


def pass_at_k(tries: int, correct: int, k: int) -> float:
    """The chance that at least one of ``k`` tries is right, without bias from ``tries >= k`` (Chen et al. 2021)."""
    _check_tries(tries, correct, k)
    return 1 - math.comb(tries - correct, k) / math.comb(tries, k)


def pass_hat_k(tries: int, correct: int, k: int) -> float:
    """The chance that all of ``k`` tries are right, written pass^k (Yao et al. 2024, tau-bench)."""
    _check_tries(tries, correct, k)
    return math.comb(correct, k) / math.comb(tries, k)


def pass_at_k_interval(
    outcomes: Mapping[Hashable, Sequence[bool]],
    k: int,
    *,
    rng: Random,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """The mean of pass@k over tasks, whose tries are the values of ``outcomes``; whole tasks are resampled.

    Tasks with fewer than ``k`` tries are left out; raises ``ValueError`` where none is left.
    """
    return _over_tasks(pass_at_k, outcomes, k, rng=rng, resamples=resamples, level=level)


def pass_hat_k_interval(
    outcomes: Mapping[Hashable, Sequence[bool]],
    k: int,
    *,
    rng: Random,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """The mean of pass^k over tasks, as ``pass_at_k_interval`` does."""
    return _over_tasks(pass_hat_k, outcomes, k, rng=rng, resamples=resamples, level=level)


def _over_tasks(
    one: Callable[[int, int, int], float],
    outcomes: Mapping[Hashable, Sequence[bool]],
    k: int,
    *,
    rng: Random,
    resamples: int,
    level: float,
) -> Interval:
    values = [one(len(tries), sum(tries), k) for tries in outcomes.values() if len(tries) >= k]
    if not values:
        raise ValueError(f"no task was tried {k} times")
    return mean(values, rng=rng, resamples=resamples, level=level)


def _check_tries(tries: int, correct: int, k: int) -> None:
    if not (0 <= correct <= tries and 1 <= k <= tries):
        raise ValueError(f"{correct} right of {tries} tries says nothing of {k} tries")
