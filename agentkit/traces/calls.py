"""The calls of a trace with what came back, and whether it was a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agentkit.traces.trace import Step, Trace
from agentkit.types import JSON

_ERROR = r"\w*(?:error|exception)\b(?=\W*$|\s*[:!({\[-]|\s+(?:occurred|while|when|in|during|code|\d))"
_FAILURE = re.compile(
    rf"^\W*(?:{_ERROR}|failed\b|failure\b|traceback\b|invalid\b|exit ?code:? *[1-9]|not found\b|there is no tool\b|"
    r"http(?: error)? [45]\d\d\b|[45]\d\d (?:client|server) error\b|tool \S+ not found)",
    re.IGNORECASE,
)
_BARE = frozenset({"error", "errors", "exception", "error_message"})
_DEPTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: its ``place`` in the trace, and where and what came back (None: nothing did)."""

    place: int
    step: Step
    answer: Step | None = None
    answer_place: int | None = None

    @property
    def failed(self) -> bool:
        """Whether what came back is a failure."""
        return self.answer is not None and failed(self.answer)


def calls(trace: Trace) -> tuple[Call, ...]:
    """Every call in order with its result: the one with its id, else the next of its name, else the next at all."""
    waiting: list[int] = []
    answers: dict[int, int] = {}
    for place, step in enumerate(trace.steps):
        if step.kind in ("call", "action"):
            waiting.append(place)
        elif _answers(step) and (owner := _owner(trace, waiting, step)) is not None:
            waiting.remove(owner)
            answers[owner] = place
    return tuple(_call(trace, place, answers.get(place)) for place in sorted([*waiting, *answers]))


def failed(step: Step) -> bool:
    """Whether a result reports a failure: it says so, or its text or data read as an error."""
    told = step.metadata.get("failed")
    if step.kind == "error" or isinstance(told, bool):
        return step.kind == "error" or told is True
    result = step.result if step.result is not None else step.text
    if isinstance(result, Mapping):
        return any(bool(result.get(name)) for name in _BARE) or result.get("success") is False
    return isinstance(result, str) and bool(_FAILURE.match(result[:400]))


def canonical(data: JSON) -> str:
    """Plain data as one text: the order of keys and ``1`` beside ``1.0`` do not matter."""
    return json.dumps(_settled(data), sort_keys=True, ensure_ascii=False, default=str)


def _settled(data: JSON, depth: int = 0) -> JSON:
    if depth > _DEPTH:
        return str(data)[:80]
    if isinstance(data, Mapping):
        return {str(name): _settled(item, depth + 1) for name, item in data.items()}
    if isinstance(data, list | tuple):
        return [_settled(item, depth + 1) for item in data]
    if isinstance(data, float) and data.is_integer():
        return int(data)
    return " ".join(data.split()) if isinstance(data, str) else data


def _answers(step: Step) -> bool:
    return step.kind == "result" or (step.kind == "error" and bool(step.call or step.name))


def _owner(trace: Trace, waiting: list[int], step: Step) -> int | None:
    """The waiting call that a result belongs to."""
    if step.call:
        same = [place for place in waiting if trace.steps[place].call == step.call]
        if same or any(trace.steps[place].call for place in waiting):
            return same[0] if same else None
    named = [place for place in waiting if not step.name or trace.steps[place].name == step.name]
    return named[0] if named else None


def _call(trace: Trace, place: int, answer: int | None) -> Call:
    back = None if answer is None else trace.steps[answer]
    return Call(place=place, step=trace.steps[place], answer=back, answer_place=answer)
