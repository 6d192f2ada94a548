"""Universal self-consistency: a model picks the most consistent of several answers (Chen et al. 2023, arXiv 2311.17311)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.runtime.estimate import text_tokens
from agentkit.strategies import prompts
from agentkit.strategies.candidates import Candidates, candidates
from agentkit.strategies.drawing import Draws, seeded, several
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Solution

_SELECT = (
    "I have generated the following responses to the question: {{question}}\n\n{{responses}}\n\nEvaluate these responses. "
    "Select the most consistent response based on majority consensus. Start your answer with "
    '"The most consistent response is Response X" (without quotes).'
)
_TOKENS_A_RESPONSE = 8  # "Response 12: " and the lines between
_CHOICE = re.compile(r"response\s*(?:is\s*)?(?:response\s*)?#?(\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class UniversalSelfConsistency:
    """Draws ``samples`` answers and asks ``judge`` (the model itself by default) which agrees best with the rest.

    For answers that no rule can compare: summaries, plans, explanations. When the choice cannot be read, or the
    budget is spent before it, the majority decides, and the earliest where all differ.
    ``select_prompt`` is a template over ``{{question}}`` and ``{{responses}}``.
    """

    samples: int = 8
    judge: Model | None = None
    select_prompt: str = _SELECT
    answer: Kind = "text"
    convention: Convention = "us"
    instruction: str = ""
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"samples must be at least 1, not {self.samples}")
        prompts.check(self.select_prompt, "select_prompt", ("question", "responses"))

    def bounds(self) -> tuple[Bounds, ...]:
        """All samples, and one choice among them."""
        count, output, own = self.samples, self.max_tokens, prompts.instruction_tokens(self.instruction)
        drawn = Bounds(least=count, most=count, output=output, text=own, vote=count > 1)
        asked = text_tokens(self.select_prompt) + _TOKENS_A_RESPONSE * count
        choice = Bounds(output=output, text=asked, answers=count, model=self.judge)
        return (drawn, choice) if count > 1 else (drawn,)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The chosen answer; ``votes`` are those of a plain majority, ``metadata`` tells which sample was chosen."""
        problem = Problem.of(problem)
        request = GenerateRequest(
            messages=prompts.instructed(problem.messages, self.instruction),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        found = await candidates(
            model,
            request,
            self.samples,
            seed=self.seed,
            answer=self.answer,
            convention=self.convention,
            concurrency=self.concurrency,
        )
        judge = self.judge or model
        enough = len(found.samples) > 1 and not found.exhausted
        judging = await several(judge, [self._selection(problem, found, judge)]) if enough else Draws()
        return self._chosen(found, judging)

    def _selection(self, problem: Problem, found: Candidates, judge: Model) -> GenerateRequest:
        responses = "\n\n".join(f"Response {number}: {one.text.strip()}" for number, one in enumerate(found.samples, 1))
        text = prompts.fill(self.select_prompt, question=prompts.asked(problem), responses=responses)
        seed = seeded(judge, self.seed, self.samples)
        return GenerateRequest(
            messages=(Message("user", text),), temperature=0.0, max_tokens=self.max_tokens, seed=seed
        )

    def _chosen(self, found: Candidates, judging: Draws) -> Solution:
        tally = found.votes()
        choice = selected(judging.arrived[0].text, len(found.samples)) if judging.arrived else None
        if choice is None or found.answers[choice] is None:
            return found.solution(tally[0].samples[0] if tally else None, tally, judging, {"selected": False})
        return found.solution(choice, tally, judging, {"selected": True})


def selected(reply: str, count: int) -> int | None:
    """The place (from 0) of the response that a reply names first, None when it names none of the ``count``."""
    found = _CHOICE.search(reply) or re.fullmatch(r"\W*(\d+)\W*", reply)
    place = int(found[1][:6]) - 1 if found else -1
    return place if 0 <= place < count else None
