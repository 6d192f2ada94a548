"""``tool.NAME``: call a tool with the node's inputs as its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit import jsonschema
from agentkit.errors import AgentkitError, ToolError
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.plain import to_plain
from agentkit.graph.ports import Port, Ports, type_of_schema
from agentkit.graph.spec import NodeSpec
from agentkit.options import build
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, ToolSpec


class ToolKind:
    """Takes the properties of the tool's JSON Schema; gives the ``result``."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports that the tool's own description tells."""
        factory, faults = component.find(site.registry, "tool", node.component)
        if factory is None:
            return Checked(faults=faults)
        faults += component.check_options(node, factory, site)
        if faults:
            return Checked(ports=Ports(open=True), faults=faults)
        try:
            tool = build(site.registry.get("tool", node.component), node.options, provided=site.provided, models={})
            return Checked(ports=_ports(tool.spec))
        except AgentkitError as error:
            return Checked(faults=[(("use",), f"tool {node.component!r} cannot be made: {error}")])

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.of_component(registry, "tool", name)

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """What the tool says, where it asks a model."""
        return component.bounds_of(node, "tool", shop)

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Calls the tool with arguments that fit its schema."""
        make = component.maker(node, "tool", shop)

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            tool: Any = make(context)
            arguments = dict(inputs)
            if fault := jsonschema.mismatch(arguments, tool.spec.parameters):
                raise ToolError(f"the arguments do not fit the tool {tool.spec.name!r}: {fault}")
            return {"result": to_plain(await context.call(tool, arguments))}

        return run


def _ports(spec: ToolSpec) -> Ports:
    properties = spec.parameters.get("properties") or {}
    required = spec.parameters.get("required") or ()
    types = {name: type_of_schema(one) if isinstance(one, Mapping) else "any" for name, one in properties.items()}
    inputs = {name: Port(one, name in required) for name, one in types.items()}
    return Ports(inputs=inputs, outputs={"result": "any"})
