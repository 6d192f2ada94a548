"""A vote on each of many questions out of one budget of samples, live: what ``allocation`` says, with a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agentkit.answers import Convention, Kind
from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.protocols import Model
from agentkit.runtime.concurrency import cancel
from agentkit.runtime.sampling import draw
from agentkit.strategies import votes
from agentkit.strategies.allocation import Allocator
from agentkit.strategies.ballot import Ballot
from agentkit.strategies.drawing import HOPELESS, seeded
from agentkit.strategies.prompts import instructed
from agentkit.types import GenerateRequest, Problem, Sample, Solution

_QUESTIONS_A_SAMPLE = 4
"""Questions to choose from for each sample in flight: with fewer, samples would go to whatever is left over."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Votes on many questions, ``budget`` samples a question on average and never more in all.

    Each question gets a sample first; then the next one always goes to the question whose answer it can still change for the
    least, up to ``samples`` for one question. Nothing is drawn that saves no more than ``price`` of regret. At most
    ``concurrency`` samples are in flight, one a question, and after the first round no more than one for four questions. The
    other options are those of ``SelfConsistency``.
    """

    budget: float = 3.0
    samples: int = 20
    price: float = 0.0
    answer: Kind = "auto"
    convention: Convention = "us"
    instruction: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int = 8

    def __post_init__(self) -> None:
        for name, least in (("samples", 1), ("concurrency", 1), ("budget", 0), ("price", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")

    async def solve(self, problems: Sequence[str | Problem], *, model: Model) -> tuple[Solution, ...]:
        """A solution for each question in order; one whose every sample failed has no answer and says why in ``metadata``.

        A run's budget that is spent on the way ends it with the best answers so far. Raises at once what every request
        would meet, such as a wrong key, and the first error when no sample at all arrived.
        """
        requests = [self._request(Problem.of(one)) for one in problems]
        return await _Run(batch=self, model=model, requests=requests).solve()

    def _request(self, problem: Problem) -> GenerateRequest:
        messages = instructed(problem.messages, self.instruction)
        return GenerateRequest(messages=messages, temperature=self.temperature, max_tokens=self.max_tokens)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One batch under way."""

    batch: Batch
    model: Model
    requests: Sequence[GenerateRequest]
    ballots: list[Ballot] = field(default_factory=list)
    exhausted: bool = False
    _pending: dict[asyncio.Future[Sample], int] = field(default_factory=dict)

    async def solve(self) -> tuple[Solution, ...]:
        size, batch = len(self.requests), self.batch
        self.ballots = [Ballot(answer=batch.answer, convention=batch.convention) for _ in range(size)]
        purse = Allocator(limits=[batch.samples] * size, budget=int(batch.budget * size + 1e-9), price=batch.price)
        try:
            await self._spend(purse)
        finally:
            await cancel(self._pending)  # type: ignore[arg-type]
        errors = [error for ballot in self.ballots for error in ballot.errors.values()]
        if errors and not any(ballot.samples for ballot in self.ballots):
            raise errors[0]
        return tuple(self._solution(ballot, purse) for ballot in self.ballots)

    async def _spend(self, purse: Allocator) -> None:
        self._start(purse)
        while self._pending:
            finished, _ = await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=self._pending.__getitem__):
                self._settle(self._pending.pop(task), task, purse)
            self._start(purse)

    def _start(self, purse: Allocator) -> None:
        while not self.exhausted and len(self._pending) < self._width(purse):
            question = purse.take()
            if question is None:
                return
            self._pending[asyncio.ensure_future(self._draw(question))] = question

    def _width(self, purse: Allocator) -> int:
        """How many samples may be in flight: after the first of each question, so few that the best are not all taken."""
        if purse.handed < len(self.requests):
            return self.batch.concurrency
        return min(self.batch.concurrency, max(1, len(self.requests) // _QUESTIONS_A_SAMPLE))

    async def _draw(self, question: int) -> Sample:
        place = self.ballots[question].drawn
        seed = seeded(self.model, self.batch.seed, place)
        return replace(await draw(self.model, replace(self.requests[question], seed=seed)), index=place)

    def _settle(self, question: int, task: asyncio.Future[Sample], purse: Allocator) -> None:
        ballot, error = self.ballots[question], task.exception()
        if isinstance(error, HOPELESS):
            raise error
        if error is None:
            ballot.cast(ballot.drawn, task.result())
        else:
            self.exhausted = self.exhausted or isinstance(error, BudgetExceededError)
            ballot.fail(ballot.drawn, error)
        purse.settle(question, list(votes.counts(ballot.tally()).values()))

    def _solution(self, ballot: Ballot, purse: Allocator) -> Solution:
        limit = self.batch.samples
        spent = self.exhausted or purse.handed >= purse.budget
        stopped = "full" if ballot.drawn >= limit else "budget" if spent else "rule"
        return ballot.solution(stopped, {"rule": "allocator", "limit": limit})
