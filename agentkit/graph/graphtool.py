"""Graphs as the tools of an agent: inputs are the arguments, outputs the result. A supervisor is an agent with such tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agentkit.errors import InputError, ModelError, NodeError, ToolError, did_you_mean
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.graph import graph_run
from agentkit.graph.kinds.kind import Run, Workshop
from agentkit.graph.spec import GraphSpec
from agentkit.options import Fault, plainly
from agentkit.strategies.drawing import HOPELESS
from agentkit.types import JSON, ToolSpec

_OPTIONS = ("use", "name", "description", "file", "graph")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_JSON_TYPES = {"list": "array", "documents": "array"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTool:
    """A graph that an agent calls; what it records, spends and asks is part of the agent's node."""

    spec: ToolSpec
    run: Run

    async def call(self, arguments: Mapping[str, JSON], context: NodeContext) -> JSON:
        """The outputs, or the only one; raises ``ToolError`` for a failure that the agent can do something about.

        A failing provider, and what every further call would meet too, ends the agent instead.
        """
        try:
            outputs = await self.run(arguments, context)
        except InputError as error:
            raise ToolError(str(error)) from error
        except NodeError as error:
            if isinstance(error.__cause__, (*HOPELESS, ModelError)):
                raise
            raise ToolError(str(error)) from error
        return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)


def faults_of(item: Mapping[str, JSON], graph: GraphSpec | None) -> Iterator[Fault]:
    """What is wrong with a tool that is a graph; ``graph`` is the one it names, None where that is wrong itself."""
    for name in item:
        if name not in _OPTIONS:
            yield (name,), f"unknown option{did_you_mean(name, _OPTIONS)}"
    if len(item.keys() & {"file", "graph"}) != 1:
        yield (), "a graph as a tool takes either {file: parts/name.yaml} or {graph: {...}}"
    called: JSON = item.get("name")
    if called is not None and not (isinstance(called, str) and _NAME.match(called)):
        yield ("name",), f"must be the name that the model calls it by, of letters, digits and _, not {plainly(called)}"
    if called is None and "graph" in item:
        yield (), "a graph written in place needs a 'name' as a tool"
    described = item.get("description", graph.description if graph else "?")
    if not isinstance(described, str) or not described.strip():
        yield (), "needs a 'description' that tells the model when to call it"


def tool_spec(item: Mapping[str, JSON], graph: GraphSpec) -> ToolSpec:
    """What the model is told about a graph."""
    properties = {
        name: {
            "type": _JSON_TYPES.get(one.type, one.type),
            **({"description": one.description} if one.description else {}),
        }
        for name, one in graph.inputs.items()
    }
    required = [name for name, one in graph.inputs.items() if one.required]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    name = str(item.get("name") or graph.name)
    return ToolSpec(name=name, description=str(item.get("description") or graph.description), parameters=schema)


def graph_tool(item: Mapping[str, JSON], key: str, shop: Workshop) -> GraphTool:
    """The tool of a checked option, whose graph is ``key`` among those of the workshop."""
    spec = tool_spec(item, shop.spec.graphs[key])
    return GraphTool(spec=spec, run=graph_run(shop, key, spec.name))
