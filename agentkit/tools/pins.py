"""What tools of others said of themselves when the user agreed to them: kept in a lock file, and compared ever after.

A description is an instruction to the model, so one that changes behind the user's back is an attack (a "rug pull",
CVE-2025-54136). A model only ever reads the description that is pinned.
"""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path

from agentkit.errors import ConfigError, InputError, StoreError, ToolChangedError
from agentkit.types import JSON

SCHEMA = "agentkit-tools/v1"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "type": (str, list),
    "properties": (dict,),
    "required": (list,),
    "enum": (list,),
    "items": (dict, bool),
    "additionalProperties": (dict, bool),
    "$ref": (str,),
    **dict.fromkeys(("anyOf", "oneOf", "allOf"), (list,)),
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), (int,)),
}
_DEPTH = 32
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_LINES = 24
_WIDE = 160
_LARGEST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A tool as it describes itself; ``parameters`` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The fingerprint of all that a model is told about it."""
        told = [self.name, self.description, self.parameters]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(text.encode()).hexdigest()

    def hidden(self) -> str:
        """The first character that a person reading the description or the schema would not see, as ``U+200B``; or nothing."""
        for text in (self.name, self.description, json.dumps(self.parameters, ensure_ascii=False)):
            for char in text:
                if char not in "\n\t\r" and unicodedata.category(char) in _HIDDEN:
                    return f"U+{ord(char):04X}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The tools of one server; ``at`` is the fingerprint of the command or URL that they were read from."""

    at: str
    tools: Mapping[str, Pin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A tool that is not as it was: ``before`` is None for a new one, ``after`` for one that is gone."""

    name: str
    before: Pin | None
    after: Pin | None

    @property
    def word(self) -> str:
        """``new``, ``gone`` or ``changed``."""
        return "new" if self.before is None else "gone" if self.after is None else "changed"

    def lines(self) -> list[str]:
        """The lines that differ, ``-`` before and ``+`` after, with every character visible."""
        found = [visible(line) for line in _difference(_told(self.before), _told(self.after))]
        more = len(found) - _LINES
        return found if more <= 0 else [*found[:_LINES], f"... and {more} lines more"]


def changes(before: Mapping[str, Pin], after: Mapping[str, Pin]) -> list[Change]:
    """The tools that are new, gone or changed, by name."""
    names = sorted({*before, *after})
    found = [Change(name=name, before=before.get(name), after=after.get(name)) for name in names]
    return [one for one in found if one.before is None or one.after is None or one.before.digest != one.after.digest]


def refuse(server: str, change: Change) -> ToolChangedError:
    """The error for a tool that is no longer what the user agreed to."""
    head = (
        f"the tool {change.name!r} of the MCP server {server!r} is {change.word} since it was pinned, and is not called"
    )
    told = "".join(f"\n  {line}" for line in change.lines() if change.after is not None)
    return ToolChangedError(f"{head}{told}\nif you trust it as it is now: agentkit tools lock {server}")


def read_lock(path: Path) -> dict[str, Pins]:
    """The pins of every server; none where there is no file. Raises ``InputError`` for a file that is damaged or was edited."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the lock file {path} cannot be read: {error}") from None
    try:
        if data["schema"] != SCHEMA:
            raise InputError(f"the lock file {path} is of {data['schema']!r}; this agentkit reads {SCHEMA!r}")
        return {server: _pins(path, server, one) for server, one in data["servers"].items()}
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"the lock file {path} is damaged; write it anew with: agentkit tools lock") from None


def write_lock(path: Path, pins: Mapping[str, Pins]) -> None:
    """Replace the lock file in one step; raises ``StoreError`` where it cannot be written."""
    servers = {server: _plain(one) for server, one in sorted(pins.items())}
    text = json.dumps({"schema": SCHEMA, "servers": servers}, indent=2, ensure_ascii=True) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError as error:
        raise StoreError(f"the lock file {path} cannot be written: {error.strerror or error}") from None


def pinned(server: str, tools: Iterable[Pin]) -> dict[str, Pin]:
    """Tools by name, each fit to be agreed to; raises ``ConfigError`` for two of one name and for text that hides something."""
    found: dict[str, Pin] = {}
    for one in tools:
        if one.name in found:
            raise ConfigError(f"the MCP server {server!r} has two tools named {visible(one.name)!r}")
        what = f"the tool {visible(one.name)!r} of the MCP server {server!r}"
        if fault := _fault(one.parameters):
            raise ConfigError(f"{what} describes its arguments by no JSON Schema: {fault}")
        if char := one.hidden():
            raise ConfigError(f"{what} describes itself with a character that nobody sees, {char}: it is not pinned")
        found[one.name] = one
    return found


def visible(text: str) -> str:
    """A text of others on one line of a terminal: what would not be seen there is written out, what is long is cut."""
    shown = "".join(_shown(char) for char in text[: _WIDE + 1])
    return shown if len(text) <= _WIDE else f"{shown[:_WIDE]}..."


def _fault(schema: JSON, depth: int = 0) -> str:
    """What makes a value no JSON Schema that can be checked against; nothing where it is one."""
    if isinstance(schema, bool) and depth:
        return ""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return "a schema is a mapping" if depth <= _DEPTH else f"it is nested more than {_DEPTH} deep"
    for key, kinds in _KINDS.items():
        if key in schema and not isinstance(schema[key], kinds):
            return f"{key!r} cannot be {visible(repr(schema[key]))[:40]}"
    names = [*_listed(schema.get("type", [])), *schema.get("required", [])]
    if not all(isinstance(one, str) for one in names):
        return "'type' and 'required' hold names"
    inner = [
        *schema.get("properties", {}).values(),
        *(schema[key] for key in ("items", "additionalProperties") if key in schema),
    ]
    inner += [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, [])]
    return next(filter(None, (_fault(one, depth + 1) for one in inner)), "")


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _shown(char: str) -> str:
    hides = unicodedata.category(char) in _HIDDEN or char in "\u2028\u2029"
    return char if not hides or char == "\t" else f"\\u{{{ord(char):x}}}"


def _told(pin: Pin | None) -> list[str]:
    if pin is None:
        return []
    schema = json.dumps(pin.parameters, indent=1, sort_keys=True, ensure_ascii=False)
    return [*pin.description.split("\n"), *schema.split("\n")]


def _difference(before: list[str], after: list[str]) -> Iterator[str]:
    for line in unified_diff(before, after, n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[:1]} {line[1:]}"


def _pins(path: Path, server: str, data: Mapping[str, JSON]) -> Pins:
    tools = {
        name: Pin(name=name, description=str(one["description"]), parameters=dict(one["parameters"]))
        for name, one in data["tools"].items()
    }
    for name, pin in tools.items():
        if data["tools"][name]["sha256"] != pin.digest:
            raise InputError(
                f"the lock file {path} was edited: the tool {name!r} of {server!r} does not have the sha256 written there"
            )
    return Pins(at=str(data["at"]), tools=tools)


def _plain(pins: Pins) -> dict[str, JSON]:
    tools = {
        name: {"sha256": one.digest, "description": one.description, "parameters": dict(one.parameters)}
        for name, one in sorted(pins.tools.items())
    }
    return {"at": pins.at, "tools": tools}
