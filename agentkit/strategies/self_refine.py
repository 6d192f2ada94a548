"""Self-refine: draft, criticise, improve (Madaan et al. 2023, arXiv 2303.17651)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agentkit.answers import Convention, Kind, extract
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.strategies.drawing import seeded, several, spent
from agentkit.types import Bounds, GenerateRequest, Message, Problem, Sample, Solution, Thought

_CRITICISE = (
    "Criticise your answer: is anything in it wrong, missing or unclear? Name each problem and how to mend it. If there is none, "
    "write only: no problems."
)
_IMPROVE = "Now write the whole answer again with these problems mended, and nothing else."
_CONTENT = re.compile(
    r"\W*(?:there are\s+|i (?:see|find|found)\s+)?no (?:problems?|issues?|errors?|changes? needed)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class SelfRefine:
    """Drafts an answer, then lets the model criticise and improve it up to ``rounds`` times, or until it finds no problem.

    ``criticise`` and ``improve`` are what it is told. A round that fails, or that the budget does not allow, leaves
    the last draft standing. ``tree`` holds the drafts, each the child of the one before.
    """

    rounds: int = 2
    criticise: str = _CRITICISE
    improve: str = _IMPROVE
    answer: Kind = "text"
    convention: Convention = "us"
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rounds < 0:
            raise ConfigError(f"rounds must be at least 0, not {self.rounds}")

    def bounds(self) -> tuple[Bounds, ...]:
        """A draft and a criticism, up to a criticism and a better draft each round."""
        said = text_tokens(self.criticise) + text_tokens(self.improve) + 4 * TOKENS_A_MESSAGE
        draft = Bounds(output=self.max_tokens)
        rounds = Bounds(least=1, most=2 * self.rounds, output=self.max_tokens, text=said, answers=2)
        return (draft, rounds) if self.rounds else (draft,)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The last draft; ``stopped`` is ``solved`` when the critic was content, else ``full`` or ``budget``."""
        talk = Problem.of(problem).messages
        drawn: list[Sample] = []
        draft = await self._say(model, talk, drawn)
        drafts, stopped = [draft], "full"
        for _ in range(self.rounds):
            asked = (*talk, Message("assistant", drafts[-1].text), Message("user", self.criticise))
            better, stopped = await self._round(model, asked, drawn)
            if better is None:
                break
            drafts.append(better)
        return self._solution(drafts, drawn, stopped)

    async def _round(self, model: Model, asked: tuple[Message, ...], drawn: list[Sample]) -> tuple[Sample | None, str]:
        """A better draft, or None and why there is none."""
        criticism = await several(model, [self._request(model, asked, len(drawn))])
        drawn += criticism.arrived
        if not criticism.arrived or content(criticism.arrived[0].text):
            return None, "budget" if criticism.exhausted else "solved" if criticism.arrived else "full"
        told = (*asked, Message("assistant", criticism.arrived[0].text), Message("user", self.improve))
        better = await several(model, [self._request(model, told, len(drawn))])
        drawn += better.arrived
        return (better.arrived[0] if better.arrived else None), "budget" if better.exhausted else "full"

    async def _say(self, model: Model, talk: tuple[Message, ...], drawn: list[Sample]) -> Sample:
        first = await several(model, [self._request(model, talk, 0)])
        if not first.arrived:
            raise first.errors[0]
        drawn += first.arrived
        return first.arrived[0]

    def _request(self, model: Model, messages: tuple[Message, ...], place: int) -> GenerateRequest:
        seed = seeded(model, self.seed, place)
        return GenerateRequest(messages=messages, temperature=self.temperature, max_tokens=self.max_tokens, seed=seed)

    def _solution(self, drafts: list[Sample], drawn: list[Sample], stopped: str) -> Solution:
        cut_off = drafts[-1].finish_reason == "length"
        parents = [None, *range(len(drafts) - 1)]
        tree = [
            Thought(text=one.text, parent=parents[place], depth=place, kept=True) for place, one in enumerate(drafts)
        ]
        return Solution(
            answer=extract(drafts[-1].text, self.answer, stated=cut_off, convention=self.convention),
            samples=tuple(drawn),
            tree=tuple(tree),
            stopped=stopped,
            usage=spent(drawn),
        )


def content(criticism: str) -> bool:
    """Whether a critic finds nothing to mend."""
    return bool(_CONTENT.match(criticism))
