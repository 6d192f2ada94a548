"""All orders of a few things as one set of bits, so that what statements leave possible is found by ``and`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

MOST_THINGS = 8


@dataclass(frozen=True, slots=True)
class Possibilities:
    """Orders of ``size`` things: bit ``i`` of a set stands for the ``i``-th permutation. Things and places count from 0."""

    size: int
    all: int
    _at: tuple[tuple[int, ...], ...]

    def at(self, thing: int, places: frozenset[int]) -> int:
        """The orders in which ``thing`` stands on one of ``places``."""
        found = 0
        for place in places:
            found |= self._at[thing][place]
        return found

    def before(self, one: int, other: int) -> int:
        """The orders in which ``one`` stands on a lower place than ``other``."""
        found = 0
        lower = 0
        for place in range(self.size):
            found |= lower & self._at[other][place]
            lower |= self._at[one][place]
        return found

    def among(self, place: int, things: frozenset[int]) -> int:
        """The orders in which one of ``things`` stands on ``place``."""
        found = 0
        for thing in things:
            found |= self._at[thing][place]
        return found

    def holder(self, orders: int, place: int) -> int | None:
        """The thing that stands on ``place`` in all of ``orders``, or None."""
        return next((thing for thing in range(self.size) if not orders & ~self._at[thing][place]), None)

    def places(self, orders: int, thing: int) -> list[int]:
        """The places on which ``thing`` stands in some of ``orders``."""
        return [place for place in range(self.size) if orders & self._at[thing][place]]


@lru_cache(maxsize=MOST_THINGS)
def possibilities(size: int) -> Possibilities:
    """The orders of ``size`` things; raises ``ValueError`` above ``MOST_THINGS``, where they are too many to list."""
    if not 1 <= size <= MOST_THINGS:
        raise ValueError(f"the orders of {size} things are not listed; at most {MOST_THINGS}")
    orders = list(permutations(range(size)))
    at = [[0] * size for _ in range(size)]
    for thing in range(size):
        for place in range(size):
            at[thing][place] = int("".join("1" if order[place] == thing else "0" for order in orders), 2)
    return Possibilities(size, (1 << len(orders)) - 1, tuple(map(tuple, at)))
