"""Step-back prompting: first the principle behind the question, then the answer (Zheng et al. 2024, arXiv 2310.06117)."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.protocols import Model
from agentkit.strategies.asking import Asking
from agentkit.strategies.conversation import Talk, told_tokens
from agentkit.types import Bounds, Problem, Solution

_ABSTRACT = (
    "Do not answer yet. Take a step back: what more general question lies behind this one? Write it, and answer it with the "
    "principles and facts that matter here."
)
_ANSWER = (
    "Now use these principles to answer the question itself, step by step. Then write the final answer on a line of its own, "
    "after 'Answer:'."
)


@dataclass(frozen=True, kw_only=True)
class StepBack:
    """Asks for the principles behind the question (``abstract`` is what the model is told), then for its answer (``conclude``).

    For questions whose details mislead: science, facts of a time or place. ``tree`` holds the principles and the answer. When
    the budget ends it half way, the answer is what the first reply states, if anything.
    """

    abstract: str = _ABSTRACT
    conclude: str = _ANSWER
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.0
    max_tokens: int | None = None
    seed: int = 0

    def bounds(self) -> tuple[Bounds, ...]:
        """The principles and an answer."""
        text = told_tokens((self.abstract, self.conclude))
        return (Bounds(least=2, most=2, output=self.max_tokens, text=text, answers=1),)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer that rests on the principles; raises what the model raises when nothing came."""
        talk = Talk(asking=Asking.of(self, model), messages=Problem.of(problem).messages)
        for turn in (self.abstract, self.conclude):
            await talk.say(turn)
        return talk.solution(self.answer, self.convention)
