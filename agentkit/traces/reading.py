"""The door of traces: a log in any known form, found out by what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from agentkit.errors import TraceError, did_you_mean
from agentkit.traces.formats import benchmarks, chat, inspect, langchain, otel, runs
from agentkit.traces.trace import Trace
from agentkit.traces.turns import Draft, trace_of

_DEPTH = 200


class _Knows(Protocol):
    def __call__(self, data: Any) -> bool: ...


class _Drafts(Protocol):
    def __call__(self, data: Any) -> list[Draft]: ...


class _Format(NamedTuple):
    about: str
    knows: _Knows
    drafts: _Drafts
    whole: bool = False
    """Whether a file of lines is one log, not a log a line."""


FORMATS: Mapping[str, _Format] = {
    "agentkit": _Format("a run of ours: 'agentkit runs export'", runs.knows, runs.drafts),
    "opentelemetry": _Format(
        "OpenTelemetry spans with GenAI attributes or events", otel.knows, otel.drafts, whole=True
    ),
    "inspect": _Format("an Inspect log as JSON", inspect.knows, inspect.drafts),
    "benchmark": _Format("a row of Who&When, tau-bench or AgentRx", benchmarks.knows, benchmarks.drafts),
    "langchain": _Format("LangChain messages or LangGraph events", langchain.knows, langchain.drafts, whole=True),
    "chat": _Format("messages of OpenAI or Anthropic", chat.knows, chat.drafts, whole=True),
}
"""The known forms, the one with the most telling marks first."""


def read(data: Any, *, form: str | None = None) -> tuple[Trace, ...]:
    """The traces in a log: data, or the text or bytes of a JSON or JSON Lines file. ``form`` names one of ``FORMATS``.

    Raises ``TraceError`` when it is no JSON, in no known form, or holds no step.
    """
    if form is not None and form not in FORMATS:
        raise TraceError(
            f"there is no form of trace {form!r}{did_you_mean(form, FORMATS)} (known: {', '.join(FORMATS)})"
        )
    if isinstance(data, str | bytes | bytearray):
        data = _parsed(data)
    if _deeper(data, _DEPTH):
        raise TraceError(f"the log is nested more than {_DEPTH} deep")
    found = tuple(trace_of(draft) for draft in _drafts(data, form))
    if not any(trace.steps for trace in found):
        raise TraceError("the log holds no step")
    return tuple(trace for trace in found if trace.steps)


def detect(data: Any) -> str | None:
    """The name of the form of ``data`` (one log), None when it is none that is known."""
    return next((name for name, one in FORMATS.items() if one.knows(data)), None)


class Lines(list[Any]):
    """The values of a JSON Lines file: one log a line, or one log of many lines."""


def _drafts(data: Any, form: str | None) -> list[Draft]:
    name = form or detect(data)
    if name is not None and (form or FORMATS[name].whole or not isinstance(data, Lines)) and FORMATS[name].knows(data):
        return FORMATS[name].drafts(data)
    if isinstance(data, list) and data:
        return [draft for place, one in enumerate(data) for draft in _of_row(one, form, place)]
    raise TraceError(f"this is {_described(data)}, in which {_wanted(form)}")


def _of_row(one: Any, form: str | None, place: int) -> list[Draft]:
    name = form if form and FORMATS[form].knows(one) else None if form else detect(one)
    if name is None:
        raise TraceError(f"entry {place + 1} is {_described(one)}, in which {_wanted(form)}")
    return FORMATS[name].drafts(one)


def _parsed(text: str | bytes | bytearray) -> Any:
    if not isinstance(text, str):
        try:
            text = bytes(text).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise TraceError(f"the log is not UTF-8 text (byte {error.start + 1})") from None
    try:
        return json.loads(text)
    except RecursionError:
        raise TraceError("the log is nested too deep") from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise TraceError(f"the log is not JSON: {error}") from None
    return Lines(_line(line, number) for number, line in enumerate(lines, 1))


def _line(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"the log is neither JSON nor JSON Lines: line {number}: {error}") from None


def _wanted(form: str | None) -> str:
    if form:
        return f"there is not {FORMATS[form].about}"
    return f"no trace of an agent is recognised; known are {'; '.join(one.about for one in FORMATS.values())}"


def _described(data: Any) -> str:
    if isinstance(data, Mapping):
        names = ", ".join(str(name)[:30] for name in list(data)[:8])
        return f"an object with the keys {names}" if names else "an empty object"
    if isinstance(data, Sequence) and not isinstance(data, str):
        return f"a list of {len(data):,} entries" if len(data) else "an empty list"
    return f"{type(data).__name__} data"


def _deeper(data: Any, depth: int) -> bool:
    level = [data]
    for _ in range(depth):
        inner = [
            one.values() if isinstance(one, Mapping) else one
            for one in level
            if isinstance(one, Mapping | list | tuple)
        ]
        level = [child for children in inner for child in children]
        if not level:
            return False
    return True
