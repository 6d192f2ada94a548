"""Multi-agent debate as an agentkit strategy: several answers, each revised after reading the others, then a vote.

Du et al. 2023, "Improving Factuality and Reasoning in Language Models through Multiagent Debate" (arXiv 2305.14325).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import agentkit
from agentkit.answers import canonical, extract
from agentkit.errors import BudgetExceededError
from agentkit.hookspecs import Register
from agentkit.protocols import Model
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Sample, Solution, Usage, Vote

REVISE = (
    "These are the answers of other agents to the same question:\n\n{others}\n\n"
    "Using them as additional advice, give your updated answer to: {question}"
)


@dataclass(frozen=True, kw_only=True)
class Debate:
    """``agents`` answer, then revise for ``rounds`` rounds having read the others; the most common answer wins.

    Costs ``agents * (rounds + 1)`` calls. Ties go to the earliest agent. When the budget ends, the last finished round votes.
    """

    agents: int = 3
    rounds: int = 2
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def bounds(self) -> tuple[Bounds, ...]:
        """What it will cost, for ``agentkit plan``: every agent answers, and then revises in each round."""
        revised = self.agents * self.rounds
        text = text_tokens(REVISE) + self.agents + 2 * TOKENS_A_MESSAGE
        first = Bounds(least=self.agents, most=self.agents, output=self.max_tokens, vote=True)
        later = Bounds(least=revised, most=revised, output=self.max_tokens, text=text, answers=self.agents, problems=2)
        return (first, later) if revised else (first,)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The majority answer of the last round."""
        asked = Problem.of(problem)
        drawn: list[Sample] = []
        turns = [asked.messages] * self.agents
        current: list[Sample] = []
        for round_number in range(self.rounds + 1):
            try:
                current = await agentkit.gather(
                    [partial(self._ask, model, turn, round_number, place) for place, turn in enumerate(turns)]
                )
            except BudgetExceededError:
                if not current:
                    raise
                return self._solution(current, drawn, "budget")
            drawn.extend(current)
            turns = [self._revision(asked, current, place) for place in range(self.agents)]
        return self._solution(current, drawn, "full")

    async def _ask(self, model: Model, turn: tuple[Message, ...], round_number: int, place: int) -> Sample:
        request = GenerateRequest(
            messages=turn,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed + round_number * self.agents + place,
        )
        return await agentkit.draw(model, request)

    def _revision(self, asked: Problem, answers: Sequence[Sample], place: int) -> tuple[Message, ...]:
        others = "\n\n".join(f"- {one.text}" for index, one in enumerate(answers) if index != place)
        wish = REVISE.format(others=others, question=asked.question)
        return (*asked.messages, Message("assistant", answers[place].text), Message("user", wish))

    def _solution(self, current: Sequence[Sample], drawn: Sequence[Sample], stopped: str) -> Solution:
        first = len(drawn) - len(current)
        places: dict[str, list[int]] = {}
        answers: dict[str, str] = {}
        for index, sample in enumerate(current):
            answer = extract(sample.text)
            if answer is not None:
                key = canonical(answer)
                answers.setdefault(key, answer)
                places.setdefault(key, []).append(first + index)
        votes = tuple(
            Vote(answer=answers[key], count=len(found), weight=float(len(found)), samples=tuple(found))
            for key, found in sorted(places.items(), key=lambda item: (-len(item[1]), item[1][0]))
        )
        return Solution(
            answer=votes[0].answer if votes else None,
            votes=votes,
            samples=tuple(drawn),
            confidence=votes[0].count / len(current) if votes else None,
            stopped=stopped,
            usage=sum((sample.usage for sample in drawn), start=Usage()),
        )


@agentkit.hookimpl
def register_strategies(register: Register) -> None:
    """``use: strategy.debate``."""
    register("debate", Debate)
