"""``retriever.NAME``: find passages."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.events import DocumentsRetrieved
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.plain import to_plain
from agentkit.graph.ports import Port, Ports
from agentkit.graph.spec import NodeSpec
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds

_PORTS = Ports(inputs={"query": Port("string", True)}, outputs={"documents": "documents"})


class RetrieverKind:
    """Takes a ``query``; gives ``documents``, best first."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The fixed ports, and the component's options."""
        factory, faults = component.find(site.registry, "retriever", node.component)
        if factory is not None:
            faults += component.check_options(node, factory, site)
        return Checked(ports=_PORTS, faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.of_component(registry, "retriever", name)

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """What the retriever says, where it asks a model."""
        return component.bounds_of(node, "retriever", shop)

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Retrieves, and tells of what was found."""
        make = component.maker(node, "retriever", shop)

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            query = inputs["query"]
            found = tuple(await make(context).retrieve(query))
            context.emit(DocumentsRetrieved(query=query, documents=found))
            return {"documents": to_plain(found)}

        return run
