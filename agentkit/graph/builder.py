"""Write a graph in Python: the same nodes, edges and policies as in a file, checked by the same checks."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from agentkit.errors import ConfigError, did_you_mean
from agentkit.graph.load import load_source
from agentkit.graph.shape import read_model
from agentkit.graph.spec import (
    INPUTS,
    Binding,
    Constant,
    EdgeSpec,
    GraphSpec,
    InputSpec,
    ModelSpec,
    NodeSpec,
    Reference,
)
from agentkit.graph.write import FUNCTION, plain, to_data, to_yaml
from agentkit.registry import Registry
from agentkit.runtime.budget import Budget
from agentkit.tools.function import Function
from agentkit.types import JSON
from agentkit.types import Path as Place
from agentkit.yaml_reader import Mark, Source
from agentkit.yaml_writer import check_plain

_REQUIRED: Any = object()
_PLUGIN = "this program"

Value = Any
"""What an input is bound to: a port (``node["answer"]``), a list of them of which the first present counts, or a constant."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph that is being built; ``node["port"]`` is one of its outputs."""

    name: str

    def __getitem__(self, port: str) -> Reference:
        return Reference(self.name, port)


class GraphBuilder:
    """A graph in the making; ``kit.graph(builder)`` checks it and makes it run.

    Prompts in files are looked for beside the Python file that makes the builder, and mistakes are told with the lines of
    that file.
    """

    def __init__(self, name: str, *, description: str = "", budget: Budget | None = None) -> None:
        self.name, self.description, self.budget = name, description, budget
        self._functions: dict[tuple[str, str], Callable[..., Any]] = {}
        self._inputs: dict[str, InputSpec] = {}
        self._outputs: dict[str, Binding] = {}
        self._models: dict[str, ModelSpec] = {}
        self._nodes: dict[str, NodeSpec] = {}
        self._edges: list[EdgeSpec] = []
        self._handlers: dict[str, EdgeSpec] = {}
        self._ordered = False
        self._marks: dict[Place, Mark] = {}
        self.file = _caller().f_code.co_filename

    def input(self, name: str, type: str = "string", *, default: JSON = _REQUIRED, description: str = "") -> Reference:
        """Declare an input of the graph; without ``default`` it must be given."""
        self._new(("inputs", name), name in self._inputs)
        required = default is _REQUIRED
        self._inputs[name] = InputSpec(
            name=name, type=type, required=required, default=None if required else default, description=description
        )
        return Reference(INPUTS, name)

    def output(self, name: str, value: Value) -> None:
        """Declare an output of the graph."""
        self._new(("outputs", name), name in self._outputs)
        self._outputs[name] = _binding(value)

    def model(self, name: str, use: str | None = None, /, **options: JSON) -> str:
        """Declare a model by its address, ``local/smollm2``, or ``use=`` and options; returns its name."""
        self._new(("models", name), name in self._models)
        told = plain(options) if use is None else {**_addressed(use), **plain(options)}
        try:
            self._models[name] = read_model(name, told)
        except ConfigError as error:
            raise ConfigError(f"{self.name}: models.{name}: {error}") from None
        return name

    def node(
        self,
        name: str,
        use: str,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        inputs: Mapping[str, Value] | None = None,
        **policies: Any,
    ) -> Node:
        """Add a node that uses the component ``use`` with ``options``.

        ``policies`` are those of a file: ``when``, ``retry=RetrySpec(...)``, ``timeout``, ``budget=Budget(...)``,
        ``map=MapSpec(...)``, ``sample=SampleSpec(...)``, ``cache=CacheSpec(...)``, and ``degrade={...}`` with the options of the
        cheaper form. An option may be another builder: the graph inside the node.
        """
        self._new(("nodes", name), name in self._nodes)
        bound = {key: _binding(value) for key, value in (inputs or {}).items()}
        if isinstance(cheaper := policies.get("degrade"), Mapping) and isinstance(cheaper.get("with"), Mapping):
            policies["degrade"] = {key: value for key, value in cheaper.items() if key != "with"} | cheaper["with"]
        try:
            node = NodeSpec(name=name, use=use, options=self._options(name, options or {}), inputs=bound, **policies)
        except TypeError:
            known = ", ".join(one for one in NodeSpec.__dataclass_fields__ if one not in _OWN)
            raise ConfigError(f"nodes.{name}: a node has the policies {known}, not {', '.join(policies)}") from None
        self._nodes[name] = node
        return Node(name)

    def function(
        self, name: str, function: Callable[..., Any], /, *, inputs: Mapping[str, Value] | None = None, **policies: Any
    ) -> Node:
        """Add a node that calls a Python function, sync (in a thread) or async; its annotations are the ports.

        What it returns is the port ``result``, or one port for each field of a dataclass or TypedDict. Such a graph runs in this
        program only and cannot be written as YAML.
        """
        self._adopt({("node", f"{FUNCTION}{name}"): function})
        return self.node(name, f"{FUNCTION}{name}", inputs=inputs, **policies)

    def tool(self, function: Callable[..., Any], /, *, name: str = "") -> str:
        """Make a Python function a tool, to stand in the ``tools`` of an agent; the model is told its docstring."""
        component = f"{FUNCTION}{name or function.__name__}"
        Function(function)  # refuses now what could not be called later
        self._adopt({("tool", component): function})
        return component

    def edge(self, *nodes: Node | str, when: str | None = None, max: int | None = None) -> None:
        """Go from each node to the next; ``when`` and ``max`` hold for each of the ways."""
        if len(nodes) < 2:
            raise ConfigError("an edge leads from one node to another: edge(a, b)")
        self._ordered = True
        names = [_name(one) for one in nodes]
        for source, target in pairwise(names):
            self._mark(("edges", len(self._edges)))
            self._edges.append(EdgeSpec(source=source, target=target, when=when, max=max))

    def on_error(self, node: Node | str, to: Node | str, *, max: int | None = None) -> None:
        """Go to another node when one fails."""
        source = _name(node)
        if source not in self._nodes:
            raise ConfigError(f"{self.name}: no node is named {source!r}{did_you_mean(source, self._nodes)}")
        self._new(("nodes", source, "on_error"), source in self._handlers)
        self._handlers[source] = EdgeSpec(source=source, target=_name(to), max=max, error=True)

    def source(self) -> Source:
        """What a file of the same graph holds, each part with the line that made it."""
        data = to_data(self._spec())
        check_plain(data)
        return Source(file=self.file, data=data, values=self._marks, keys=self._marks)

    def registry(self, registry: Registry) -> Registry:
        """``registry`` with the functions of this builder."""
        found = registry.copy()
        for (kind, name), function in self._functions.items():
            made = _node_of(function) if kind == "node" else _tool_of(function, name.removeprefix(FUNCTION))
            found.add(kind, name, made, plugin=_PLUGIN)
        return found

    def load(self, registry: Registry, **settings: Any) -> GraphSpec:
        """The checked graph; ``registry`` is one with the functions, ``settings`` are those of ``load_source``."""
        spec = load_source(self.source(), registry=registry, folder=Path(self.file).parent, **settings)
        return replace(spec, file=f"{self.file}:{self.name}")

    def to_yaml(self) -> str:
        """The graph as the text of a file; raises ``ConfigError`` for one with Python functions."""
        return to_yaml(self._spec())

    def _spec(self) -> GraphSpec:
        handlers = (self._handlers[name] for name in self._nodes if name in self._handlers)
        return GraphSpec(
            name=self.name,
            description=self.description,
            inputs=self._inputs,
            outputs=self._outputs,
            models=self._models,
            budget=self.budget,
            nodes=self._nodes,
            edges=(*self._edges, *handlers),
            implied=not self._ordered,
        )

    def _options(self, node: str, options: Mapping[str, Any]) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        for key, value in options.items():
            if not isinstance(value, GraphBuilder):
                found[key] = plain(value)
                continue
            self._adopt(value._functions)
            inner = value.source()
            found[key] = {name: one for name, one in inner.data.items() if name != "schema"}
            if inner.file == self.file:
                self._marks |= {("nodes", node, "with", key, *path): mark for path, mark in inner.values.items()}
        return found

    def _adopt(self, functions: Mapping[tuple[str, str], Callable[..., Any]]) -> None:
        """Make functions known under their names; raises ``ConfigError`` for a name that another one has."""
        for (kind, name), function in functions.items():
            if self._functions.setdefault((kind, name), function) is not function:
                raise ConfigError(
                    f"{self.name}: two functions are the {kind} {name.removeprefix(FUNCTION)!r}; give one another name"
                )

    def _new(self, path: Place, known: bool) -> None:
        if known:
            raise ConfigError(f"{self.name}: {'.'.join(map(str, path))} is there already")
        self._mark(path)

    def _mark(self, path: Place) -> None:
        frame = _caller()
        if frame.f_code.co_filename == self.file:
            self._marks[path] = Mark(frame.f_lineno, 1)


_OWN = ("name", "use", "options", "inputs")


def _caller() -> FrameType:
    """The frame that called into this file."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    assert frame is not None
    return frame


def _binding(value: Value) -> Binding:
    if isinstance(value, Reference):
        return (value,)
    if isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(one, Reference) for one in value):
        return tuple(one if isinstance(one, Reference) else Constant(plain(one)) for one in value)
    return (Constant(plain(value)),)


def _addressed(use: str) -> dict[str, JSON]:
    backend, _, model = use.partition("/")
    return {"use": backend, "model": model} if model else {"use": backend}


def _name(node: Node | str) -> str:
    return node.name if isinstance(node, Node) else node


def _node_of(function: Callable[..., Any]) -> type:
    """A node kind whose ``run`` calls the function, with the annotations of the function."""

    @functools.wraps(function)
    async def run(**values: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(**values)
        return await asyncio.to_thread(function, **values)

    return type("FunctionNode", (), {"run": staticmethod(run), "__doc__": inspect.getdoc(function)})


def _tool_of(function: Callable[..., Any], name: str) -> Callable[[], Function]:
    tool = Function(function, name)
    return lambda: tool
