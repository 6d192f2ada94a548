"""The log of a run as attribution reads it: who acted, what the surroundings answered, which words are new."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from agentkit.errors import InputError
from agentkit.evaluators.hallucination.vocabulary import function_word
from agentkit.evaluators.planning.attribution import signs
from agentkit.text import Word, words
from agentkit.traces import Step, StepKind, Trace
from agentkit.types import JSON

Part = Literal["task", "action", "reply"]
Outcome = Literal["failed", "empty", "worked", "ignored", ""]

_READ = 6000  # characters of a step that are read word by word: pages that a tool dumps say no more after that
_NAME = 200  # characters of a name
_EARLY = 400  # characters of an answer in which it says that it found nothing
_NAMES = ("agent", "name", "speaker", "sender", "source", "role")
_TEXTS = ("content", "text", "message")
_SURROUNDINGS = re.compile(
    r"(?:^|[_\W])(?:\w*terminal|\w*executor|tools?|environment|sandbox|interpreter|observation|function)(?:$|[_\W])",
    re.I,
)
_ASKERS = frozenset(("human", "user", "customer", "user_proxy", "userproxy", "system"))
_ASIDE = re.compile(r"\s*[(\[<].*", re.S)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One step of the log: ``part`` says whether it sets the task, acts, or is what the surroundings answered.

    ``outcome`` is that of what the step ran, read from the answer that follows it; empty where it ran nothing.
    """

    index: int
    agent: str
    text: str
    part: Part
    outcome: Outcome = ""
    answer: int | None = None

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Its words and numbers, up to a length."""
        return tuple(word for word in words(self.text[:_READ], "en") if word.kind != "punctuation")

    @cached_property
    def topics(self) -> frozenset[str]:
        """Stems of what carries a topic."""
        return frozenset(word.stem for word in self.words if word.kind == "number" or not function_word(word.text))

    @cached_property
    def values(self) -> frozenset[str]:
        """Numbers and names: what can be known or made up."""
        return frozenset(word.stem for word in self.words if _is_value(word))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in it."""
        return frozenset(word.stem for word in self.words if word.kind == "number")

    @property
    def runs(self) -> bool:
        """Whether it holds code, or calls a tool."""
        return self.says(signs.CODE)

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Whether ``pattern`` is found in its text; each is looked for once."""
        if pattern not in self._found:
            self._found[pattern] = pattern.search(self.text) is not None
        return self._found[pattern]

    @cached_property
    def _found(self) -> dict[re.Pattern[str], bool]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Log:
    """What was asked and the turns of the log, in order; ``turns[k].index == k``."""

    question: str
    turns: tuple[Turn, ...]

    @cached_property
    def asked(self) -> Turn:
        """The question, as a turn."""
        return Turn(index=-1, agent="", text=self.question, part="task")

    @cached_property
    def acting(self) -> tuple[Turn, ...]:
        """The turns that somebody can be blamed for."""
        return tuple(turn for turn in self.turns if turn.part == "action")


def trace_of(question: str, history: JSON) -> Trace:
    """The trace of a history of messages: each an object with a text and the name of who wrote it. One message, one step.

    Raises ``InputError`` naming the message that is none.
    """
    if not isinstance(history, Sequence) or isinstance(history, str) or not history:
        raise InputError("the row needs a 'history': a list of messages {agent, content}")
    return Trace(task=question, steps=tuple(_step(place, one) for place, one in enumerate(history)), source="history")


def read(trace: Trace) -> Log:
    """The log of ``trace``, a turn a step; steps that came out of one message (``metadata["message"]``) are one turn."""
    messages = _messages(trace.steps)
    size = max(messages, default=-1) + 1
    heads = [messages[place][0] if place in messages else Step(kind="result") for place in range(size)]
    texts = ["\n".join(map(_text, messages.get(place, ()))) for place in range(size)]
    parts = [_part(place, step, heads) for place, step in enumerate(heads)]
    answers = {at: at + 1 for at in range(size - 1) if parts[at] != "reply" and parts[at + 1] == "reply"}
    turns = [
        Turn(
            index=place,
            agent=bare(heads[place].agent),
            text=texts[place],
            part=parts[place],
            answer=answers.get(place),
            outcome=_outcome(texts[answers[place]]) if place in answers else "",
        )
        for place in range(size)
    ]
    return Log(question=trace.task, turns=tuple(turns))


def _messages(steps: Sequence[Step]) -> dict[int, list[Step]]:
    """The steps of each message by its number; a message that made no step is absent."""
    found: dict[int, list[Step]] = {}
    for place, step in enumerate(steps):
        number = step.metadata.get("message", place)
        found.setdefault(number if isinstance(number, int) and 0 <= number <= place else place, []).append(step)
    return found


def bare(agent: str) -> str:
    """The agent's name without what it was doing: ``Orchestrator`` for ``Orchestrator (-> WebSurfer)``."""
    return _ASIDE.sub("", agent).strip() or agent.strip()


def _step(place: int, message: JSON) -> Step:
    if not isinstance(message, Mapping):
        raise InputError(f"history[{place}] must be an object with 'agent' and 'content', not {type(message).__name__}")
    text = next((message[key] for key in _TEXTS if message.get(key) is not None), "")
    calls = message.get("tool_calls")
    agent = str(next((message[key] for key in _NAMES if message.get(key)), ""))[:_NAME]
    kind: StepKind = "call" if calls else "result" if message.get("role") == "tool" else "message"
    return Step(kind=kind, agent=agent, text=_plain(text) + (f"\n```\n{_called(calls)}\n```" if calls else ""))


def _plain(text: JSON) -> str:
    """The text of a message whose content may be a list of parts."""
    if isinstance(text, str):
        return text
    if isinstance(text, Sequence):
        return "\n".join(str(one.get("text", "")) if isinstance(one, Mapping) else str(one) for one in text)
    return json.dumps(text, ensure_ascii=False)


def _called(calls: JSON) -> str:
    listed = calls if isinstance(calls, list) else [calls]
    functions = [one.get("function", one) if isinstance(one, Mapping) else {} for one in listed]
    return "\n".join(f"{one.get('name', '')}({one.get('arguments', '')})" for one in functions)


def _text(step: Step) -> str:
    if step.kind == "call" and step.name:
        arguments = json.dumps(dict(step.arguments or {}), ensure_ascii=False, default=str)
        return f"{step.text}\n```\n{step.name}({arguments})\n```".lstrip()
    if step.kind in ("result", "error") and not step.text:
        return _plain(step.result) if step.result is not None else ""
    return step.text


def _part(place: int, step: Step, steps: Sequence[Step]) -> Part:
    if step.kind in ("result", "error") or _SURROUNDINGS.search(step.agent) or signs.REPLY.match(step.text):
        return "reply"
    asker = bare(step.agent).casefold() in _ASKERS
    if place == 0 and (asker or signs.BRIEF.search(step.text)):
        return "task"
    only_asker = len({bare(one.agent) for one in steps}) > 1
    return "task" if asker and only_asker and step.kind == "message" else "action"


def _outcome(answer: str) -> Outcome:
    if signs.IDLE.match(answer):
        return "ignored"
    if signs.FAILED.search(answer[:_READ]):
        return "failed"
    body = signs.EXIT.sub("", answer)
    return "worked" if any(map(str.isalnum, body)) and not signs.NOTHING.search(body[:_EARLY]) else "empty"


def _is_value(word: Word) -> bool:
    if word.kind == "number":
        return len(word.stem) > 1
    return word.text[:1].isupper() and len(word.text) > 2 and not function_word(word.text)
