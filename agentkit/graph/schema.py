"""The JSON Schema of graph files, composed from the components that are installed, so that editors complete them all.

It says what a file may look like. What names in it refer to is for the loader, which refuses more.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from agentkit.errors import AgentkitError
from agentkit.expressions import RESERVED
from agentkit.graph.kinds import Described, Kind, uses
from agentkit.graph.kinds.described import SHARED
from agentkit.graph.ports import TYPES
from agentkit.graph.shape import KEYS, SCHEMA
from agentkit.graph.spec import INPUTS, CacheSpec, MapSpec, RetrySpec, SampleSpec, StackOptions
from agentkit.options import json_schema
from agentkit.registry import Registry
from agentkit.runtime.budget import Budget
from agentkit.types import JSON

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, JSON]

_NAME = "^(?!(?:" + "|".join(sorted([*RESERVED, INPUTS])) + ")$)[a-z][a-z0-9_]{0,63}$"
_REFERENCE = r"^[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$"
_COUNT = {"type": ["integer", "null"], "minimum": 1}
_MAY_BE_OWN = {"^x-": True}
_KIND_OF_PATH = {"from": {"type": "string"}, "to": {"type": "string"}}


def graph_schema(registry: Registry) -> Schema:
    """The schema, draft 2020-12."""
    inner = _graph(required=("nodes",))
    top = {**inner, "required": ["schema", "name", "nodes"]}
    shared = {"graph": inner, "node": _node(registry), "model": _model(registry), **_values(), **SHARED}
    return {"$schema": DIALECT, "title": f"A graph file of {SCHEMA}", **top, "$defs": _lifted(shared)}


def _graph(*, required: tuple[str, ...]) -> Schema:
    known: dict[str, JSON] = {
        "schema": {"const": SCHEMA},
        "name": {"type": "string", "description": "What the graph is called."},
        "description": {"type": "string", "description": "One sentence that says what it is for."},
        "inputs": _named("input"),
        "outputs": _named(
            "output", about="What the graph gives: the port of a node, or a list of which the first counts."
        ),
        "models": _named("model"),
        "budget": _ref("budget"),
        "nodes": {**_named("node"), "minProperties": 1},
        "edges": {"type": ["array", "null"], "items": _ref("edge")},
    }
    return _part("top", known, required)


def _values() -> dict[str, Schema]:
    """The parts of a file that do not depend on what is installed."""
    kind = {"enum": list(TYPES)}
    given = {"type": kind, "default": True, "description": {"type": "string"}}
    ways = {**_KIND_OF_PATH, "when": {"type": ["string", "null"], "description": "A CEL expression."}, "max": _COUNT}
    chain = {"type": "string", "pattern": r"^\s*\S+\s*(->\s*\S+\s*)+$", "description": "a -> b -> c"}
    place = {"type": "string", "pattern": _REFERENCE}
    return {
        "input": {"anyOf": [kind, _part("input", given)]},
        "output": {"anyOf": [place, {"type": "array", "contains": place}]},
        "budget": _of(Budget),
        "retry": _of(RetrySpec),
        "map": _of(MapSpec),
        "sample": _of(SampleSpec),
        "cache": {**_of(CacheSpec), "type": ["object", "boolean", "null"]},
        "degrade": _part("degrade", {"model": {"type": "string"}, "with": {"type": "object"}}),
        "edge": {"anyOf": [chain, _part("edge", ways, ("from", "to"))]},
        "on_error": _part("on_error", {"to": {"type": "string"}, "max": _COUNT}, ("to",)),
    }


def _node(registry: Registry) -> Schema:
    known = uses(registry)
    policies = {name: _ref(name) for name in ("retry", "budget", "on_error", "map", "sample", "cache", "degrade")}
    properties: dict[str, JSON] = {
        "use": {"enum": sorted(known), "description": "Which component the node is."},
        "with": {"type": ["object", "null"], "description": "Its options."},
        "in": {"type": ["object", "null"], "description": "Where the value of each of its inputs comes from."},
        "when": {
            "type": ["string", "null"],
            "description": "A CEL expression: the node is passed over unless it holds.",
        },
        "timeout": {"type": ["number", "null"], "exclusiveMinimum": 0, "description": "Seconds."},
        **policies,
    }
    options = [_for("use", use, {"with": _described(kind, registry, use)}) for use, kind in sorted(known.items())]
    return {**_part("node", properties, ("use",)), "allOf": options}


def _described(kind: Kind, registry: Registry, use: str) -> Schema:
    schema = (
        kind.describe(registry, use.partition(".")[2] or use) if isinstance(kind, Described) else {"type": "object"}
    )
    return schema if schema.get("required") else {**schema, "type": ["object", "null"]}


def _model(registry: Registry) -> Schema:
    names = registry.names("model")
    address = {"type": "string", "pattern": f"^({'|'.join(names)})(/|$)", "description": "backend/name"}
    around = {**json_schema(StackOptions)["properties"], "fallback": _fallback(), "use": {"enum": names}}
    entry = {"type": "object", "properties": {"use": around["use"]}, "required": ["use"]}
    backends = [_for("use", name, None, then=_backend(registry, name, around)) for name in names]
    return {"anyOf": [address, {**entry, "allOf": backends}]}


def _backend(registry: Registry, name: str, around: Mapping[str, JSON]) -> Schema:
    try:
        schema = json_schema(registry.get("model", name).factory)
    except (AgentkitError, ImportError, AttributeError):
        return {}
    return {**schema, "properties": {**schema["properties"], **around}, "patternProperties": _MAY_BE_OWN}


def _fallback() -> Schema:
    about = "The name of the model to ask where this one fails, or a list of names."
    return {"type": ["string", "array", "null"], "items": {"type": "string"}, "description": about}


def _of(factory: Any) -> Schema:
    """The schema of a policy: its dataclass, or nothing."""
    about = (inspect.getdoc(factory) or "").partition("\n")[0].replace("``", "`")
    return {**json_schema(factory), "type": ["object", "null"], "description": about}


def _part(part: str, known: Mapping[str, JSON], required: tuple[str, ...] = ()) -> Schema:
    """A mapping of the file: keys that the reader knows, of which ``known`` says more, and those of the user's own."""
    schema: Schema = {
        "type": "object",
        "properties": {key: known.get(key, True) for key in KEYS[part]},
        "patternProperties": _MAY_BE_OWN,
        "additionalProperties": False,
    }
    return {**schema, "required": list(required)} if required else schema


def _named(what: str, *, about: str = "") -> Schema:
    """A mapping of the user's own names."""
    names = {"pattern": _NAME}
    schema: Schema = {"type": ["object", "null"], "propertyNames": names, "additionalProperties": _ref(what)}
    return {**schema, "description": about} if about else schema


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _for(key: str, value: str, properties: Mapping[str, JSON] | None, *, then: Schema | None = None) -> Schema:
    condition = {"properties": {key: {"const": value}}, "required": [key]}
    return {"if": condition, "then": then if properties is None else _then(properties)}


def _then(properties: Mapping[str, JSON]) -> Schema:
    required = [name for name, schema in properties.items() if schema.get("required")]
    return {"properties": dict(properties), **({"required": required} if required else {})}


def _lifted(shared: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions with those that pydantic put inside them at the one place where references look for them."""
    found: dict[str, Schema] = {}
    done = {name: _lift(schema, found) for name, schema in shared.items()}
    return {**done, **found}


def _lift(value: JSON, found: dict[str, Schema]) -> JSON:
    if isinstance(value, list):
        return [_lift(item, found) for item in value]
    if not isinstance(value, Mapping):
        return value
    own = value.get("$defs", {}) if isinstance(value.get("$defs"), Mapping) else {}
    names = {name: _free(name, schema, found) for name, schema in own.items()}
    for name, schema in own.items():
        found[names[name]] = _closed(_renamed(schema, names))
    rest = {key: item for key, item in value.items() if key != "$defs"}
    return {key: _lift(_renamed(item, names), found) for key, item in rest.items()}


def _free(name: str, schema: JSON, found: Mapping[str, Schema]) -> str:
    """A name for a definition that no other one has."""
    number = 1
    while (taken := found.get(name if number == 1 else f"{name}{number}")) is not None and taken != _closed(schema):
        number += 1
    return name if number == 1 else f"{name}{number}"


def _renamed(value: JSON, names: Mapping[str, str]) -> JSON:
    if not names:
        return value
    text = json.dumps(value)
    for name, other in names.items():
        text = text.replace(f'"#/$defs/{name}"', f'"#/$defs/{other}"')
    return json.loads(text)


def _closed(schema: JSON) -> JSON:
    """Unknown keys are refused inside nested values too."""
    return {"additionalProperties": False, **schema} if "properties" in schema else schema
