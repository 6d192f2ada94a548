"""Plan-and-solve: devise a plan, then carry it out (Wang et al. 2023, arXiv 2305.04091)."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.protocols import Model
from agentkit.strategies.asking import Asking
from agentkit.strategies.conversation import Talk, told_tokens
from agentkit.types import Bounds, Problem, Solution

_PLAN = (
    "Let's first understand the problem and extract the relevant quantities. Then write a plan for solving it, one step on each "
    "line. Do not carry it out yet."
)
_SOLVE = (
    "Now carry out the plan step by step; take care with every calculation. Then write the final answer on a line of its own, "
    "after 'Answer:'."
)


@dataclass(frozen=True, kw_only=True)
class PlanAndSolve:
    """Lets the model write a plan (``plan`` is what it is told), then carry it out (``carry_out``), in one conversation.

    ``tree`` holds the plan and the solution. When the budget ends after the plan, the answer is what that states, if anything.
    """

    plan: str = _PLAN
    carry_out: str = _SOLVE
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.0
    max_tokens: int | None = None
    seed: int = 0

    def bounds(self) -> tuple[Bounds, ...]:
        """A plan and a solution."""
        text = told_tokens((self.plan, self.carry_out))
        return (Bounds(least=2, most=2, output=self.max_tokens, text=text, answers=1),)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer that carrying out the plan came to; raises what the model raises when nothing came."""
        talk = Talk(asking=Asking.of(self, model), messages=Problem.of(problem).messages)
        for turn in (self.plan, self.carry_out):
            await talk.say(turn)
        return talk.solution(self.answer, self.convention)
