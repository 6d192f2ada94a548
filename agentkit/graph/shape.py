"""From the data of a graph file to its spec: keys, kinds of values and names, before anyone asks what they refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from agentkit.errors import ConfigError, did_you_mean
from agentkit.expressions import RESERVED
from agentkit.graph.ports import TYPES, fits, type_of_value
from agentkit.graph.report import Report
from agentkit.graph.spec import (
    INPUTS,
    Binding,
    CacheSpec,
    Constant,
    EdgeSpec,
    GraphSpec,
    InputSpec,
    MapSpec,
    ModelSpec,
    NodeSpec,
    Reference,
    RetrySpec,
    SampleSpec,
)
from agentkit.options import check, plainly
from agentkit.runtime.budget import Budget
from agentkit.types import JSON, Path

SCHEMA = "agentkit/v1"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_REFERENCE = re.compile(r"([a-z][a-z0-9_]*)\.([A-Za-z][A-Za-z0-9_]*)\Z")
_ENVIRONMENT = re.compile(r"\$\{env:")

_TOP = ("schema", "name", "description", "inputs", "outputs", "models", "budget", "nodes", "edges")
_INPUT = ("type", "default", "description")
_NODE = ("use", "with", "in", "when", "retry", "timeout", "budget", "on_error", "map", "sample", "cache", "degrade")
_MODEL = ("use", "fallback", "models")
_EDGE = ("from", "to", "when", "max")
_ON_ERROR = ("to", "max")
_DEGRADE = ("model", "with")
KEYS = {"top": _TOP, "input": _INPUT, "node": _NODE, "edge": _EDGE, "on_error": _ON_ERROR, "degrade": _DEGRADE}
"""The keys that may stand in each part of a file, beside those that begin with x-."""

T = TypeVar("T")
R = TypeVar("R", MapSpec, SampleSpec)
_Placed = tuple[Path, EdgeSpec]


def read_spec(data: JSON, report: Report, *, file: str) -> tuple[GraphSpec, tuple[Path, ...]]:
    """The spec of a file's data and where each of its edges stands; what is wrong is reported and left out."""
    shape = _Shape(report)
    top = shape.mapping((), data, _TOP)
    shape.header(top)
    nodes, handlers = shape.nodes(top.get("nodes"))
    shape.no_secrets(top)
    edges = (*shape.edges(top.get("edges")), *handlers)
    spec = GraphSpec(
        name=shape.text(("name",), top.get("name", "")),
        description=shape.text(("description",), top.get("description", "")),
        inputs=shape.each(("inputs",), top.get("inputs"), shape.input),
        outputs=shape.each(("outputs",), top.get("outputs"), shape.binding),
        models=shape.each(("models",), top.get("models"), shape.model),
        budget=shape.budget(("budget",), top.get("budget")),
        nodes=nodes,
        edges=tuple(edge for _, edge in edges),
        extra={key: value for key, value in top.items() if key.startswith("x-")},
        file=file,
    )
    return spec, tuple(path for path, _ in edges)


def read_model(name: str, value: JSON) -> ModelSpec:
    """The model written ``backend/name`` or ``{use: backend, ...}``; raises ``ConfigError`` for anything else."""
    if isinstance(value, str):
        use, _, rest = value.partition("/")
        value = {"use": use, "model": rest} if rest else {"use": use}
    if not isinstance(value, Mapping) or not isinstance(value.get("use"), str) or not value["use"]:
        raise ConfigError("a model is written backend/name or {use: backend, model: name, ...}")
    fallback, models = _names(value, "fallback"), _names(value, "models")
    options = {key: item for key, item in value.items() if key not in _MODEL and key[:2] != "x-"}
    return ModelSpec(name=name, use=value["use"], options=options, fallback=fallback, models=models)


def _names(value: Mapping[str, JSON], key: str) -> tuple[str, ...]:
    """The models that ``key`` of a model's entry names."""
    names = value.get(key) or []
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise ConfigError(f"{key!r} must be the name of another model, or a list of names")
    return tuple(names)


class _Shape:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.say = report.say

    def header(self, top: Mapping[str, JSON]) -> None:
        if "schema" not in top:
            self.say((), f"the file must begin with 'schema: {SCHEMA}'")
        elif top["schema"] != SCHEMA:
            self.say(("schema",), f"this agentkit reads {SCHEMA!r}, not {plainly(top['schema'])}")
        if "name" not in top:
            self.say((), "'name' is missing")
        if not top.get("nodes") and "nodes" not in top:
            self.say((), "'nodes' is missing: a graph needs at least one node")

    def mapping(self, path: Path, value: JSON, known: Sequence[str]) -> dict[str, JSON]:
        """The mapping with its known keys and those that begin with x-; others are reported."""
        if not isinstance(value, Mapping):
            self.say(path, f"must be a mapping, not {plainly(value)}")
            return {}
        for key in value:
            if key not in known and not key.startswith("x-"):
                self.say((*path, key), f"unknown key{did_you_mean(key, known)}", key=True)
        return {key: item for key, item in value.items() if key in known or key.startswith("x-")}

    def each(self, path: Path, value: JSON, read: Callable[[Path, str, JSON], T | None]) -> dict[str, T]:
        """A mapping of the user's own names, each value read by ``read``."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.say(path, f"must be a mapping, not {plainly(value)}")
            return {}
        named = {name: item for name, item in value.items() if self.name((*path, name), name)}
        found = {name: read((*path, name), name, item) for name, item in named.items()}
        return {name: one for name, one in found.items() if one is not None}

    def name(self, path: Path, name: str) -> bool:
        if not _NAME.match(name):
            self.say(path, f"the name {name[:64]!r} must be lower_snake_case and at most 64 characters", key=True)
            return False
        if name in RESERVED or name == INPUTS:
            self.say(path, f"{name!r} has a meaning of its own in expressions; take another name", key=True)
            return False
        return True

    def text(self, path: Path, value: JSON) -> str:
        if isinstance(value, str):
            return value
        self.say(path, f"must be text, not {plainly(value)}")
        return ""

    def expression(self, path: Path, value: JSON) -> str | None:
        if value is None or isinstance(value, str):
            return value
        self.say(path, f"must be an expression in quotes, not {plainly(value)}")
        return None

    def number(self, path: Path, value: JSON, *, whole: bool = False) -> Any:
        """A number above 0, or None."""
        kinds: Any = int if whole else int | float
        if value is None or (isinstance(value, kinds) and not isinstance(value, bool) and value > 0):
            return value
        self.say(path, f"must be a {'whole ' if whole else ''}number above 0, not {plainly(value)}")
        return None

    def options(self, path: Path, value: JSON, kind: type[T]) -> T | None:
        """A dataclass of policies, its fields being the keys."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.say(path, f"must be a mapping, not {plainly(value)}")
            return None
        faults = [(where, _of_a_key(message)) for where, message in check(kind, value)]
        if self.report.faults(path, faults):
            return None
        return kind(**{key: tuple(item) if isinstance(item, list) else item for key, item in value.items()})

    def budget(self, path: Path, value: JSON) -> Budget | None:
        return self.options(path, value, Budget)

    def input(self, path: Path, name: str, value: JSON) -> InputSpec | None:
        if isinstance(value, str):
            return InputSpec(name=name, type=self._type(path, value))
        fields = self.mapping(path, value, _INPUT)
        kind = self._type((*path, "type"), fields.get("type", "string"))
        default = fields.get("default")
        if default is not None and not fits(type_of_value(default), kind):
            self.say((*path, "default"), f"must be {kind}, not {plainly(default)}")
        description = self.text((*path, "description"), fields.get("description", ""))
        return InputSpec(
            name=name, type=kind, required="default" not in fields, default=default, description=description
        )

    def _type(self, path: Path, value: JSON) -> str:
        """The type that is named; one that is none is told once, and the input may then be anything."""
        if isinstance(value, str) and value in TYPES:
            return value
        hint = did_you_mean(value, TYPES) if isinstance(value, str) else ""
        self.say(path, f"must be one of {', '.join(TYPES)}, not {plainly(value)}{hint}")
        return "any"

    def binding(self, path: Path, name: str, value: JSON) -> Binding:
        """A reference, a list of them of which the first present counts, or a constant (``{value: ...}`` where unclear)."""
        if isinstance(value, list) and any(_reference(item) for item in value):
            return tuple(_reference(item) or Constant(item) for item in value)
        if isinstance(value, Mapping) and set(value) == {"value"}:
            return (Constant(value["value"]),)
        return (_reference(value) or Constant(value),)

    def model(self, path: Path, name: str, value: JSON) -> ModelSpec | None:
        try:
            return read_model(name, value)
        except ConfigError as error:
            self.say(path, str(error))
            return None

    def nodes(self, value: JSON) -> tuple[dict[str, NodeSpec], list[_Placed]]:
        """The nodes, and the edges that their ``on_error`` stands for."""
        handlers: list[_Placed] = []

        def read(path: Path, name: str, item: JSON) -> NodeSpec | None:
            if not isinstance(item, Mapping):
                self.say(path, f"a node is a mapping with 'use', not {plainly(item)}")
                return None
            fields = self.mapping(path, item, _NODE)
            if "on_error" in fields:
                handlers.extend(self._handler((*path, "on_error"), name, fields["on_error"]))
            return self._node(path, name, fields)

        nodes = self.each(("nodes",), value, read)
        if value is not None and isinstance(value, Mapping) and not value:
            self.say(("nodes",), "a graph needs at least one node")
        return nodes, handlers

    def _node(self, path: Path, name: str, fields: Mapping[str, JSON]) -> NodeSpec | None:
        if not isinstance(fields.get("use"), str):
            self.say(path, "'use' is missing: it says which component the node is", key=True)
            return None
        options = fields.get("with") or {}
        if not isinstance(options, Mapping):
            self.say((*path, "with"), f"must be a mapping of options, not {plainly(options)}")
            options = {}
        return NodeSpec(
            name=name,
            use=str(fields["use"]),
            options=dict(options),
            inputs=self._bindings((*path, "in"), fields.get("in")),
            when=self.expression((*path, "when"), fields.get("when")),
            retry=self.options((*path, "retry"), fields.get("retry"), RetrySpec),
            timeout=self.number((*path, "timeout"), fields.get("timeout")),
            budget=self.budget((*path, "budget"), fields.get("budget")),
            map=self._repeat((*path, "map"), fields.get("map"), MapSpec),
            sample=self._repeat((*path, "sample"), fields.get("sample"), SampleSpec),
            cache=self._cache((*path, "cache"), fields.get("cache")),
            degrade=self._degrade((*path, "degrade"), fields.get("degrade")),
        )

    def _repeat(self, path: Path, value: JSON, kind: type[R]) -> R | None:
        """A ``map`` or a ``sample``, with the budget of one item or sample."""
        if not isinstance(value, Mapping) or "budget" not in value:
            return self.options(path, value, kind)
        budget = self.budget((*path, "budget"), value["budget"])
        found = self.options(path, {name: item for name, item in value.items() if name != "budget"}, kind)
        return None if found is None else replace(found, budget=budget)

    def _cache(self, path: Path, value: JSON) -> CacheSpec | None:
        if value is None or isinstance(value, bool):
            return CacheSpec() if value else None
        if isinstance(value, Mapping):
            return self.options(path, value, CacheSpec)
        self.say(path, f"must be true or {{ttl: seconds, scope: ..., key: [...]}}, not {plainly(value)}")
        return None

    def _degrade(self, path: Path, value: JSON) -> Mapping[str, JSON] | None:
        """The options of a cheaper form; ``model`` may stand beside ``with``."""
        if value is None:
            return None
        fields = self.mapping(path, value, _DEGRADE)
        options = fields.get("with") or {}
        if not isinstance(options, Mapping):
            self.say((*path, "with"), f"must be a mapping of options, not {plainly(options)}")
            return None
        cheaper = {**options, **({"model": fields["model"]} if "model" in fields else {})}
        if not cheaper and value in ({}, {"with": {}}):
            self.say(path, "says nothing that would be cheaper, like {model: small} or {with: {samples: 3}}")
        return cheaper or None

    def _bindings(self, path: Path, value: JSON) -> dict[str, Binding]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.say(path, f"must be a mapping of inputs, not {plainly(value)}")
            return {}
        return {name: self.binding((*path, name), name, item) for name, item in value.items()}

    def _handler(self, path: Path, name: str, value: JSON) -> list[_Placed]:
        fields = self.mapping(path, value, _ON_ERROR) if isinstance(value, Mapping) else {}
        if not isinstance(fields.get("to"), str):
            self.say(path, "must be written {to: node}")
            return []
        most = self.number((*path, "max"), fields.get("max"), whole=True)
        return [(path, EdgeSpec(source=name, target=str(fields["to"]), max=most, error=True))]

    def edges(self, value: JSON) -> list[_Placed]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.say(("edges",), f"must be a list, not {plainly(value)}")
            return []
        return [edge for index, item in enumerate(value) for edge in self._edge(("edges", index), item)]

    def _edge(self, path: Path, item: JSON) -> list[_Placed]:
        if isinstance(item, str):
            return self._chain(path, item)
        fields = self.mapping(path, item, _EDGE)
        ends = [fields.get("from"), fields.get("to")]
        if not all(isinstance(end, str) for end in ends):
            self.say(path, "an edge is written 'a -> b' or {from: a, to: b, when: ..., max: ...}")
            return []
        when = self.expression((*path, "when"), fields.get("when"))
        most = self.number((*path, "max"), fields.get("max"), whole=True)
        return [(path, EdgeSpec(source=str(ends[0]), target=str(ends[1]), when=when, max=most))]

    def _chain(self, path: Path, text: str) -> list[_Placed]:
        names = [part.strip() for part in text.split("->")]
        if len(names) < 2 or not all(names):
            self.say(path, f"an edge is written 'a -> b', not {plainly(text)}")
            return []
        return [(path, EdgeSpec(source=source, target=target)) for source, target in pairwise(names)]

    def no_secrets(self, top: Mapping[str, JSON]) -> None:
        """``${env:NAME}`` is looked for everywhere but in the models."""
        for key, value in top.items():
            if key != "models":
                self._no_secrets((key,), value)

    def _no_secrets(self, path: Path, value: JSON) -> None:
        if isinstance(value, str) and _ENVIRONMENT.search(value):
            self.say(path, "${env:...} may stand in 'models' only, so that no secret gets into prompts, logs or stores")
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self._no_secrets((*path, key), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._no_secrets((*path, index), item)


def is_reference(value: JSON) -> bool:
    """Whether a value in a file is read as a port and not as itself."""
    return _reference(value) is not None


def _of_a_key(message: str) -> str:
    """A sentence on options as one on the keys of a policy."""
    return message.replace("unknown option", "unknown key").replace("option '", "'")


def _reference(value: JSON) -> Reference | None:
    found = _REFERENCE.match(value) if isinstance(value, str) else None
    return Reference(found[1], found[2]) if found else None
