"""Amounts that may depend on the length of a list that nobody knows yet: ``4 + 16 * items``, or without any bound."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True, slots=True)
class Amount:
    """A polynomial in the number of items: ``terms[k]`` of ``items ** k``. Infinite where it has no bound."""

    terms: tuple[float, ...] = ()

    @classmethod
    def of(cls, value: float | None) -> Amount:
        """A number; None is without bound."""
        return cls((math.inf if value is None else value,))

    @property
    def bounded(self) -> bool:
        """Whether it is finite for lists of any length."""
        return all(math.isfinite(term) for term in self.terms)

    @property
    def number(self) -> float | None:
        """The amount, where it depends on no list and is bounded."""
        return self.at(1) if self.bounded and not any(self.terms[1:]) else None

    def at(self, items: float) -> float:
        """The amount for lists of this length."""
        return sum(term * items**power for power, term in enumerate(self.terms) if term)

    def __add__(self, other: Amount) -> Amount:
        return Amount(tuple(a + b for a, b in zip_longest(self.terms, other.terms, fillvalue=0.0)))

    def __mul__(self, other: Amount | float) -> Amount:
        others = other.terms if isinstance(other, Amount) else (other,)
        found = [0.0] * max(0, len(self.terms) + len(others) - 1)
        for i, a in enumerate(self.terms):
            for j, b in enumerate(others):
                found[i + j] += a * b if a and b else 0.0  # nothing times without bound is nothing
        return Amount(tuple(found))

    def within(self, limit: float | None) -> Amount:
        """The amount or the limit, whichever is less; the limit where that depends on a list."""
        if limit is None or not self.exceeds(limit):
            return self
        return Amount.of(limit)

    def exceeds(self, limit: float) -> bool:
        """Whether it can be more than ``limit``."""
        return self.number is None or self.number > limit

    def __str__(self) -> str:
        if not self.bounded:
            return "no bound"
        shown = [_term(term, power) for power, term in enumerate(self.terms) if term]
        return " + ".join(shown) or "0"


ITEMS = Amount((0.0, 1.0))
"""The length of a list."""


def total(amounts: Iterable[Amount]) -> Amount:
    """All of them together."""
    return sum(amounts, Amount())


def _term(term: float, power: int) -> str:
    number = f"{term:,.0f}" if term >= 100 or term == int(term) else f"{term:,.4g}"
    return number if not power else f"{number} × items{'' if power == 1 else f'^{power}'}"
