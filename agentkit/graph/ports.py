"""Ports: what a node takes in and gives out, and which value fits where. A port type is a plain word."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from agentkit.errors import ConfigError
from agentkit.types import JSON, Document

TYPES = ("string", "number", "integer", "boolean", "list", "object", "documents")
"""The types an input of a graph can have; ports may also be ``any``."""

_WIDER = {
    "integer": {"number"},
    "documents": {"list"},
}
_SCALARS: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object"}
_JSON_TYPES = {"array": "list", "null": "any"}


@dataclass(frozen=True, slots=True)
class Port:
    """An input port."""

    type: str = "any"
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of a node; ``open`` says that its outputs are not known before it runs."""

    inputs: Mapping[str, Port] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    open: bool = False


def fits(given: str, wanted: str) -> bool:
    """Whether a value of type ``given`` can go into a port of type ``wanted``."""
    return "any" in (given, wanted) or given == wanted or wanted in _WIDER.get(given, ())


def type_of_value(value: JSON) -> str:
    """The type of a constant; a list of texts or of mappings with a text may also serve as documents."""
    if value is None:
        return "any"
    if isinstance(value, list | tuple):
        documents = all(isinstance(one, str) or (isinstance(one, Mapping) and "text" in one) for one in value)
        return "documents" if documents else "list"
    return "object" if isinstance(value, Mapping) else _SCALARS.get(type(value), "any")


def type_of(annotation: Any) -> str:
    """The type of values of an annotation; ``any`` where nothing narrower can be said."""
    members = [one for one in _members(annotation) if one is not NoneType]
    found = {_type_of_member(one) for one in members}
    return found.pop() if len(found) == 1 else "any"


def type_of_schema(schema: Mapping[str, JSON]) -> str:
    """The type that a JSON Schema asks for."""
    kind = schema.get("type")
    return _JSON_TYPES.get(kind, kind) if isinstance(kind, str) else "any"


def of_function(run: Callable[..., Any], *, without: frozenset[str] = frozenset({"self", "emit"})) -> Ports:
    """The ports of an async function: its keyword parameters, and the fields of the dataclass or TypedDict it returns."""
    try:
        hints = get_type_hints(run)
    except NameError as error:
        raise ConfigError(f"an annotation of its run method cannot be resolved: {error}") from None
    inputs = {}
    for name, one in inspect.signature(run).parameters.items():
        if name not in without and one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD):
            inputs[name] = Port(type_of(hints.get(name, Any)), one.default is one.empty)
    outputs = _outputs(hints.get("return", Any))
    return Ports(inputs=inputs, outputs=outputs or {}, open=outputs is None)


def _outputs(annotation: Any) -> dict[str, str] | None:
    """Port types by name; None when the annotation does not tell the names."""
    if dataclasses.is_dataclass(annotation) or is_typeddict(annotation):
        hints = get_type_hints(annotation)
        return {name: type_of(hint) for name, hint in hints.items()}
    if annotation is Any or _type_of_member(annotation) == "object":
        return None
    return {} if annotation in (None, NoneType) else {"result": type_of(annotation)}


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _type_of_member(annotation: Any) -> str:
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        kinds = {_SCALARS.get(type(one), "any") for one in get_args(annotation)}
        return kinds.pop() if len(kinds) == 1 else "any"
    if origin in _SCALARS:
        return _SCALARS[origin]
    if not isinstance(origin, type):
        return "any"
    if issubclass(origin, PurePath):
        return "string"
    if issubclass(origin, Mapping) or dataclasses.is_dataclass(origin) or is_typeddict(origin):
        return "object"
    if issubclass(origin, Sequence | set | frozenset):
        return "documents" if Document in get_args(annotation) else "list"
    return "any"
