"""Self-consistency: sample several times, return the answer given most (Wang et al. 2023, arXiv 2203.11171)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Literal

from agentkit.answers import Convention, Kind
from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.events import Emit, VoteCast, ignore
from agentkit.protocols import Model
from agentkit.runtime.concurrency import cancel
from agentkit.runtime.sampling import draw
from agentkit.strategies import stopping, votes
from agentkit.strategies.ballot import Ballot
from agentkit.strategies.drawing import HOPELESS, seeded
from agentkit.strategies.prompts import instructed
from agentkit.types import GenerateRequest, Problem, Sample, Solution

Stop = Literal["regret", "beta", "dirichlet", "esc", "certain", "fixed"]

_FIRST_FAILURES = 4


@dataclass(frozen=True, kw_only=True)
class SelfConsistency:
    """Votes over up to ``samples`` answers, and stops as soon as the rule ``stop`` holds.

    ``answer`` says what the final answer looks like (``number``, ``choice``, ``date``, ... or ``text`` to vote over whole
    texts) and ``convention`` how 05/01 and 1,234 read. ``instruction`` is added to the question. Sample i is drawn with
    ``seed + i``. No more are in flight than the rule could still need, and ``ahead`` beside them: with 0 nothing is wasted
    and the result does not depend on which sample comes back first; more hides slow samples, and those that turn out
    superfluous are cancelled. ``concurrency`` is the most in flight at a time.

    A sample that fails or cannot be read abstains. ``solve`` raises the first error when there is nothing but failures;
    when a budget ends the vote, the answer is the best so far and ``stopped`` says ``budget``.
    """

    samples: int = 20
    stop: Stop = "regret"
    confidence: float = 0.95
    answer: Kind = "auto"
    convention: Convention = "us"
    instruction: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    ahead: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        stopping.rule(self.stop, confidence=self.confidence)
        for name, least in (("samples", 1), ("ahead", 0), ("concurrency", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{name} must be at least {least}, not {value}")

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The most frequent answer, the earliest among equals, with all votes; ``confidence`` is its share."""
        request = GenerateRequest(
            messages=instructed(Problem.of(problem).messages, self.instruction),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        poll = _Poll(options=self, model=model, request=request, emit=emit)
        try:
            return await poll.run()
        finally:
            await cancel(poll.pending)


@dataclass(slots=True, kw_only=True)
class _Poll:
    """One vote being taken."""

    options: SelfConsistency
    model: Model
    request: GenerateRequest
    emit: Emit
    ballot: Ballot = field(init=False)
    rule: stopping.Rule = field(init=False)
    started: int = 0
    pending: dict[asyncio.Task[Sample], int] = field(default_factory=dict)
    exhausted: BudgetExceededError | None = None

    def __post_init__(self) -> None:
        self.ballot = Ballot(answer=self.options.answer, convention=self.options.convention)
        self.rule = stopping.rule(self.options.stop, confidence=self.options.confidence)

    async def run(self) -> Solution:
        self._start()
        while self.pending:
            finished, _ = await asyncio.wait(self.pending, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=self.pending.__getitem__):
                self._settle(self.pending.pop(task), task)
            if self._done():
                break
            self._start()
        return self._solution()

    def _start(self) -> None:
        """Put in flight what the rule could still need, within the limits."""
        if self.exhausted or self._hopeless():
            return
        options, left = self.options, self.options.samples - self.started
        wanted = self.rule.wave(*self._state()) + options.ahead
        wanted = min(wanted, options.concurrency or wanted) - len(self.pending)
        for _ in range(min(wanted, left)):
            request = replace(self.request, seed=seeded(self.model, options.seed, self.started))
            self.pending[asyncio.create_task(draw(self.model, request))] = self.started
            self.started += 1

    def _settle(self, place: int, task: asyncio.Task[Sample]) -> None:
        error = task.exception()
        if isinstance(error, BudgetExceededError):
            self.exhausted = self.exhausted or error
            return
        if isinstance(error, HOPELESS):
            raise error
        if error is None:
            self.ballot.cast(place, replace(task.result(), index=place))
        else:
            self.ballot.fail(place, error)
        counts = votes.counts(self.ballot.tally())
        self.emit(VoteCast(answer=self.ballot.vote_of(place), counts=counts, wanted=self.options.samples))

    def _state(self) -> tuple[list[int], int, int, int]:
        """What a stopping rule looks at: counts, drawn, limit, streak."""
        tally = self.ballot.tally()
        return list(votes.counts(tally).values()), self.ballot.drawn, self.options.samples, votes.streak(tally)

    def _done(self) -> bool:
        timed_out = self.exhausted is not None and self.exhausted.resource == "seconds"
        return timed_out or self.rule.done(*self._state())

    def _hopeless(self) -> bool:
        """Whether the first few samples all failed: what is in flight may still arrive, but no more are asked for."""
        failed = len(self.ballot.errors)
        return failed == self.ballot.drawn and failed >= min(_FIRST_FAILURES, self.options.samples)

    def _solution(self) -> Solution:
        if not self.ballot.samples:
            raise self.exhausted or self.ballot.errors[min(self.ballot.errors)]
        return self.ballot.solution(self._reason(), {"rule": self.options.stop, "limit": self.options.samples})

    def _reason(self) -> str:
        counts, drawn, limit, _ = self._state()
        if self.exhausted and not self.rule.done(*self._state()):
            return "budget"
        if drawn >= limit:
            return "full"
        return "certain" if stopping.certain(counts, limit - drawn) else "rule"
