"""``tool.NAME``: call a tool with the node's inputs as its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit import jsonschema
from agentkit.errors import AgentkitError, ToolError
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.plain import to_plain
from agentkit.graph.ports import Port, Ports, type_of_schema
from agentkit.graph.spec import NodeSpec
from agentkit.options import build
from agentkit.types import JSON, ToolSpec


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
            tool = build(site.registry.get("tool", node.component), node.options, provided={}, models={})
            return Checked(ports=_ports(tool.spec))
        except AgentkitError as error:
            return Checked(faults=[(("use",), f"tool {node.component!r} cannot be made: {error}")])

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Calls the tool with arguments that fit its schema."""
        make = component.maker(node, "tool", shop)

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            tool: Any = make(context)
            arguments = dict(inputs)
            if fault := jsonschema.mismatch(arguments, tool.spec.parameters):
                raise ToolError(f"the arguments do not fit the tool {tool.spec.name!r}: {fault}")
            return {"result": to_plain(await tool.call(arguments))}

        return run


def _ports(spec: ToolSpec) -> Ports:
    properties = spec.parameters.get("properties") or {}
    required = spec.parameters.get("required") or ()
    inputs = {name: Port(type_of_schema(one), name in required) for name, one in properties.items()}
    return Ports(inputs=inputs, outputs={"result": "any"})
