"""Self-consistency: sample several times, return the answer given most (Wang et al. 2023, arXiv 2203.11171)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.events import Emit, ignore
from agentkit.protocols import Model
from agentkit.runtime.sampling import draw
from agentkit.strategies import stopping
from agentkit.strategies.ballot import Ballot
from agentkit.strategies.drawing import seeded
from agentkit.strategies.poll import Poll, spare
from agentkit.strategies.prompts import instructed, instruction_tokens
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Sample, Solution

Stop = Literal["regret", "beta", "dirichlet", "esc", "certain", "fixed", "paired"]


@dataclass(frozen=True, kw_only=True)
class SelfConsistency:
    """Votes over up to ``samples`` answers, and stops as soon as the rule ``stop`` holds.

    ``answer`` says what the final answer looks like (``number``, ``choice``, ``date``, ... or ``text`` to vote over whole
    texts) and ``convention`` how 05/01 and 1,234 read. ``instruction`` is added to the question; with instructions in
    ``alternate``, samples take turns between it and those. Two prompts of similar quality err less alike than one prompt
    does twice, and ``stop: paired`` reckons with that. Sample i is drawn with ``seed + i``.

    No more are in flight than the rule could still need, and ``ahead`` beside them: with 0 nothing is wasted and the result
    does not depend on which sample comes back first; more hides slow samples, and those that turn out superfluous are
    cancelled. ``auto`` is three fifths of ``samples`` less one, and 3 at least. ``concurrency`` is the most in flight at a
    time. A sample ends where one of the texts in ``until`` would come, such as a line break for answers of one line.

    A sample that fails or cannot be read abstains. ``solve`` raises the first error when there is nothing but failures;
    when a budget ends the vote, the answer is the best so far and ``stopped`` says ``budget``.
    """

    samples: int = 20
    stop: Stop = "regret"
    confidence: float = 0.95
    answer: Kind = "auto"
    convention: Convention = "us"
    instruction: str = ""
    alternate: tuple[str, ...] = ()
    temperature: float = 0.7
    max_tokens: int | None = None
    until: tuple[str, ...] = ()
    seed: int = 0
    ahead: int | Literal["auto"] = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        stopping.rule(self.stop, confidence=self.confidence)
        for name, least in (("samples", 1), ("ahead", 0), ("concurrency", 1)):
            value = getattr(self, name)
            if isinstance(value, int) and value < least:
                raise ConfigError(f"{name} must be at least {least}, not {value}")

    def bounds(self) -> tuple[Bounds, ...]:
        """As many samples as a vote without dissent needs, up to all of them."""
        least = stopping.fewest(stopping.rule(self.stop, confidence=self.confidence), (), 0, self.samples)
        text = max(map(instruction_tokens, self._instructions()))
        return (Bounds(least=least, most=self.samples, output=self.max_tokens, text=text, vote=self.samples > 1),)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The most frequent answer, the earliest among equals, with all votes; ``confidence`` is its share."""
        messages = Problem.of(problem).messages
        requests = [self._request(instructed(messages, one)) for one in self._instructions()]
        ballot = Ballot(answer=self.answer, convention=self.convention)

        async def one(place: int) -> Sample:
            request = requests[place % len(requests)]
            sample = await draw(model, replace(request, seed=seeded(model, self.seed, place)))
            return replace(sample, index=place)

        poll = Poll(
            draw=one,
            box=ballot,
            rule=stopping.rule(self.stop, confidence=self.confidence),
            limit=self.samples,
            emit=emit,
            ahead=spare(self.samples) if self.ahead == "auto" else self.ahead,
            concurrency=self.concurrency,
        )
        return ballot.solution(await poll.run(), {"rule": self.stop, "limit": self.samples})

    def _instructions(self) -> tuple[str, ...]:
        return (self.instruction, *self.alternate)

    def _request(self, messages: tuple[Message, ...]) -> GenerateRequest:
        return GenerateRequest(
            messages=messages, temperature=self.temperature, max_tokens=self.max_tokens, stop=self.until
        )
