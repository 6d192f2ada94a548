"""From features to a verdict: how well a claim is supported, and what to call it.

The weights below are set by hand and checked on development sets (``evals/hallucination``); only the last step, from support to
probability, is fitted (``evals/hallucination/fit.py``: WiCE and corruptions made by rule).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from agentkit.evaluators.hallucination.features import Features
from agentkit.evaluators.hallucination.likeness import Likeness

Kind = Literal["supported", "contradicted", "not_found"]

CURVE = (
    (-4.0, 0.001),
    (-0.233, 0.101),
    (0.142, 0.102),
    (0.279, 0.132),
    (0.382, 0.267),
    (0.503, 0.270),
    (0.617, 0.504),
    (0.737, 0.631),
    (0.845, 0.662),
    (0.949, 0.708),
    (1.061, 0.799),
    (1.213, 0.890),
    (1.366, 0.968),
    (1.5, 0.999),
)
"""(support, probability) knots from ``fit.py``, both rising, with straight lines between them."""

CURVE_WITH_LIKENESS = (
    (-4.0, 0.001),
    (0.473, 0.099),
    (1.063, 0.206),
    (1.401, 0.322),
    (1.659, 0.445),
    (1.856, 0.631),
    (2.021, 0.717),
    (2.197, 0.833),
    (2.442, 0.861),
    (2.845, 0.949),
    (3.2, 0.999),
)
"""The same where support holds the likeness of words, too."""

_SHORT_SOURCE, _LONG_SOURCE = 3, 6  # sentences
_COPY_BEGINS, _COPY_FULL = 0.3, 0.7  # share of copied word triples
_STRETCH, _MEETING = 1.6, 0.66  # words of a short source are shared by chance more often: spread around this support
_ALIGNED = 0.6  # share of a claim that must lie in the evidence before a difference counts as a contradiction


def support(features: Features, sentences: int, likeness: Likeness | None = None) -> float:
    """How well a source of ``sentences`` sentences supports a claim; about 0 (nothing in common) to 1 (copied whole).

    Three views, blended by the kind of input: in a source of a few sentences every word counts; in a long one the content
    words of the best window; in a claim that is mostly copied, the copied runs. Edits of the copy are subtracted.
    ``likeness``, where there is one, adds what is said in other words, and stretches the scale: it is read with
    ``CURVE_WITH_LIKENESS``.
    """
    short = _clip((_LONG_SOURCE - sentences) / (_LONG_SOURCE - _SHORT_SOURCE))
    copied = _clip((features.copied - _COPY_BEGINS) / (_COPY_FULL - _COPY_BEGINS))
    long = (1 - copied) * _by_window(features) + copied * _by_runs(features)
    edits = _edits(features)
    found = (
        short * _STRETCH * (_by_words(features) - edits - _MEETING) + (1 - short) * (long - edits) + short * _MEETING
    )
    return found if likeness is None else found + _alike(features, likeness)


def probability(support: float, curve: Sequence[tuple[float, float]] = CURVE) -> float:
    """The calibrated probability that a claim (or answer) with this support is supported; in [0, 1] and never falling."""
    inside = max(curve[0][0], min(curve[-1][0], support))
    place = min(bisect_right(curve, (inside, 2.0)), len(curve) - 1)
    (left, low), (right, high) = curve[place - 1], curve[place]
    return low + (high - low) * (inside - left) / (right - left)


def pooled(supports: Sequence[float], lengths: Sequence[int]) -> float:
    """The support of a whole answer: the mean over its claims by length (words), at least one claim."""
    return sum(one * length for one, length in zip(supports, lengths, strict=True)) / sum(lengths)


def judge(features: Features, chance: float, threshold: float) -> Kind:
    """What to call a claim: an exact edit or a missing number is never supported, however much of the rest is there."""
    edited = features.exact_negation or features.exact_number or features.exact_opposite or features.exact_name
    if edited and features.chained >= _ALIGNED:
        return "contradicted"
    if chance >= threshold and not features.numbers:
        return "supported"
    changed = features.negation or features.number_edit or features.opposite
    return "contradicted" if changed and features.chained >= _ALIGNED else "not_found"


def _by_words(features: Features) -> float:
    return features.cover + 0.1 * features.back - 0.1 * features.first_person


def _by_window(features: Features) -> float:
    found = features.cover + features.window + 0.5 * features.best + 0.3 * features.back + 0.2 * features.anchored
    lost = 0.2 * features.missing + 0.2 * features.names + 0.5 * features.numbers
    return (found - lost) / 2.5 - 0.1 * features.first_person


def _by_runs(features: Features) -> float:
    return (features.copied + 0.5 * features.best + 0.3 * features.back) / 1.3


def _alike(features: Features, likeness: Likeness) -> float:
    """What is said in other words: the likeness of words, and of the whole the more, the fewer words are the same."""
    return 1.5 * likeness.words - 0.5 * likeness.worst + 1.1 * likeness.nearest * (1 - features.cover)


def _edits(features: Features) -> float:
    loose = (
        features.negation + features.number_edit + 0.5 * features.name_edit + features.opposite + 0.5 * features.splice
    )
    exact = features.exact_negation + features.exact_number + features.exact_name + features.exact_opposite
    return 0.2 * loose + 0.7 * exact


def _clip(value: float) -> float:
    return max(0.0, min(1.0, value))
