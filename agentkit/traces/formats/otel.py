"""OpenTelemetry spans with the GenAI conventions: OTLP as JSON, or spans as exporters print them.

Content is read from the attributes ``gen_ai.input.messages`` and ``gen_ai.output.messages``, from the older events
``gen_ai.user.message`` ... ``gen_ai.choice``, and from ``execute_tool`` spans where no model span tells of the call.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentkit.traces.formats.chat import turns_of
from agentkit.traces.turns import Draft, Turn, TurnCall, TurnResult, call_of, listed, mapping, string, tools_of

_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue")
_CONTENT = ("gen_ai.event.content", "gen_ai.prompt", "gen_ai.completion")
_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    trace: str
    name: str
    start: int
    attributes: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    error: str = ""

    @property
    def operation(self) -> str:
        return string(self.attributes.get("gen_ai.operation.name")) or self.name.partition(" ")[0]


def knows(data: Any) -> bool:
    """Whether ``data`` holds spans of which some tell of a model or a tool."""
    return any(name.startswith("gen_ai.") for span in _spans(data) for name in span.attributes) or any(
        name.startswith("gen_ai.") for span in _spans(data) for name, _ in span.events
    )


def drafts(data: Any) -> list[Draft]:
    """A talk a trace id, in the order in which they began."""
    groups: dict[str, list[_Span]] = {}
    for span in sorted(_spans(data), key=lambda one: one.start):
        groups.setdefault(span.trace, []).append(span)
    found = [_draft(name, spans) for name, spans in groups.items()]
    return [draft for draft in found if draft.turns]


def _draft(name: str, spans: Sequence[_Span]) -> Draft:
    turns: list[Turn] = []
    known: Counter[str] = Counter()
    for span in spans:
        told_here: Counter[str] = Counter()
        for turn in _turns(span):
            key = _key(turn)
            told_here[key] += 1
            if told_here[key] > known[key]:  # the n-th telling in one span is new only when fewer were told before
                known[key] += 1
                turns.append(turn)
    told = [span.attributes for span in spans]
    tools = next(
        (tools_of(_read(one["gen_ai.tool.definitions"])) for one in told if "gen_ai.tool.definitions" in one), ()
    )
    return Draft(turns=tuple(_joined(turns)), source="opentelemetry", tools=tools, id=name)


def _turns(span: _Span) -> Iterator[Turn]:
    """What a span adds; later spans of a talk repeat its beginning, which is told apart by content."""
    agent = string(span.attributes.get("gen_ai.agent.name"))
    if span.operation == "execute_tool":
        yield from _tool(span)
        return
    instructions = _read(span.attributes.get("gen_ai.system_instructions"))
    if instructions:
        yield from turns_of([{"role": "system", "content": _blocks(instructions)}])
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        for message in listed(_read(span.attributes.get(name))):
            yield _named(_of_parts(mapping(message)), agent)
    for name, body in span.events:
        if turn := _of_event(name, body):
            yield _named(turn, agent)


def _tool(span: _Span) -> Iterator[Turn]:
    told = span.attributes
    name, call = string(told.get("gen_ai.tool.name")), string(told.get("gen_ai.tool.call.id"))
    yield Turn(agent="assistant", calls=(call_of(name, _read(told.get("gen_ai.tool.call.arguments")), call),))
    back = _read(told.get("gen_ai.tool.call.result", span.error or None))
    failed = True if span.error or "error.type" in told else None
    yield Turn(agent="tool", results=(TurnResult(data=back, id=call, name=name, failed=failed),))


def _of_parts(message: Mapping[str, Any]) -> Turn:
    """A message of the newer form: ``{role, parts: [{type: text | reasoning | tool_call | tool_call_response}]}``."""
    if "parts" not in message:
        return turns_of([message])[0]
    parts = [mapping(part) for part in listed(message["parts"])]
    role = string(message.get("role"))
    texts = [string(part.get("content")) for part in parts if part.get("type") == "text"]
    thoughts = [string(part.get("content")) for part in parts if part.get("type") == "reasoning"]
    return Turn(
        agent=string(message.get("name")) or role,
        text="\n".join(texts),
        thought="\n".join(thoughts),
        calls=tuple(
            call_of(part.get("name"), part.get("arguments"), part.get("id"))
            for part in parts
            if part.get("type") == "tool_call"
        ),
        results=tuple(
            TurnResult(data=_read(part.get("response", part.get("result"))), id=string(part.get("id")))
            for part in parts
            if part.get("type") == "tool_call_response"
        ),
    )


def _of_event(name: str, body: Mapping[str, Any]) -> Turn | None:
    """A message of the older form, an event: ``gen_ai.user.message`` or ``gen_ai.choice``."""
    if not name.startswith("gen_ai.") or not (name.endswith(".message") or name == "gen_ai.choice"):
        return None
    told = next((mapping(_read(body[key])) for key in _CONTENT if key in body), body)
    role = name.removeprefix("gen_ai.").removesuffix(".message")
    inner = mapping(_read(told.get("message"))) or told
    message = {"role": "assistant" if name == "gen_ai.choice" else role, **inner}
    message["tool_calls"] = _read(inner.get("tool_calls"))
    message["tool_call_id"] = inner.get("tool_call_id", inner.get("id"))
    return turns_of([message])[0]


def _joined(turns: Sequence[Turn]) -> Iterator[Turn]:
    """Without the second telling of a call or result, by a span of the tool and by one of the model."""
    done: set[tuple[str, str]] = set()
    number = 0
    for turn in turns:
        calls = tuple(one for one in turn.calls if not one.id or ("call", one.id) not in done)
        results = tuple(one for one in turn.results if not one.id or ("result", one.id) not in done)
        done |= {("call", one.id) for one in calls} | {("result", one.id) for one in results}
        if calls or results or turn.text or turn.thought:
            yield replace(turn, calls=calls, results=results, origin=number)
            number += 1


def _key(turn: Turn) -> str:
    """Equal for two tellings of one turn; calls with an id are told apart by it alone."""
    told = (
        [(one.id or [one.name, _shown(one)]) for one in turn.calls],
        [one.id or str(one.data) for one in turn.results],
    )
    return json.dumps([turn.agent, turn.text, *told], default=str)


def _shown(call: TurnCall) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, default=str)


def _named(turn: Turn, agent: str) -> Turn:
    return replace(turn, agent=agent) if agent and turn.agent == "assistant" else turn


def _blocks(instructions: Any) -> str:
    parts = [mapping(part) for part in listed(instructions)]
    return "\n".join(string(part.get("content")) for part in parts) if parts else string(instructions)


def _spans(data: Any) -> list[_Span]:
    rows = data if isinstance(data, list) else [data]
    return [span for row in rows for raw in _raw(row) if (span := _span(mapping(raw))) is not None]


def _raw(row: Any) -> Iterator[Any]:
    told = mapping(row)
    resources = listed(told.get("resourceSpans", told.get("resource_spans")))
    for resource in map(mapping, resources):
        scopes = resource.get("scopeSpans", resource.get("scope_spans", resource.get("instrumentationLibrarySpans")))
        for scope in map(mapping, listed(scopes)):
            yield from listed(scope.get("spans"))
    if not resources:
        yield from listed(told.get("spans")) if "spans" in told else [row]


def _span(raw: Mapping[str, Any]) -> _Span | None:
    context = mapping(raw.get("context"))
    name = string(raw.get("name"))
    if not name or not ("attributes" in raw or "events" in raw):
        return None
    status = mapping(raw.get("status"))
    failed = string(status.get("status_code", status.get("code"))) in ("ERROR", "STATUS_CODE_ERROR", "2")
    start = string(raw.get("startTimeUnixNano") or raw.get("start_time") or raw.get("startTime"))
    return _Span(
        trace=string(raw.get("traceId") or raw.get("trace_id") or context.get("trace_id")),
        name=name,
        start=int("".join(filter(_is_digit, start))[:24] or 0),
        attributes=_attributes(raw.get("attributes")),
        events=tuple(_events(raw.get("events"))),
        error=(string(status.get("message", status.get("description"))) or "the tool failed") if failed else "",
    )


def _is_digit(letter: str) -> bool:
    return letter in "0123456789"


def _events(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in map(mapping, listed(value)):
        body = _plain(one.get("body"), 0)
        yield string(one.get("name")), {**_attributes(one.get("attributes")), **mapping(body)}


def _attributes(value: Any) -> Mapping[str, Any]:
    """Attributes by name, whether as a mapping or as OTLP's list of ``{key, value: {stringValue}}``."""
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    pairs = [mapping(one) for one in listed(value)]
    return {string(one.get("key")): _plain(one.get("value"), 0) for one in pairs}


def _plain(value: Any, depth: int) -> Any:
    told = mapping(value)
    if depth > _DEPTH or not told:
        return value
    for name in _VALUES:
        if name in told:
            return told[name]
    if "arrayValue" in told:
        return [_plain(one, depth + 1) for one in listed(mapping(told["arrayValue"]).get("values"))]
    if "kvlistValue" in told:
        pairs = [mapping(one) for one in listed(mapping(told["kvlistValue"]).get("values"))]
        return {string(one.get("key")): _plain(one.get("value"), depth + 1) for one in pairs}
    return value


def _read(value: Any) -> Any:
    """Data where a text is JSON: content is recorded as text by most exporters."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
