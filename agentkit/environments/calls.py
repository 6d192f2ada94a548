"""What worlds of tools share: their descriptions, the check of a call, and errors planted into a list of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentkit.environments.play import call, read_call
from agentkit.errors import did_you_mean
from agentkit.types import JSON, ToolSpec

TEXT: Mapping[str, JSON] = {"type": "string"}
WHOLE: Mapping[str, JSON] = {"type": "integer"}
LIST: Mapping[str, JSON] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
OBJECT: Mapping[str, JSON] = {"type": "object"}

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "array": list, "object": dict}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that fits its tool, or ``code`` and ``message`` for what is wrong with it."""

    tool: str
    arguments: Mapping[str, Any]
    code: str = ""
    message: str = ""

    @property
    def text(self) -> str:
        """As an action."""
        return call(self.tool, **self.arguments)


class RuleError(Exception):
    """A call that the rules do not allow."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def tool(name: str, description: str, /, **properties: Mapping[str, JSON]) -> ToolSpec:
    """A tool all of whose arguments are required."""
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return ToolSpec(name=name, description=description, parameters=schema)


def choice(*values: str) -> Mapping[str, JSON]:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}


def read(text: str, tools: Mapping[str, ToolSpec]) -> Call:
    """The call that an action is; whatever is wrong with its form is told as its code."""
    name, arguments = read_call(text)
    if not name.isidentifier():
        return Call(name, {}, "unreadable", f'{text[:80]!r} is no call; write: tool {{"argument": "value"}}')
    return fitted(name, arguments, tools)


def fitted(name: str, arguments: Mapping[str, Any] | None, tools: Mapping[str, ToolSpec]) -> Call:
    """The call, checked against the tool's schema."""
    if name not in tools:
        return Call(name, {}, "unknown_tool", f"there is no tool {name!r}{did_you_mean(name, tools)}")
    if arguments is None:
        return Call(name, {}, "bad_arguments", f"the arguments of {name} are no JSON object")
    properties = tools[name].parameters["properties"]
    for key in properties.keys() ^ arguments.keys():
        said = "is missing" if key in properties else "is unknown"
        return Call(name, arguments, "bad_arguments", f"{name}: the argument {key!r} {said}")
    for key, schema in properties.items():
        if fault := _mismatch(arguments[key], schema):
            return Call(name, arguments, "bad_arguments", f"{name}: {key!r} {fault}")
    return Call(name, arguments)


def without_argument(action: str) -> str | None:
    """The call with its first argument left out; None where it has none."""
    name, arguments = read_call(action)
    return call(name, **dict(list(arguments.items())[1:])) if arguments else None


def misnamed(action: str) -> str:
    """The call of a tool that does not exist."""
    name, _, rest = action.partition(" ")
    return f"do_{name} {rest}"


def replaced(best: Sequence[str], step: int, *wrong: str, skip: int = 1) -> tuple[str, ...]:
    """The calls with those of ``wrong`` at ``step`` in the place of ``skip`` of them."""
    return (*best[:step], *wrong, *best[step + skip :])


def _mismatch(value: Any, schema: Mapping[str, JSON]) -> str:
    wanted = _TYPES[schema["type"]]
    if not isinstance(value, wanted) or isinstance(value, bool):
        return f"must be of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(schema['enum'])}"
    if isinstance(value, list) and (not value or not all(isinstance(one, str) for one in value)):
        return "must be a list of texts"
    return ""
