"""One vote being taken: samples in waves that a stopping rule could still need, the surplus cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agentkit.errors import BudgetExceededError, QuestionsPendingError
from agentkit.events import Emit, VoteCast
from agentkit.runtime.concurrency import cancel
from agentkit.strategies import stopping, votes
from agentkit.strategies.drawing import HOPELESS
from agentkit.types import Vote

_FIRST_FAILURES = 4

T = TypeVar("T")
_Taken = TypeVar("_Taken", contravariant=True)


class Box(Protocol[_Taken]):
    """Where votes are cast, in any order."""

    @property
    def errors(self) -> dict[int, BaseException]:
        """The samples that failed, by place."""
        ...

    @property
    def drawn(self) -> int:
        """Samples settled, failures included."""
        ...

    def cast(self, place: int, sample: _Taken) -> None:
        """Count a sample."""
        ...

    def fail(self, place: int, error: BaseException) -> None:
        """Count a sample that could not be had."""
        ...

    def tallies(self) -> Sequence[tuple[Vote, ...]]:
        """A tally for each thing that is voted over, best first; the first is that of the whole answers."""
        ...

    def vote_of(self, place: int) -> str | None:
        """The name of what a sample voted for, None for an abstention."""
        ...


def spare(limit: int) -> int:
    """How many samples to keep in flight beside what the rule could still need, lest a slow one hold up a vote of ``limit``."""
    return max(3, 3 * limit // 5 - 1)


@dataclass(slots=True, kw_only=True)
class Poll(Generic[T]):
    """Draws up to ``limit`` samples by their place into ``box``, until the ``rule`` holds for every tally of it.

    No more are in flight than the rule could still need and ``ahead`` beside them, at most ``concurrency``.
    """

    draw: Callable[[int], Awaitable[T]]
    box: Box[T]
    rule: stopping.Rule
    limit: int
    emit: Emit
    ahead: int = 0
    concurrency: int | None = None
    exhausted: BudgetExceededError | None = None
    waiting: list[QuestionsPendingError] = field(default_factory=list)
    _started: int = 0
    _pending: dict[asyncio.Future[T], int] = field(default_factory=dict)

    async def run(self) -> str:
        """Why it ended: ``full``, ``certain``, ``rule`` or ``budget``. Raises the first error where no sample arrived.

        Samples that wait for a person are waited for only where the others do not settle the vote: then
        ``QuestionsPendingError`` is raised with what they all ask.
        """
        try:
            await self._take()
        finally:
            await cancel(self._pending)  # type: ignore[arg-type]
        if self.waiting and not self._done():
            raise QuestionsPendingError.joined(self.waiting)
        if len(self.box.errors) == self.box.drawn:
            raise self.exhausted or self.box.errors[min(self.box.errors)]
        return self._reason()

    async def _take(self) -> None:
        self._start()
        while self._pending:
            finished, _ = await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=self._pending.__getitem__):
                self._settle(self._pending.pop(task), task)
            if self._done():
                break
            self._start()

    def _start(self) -> None:
        """Put in flight what the rule could still need, within the limits."""
        if self.exhausted or self._hopeless():
            return
        wanted = max(self.rule.wave(*state) for state in self._states()) + self.ahead
        wanted = min(wanted - len(self.waiting), self.concurrency or wanted) - len(self._pending)
        for _ in range(min(wanted, self.limit - self._started)):
            self._pending[asyncio.ensure_future(self.draw(self._started))] = self._started
            self._started += 1

    def _settle(self, place: int, task: asyncio.Future[T]) -> None:
        error = task.exception()
        if isinstance(error, BudgetExceededError):
            self.exhausted = self.exhausted or error
            return
        if isinstance(error, QuestionsPendingError):
            self.waiting.append(error)
            return
        if isinstance(error, HOPELESS):
            raise error
        if error is None:
            self.box.cast(place, task.result())
        else:
            self.box.fail(place, error)
        counts = votes.counts(self.box.tallies()[0])
        self.emit(VoteCast(answer=self.box.vote_of(place), counts=counts, wanted=self.limit))

    def _states(self) -> list[tuple[list[int], int, int, int]]:
        """What a stopping rule looks at, for each tally: counts, drawn, limit, streak."""
        tallies = self.box.tallies()
        voted = tallies[1:] or tallies
        return [(list(votes.counts(one).values()), self.box.drawn, self.limit, votes.streak(one)) for one in voted]

    def _done(self) -> bool:
        timed_out = self.exhausted is not None and self.exhausted.resource == "seconds"
        return timed_out or all(self.rule.done(*state) for state in self._states())

    def _hopeless(self) -> bool:
        """Whether the first few samples all failed: what is in flight may still arrive, but no more are asked for."""
        failed = len(self.box.errors)
        return failed == self.box.drawn and failed >= min(_FIRST_FAILURES, self.limit)

    def _reason(self) -> str:
        states = self._states()
        if self.exhausted and not all(self.rule.done(*state) for state in states):
            return "budget"
        if self.box.drawn >= self.limit:
            return "full"
        left = self.limit - self.box.drawn
        return "certain" if all(stopping.certain(counts, left) for counts, *_ in states) else "rule"
