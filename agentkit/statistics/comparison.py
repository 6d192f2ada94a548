"""Is a difference more than luck?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


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
