"""Arguments that were never seen: a value of a call must come from the task, the policy, the user or an earlier result."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agentkit.answers import dates
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.traces import Call, Trace, calls
from agentkit.traces.provenance import GIVEN
from agentkit.traces.seen import Seen
from agentkit.traces.turns import message_of
from agentkit.traces.values import leaves, number_key, tokens
from agentkit.types import JSON

_FREE_NAMES = """
    query question q search message text body content comment note notes reason summary description title subject prompt thought
    thoughts code command script sql regex pattern instruction instructions explanation details keywords input topic answer
    response plan observation justification rationale model format encoding mode type unit units size version locale language
    timezone currency voice sort method nonce idempotencykey requestid correlationid traceid
    """
_FREE = frozenset(_FREE_NAMES.split())
_PERSONAL_NAMES = """
    name firstname lastname surname user username email phone address street account recipient owner author
    """
_PERSONAL = frozenset(_PERSONAL_NAMES.split())
_RELATIVE = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|next|this|last|in \w+ (?:days?|weeks?|months?)|mon|tues|wednes|thurs|fri|satur|sun)"
    r"(?:day)?\b|\b(?:days?|weeks?) (?:later|earlier|before|after)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\A(?:<[^<>]*>|\{\{?[^{}]*\}?\}|\[[a-z_ ]+\]|your[_ -].*|x{3,}|todo|tbd|placeholder|example|string|foo|bar|abc123|"
    r"[^@\s]+@(?:example|test|domain|email)\.\w+)\Z",
    re.IGNORECASE,
)
_FILES = frozenset({"file", "filename", "filepath", "path", "output", "outputfile", "outputpath"})
_MEASURE = re.compile(r"\d{1,2}(?::\d{2}){0,2}\s?[a-z]{0,3}\Z", re.IGNORECASE)
_EXPRESSION = re.compile(r"[\d\s.,+\-*/()$%^]+\Z")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_CONSTANTS = frozenset(
    ["100", "1000", "10000", "1000000", "365", "366", "360", "180", "144", "168", "1024", "3600", "86400"]
)
_SMALL = 100  # counts and choices: a smaller whole number is nobody's identity
_LARGEST = 1e15  # what is larger is a code written without quotes
_WORDS = 6
_LETTERS = 60


class Doubt(NamedTuple):
    """Why a value is doubted: what kind of value it is and how sure that is."""

    kind: str
    confidence: float


def ungrounded(trace: Trace, *, free: Sequence[str] = ()) -> Iterator[Flaw]:
    """Every value of a call that nobody gave before; ``free`` names arguments in which an agent may write what it likes."""
    seen, invented = Seen(), set[str]()
    for part in (trace.task, trace.policy):
        seen.add(GIVEN, part)
    allowed = _FREE | {_bare(name) for name in free}
    schemas = {tool.name: tool.parameters for tool in trace.tools}
    made = {call.place: call for call in calls(trace)}
    later = _results(trace)
    for place, step in enumerate(trace.steps):
        if place in made and step.kind == "call":
            for flaw in _of_call(made[place], seen, schemas.get(step.name, {}), allowed, later):
                if flaw.values[0] not in invented:
                    invented.add(flaw.values[0])
                    yield flaw
        elif _gives(trace, place):
            for part in (step.text, step.result):
                if part is not None and part != "":
                    seen.add(place, part)


def _gives(trace: Trace, place: int) -> bool:
    """Whether a step brings something in from outside: results, and what users and the system say."""
    step = trace.steps[place]
    return step.kind in ("result", "error") or step.agent in ("user", "human", "system", "tool", "environment")


def _of_call(
    call: Call, seen: Seen, schema: Mapping[str, JSON], free: frozenset[str], later: Sequence[_Later]
) -> Iterator[Flaw]:
    for path, value in leaves(call.step.arguments or {}):
        if _exempt(path, value, schema, free):
            continue
        doubt = _doubt(path, value, seen)
        if doubt is not None:
            yield _flaw(call, path, value, doubt, _given_later(value, call, later))


def _flaw(call: Call, path: str, value: JSON, doubt: Doubt, when: int | None) -> Flaw:
    name = call.step.name
    told = "neither the task, the policy, the user nor an earlier result gives it"
    kind, repair = doubt.kind, f"look {path!r} up or ask for it before calling {name}"
    if when is not None:
        kind, told = "before_its_result", f"only the result of step {when}, which comes later, gives it"
        repair = f"make the call of step {when} first, then use what it gives"
    return Flaw(
        code="ungrounded_argument",
        kind=kind,
        step=call.place,
        message=f"{name} is called with {path} = {value!r}: {told}",
        evidence=f"{path}: {value}",
        confidence=doubt.confidence,
        repair=repair,
        values=(str(value),),
        more={"argument": path, "value": value},
    )


def _doubt(path: str, value: JSON, seen: Seen) -> Doubt | None:
    """Why the value is doubted; None when it was seen, follows from what was, or needs no source."""
    if isinstance(value, int | float):
        return _of_id(value, seen) if _identity(path) else _of_number(value, seen)
    text = str(value).strip()
    if seen.first(text) is not None:
        return None
    if _PLACEHOLDER.match(text):
        return Doubt("placeholder", 0.9)
    if (iso := dates.key(text)) is not None:
        return _of_date(iso, seen)
    if _identity(path):
        return _of_text(path, text, seen)  # no sum of other numbers is an id
    if (key := number_key(text)) is not None:
        return _of_number(float(key), seen)
    if _EXPRESSION.match(text):
        return _of_expression(text, seen)
    return _of_text(path, text, seen)


def _of_id(value: float, seen: Seen) -> Doubt | None:
    """A number that names something: no sum of other numbers is one."""
    small = abs(value) < _SMALL
    return None if small or seen.number(str(value)) is not None else Doubt("identifier", 0.95)


def _of_number(value: float, seen: Seen) -> Doubt | None:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        return None if seen.number(str(value)) is not None else Doubt("number", 0.6)
    if value == int(value) and abs(value) < _SMALL:
        return None
    known = seen.number(str(value)) is not None or seen.derivable(float(value))
    return None if known else Doubt("number", 0.6)


def _of_date(iso: str, seen: Seen) -> Doubt:
    if seen.matches(_RELATIVE):
        return Doubt("date", 0.3)
    return Doubt("date", 0.4 if seen.near(iso) else 0.8)


def _of_expression(text: str, seen: Seen) -> Doubt | None:
    numbers = [number_key(found) for found in _NUMBER.findall(text)]
    doubted = [one for one in numbers if one and one not in _CONSTANTS and _of_number(float(one), seen)]
    return Doubt("number", 0.6) if doubted else None


def _of_text(path: str, text: str, seen: Seen) -> Doubt | None:
    words = tokens(text)
    strict = " " not in text and (any(letter.isdecimal() for letter in text) or "@" in text)
    if not words or (not strict and all(seen.first(word) is not None or seen.within(word) for word in words)):
        return None
    if "://" in text:
        return Doubt("address", 0.4 if seen.first(text.split("/")[2]) is not None else 0.85)
    if _MEASURE.match(text) or (
        sum(seen.first(word) is not None for word in words) * 2 > len(words) > 1 and not strict
    ):
        return Doubt("word", 0.3)
    if _bare(path) in _FILES:
        return Doubt("file", 0.4)  # whoever writes a file may name it
    if strict or any(letter.isdecimal() for letter in text):
        return Doubt("identifier", 0.95 if strict else 0.8)
    if _bare(path) in _PERSONAL or any(part in _PERSONAL for part in tokens(path)):
        return Doubt("name", 0.6)
    return Doubt("word", 0.3)


def _exempt(path: str, value: JSON, schema: Mapping[str, JSON], free: frozenset[str]) -> bool:
    """Truth values, nothing, choices that the schema offers, and text that is the agent's own to write."""
    if value is None or isinstance(value, bool) or value == "":
        return True
    declared = _declared(path, schema)
    if "enum" in declared or "const" in declared or declared.get("default") == value:
        return True
    if not isinstance(value, str):
        return False
    long = len(value) > _LETTERS or len(tokens(value)) > _WORDS or "\n" in value
    return _bare(path) in free or (long and not _identity(path))


def _declared(path: str, schema: Mapping[str, JSON]) -> Mapping[str, JSON]:
    here: JSON = schema
    for part in re.findall(r"[^.\[\]]+", path):
        inner = here if isinstance(here, Mapping) else {}
        properties = inner.get("properties")
        here = (
            inner.get("items")
            if part.isdecimal()
            else properties.get(part)
            if isinstance(properties, Mapping)
            else None
        )
    return here if isinstance(here, Mapping) else {}


def _identity(path: str) -> bool:
    return bool({"id", "ids", "number", "code", "email", "key", "zip", "phone"} & set(tokens(path)))


def _bare(path: str) -> str:
    """The name that a path ends with: ``items[0].Reason`` is reason."""
    return re.sub(r"\[\d+\]", "", path).rpartition(".")[2].casefold().replace("_", "")


class _Later(NamedTuple):
    """What a call asked and what its result said, both folded; ``message`` is where the call stands in the log."""

    place: int
    message: int
    asked: str
    said: str


def _results(trace: Trace) -> list[_Later]:
    return [
        _Later(call.place, message_of(trace, call.place), _folded(call.step.arguments), _folded(call.answer.result))
        for call in calls(trace)
        if call.answer is not None and not call.failed
    ]


def _given_later(value: JSON, call: Call, later: Sequence[_Later]) -> int | None:
    """The message whose call was made after this one and gave the value; answers to the value itself do not count."""
    phrase = _folded(value)
    if len(phrase) < 5:
        return None
    after = (one for one in later if one.place > call.place)
    return next((one.message for one in after if phrase in one.said and phrase not in one.asked), None)


def _folded(data: JSON) -> str:
    said = [str(leaf) for _, leaf in leaves(data) if leaf is not None]
    return f" {' '.join(tokens(' '.join(said)))} "
