"""Do confidences mean what they say?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal


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


_Pairs = list[tuple[float, float]]


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
