"""Chain of thought: one answer, reasoned step by step (Wei et al. 2022, arXiv 2201.11903; Kojima et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agentkit.answers import Convention, Kind
from agentkit.protocols import Model
from agentkit.runtime.sampling import draw
from agentkit.strategies.ballot import Ballot
from agentkit.strategies.drawing import seeded
from agentkit.strategies.prompts import STEP_BY_STEP, instructed, instruction_tokens
from agentkit.types import Bounds, GenerateRequest, Problem, Solution


@dataclass(frozen=True, kw_only=True)
class ChainOfThought:
    """Asks once, with ``instruction`` added to the question, and returns the final answer found in the reply.

    Zero-shot as it stands; for few-shot, give a ``Problem`` whose messages hold worked examples. ``answer`` and
    ``convention`` say how the final answer is read.
    """

    instruction: str = STEP_BY_STEP
    answer: Kind = "auto"
    convention: Convention = "us"
    temperature: float = 0.0
    max_tokens: int | None = None
    seed: int = 0

    def bounds(self) -> tuple[Bounds, ...]:
        """One sample."""
        return (Bounds(output=self.max_tokens, text=instruction_tokens(self.instruction)),)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer of one sample, None when it states none; raises what the model raises."""
        request = GenerateRequest(
            messages=instructed(Problem.of(problem).messages, self.instruction),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=seeded(model, self.seed, 0),
        )
        ballot = Ballot(answer=self.answer, convention=self.convention)
        ballot.cast(0, await draw(model, request))
        return replace(ballot.solution("full", {}), confidence=None)
