"""One small step at a time, each voted on until one is ahead by k: MAKER (Meyerson et al. 2025, arXiv 2511.09030)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from agentkit.answers import Convention, Kind, Reading, extract, read
from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.events import Emit, ignore
from agentkit.protocols import Model
from agentkit.runtime.estimate import text_tokens
from agentkit.runtime.sampling import draw
from agentkit.strategies import prompts, stopping
from agentkit.strategies.ballot import Ballot
from agentkit.strategies.drawing import seeded, spent
from agentkit.strategies.poll import Poll
from agentkit.strategies.thoughts import General
from agentkit.types import JSON, Bounds, GenerateRequest, Problem, Sample, Solution, Thought, Vote

_STEP = (
    "{{question}}\n\nSteps taken so far:\n{{state}}\n\nWrite the next small step only, on one line and nothing else. When the "
    "steps settle the question, write 'Answer: ' and the final answer instead."
)
_TASK = General()
_TOKENS_A_CHARACTER = 2


@dataclass(frozen=True, kw_only=True)
class DecomposedVote:
    """Solves in up to ``steps`` small steps; each is drawn until one reading of it leads by ``lead`` votes, ``samples`` at most.

    A reply that is odd is not mended but drawn again, as oddness goes with error: one of several lines, of more than
    ``longest`` characters, cut off, or that the regular expression ``pattern`` does not match whole. A step that nobody leads
    enough is the one most voted for. The answer is that of the step that reads ``Answer: ...``; without one it is None, and
    the tree holds the steps that were settled. ``step_prompt`` is a template over ``{{question}}`` and ``{{state}}``.
    """

    lead: int = 2
    samples: int = 12
    steps: int = 20
    longest: int = 400
    pattern: str = ""
    step_prompt: str = _STEP
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in ("lead", "samples", "steps", "longest", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, not {value}")
        prompts.check(self.step_prompt, "step_prompt", ("question", "state"))
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigError(f"pattern is no regular expression: {error}") from error

    def bounds(self) -> tuple[Bounds, ...]:
        """A first step that answers without dissent, up to every sample of every step."""
        least = min(self.lead, self.samples)
        text = text_tokens(self.step_prompt) + self.steps * self.longest * _TOKENS_A_CHARACTER
        most = self.steps * self.samples
        return (Bounds(least=least, most=most, output=self.max_tokens, text=text, vote=self.samples > 1),)

    async def solve(self, problem: str | Problem, *, model: Model, emit: Emit = ignore) -> Solution:
        """The answer with the votes of its step; ``metadata`` tells of each step's votes and red flags."""
        return await _Walk(options=self, problem=Problem.of(problem), model=model, emit=emit).run()


@dataclass(slots=True, kw_only=True)
class _StepBallot(Ballot):
    """Votes over one-line steps; a reply with a red flag abstains."""

    longest: int
    pattern: str

    def cast(self, place: int, sample: Sample) -> None:
        """Count a step, or leave it out."""
        line = self._line(sample)
        self._cast[place] = (sample, line, None if line is None else self._reading(line))
        self._tally = None

    def _line(self, sample: Sample) -> str | None:
        steps = _TASK.steps(_TASK.start(Problem.of("")), sample.text)
        odd = len(steps) != 1 or sample.finish_reason == "length" or len(sample.text.strip()) > self.longest
        if odd or (self.pattern and not re.fullmatch(self.pattern, steps[0].text)):
            return None
        return steps[0].text

    def _reading(self, line: str) -> Reading:
        answer = _TASK.answer(Problem.of(""), [line])
        if answer is None:
            return Reading(f"step: {_TASK.key(line)}")
        return read(answer, self.answer, convention=self.convention)

    @property
    def flagged(self) -> int:
        """Replies that abstained."""
        return sum(line is None for line in self._answers())

    def winner(self) -> str | None:
        """The step most voted for, as its earliest sample put it."""
        tally = self.tally()
        return self._answers()[tally[0].samples[0]] if tally else None


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One problem being solved."""

    options: DecomposedVote
    problem: Problem
    model: Model
    emit: Emit
    tree: list[Thought] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    told: list[JSON] = field(default_factory=list)
    votes: tuple[Vote, ...] = ()

    async def run(self) -> Solution:
        state, stopped = _TASK.start(self.problem), "full"
        for place in range(self.options.steps):
            ballot, stopped = await self._vote(state, place)
            line = ballot.winner()
            if line is None or stopped == "budget":
                return self._solution(None, "budget" if stopped == "budget" else "exhausted")
            step = _TASK.steps(state, line)[0]
            state = step.state
            self._take(ballot, line, state)
            if step.final:
                return self._solution(extract(line, self.options.answer, stated=True), "solved")
        return self._solution(None, "exhausted")

    async def _vote(self, state: str, place: int) -> tuple[_StepBallot, str]:
        """The votes on one step, and why they ended."""
        options = self.options
        text = prompts.fill(options.step_prompt, question=_TASK.question(self.problem), state=state)
        request = GenerateRequest(
            messages=_TASK.messages(self.problem, options.step_prompt, text),
            temperature=options.temperature,
            max_tokens=options.max_tokens,
        )
        ballot = _StepBallot(
            answer=options.answer, convention=options.convention, longest=options.longest, pattern=options.pattern
        )

        async def one(number: int) -> Sample:
            seed = seeded(self.model, options.seed + place * options.samples, number)
            return await draw(self.model, replace(request, seed=seed))

        rule = stopping.Ahead(lead=options.lead)
        poll = Poll(
            draw=one, box=ballot, rule=rule, limit=options.samples, emit=self.emit, concurrency=options.concurrency
        )
        try:
            stopped = await poll.run()
        except BudgetExceededError:
            if not self.samples:
                raise
            stopped = "budget"
        self._count(ballot)
        return ballot, stopped

    def _count(self, ballot: _StepBallot) -> None:
        before = len(self.samples)
        self.samples += [replace(one, index=before + place) for place, one in enumerate(ballot.samples)]
        shifted = (tuple(before + place for place in vote.samples) for vote in ballot.tally())
        self.votes = tuple(replace(vote, samples=places) for vote, places in zip(ballot.tally(), shifted, strict=True))
        counts = [vote.count for vote in self.votes]
        failed = [str(error) for _, error in sorted(ballot.errors.items())]
        self.told.append({"votes": counts, "flagged": ballot.flagged, **({"errors": failed} if failed else {})})

    def _take(self, ballot: _StepBallot, line: str, state: str) -> None:
        share = ballot.tally()[0].count / len(ballot.samples)
        parent = len(self.tree) - 1 if self.tree else None
        self.tree.append(Thought(text=line, parent=parent, depth=len(self.tree), value=share, state=state, kept=True))

    def _solution(self, answer: str | None, stopped: str) -> Solution:
        return Solution(
            answer=answer,
            votes=self.votes if answer is not None else (),
            samples=tuple(self.samples),
            tree=tuple(self.tree),
            confidence=self.tree[-1].value if answer is not None else None,
            stopped=stopped,
            usage=spent(self.samples),
            metadata={"steps": self.told},
        )
