"""What may stand under ``with:``, as JSON Schemas: the parts that several kinds share."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.errors import AgentkitError
from agentkit.options import Factory, json_schema
from agentkit.registry import Registry
from agentkit.types import JSON

Schema = dict[str, JSON]

FILE: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "description": "A path inside the graph's folder."}},
    "required": ["file"],
    "additionalProperties": False,
}
TEXT: Schema = {"$ref": "#/$defs/text"}
_ROLES = dict.fromkeys(("system", "user", "assistant"), TEXT)
_CONVERSATION: Schema = {"type": "object", "properties": _ROLES, "minProperties": 1, "additionalProperties": False}
_TURN: Schema = {**_CONVERSATION, "maxProperties": 1}

PROMPT: Schema = {"$ref": "#/$defs/prompt"}
MODEL: Schema = {
    "type": ["string", "null"],
    "description": "The name of one of the graph's models; it can be left out where there is just one.",
}
SHARED: dict[str, Schema] = {
    "text": {"anyOf": [{"type": "string"}, FILE]},
    "prompt": {
        "description": "A text with {{places}}, {file: prompts/name.md}, {system: ..., user: ...}, or a list of turns.",
        "anyOf": [{"type": "string"}, FILE, _CONVERSATION, {"type": "array", "items": _TURN, "minItems": 1}],
    },
}
"""What the schemas of kinds refer to."""

ANYTHING: Schema = {"type": "object"}


def closed(properties: Mapping[str, JSON], *, required: tuple[str, ...] = (), about: str = "") -> Schema:
    """An object with these properties and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {**schema, "description": about} if about else schema


def of_component(registry: Registry, kind: str, name: str, own: Mapping[str, JSON] | None = None) -> Schema:
    """The options of a registered component and the kind's ``own``; anything where it cannot be loaded."""
    factory = _factory(registry, kind, name)
    if factory is None:
        return dict(ANYTHING)
    schema = json_schema(factory)
    return {**schema, "properties": {**(own or {}), **schema["properties"]}}


def options_of(factory: Factory, own: Mapping[str, JSON]) -> dict[str, JSON]:
    """The properties of a kind's own dataclass of options, with others beside them."""
    properties: dict[str, JSON] = json_schema(factory)["properties"]
    return {**own, **properties}


def _factory(registry: Registry, kind: str, name: str) -> Factory | None:
    try:
        return registry.get(kind, name).factory
    except (AgentkitError, ImportError, AttributeError):
        return None
