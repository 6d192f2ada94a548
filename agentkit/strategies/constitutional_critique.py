"""Critique and revision by written principles, one after the other (Bai et al. 2022, arXiv 2212.08073)."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.protocols import Model
from agentkit.strategies import prompts
from agentkit.strategies.asking import Asking
from agentkit.strategies.conversation import Talk, answered, told_tokens
from agentkit.strategies.self_refine import content
from agentkit.types import JSON, Bounds, Message, Problem, Sample, Solution

_PRINCIPLES = (
    "Everything it states is true, and what is uncertain is said to be.",
    "It answers what was asked, wholly.",
    "It does no one harm and treats everyone with respect.",
)
_CRITICISE = (
    "Hold your answer against this principle: {{principle}}\n\nWhere does it fall short of it? If it does not, write only: "
    "no problems."
)
_REVISE = "Now write the whole answer again so that it keeps to the principle, and nothing else."


@dataclass(frozen=True, kw_only=True)
class ConstitutionalCritique:
    """Drafts an answer, then holds it against each of ``principles`` in turn and has it revised where it falls short.

    ``criticise`` is a template over ``{{principle}}``; ``revise`` asks for the better answer. ``tree`` holds the drafts,
    and ``metadata`` tells which principles were found broken. A call that fails leaves the draft standing.
    """

    principles: tuple[str, ...] = _PRINCIPLES
    criticise: str = _CRITICISE
    revise: str = _REVISE
    answer: Kind = "text"
    convention: Convention = "us"
    temperature: float = 0.7
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.principles:
            raise ConfigError("principles must name at least one")
        prompts.check(self.criticise, "criticise", ("principle",))

    def bounds(self) -> tuple[Bounds, ...]:
        """A draft and a criticism by every principle, up to a revision after each."""
        longest = max((self._criticism(one) for one in self.principles), key=len)
        count, said = len(self.principles), told_tokens((longest, self.revise, ""))
        rounds = Bounds(least=count, most=2 * count, output=self.max_tokens, text=said, answers=2)
        return (Bounds(output=self.max_tokens), rounds)

    def _criticism(self, principle: str) -> str:
        return prompts.fill(self.criticise, principle=principle)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The last draft; ``stopped`` is ``solved`` when it kept to every principle as it was, else ``full`` or ``budget``."""
        asking, talk = Asking.of(self, model), Problem.of(problem).messages
        first = Talk(asking=asking, messages=talk)
        await first.say()
        drafts, broken = list(first.turns), []
        for principle in self.principles if drafts else ():
            better = await self._revised(Talk(asking=asking, messages=_after(talk, drafts[-1])), principle)
            if better:
                drafts.append(better)
                broken.append(principle)
        stopped = "full" if broken or asking.errors else "solved"
        named: list[JSON] = list(broken)
        return answered(asking, drafts, self.answer, self.convention, stopped=stopped, broken=named)

    async def _revised(self, talk: Talk, principle: str) -> Sample | None:
        """A better draft, None when the critic was content or a call failed."""
        criticism = await talk.say(self._criticism(principle))
        if criticism is None or content(criticism) or await talk.say(self.revise) is None:
            return None
        return talk.turns[-1]


def _after(messages: tuple[Message, ...], draft: Sample) -> tuple[Message, ...]:
    return (*messages, Message("assistant", draft.text))
