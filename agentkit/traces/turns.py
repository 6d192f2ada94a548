"""Between a log and a trace: turns of a talk, as every format has them, and the steps they make.

Readers of formats only say what a turn holds; how turns become steps is decided here, once. Whatever a log holds in a place
where something else was expected is taken as absent, so that a damaged log gives the trace of what can be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agentkit.traces.trace import Step, StepKind, Trace
from agentkit.types import JSON, ToolSpec

_FENCED = re.compile(
    r"\A(?P<error>error: )?\(result (?P<mark>\S+)\)\n(?P<text>.*)\n\(end of result (?P=mark)\)\Z", re.DOTALL
)
_LONGEST_JSON = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCall:
    """A call as written: ``arguments`` is the text or the data that the log holds."""

    name: str
    arguments: JSON
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """What came back of a call; ``failed`` None: the log does not say."""

    data: JSON
    id: str = ""
    name: str = ""
    failed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One entry of a log: who spoke, what was said, called and given back. ``origin`` is the entry's number in the log."""

    agent: str
    text: str = ""
    calls: tuple[TurnCall, ...] = ()
    results: tuple[TurnResult, ...] = ()
    thought: str = ""
    kind: StepKind = "message"
    origin: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a reader of a format found."""

    turns: tuple[Turn, ...]
    source: str
    task: str = ""
    policy: str = ""
    tools: tuple[ToolSpec, ...] = ()
    outcome: bool | None = None
    id: str = ""
    metadata: Mapping[str, JSON] = field(default_factory=dict)


def trace_of(draft: Draft) -> Trace:
    """The trace: one step a turn, but for turns with several calls or results, which make a step each.

    The task is the first turn of a user where the log names none, the policy what the system said.
    A step has ``metadata["message"]``, the place of its turn from 0, where that is not the step's own number.
    """
    steps: list[Step] = []
    for place, turn in enumerate(draft.turns):
        steps += [_placed(step, len(steps) + offset, place) for offset, step in enumerate(_steps(turn))]
    said = [turn.text for turn in draft.turns if turn.agent == "system" and turn.text]
    asked = next((turn.text for turn in draft.turns if turn.agent in ("user", "human") and turn.text), "")
    return Trace(
        task=draft.task or asked,
        steps=tuple(steps),
        tools=draft.tools,
        policy=draft.policy or "\n\n".join(said),
        outcome=draft.outcome,
        id=draft.id,
        source=draft.source,
        metadata=draft.metadata,
    )


def message_of(trace: Trace, step: int) -> int:
    """The place, from 0, of the message that a step was read from."""
    place = trace.steps[step].metadata.get("message", step)
    return place if isinstance(place, int) else step


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def string(value: Any) -> str:
    """The value if it is a text or a number, else the empty text."""
    return value if isinstance(value, str) else str(value) if type(value) in (int, float) else ""


def text_of(content: Any) -> str:
    """The text of a content: a text itself, or the texts of its blocks."""
    if isinstance(content, Mapping):
        content = [content]
    parts = [_block(one) for one in listed(content)]
    return string(content) if not parts else "\n".join(part for part in parts if part)


def data_of(text: Any) -> JSON:
    """What a result says: the data where its text is JSON, else the text without the fence that agents get it in."""
    if not isinstance(text, str):
        return text
    found = _FENCED.match(text)
    bare = found["text"] if found else text
    if bare.lstrip()[:1] in ("{", "[") and len(bare) <= _LONGEST_JSON:
        try:
            return json.loads(bare)
        except (ValueError, RecursionError):
            return bare
    return bare


def tools_of(value: Any) -> tuple[ToolSpec, ...]:
    """The tools of a request in any provider's form, or by name; whatever has no name is left out."""
    if isinstance(value, Mapping):
        value = [{"name": name, **mapping(one)} for name, one in value.items()]
    named = ({"name": one} if isinstance(one, str) else mapping(one) for one in listed(value))
    return tuple(spec for one in named if (spec := _tool(one)) is not None)


def call_of(name: Any, arguments: Any, call: Any = "") -> TurnCall:
    """A call from whatever a log holds."""
    return TurnCall(name=string(name), arguments=arguments, id=string(call))


def _tool(one: Mapping[str, Any]) -> ToolSpec | None:
    inner = mapping(one.get("function")) or one
    name = string(inner.get("name"))
    schemas = (inner.get(key) for key in ("parameters", "input_schema", "inputSchema", "args_schema", "schema"))
    schema = next((mapping(schema) for schema in schemas if isinstance(schema, Mapping)), {})
    return ToolSpec(name=name, description=string(inner.get("description")), parameters=schema) if name else None


def _block(one: Any) -> str:
    if isinstance(one, str):
        return one
    block = mapping(one)
    value = block.get("text") if isinstance(block.get("text"), str) else block.get("content")
    return value if isinstance(value, str) and block.get("type") != "tool_result" else ""


def _steps(turn: Turn) -> Iterator[Step]:
    more: dict[str, JSON] = {"thought": turn.thought} if turn.thought else {}
    for number, call in enumerate(turn.calls):
        yield _call(turn, call, turn.text if number == 0 else "", more if number == 0 else {})
    for result in turn.results:
        yield _result(turn, result)
    if not turn.calls and (turn.text or not turn.results):
        text, kind = (turn.text, turn.kind) if turn.text or not turn.thought else (turn.thought, "thought")
        yield Step(
            kind=kind, agent=turn.agent, text=text, origin=turn.origin, metadata=more if kind != "thought" else {}
        )


def _call(turn: Turn, call: TurnCall, text: str, more: Mapping[str, JSON]) -> Step:
    arguments, raw = _arguments(call.arguments)
    metadata = {**more, **({"raw": raw} if raw is not None else {})}
    return Step(
        kind="call",
        agent=turn.agent,
        text=text,
        name=call.name,
        arguments=arguments,
        call=call.id,
        origin=turn.origin,
        metadata=metadata,
    )


def _arguments(written: JSON) -> tuple[Mapping[str, JSON] | None, str | None]:
    """The arguments, or None and the text that could not be read as an object."""
    if written is None or written == "":
        return {}, None
    if isinstance(written, str):
        try:
            read = json.loads(written)
        except (ValueError, RecursionError):
            return None, written
        return (read, None) if isinstance(read, Mapping) else (None, written)
    return (written, None) if isinstance(written, Mapping) else (None, json.dumps(written, default=str))


def _result(turn: Turn, result: TurnResult) -> Step:
    fenced = _FENCED.match(result.data) if isinstance(result.data, str) else None
    failed = True if result.failed is None and fenced and fenced["error"] else result.failed
    return Step(
        kind="result",
        agent=turn.agent,
        name=result.name,
        result=data_of(result.data),
        call=result.id,
        origin=turn.origin,
        metadata={} if failed is None else {"failed": failed},
    )


def _placed(step: Step, number: int, message: int) -> Step:
    if number == message:
        return step
    return replace(step, metadata={**step.metadata, "message": message})
