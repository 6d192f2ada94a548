"""Thresholds that keep a promise: chosen on recorded data so that what they may cost is bounded beyond it, too.

A threshold tuned until the loss on 300 rows looks right breaks its promise on the next rows about as often as not. Here
each threshold is tested, from the most cautious on, and the last one that passes every test before it is taken (Learn then
Test, Angelopoulos et al. 2021, arXiv 2110.01052). The test is a bet against the loss being larger than promised, whose
winnings bound the error exactly for any distribution (Waudby-Smith and Ramdas 2024, arXiv 2010.09686).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVELS = (1.0, *(1 - 10 ** (-step / 8) for step in range(80, -1, -1)))
"""The thresholds that are tried, from the most cautious; fixed beforehand, since ones read off the data would not be tests."""

_STAKES = (1.0, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02)
_SHARES = (0.3, 0.15, 0.12, 0.1, 0.09, 0.08, 0.06, 0.05, 0.03, 0.02)


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded row: how sure (0 to 1), and what is lost where that is enough: 1, 0, or -1 where it is even better."""

    confidence: float
    loss: int


def safe_threshold(cases: Sequence[Case], *, loss: float, confidence: float = 0.95) -> float | None:
    """The lowest threshold such that accepting what is at least as sure loses at most ``loss`` on average, None for none.

    ``loss`` is a share of all rows (0.01 is one point of accuracy). For rows that are independent draws of what is to
    come, the promise holds with probability ``confidence`` at least, whatever their distribution. Raises ``ValueError`` for
    a loss or a confidence outside (0, 1), or for a case that is no case.
    """
    if not 0 < loss < 1 or not 0 < confidence < 1:
        raise ValueError("loss and confidence must lie between 0 and 1")
    if not all(0 <= one.confidence <= 1 and one.loss in (-1, 0, 1) for one in cases):
        raise ValueError("a case has a confidence between 0 and 1 and a loss of -1, 0 or 1")
    ordered = sorted(cases, key=lambda one: -one.confidence)
    found, place, worse, better = None, 0, 0, 0
    for level in LEVELS:
        while place < len(ordered) and ordered[place].confidence >= level:
            worse += ordered[place].loss > 0
            better += ordered[place].loss < 0
            place += 1
        if evidence(worse, better, len(cases), loss) < 1 / (1 - confidence):
            break
        found = level
    return found


def evidence(worse: int, better: int, n: int, loss: float) -> float:
    """The winnings of a fair bet that the mean loss of ``n`` rows is more than ``loss``, placed against it.

    ``worse`` rows lost 1, ``better`` rows lost -1, the others nothing. Where the mean really is more than ``loss``, the
    chance of winning 1/p is at most p.
    """
    even = n - worse - better

    def won(stake: float) -> float:
        if worse and stake * (1 - loss) >= 1:
            return 0.0
        logs = (worse and worse * math.log1p(-stake * (1 - loss))) + even * math.log1p(stake * loss)
        return math.exp(min(700.0, logs + better * math.log1p(stake * (1 + loss))))

    return sum(share * won(stake) for stake, share in zip(_STAKES, _SHARES, strict=True))


def rows_needed(loss: float, confidence: float = 0.95) -> int:
    """The fewest rows on which any threshold can pass: those of which none was lost."""
    n = math.ceil(math.log(1 / (1 - confidence)) / math.log1p(loss))
    while evidence(0, 0, n, loss) < 1 / (1 - confidence):
        n += max(1, n // 100)
    return n


def sure_from(
    scores: Sequence[float], wrong: Sequence[bool], *, error: float, confidence: float = 0.95
) -> float | None:
    """The lowest score such that of what scores at least as much a share of at most ``error`` is wrong, None for none.

    ``wrong[i]`` says whether accepting row ``i`` would be. Prefixes of the rows by falling score are tested in turn, exactly
    (binomial), from the smallest that could pass on; the first that fails ends it. Which prefixes are tested depends on the
    scores alone, so for rows that are independent draws of what is to come the promise holds with probability
    ``confidence``, whatever the scores are worth. -inf where all may be accepted.
    """
    if not 0 < error < 1 or not 0 < confidence < 1:
        raise ValueError("error and confidence must lie between 0 and 1")
    ordered = sorted(zip(scores, wrong, strict=True), key=lambda one: -one[0])
    first = max(fewest_rows(error, confidence), len(ordered) // 10)
    found, errors = None, 0
    for place, (score, mistaken) in enumerate(ordered, 1):
        errors += mistaken
        below = ordered[place][0] if place < len(ordered) else -math.inf
        if place < first or below == score:
            continue
        if _at_most(errors, place, error) > 1 - confidence:
            break
        found = math.nextafter(below, math.inf) if below > -math.inf else below
    return found


def fewest_rows(error: float, confidence: float = 0.95) -> int:
    """The fewest rows on one side on which ``sure_from`` can promise anything: those of which none was wrong."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-error))


def _at_most(errors: int, n: int, share: float) -> float:
    """The chance of at most ``errors`` in ``n`` trials."""
    logs = (
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(share)
        + (n - k) * math.log1p(-share)
        for k in range(errors + 1)
    )
    return math.fsum(map(math.exp, logs))
