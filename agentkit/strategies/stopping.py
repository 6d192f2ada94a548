"""When to stop sampling: pure rules over the counts of the votes so far.

Every rule has one contract. ``counts`` are the votes of each answer in the order in which the answers were first given,
``drawn`` the samples finished (abstentions included), ``limit`` the most that may be drawn, ``streak`` how many of the last
votes agree. Nothing is known of which answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, exp, inf, lgamma, log, sqrt
from typing import Protocol

from agentkit.errors import ConfigError, did_you_mean

UNSEEN = 0.2
"""The weight of answers not given yet: theta of the Polya urn that ``regret`` draws from."""


class Rule(Protocol):
    """Says when enough samples are drawn, and how many more could be needed at best."""

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """Whether to stop here; always at the limit."""
        ...

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """The fewest further samples, all agreeing with the leader, after which the rule could be done; 0 when it is."""
        ...


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Draws them all."""

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """At the limit."""
        return drawn >= limit

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """All that are left."""
        return max(0, limit - drawn)


@dataclass(frozen=True, kw_only=True)
class Certain:
    """Stops when no further vote can change the winner: the answer is that of all ``limit`` samples, always."""

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When the leader's margin is at least what is left to draw, ties going to the answer given first."""
        return drawn >= limit or certain(counts, limit - drawn)

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


@dataclass(frozen=True, kw_only=True)
class Beta:
    """Adaptive-Consistency with its Beta rule (Aggarwal et al. 2023, arXiv 2305.11860).

    Stops when the leader beats the runner-up in the long run with probability ``confidence``, given their votes.
    """

    confidence: float = 0.95

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When P(p > 1/2) >= confidence for p ~ Beta(v1 + 1, v2 + 1); exact, in integers."""
        first, second = top_two(counts)
        return drawn >= limit or lead_probability(first, second) >= Fraction(str(self.confidence))

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


@dataclass(frozen=True, kw_only=True)
class Dirichlet:
    """Adaptive-Consistency with its Dirichlet rule: as ``Beta``, against every other answer at once (arXiv 2305.11860)."""

    confidence: float = 0.95

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When P(the leader's share is the largest) >= confidence for shares ~ Dirichlet(counts + 1)."""
        return drawn >= limit or largest_probability(tuple(sorted(counts, reverse=True))) >= self.confidence

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


@dataclass(frozen=True, kw_only=True)
class Esc:
    """Early-stopping self-consistency (Li et al. 2024, arXiv 2401.10480): stops after a ``window`` of equal answers."""

    window: int = 5

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When ``drawn`` fills windows and the last window is of one answer; unanimous votes are a streak by themselves."""
        length = drawn if list(counts) == [drawn] else streak
        return drawn >= limit or (drawn > 0 and drawn % self.window == 0 and length >= self.window)

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


@dataclass(frozen=True, kw_only=True)
class Regret:
    """Stops when drawing the rest would be expected to change the winner's share by no more than ``tolerance``.

    An answer's share is close to its probability of being right, so a change between near-equal answers costs nothing.
    Certain votes have no regret, so this rule never draws on after ``Certain`` has stopped.
    """

    tolerance: float = 1 / 600

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When ``regret`` of the counts is at most the tolerance."""
        return drawn >= limit or (
            any(counts) and regret(*top_two(counts), sum(counts), limit - drawn) <= self.tolerance
        )

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


@dataclass(frozen=True, kw_only=True)
class Paired(Regret):
    """``Regret`` for samples that take turns between prompts of similar quality, and so err less alike: it may stop sooner.

    One vote of each that agree are enough for up to 20. On the samples of one prompt it loses accuracy.
    """

    tolerance: float = 1 / 100


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """First to be ahead by ``lead`` votes, a walk between two walls (MAKER, arXiv 2511.09030).

    A step that is right with probability p, against one other, is then got right with probability 1 / (1 + ((1 - p) / p)^lead).
    """

    lead: int = 2

    def done(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> bool:
        """When the leader has ``lead`` votes more than the runner-up."""
        first, second = top_two(counts)
        return drawn >= limit or first - second >= self.lead

    def wave(self, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
        """See ``Rule.wave``."""
        return fewest(self, counts, drawn, limit, streak)


_RULES: dict[str, Callable[[float], Rule]] = {
    "fixed": lambda confidence: Fixed(),
    "certain": lambda confidence: Certain(),
    "beta": lambda confidence: Beta(confidence=confidence),
    "dirichlet": lambda confidence: Dirichlet(confidence=confidence),
    "esc": lambda confidence: Esc(),
    "regret": lambda confidence: Regret(tolerance=(1 - confidence) / 30),
    "paired": lambda confidence: Paired(tolerance=(1 - confidence) / 5),
}
RULES = tuple(_RULES)
"""The names that ``rule`` knows."""


def rule(name: str, *, confidence: float = 0.95) -> Rule:
    """The rule of this name; ``confidence`` in (0, 1) asks for more or fewer samples where the rule can be tuned.

    For ``regret`` the tolerance is (1 - confidence) / 30, so that 0.95 gives the 1/600 it was tuned to, and for ``paired``
    (1 - confidence) / 5. Raises ``ConfigError`` for an unknown name or a confidence out of range.
    """
    if name not in _RULES:
        raise ConfigError(f"no stopping rule is named {name!r}{did_you_mean(name, RULES)} (known: {', '.join(RULES)})")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence must lie between 0 and 1, not {confidence}")
    return _RULES[name](confidence)


def fewest(one: Rule, counts: Sequence[int], drawn: int, limit: int, streak: int = 0) -> int:
    """How many more samples, all for the leader, would satisfy a rule; what is left to draw if none would."""
    if one.done(counts, drawn, limit, streak):
        return 0
    leader = max(range(len(counts)), key=counts.__getitem__, default=0)
    grown = list(counts) or [0]
    for more in range(1, limit - drawn):
        grown[leader] += 1
        if one.done(grown, drawn + more, limit, streak + more):
            return more
    return limit - drawn


def certain(counts: Sequence[int], left: int) -> bool:
    """Whether ``left`` further votes cannot change the winner, ties going to the answer given first."""
    leader = max(range(len(counts)), key=counts.__getitem__, default=None)
    if leader is None or counts[leader] < max(left, 1):
        return False
    others = (place for place in range(len(counts)) if place != leader)
    return all(counts[leader] - counts[place] >= left + (place < leader) for place in others)


def top_two(counts: Sequence[int]) -> tuple[int, int]:
    """The largest two counts, 0 for those that are missing."""
    first, second, *_ = sorted([*counts, 0, 0], reverse=True)
    return first, second


@lru_cache(maxsize=4096)
def lead_probability(first: int, second: int) -> Fraction:
    """P(p > 1/2) for p ~ Beta(first + 1, second + 1), exactly."""
    size = first + second + 1
    return Fraction(sum(comb(size, j) for j in range(first + 1)), 2**size)


@lru_cache(maxsize=4096)
def largest_probability(counts: tuple[int, ...]) -> float:
    """P(the first share is the largest) for shares ~ Dirichlet(counts + 1); a lone answer is held against one unseen.

    With independent Gamma variables in place of the shares this is one integral, int_0^inf g(x; v1 + 1) prod G(x; vi + 1) dx.
    Put x = exp(t): the integrand is smooth and vanishes fast at both ends, where the trapezium rule is as good as exact.
    """
    shapes = [count + 1 for count in counts] if len(counts) > 1 else [*(count + 1 for count in counts), 1][:2]
    if len(shapes) < 2:
        return 0.0
    first, others = shapes[0], shapes[1:]
    low, high = -36.0 / sum(shapes), log(first + 12.0 * sqrt(first) + 24.0)
    step = min(0.125, 0.5 / sqrt(max(shapes)))
    points = int((high - low) / step) + 2
    return min(1.0, step * sum(_integrand(low + place * step, first, others) for place in range(points)))


def _integrand(t: float, first: int, others: Sequence[int]) -> float:
    """g(x; first) * prod G(x; others) * dx/dt at x = exp(t), for Gamma densities g and distributions G of whole shapes."""
    x = exp(t)
    density = exp(first * t - x - lgamma(first))
    below = _gamma_distributions(x, max(others))
    for shape in others:
        density *= below[shape]
    return density


def _gamma_distributions(x: float, largest: int) -> list[float]:
    """G(x; n) for n = 0..largest: the probability that a Poisson variable of mean x is at least n."""
    term, values = exp(-x), [1.0]
    for n in range(1, largest + 1):
        values.append(max(0.0, values[-1] - term))
        term *= x / n
    return values


@lru_cache(maxsize=65536)
def regret(first: int, second: int, votes: int, left: int, unseen: float = UNSEEN) -> float:
    """The share by which another answer is expected to lead in the end, were all ``left`` samples drawn.

    ``first`` and ``second`` are the votes of the leader and the runner-up among ``votes``. The rest falls as from a Polya
    urn that holds the votes so far and ``unseen`` of what was not given yet.
    """
    if first - second >= left:
        return 0.0
    urn = (float(first), float(second) or unseen)
    rest = max(0.0, votes + unseen - sum(urn))
    lead, run, other = (_log_paths(weight, left) for weight in (*urn, rest))
    every = lgamma(left + 1) - _log_rising(sum(urn) + rest, left)
    total = 0.0
    for i in range((left - (first - second)) // 2 + 1):
        behind = first + i - second
        for j in range(behind + 1, left - i + 1):
            total += (j - behind) * exp(every + lead[i] + run[j] + other[left - i - j])
    return total / (votes + left + unseen)


def _log_paths(weight: float, left: int) -> list[float]:
    """log((weight)_n / n!) for n = 0..left, with (x)_n the rising factorial."""
    return [_log_rising(weight, n) - lgamma(n + 1) for n in range(left + 1)]


def _log_rising(x: float, n: int) -> float:
    if n == 0:
        return 0.0
    return lgamma(x + n) - lgamma(x) if x > 0 else -inf
