"""A rising map from scores to probabilities, learned from a few labelled rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

Knots = tuple[tuple[float, float], ...]
"""(score, probability) pairs, the scores rising and the probabilities never falling."""

_BINS = 10
_FEWEST = 8  # rows a bin
_PRIOR = 2.0  # rows of the base rate that each bin is mixed with: few rows must not say 0 or 1


def monotone_map(scores: Sequence[float], labels: Sequence[bool]) -> Knots:
    """Knots of a map from a score to the probability that its label is true; straight lines between them, flat beyond.

    Up to ten bins with equally many rows, equal scores together, each mixed with two rows of the base rate, then made
    never to fall by pooling neighbours (isotonic regression; Ayer et al. 1955). Raises ``ValueError`` for no rows.
    """
    pairs = sorted(zip(scores, labels, strict=True))
    if not pairs:
        raise ValueError("a map cannot be learned from no rows")
    base = sum(labels) / len(labels)
    blocks = [_block(part, base) for part in _parts(pairs)]
    pooled: list[tuple[float, float, float]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][1] >= pooled[-1][1]:
            pooled[-2:] = [_joined(pooled[-2], pooled[-1])]
    return tuple((score, probability) for score, probability, _ in pooled)


def at(knots: Knots, score: float) -> float:
    """The probability of a score."""
    if score <= knots[0][0]:
        return knots[0][1]
    if score >= knots[-1][0]:
        return knots[-1][1]
    place = bisect_right(knots, (score, 2.0))
    (left, low), (right, high) = knots[place - 1], knots[place]
    return low + (high - low) * (score - left) / (right - left)


def _parts(pairs: Sequence[tuple[float, bool]]) -> list[Sequence[tuple[float, bool]]]:
    size = max(_FEWEST, -(-len(pairs) // _BINS))
    parts, start = list[Sequence[tuple[float, bool]]](), 0
    while start < len(pairs):
        end = min(len(pairs), start + size)
        while end < len(pairs) and pairs[end][0] == pairs[end - 1][0]:
            end += 1
        if len(pairs) - end < _FEWEST // 2:
            end = len(pairs)
        parts.append(pairs[start:end])
        start = end
    return parts


def _block(part: Sequence[tuple[float, bool]], base: float) -> tuple[float, float, float]:
    weight = len(part) + _PRIOR
    return (
        sum(score for score, _ in part) / len(part),
        (sum(label for _, label in part) + _PRIOR * base) / weight,
        weight,
    )


def _joined(one: tuple[float, float, float], two: tuple[float, float, float]) -> tuple[float, float, float]:
    weight = one[2] + two[2]
    return (
        (one[0] * one[2] + two[0] * two[2]) / weight,
        (one[1] * one[2] + two[1] * two[2]) / weight,
        weight,
    )
