"""A conversation with a model, turn by turn, which ends where a turn cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentkit.answers import Convention, Kind, extract
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.strategies.asking import Asking
from agentkit.strategies.prompts import instructed
from agentkit.types import JSON, Message, Sample, Solution, Thought


def told_tokens(texts: Sequence[str]) -> int:
    """How many tokens these turns and the marks of the replies to them take at most."""
    return sum(text_tokens(f"\n\n{text}") + 2 * TOKENS_A_MESSAGE for text in texts)


@dataclass(slots=True, kw_only=True)
class Talk:
    """What was said so far; ``broken`` once a turn could not be had. ``turns`` are the replies, in order."""

    asking: Asking
    messages: tuple[Message, ...]
    turns: list[Sample] = field(default_factory=list)
    broken: bool = False

    async def say(self, text: str = "") -> str | None:
        """The reply to ``text`` (nothing: to the conversation as it is), which is kept; None once a turn could not be had."""
        if self.broken:
            return None
        asked = instructed(self.messages, text)
        arrived = await self.asking.ask(asked)
        if not arrived:
            self.broken = True
            return None
        self.messages = (*asked, Message("assistant", arrived[0].text))
        self.turns.append(arrived[0])
        return arrived[0].text

    def solution(self, kind: Kind, convention: Convention, **metadata: JSON) -> Solution:
        """The answer of the last turn; of a conversation that broke, the answer that a turn states, the last if it can be."""
        return answered(self.asking, self.turns, kind, convention, stated=self.broken, **metadata)


def answered(
    asking: Asking,
    turns: Sequence[Sample],
    kind: Kind,
    convention: Convention,
    *,
    stated: bool = False,
    stopped: str = "full",
    **metadata: JSON,
) -> Solution:
    """The solution that answers as the last of ``turns`` does; they are its tree, each the child of the one before.

    ``stated``: what is no stated answer is none, and an earlier turn may state it. Raises the first error where nothing came.
    """
    asking.must_have_come()
    found = [
        extract(one.text, kind, stated=stated or one.finish_reason == "length", convention=convention)
        for one in reversed(turns)
    ]
    answer = next((one for one in found if one is not None), None) if stated else found[0]
    tree = [
        Thought(text=one.text, parent=place - 1 if place else None, depth=place, kept=True)
        for place, one in enumerate(turns)
    ]
    return Solution(
        answer=answer,
        samples=tuple(asking.samples),
        tree=tuple(tree),
        stopped="budget" if asking.exhausted else stopped,
        usage=asking.usage,
        metadata={**metadata, **asking.failed},
    )
