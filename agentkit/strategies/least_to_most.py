"""Least-to-most prompting: take the question apart, answer the parts in turn (Zhou et al. 2023, arXiv 2205.10625)."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.strategies.asking import Asking
from agentkit.strategies.conversation import Talk, told_tokens
from agentkit.strategies.thoughts import General
from agentkit.types import Bounds, Problem, Solution

_DECOMPOSE = (
    "Do not answer yet. To answer this, which simpler questions have to be answered first? Write them in the order in which each "
    "helps with the next, one on each line and nothing else."
)
_CONCLUDE = "Now answer the question itself. Write the final answer on a line of its own, after 'Answer:'."


@dataclass(frozen=True, kw_only=True)
class LeastToMost:
    """Has the model name simpler questions, answers up to ``parts`` of them one by one, then the question itself.

    Each part is answered with those before it in view. ``decompose`` and ``conclude`` are what the model is told. ``tree``
    holds the replies in order. When the budget ends it early, the answer is the last that a reply states.
    """

    parts: int = 5
    decompose: str = _DECOMPOSE
    conclude: str = _CONCLUDE
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.0
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.parts < 0:
            raise ConfigError(f"parts must be at least 0, not {self.parts}")

    def bounds(self) -> tuple[Bounds, ...]:
        """The list of parts and an answer, up to an answer of every part between them."""
        text = told_tokens((self.decompose, self.conclude, *[""] * self.parts))
        most = self.parts + 2
        return (Bounds(least=2, most=most, output=self.max_tokens, text=text, answers=most),)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer of the last turn; ``metadata`` names the parts. Raises what the model raises when nothing came."""
        talk = Talk(asking=Asking.of(self, model), messages=Problem.of(problem).messages)
        listed = await talk.say(self.decompose) or ""
        parts = [step.text for step in General().steps("", listed)][: self.parts]
        for turn in (*parts, self.conclude):
            await talk.say(turn)
        return talk.solution(self.answer, self.convention, parts=parts)
