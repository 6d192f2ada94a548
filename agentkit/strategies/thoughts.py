"""What a search over thoughts has to know of its task: how steps are asked for, read, told apart, valued and finished."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agentkit.answers import extract
from agentkit.strategies.prompts import asked
from agentkit.types import Message, Problem

BEST = 20.0
"""What a reply of ``sure`` is worth."""

_NOTHING = "(none)"
_LONGEST = 1000
_MOST_LINES = 30
_VALUES = {"impossible": 0.001, "likely": 1.0, "sure": BEST}
_VALUE_WORD = re.compile(r"\b(impossible|likely|sure)\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)]|step \d+\s*:)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """A thought and the state it leads to; ``final`` when nothing can follow it."""

    text: str
    state: str
    final: bool = False


class Task(Protocol):
    """The part of tree of thought that depends on the problem: text in, text out, no model.

    Templates may use ``{{question}}``, ``{{state}}`` and ``{{count}}`` (how many proposals are wanted).
    """

    @property
    def propose(self) -> str:
        """Asks for next steps."""
        ...

    @property
    def evaluate(self) -> str:
        """Asks what a state is worth."""
        ...

    @property
    def conclude(self) -> str:
        """Asks for the answer that a path leads to; empty when only a path itself can be an answer."""
        ...

    @property
    def vote(self) -> str:
        """Asks which of the numbered choices in ``{{state}}`` is best."""
        ...

    def question(self, problem: Problem) -> str:
        """What ``{{question}}`` stands for."""
        ...

    def messages(self, problem: Problem, template: str, text: str) -> tuple[Message, ...]:
        """The conversation that puts ``text``, which is ``template`` filled, to the model."""
        ...

    def start(self, problem: Problem) -> str:
        """The state before the first thought; raises ``InputError`` when this is no problem of the kind."""
        ...

    def steps(self, state: str, reply: str) -> Sequence[Step]:
        """The thoughts that a reply to ``propose`` offers; what cannot be read, or is wrong, is left out."""
        ...

    def key(self, state: str) -> str:
        """Equal for states that are the same whatever their wording."""
        ...

    def verdict(self, step: Step) -> bool | None:
        """Whether the step solves the problem (or leads nowhere) where that can be checked, else None: ask the model."""
        ...

    def closing(self, state: str) -> bool:
        """Whether the next step from ``state`` may solve the problem, and ``verdict`` would know."""
        ...

    def value(self, reply: str) -> float:
        """What one reply to ``evaluate`` is worth."""
        ...

    def answer(self, problem: Problem, path: Sequence[str]) -> str | None:
        """The answer that a path of thoughts ends in, None when it has not come to one."""
        ...

    def fan(self, depth: int) -> int:
        """How many thoughts one state at ``depth`` (0 at the root) can lead to at most."""
        ...

    def overhead(self, template: str) -> int:
        """How many tokens ``messages`` adds to a filled template at most, the problem's own turns not counted."""
        ...


def worth(reply: str) -> float:
    """sure 20, likely 1, impossible 0.001 (Yao et al. 2023), by the last such word; 0 when there is none."""
    words = _VALUE_WORD.findall(reply)
    return _VALUES[words[-1].casefold()] if words else 0.0


@dataclass(frozen=True, kw_only=True)
class General:
    """Any question: thoughts are lines of reasoning, and one that begins with ``Answer:`` ends its path."""

    propose: str = (
        "{{question}}\n\nSteps taken so far:\n{{state}}\n\nPropose {{count}} different next steps towards the answer, one on "
        "each line and nothing else. A step that completes the solution reads 'Answer: ' and then the final answer."
    )
    evaluate: str = (
        "{{question}}\n\nSteps taken so far:\n{{state}}\n\nCan these steps lead to the right answer? Check them briefly, then "
        "write one word on the last line: sure, likely or impossible."
    )
    conclude: str = (
        "{{question}}\n\nSteps taken:\n{{state}}\n\nGive the final answer that follows, on one line, after 'Answer:'."
    )
    vote: str = (
        "{{question}}\n\nWays to go about it so far:\n\n{{state}}\n\nWhich one is most likely to lead to the right answer? "
        "Compare them briefly, then write on the last line: The best choice is N, where N is its number."
    )

    def question(self, problem: Problem) -> str:
        """The last turn, with the documents and examples it carries."""
        return asked(problem)

    def messages(self, problem: Problem, template: str, text: str) -> tuple[Message, ...]:
        """After the turns before the last one."""
        ends_with_question = bool(problem.messages) and problem.messages[-1].role == "user"
        context = problem.messages[:-1] if ends_with_question else problem.messages
        return (*context, Message("user", text))

    def start(self, problem: Problem) -> str:
        """No steps yet."""
        return _NOTHING

    def steps(self, state: str, reply: str) -> Sequence[Step]:
        """One a line, without bullets and numbers."""
        lines = [_BULLET.sub("", line).strip() for line in reply.splitlines() if re.search(r"\w", line)]
        done = "" if state == _NOTHING else state + "\n"
        thoughts = [line for line in lines[:_MOST_LINES] if len(line) <= _LONGEST]
        return [Step(line, done + line, final=_concludes(line)) for line in thoughts]

    def key(self, state: str) -> str:
        """Case, spaces and punctuation do not matter."""
        return " ".join(re.findall(r"\w+|[-+*/=<>%]", state.casefold()))

    def verdict(self, step: Step) -> bool | None:
        """Only a model can tell."""
        return None

    def closing(self, state: str) -> bool:
        """Never known."""
        return False

    def value(self, reply: str) -> float:
        """See ``worth``."""
        return worth(reply)

    def answer(self, problem: Problem, path: Sequence[str]) -> str | None:
        """What stands after ``Answer:`` in the last thought."""
        return extract(path[-1], stated=True) if path and _concludes(path[-1]) else None

    def fan(self, depth: int) -> int:
        """As many as lines are read of a reply."""
        return _MOST_LINES

    def overhead(self, template: str) -> int:
        """Nothing."""
        return 0


def _concludes(line: str) -> bool:
    return bool(re.match(r"\W*(?:final answer|answer|ответ)\s*[:=]", line, re.IGNORECASE))
