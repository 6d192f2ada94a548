"""Calls against the tools there are: unknown names, arguments that are no JSON or do not fit, and calls that a tool refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from agentkit.errors import did_you_mean
from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.jsonschema import mismatch
from agentkit.traces import Call, Trace, calls
from agentkit.types import JSON, ToolSpec

_REFUSAL = re.compile(
    r"\b(?:invalid|not found|no such|must(?: not)?|required|missing|does(?: not|n't) exist|not allowed|cannot|can't"
    r"|should|mismatch|unsupported|unexpected|unknown|already|illegal"
    r"|not (?:available|valid|match|belong|enough|eligible)|bad request)\b",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"\bnot found\b|\bno such\b|\bdoes(?: not|n't) exist\b", re.IGNORECASE)
_SYSTEM = re.compile(
    r"\b(?:time(?:d)? ?out|rate limit|too many requests|unavailable|connection|internal server|overloaded|try again later"
    r"|HTTP(?: error)? 5\d\d|50[0234])\b",
    re.IGNORECASE,
)


def misshapen(trace: Trace) -> Iterator[Flaw]:
    """Every call that the tools could not have taken as it was written."""
    known = {tool.name: tool for tool in trace.tools}
    for call in calls(trace):
        if call.step.kind == "call":
            yield from _flaws(call, known)


def refused(trace: Trace) -> Iterator[Flaw]:
    """Every call that its tool refused for what was asked; failures of the system itself are not the agent's."""
    for call in calls(trace):
        text = _told(call)
        if call.failed and not _SYSTEM.search(text) and (_REFUSAL.search(text) or call.step.arguments is None):
            looked_up = bool(_ABSENT.search(text)) and len(call.step.arguments or {}) == 1
            yield Flaw(
                code="bad_arguments",
                kind="refused",
                step=call.place,
                message=f"{call.step.name or 'the tool'} refused the call: {quote(text, 120)}",
                evidence=text,
                confidence=0.3 if looked_up else 0.6,  # to look for what is not there is how one finds that out
                repair="read what the tool says is wrong, look up what is missing, and call it with that",
            )


def _flaws(call: Call, known: Mapping[str, ToolSpec]) -> Iterator[Flaw]:
    step, name = call.step, call.step.name
    raw = step.metadata.get("raw")
    if known and name not in known:
        yield Flaw(
            code="unknown_action",
            kind="unknown_tool",
            step=call.place,
            message=f"there is no tool {name[:64]!r}{did_you_mean(name, known)} (there are: {_names(known)})",
            evidence=name,
            repair=f"call one of the tools there are{did_you_mean(name, known)}",
        )
    if step.arguments is None:
        text = raw if isinstance(raw, str) else ""
        yield _bad(call, "malformed_json", f"the arguments of {name} are no JSON object", text, "write one JSON object")
    elif name in known:
        yield from _unfit(call, step.arguments, known[name].parameters)


def _unfit(call: Call, arguments: Mapping[str, JSON], schema: Mapping[str, JSON]) -> Iterator[Flaw]:
    """Missing and extra arguments by name, then the first thing wrong with each that is there."""
    name, properties = call.step.name, schema.get("properties")
    fields = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for field in required if isinstance(required, list | tuple) else ():
        if field not in arguments:
            about = f"{name} needs {field!r}, which is missing"
            yield _bad(call, "missing_argument", about, _shown(arguments), f"give {field!r}", field)
    strict = schema.get("additionalProperties") is False
    closed = strict or ("properties" in schema and "additionalProperties" not in schema)
    for field, value in arguments.items():
        if field in fields and isinstance(fields[field], Mapping):
            if fault := _mismatch(value, fields[field], schema):
                about = f"{name}: {field}{'' if fault.startswith('[') else ': ' if ': ' not in fault else '.'}{fault}"
                yield _bad(call, "wrong_value", about, _shown(value), f"give {field!r} as its schema says", field)
        elif closed:
            about = (
                f"{name} takes no {field!r}{did_you_mean(field, fields)} (it takes: {', '.join(fields) or 'nothing'})"
            )
            extra = _bad(call, "extra_argument", about, _shown({field: value}), f"leave {field!r} out", field)
            yield extra if strict else replace(extra, confidence=0.7)  # JSON Schema allows what it does not forbid


def _mismatch(value: JSON, schema: Mapping[str, JSON], root: Mapping[str, JSON]) -> str:
    """What is wrong with a value; a schema that is itself wrong says nothing."""
    definitions = {key: root[key] for key in ("$defs", "definitions") if key in root}
    try:
        return mismatch(value, {**definitions, **schema})
    except (TypeError, ValueError, AttributeError):
        return ""


def _bad(call: Call, kind: str, message: str, evidence: str, repair: str, argument: str = "") -> Flaw:
    more: dict[str, JSON] = {"argument": argument} if argument else {}
    return Flaw(
        code="bad_arguments", kind=kind, step=call.place, message=message, evidence=evidence, repair=repair, more=more
    )


def _told(call: Call) -> str:
    if call.answer is None:
        return ""
    result = call.answer.result if call.answer.result is not None else call.answer.text
    return result if isinstance(result, str) else _shown(result)


def _names(known: Mapping[str, ToolSpec]) -> str:
    return ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")


def _shown(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
