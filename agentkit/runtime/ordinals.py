"""The counting that keeps equal requests apart: each place in a recording is given out once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Generic, TypeVar

K = TypeVar("K")


class Ordinals(Generic[K]):
    """Numbers from 0 for every key: the first equal request takes the first ones, the next goes on after it.

    Equal requests are exchangeable, so it does not matter in which order concurrent ones arrive.
    """

    def __init__(self) -> None:
        self._next: dict[K, int] = {}
        self._returned: dict[K, list[int]] = {}

    def take(self, key: K, count: int) -> tuple[int, ...]:
        """``count`` numbers nobody holds, those that were put back first."""
        returned = self._returned.get(key, [])
        again = [heappop(returned) for _ in range(min(count, len(returned)))]
        start = self._next.get(key, 0)
        end = start + count - len(again)
        self._next[key] = end
        return (*again, *range(start, end))

    def put_back(self, key: K, ordinals: Iterable[int]) -> None:
        """Let the next request take these again: theirs failed, and nothing was recorded under them."""
        returned = self._returned.setdefault(key, [])
        for ordinal in ordinals:
            heappush(returned, ordinal)

    def forget(self, matches: Callable[[K], bool]) -> None:
        """Count from 0 again for every key that ``matches``."""
        for counts in (self._next, self._returned):
            for key in [key for key in counts if matches(key)]:
                del counts[key]
