"""From a spec back to a graph file: what is read again is the same spec. Comments and the order of keys are not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from agentkit.errors import ConfigError
from agentkit.graph.shape import SCHEMA, is_reference
from agentkit.graph.spec import Binding, Constant, EdgeSpec, GraphSpec, InputSpec, ModelSpec, NodeSpec, Reference
from agentkit.types import JSON
from agentkit.yaml_writer import write

FUNCTION = "python_"
"""Begins the names of components that are functions of a program, which no file can name."""

_KEYS = {"options": "with", "inputs": "in"}


def to_yaml(spec: GraphSpec) -> str:
    """The graph as the text of a file, normalised. Prompts in files stay there: it belongs into the same folder.

    Raises ``ConfigError`` for a graph that holds what only the program has: Python functions, or model objects.
    """
    _refuse_functions(spec)
    return write(to_data(spec))


def to_data(spec: GraphSpec) -> dict[str, JSON]:
    """The data of a file that says what ``spec`` says."""
    handlers = [edge for edge in spec.edges if edge.error]
    data: dict[str, JSON] = {
        "schema": SCHEMA,
        "name": spec.name,
        "description": spec.description,
        "inputs": {name: _input(one) for name, one in spec.inputs.items()},
        "outputs": {name: _binding(one, f"outputs.{name}") for name, one in spec.outputs.items()},
        "models": {name: _model(one, name) for name, one in spec.models.items() if spec.owns(name)},
        "budget": None if spec.budget is None else _policy(spec.budget),
        "nodes": {name: _node(one, handlers) for name, one in spec.nodes.items()},
    }
    data = {key: value for key, value in data.items() if value not in ("", None, {})}
    if not spec.implied:
        data["edges"] = [_edge(edge) for edge in spec.edges if not edge.error]
    return {**data, **spec.extra}


def _input(one: InputSpec) -> JSON:
    told = {"type": one.type, "default": one.default, "description": one.description}
    if one.required:
        del told["default"]
    if not one.description:
        del told["description"]
    return one.type if set(told) == {"type"} else told


def _model(one: ModelSpec, name: str) -> JSON:
    if not one.use:
        raise ConfigError(f"models.{name}: it is an object of the program, which no file can name")
    told = {"use": one.use, **plain(one.options)}
    told |= {key: list(names) for key, names in (("models", one.models), ("fallback", one.fallback)) if names}
    short = set(told) == {"use", "model"} and isinstance(told["model"], str) and told["model"] and "/" not in one.use
    if short:
        return f"{one.use}/{told['model']}"
    return one.use if set(told) == {"use"} and "/" not in one.use else told


def _node(node: NodeSpec, handlers: list[EdgeSpec]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for one in fields(node):
        value = getattr(node, one.name)
        if one.name == "name" or value is None or value == {}:
            continue
        key = _KEYS.get(one.name, one.name)
        found[key] = _value(one.name, value, f"nodes.{node.name}")
    for edge in handlers:
        if edge.source == node.name:
            found["on_error"] = {"to": edge.target} if edge.max is None else {"to": edge.target, "max": edge.max}
    return found


def _value(field: str, value: Any, place: str) -> JSON:
    if field == "inputs":
        return {name: _binding(one, f"{place}.in.{name}") for name, one in value.items()}
    if field == "degrade":
        return {"with": plain(value)}
    return _policy(value) if is_dataclass(value) else plain(value)


def _policy(value: Any) -> dict[str, JSON]:
    """A policy as the keys that are not at their default."""
    found = {one.name: getattr(value, one.name) for one in fields(value)}
    defaults = {one.name: one.default for one in fields(value) if one.default is not MISSING}
    told = {name: item for name, item in found.items() if name not in defaults or item != defaults[name]}
    return {name: _policy(item) if is_dataclass(item) else plain(item) for name, item in told.items()}


def _binding(binding: Binding, place: str) -> JSON:
    if len(binding) == 1:
        one = binding[0]
        return str(one) if isinstance(one, Reference) else _constant(one.value)
    if not any(isinstance(one, Reference) for one in binding):
        raise ConfigError(f"{place}: of several constants the first is always present; give that one alone")
    for one in binding:
        if isinstance(one, Constant) and is_reference(one.value):
            raise ConfigError(
                f"{place}: the text {one.value!r} in a list reads as a port; give it through a 'set' node"
            )
    return [str(one) if isinstance(one, Reference) else plain(one.value) for one in binding]


def _constant(value: JSON) -> JSON:
    value = plain(value)
    looks = is_reference(value) or (isinstance(value, list) and any(map(is_reference, value)))
    return {"value": value} if looks or (isinstance(value, dict) and set(value) == {"value"}) else value


def _edge(edge: EdgeSpec) -> JSON:
    if edge.when is None and edge.max is None:
        return f"{edge.source} -> {edge.target}"
    told = {"from": edge.source, "to": edge.target, "when": edge.when, "max": edge.max}
    return {key: value for key, value in told.items() if value is not None}


def plain(value: Any) -> JSON:
    """Mappings as dicts and tuples as lists, all the way down; anything else as it is."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _refuse_functions(spec: GraphSpec) -> None:
    found = [f"nodes.{name}" for name, node in spec.nodes.items() if _functions(node)]
    for name, inner in spec.graphs.items():
        found += [f"nodes.{name}" for one in inner.nodes.values() if _functions(one)]
    if found:
        places = ", ".join(dict.fromkeys(found))
        raise ConfigError(
            f"{spec.name} uses Python functions of this program ({places}), which no file can name; "
            "register them in a plugin and use the names they get there"
        )


def _functions(node: NodeSpec) -> bool:
    tools = node.options.get("tools")
    names = [node.use, *(one for one in tools if isinstance(one, str))] if isinstance(tools, list) else [node.use]
    return any(name.startswith(FUNCTION) for name in names)
