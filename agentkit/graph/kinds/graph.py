"""``graph``: a whole graph as one node, from a file of the folder or written in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agentkit.errors import BudgetExceededError, NodeError, did_you_mean
from agentkit.graph.context import NodeContext, RunContext
from agentkit.graph.kinds import described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.ports import Port, Ports
from agentkit.graph.spec import NodeSpec
from agentkit.graph.values import graph_outputs, read_inputs
from agentkit.options import Fault
from agentkit.registry import Registry
from agentkit.runtime.budget import Budget
from agentkit.types import JSON

_OPTIONS = ("file", "graph")


class GraphKind:
    """Takes the inputs of its graph and gives its outputs; its nodes are at ``node:visit`` inside this one."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports that the graph declares; what is wrong inside it is told where it is written."""
        faults: list[Fault] = [
            (("with", name), f"unknown option{did_you_mean(name, _OPTIONS)}")
            for name in node.options
            if name not in _OPTIONS
        ]
        if len(node.options.keys() & set(_OPTIONS)) != 1:
            faults.append((("with",), "a graph node takes either {file: parts/name.yaml} or {graph: {...}}"))
        inner = site.spec.graphs.get(node.name)
        if inner is None:
            inputs: dict[str, Port] = {name: Port() for name in node.inputs}
            return Checked(ports=Ports(inputs=inputs, open=True), faults=faults)
        inputs = {name: Port(one.type, one.required) for name, one in inner.inputs.items()}
        return Checked(ports=Ports(inputs=inputs, outputs=inner.types), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return {
            "type": "object",
            "properties": {
                "file": {"type": "string", "description": "A graph file inside this graph's folder."},
                "graph": {"$ref": "#/$defs/graph"},
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Runs the graph to its end; what it records, spends and tells is part of this node."""
        return graph_run(shop, node.name, node.name)


def graph_run(shop: Workshop, key: str, name: str) -> Run:
    """Runs the graph ``key`` of the workshop's, as what is called ``name`` in messages."""
    spec = shop.spec.graphs[key]
    walk = shop.walk(replace(shop, spec=spec))

    async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        values = read_inputs(spec, inputs)
        inside = _inside(context, spec.budget)
        try:
            await walk(values, inside)
            inside.proceed()
        except NodeError as error:
            raise NodeError(f"{name}/{error.node}", error.__cause__ or error) from error.__cause__
        except BudgetExceededError as error:
            own = spec.budget is not None and error.owner == inside.ledger.name
            if not own:
                raise
            if spec.budget is None or spec.budget.on_exhausted == "stop":
                raise NodeError(name, error) from error
        return graph_outputs(spec, values, inside.outputs)

    return run


def _inside(context: NodeContext, budget: Budget | None) -> RunContext:
    """The run of the graph inside the node's, under its own budget, of which an earlier session may have spent a part."""
    journal = context.run.journal
    spent = journal.usage(context.scope) if journal and budget else None
    ledger = context.ledger.child(budget, name=f"graph {context.title!r}" if budget else "", spent=spent)
    return context.run.inside(context.scope, ledger)
