"""One step of a run: visit a node, then choose where to go. Knows the edge rule and nothing of the engine that walks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agentkit.errors import ConfigError, NodeError
from agentkit.events import NodeFinished
from agentkit.graph.expressions import Expression, parse
from agentkit.graph.kinds import Site, Workshop, kind_of
from agentkit.graph.nodes import NodeRunner, RunContext, Visited, identity
from agentkit.graph.spec import INPUTS, EdgeSpec, GraphSpec, NodeSpec
from agentkit.graph.topology import Taken, Topology
from agentkit.types import JSON

JOIN = "@join"
"""Ends the name of the step at which branches wait for one another before the node of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What a step may know: inputs and outputs so far, visits and bounded edges counted, and the steps under way."""

    inputs: Mapping[str, JSON]
    outputs: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    taken: Taken = field(default_factory=dict)
    active: Sequence[str] = ()

    def values(self) -> dict[str, Mapping[str, JSON]]:
        """What references and expressions see, by node; the inputs under their own name."""
        return {INPUTS: self.inputs, **self.outputs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a step changes, and the steps that come next."""

    next: tuple[str, ...]
    outputs: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Walker:
    """The steps of a graph: ``visit`` for its nodes, ``wait`` for its joins."""

    spec: GraphSpec
    shop: Workshop

    @cached_property
    def topology(self) -> Topology:
        """Where one can go."""
        return Topology(tuple(self.spec.nodes), self.spec.edges)

    @cached_property
    def runners(self) -> Mapping[str, NodeRunner]:
        """The nodes, ready to run."""
        return {name: self._runner(node) for name, node in self.spec.nodes.items()}

    async def visit(self, name: str, position: Position, context: RunContext) -> Move:
        """Visit a node and choose its edges; raises what ``NodeRunner.visit`` raises."""
        runner = self.runners[name]
        number = position.visits.get(name, 0)
        visited = await runner.visit(number, position.values(), context)
        outputs = position.outputs if visited.outputs is None else {**position.outputs, name: visited.outputs}
        try:
            chosen = self._choose(
                name, visited, Position(inputs=position.inputs, outputs=outputs, taken=position.taken)
            )
        except ConfigError as error:
            chosen, visited = (), Visited(scope=visited.scope, outputs={}, error=f"after it: {error}", cause=error)
        targets = tuple(dict.fromkeys(self.spec.edges[index].target for index in chosen))
        if visited.outputs is not None:
            context.outputs[name] = visited.outputs
        context.emit(_finished(runner.node, visited, targets))
        if visited.cause is not None:
            raise NodeError(name, visited.cause) from visited.cause
        return Move(
            next=self._steps(position, targets),
            outputs={} if visited.outputs is None else {name: visited.outputs},
            visits={name: number + 1},
            taken={
                index: position.taken.get(index, 0) + 1 for index in chosen if self.spec.edges[index].max is not None
            },
        )

    def wait(self, name: str, position: Position) -> Move:
        """At the join before a node: go on to it, or wait one step more while another branch can still come."""
        others = [step for step in position.active if step != f"{name}{JOIN}"]
        active = [step for step in others if not step.endswith(JOIN)]
        waiting = [step.removesuffix(JOIN) for step in others if step.endswith(JOIN)]
        if self.topology.must_wait(name, active, waiting, position.taken):
            return Move(next=(f"{name}{JOIN}",))
        return Move(next=(name,))

    def _choose(self, name: str, visited: Visited, position: Position) -> tuple[int, ...]:
        if visited.error:
            return self.topology.handler(name, position.taken)
        if not self.topology.outgoing[name]:
            return ()
        values = position.values()
        return self.topology.choose(name, lambda edge: self._holds(edge, values), position.taken)

    def _holds(self, edge: EdgeSpec, values: Mapping[str, JSON]) -> bool:
        return self._conditions[edge].holds(values)

    @cached_property
    def _conditions(self) -> Mapping[EdgeSpec, Expression]:
        return {edge: parse(edge.when) for edge in self.spec.edges if edge.when is not None}

    def _steps(self, position: Position, targets: tuple[str, ...]) -> tuple[str, ...]:
        """The targets, those where branches may meet by way of their join."""
        alone = len(position.active) <= 1 if position.active else len(self.topology.starts) == 1
        return tuple(f"{one}{JOIN}" if self._meets(one, targets, alone=alone) else one for one in targets)

    def _meets(self, target: str, targets: tuple[str, ...], *, alone: bool) -> bool:
        if target not in self.topology.joins:
            return False
        return not alone or any(target in self.topology.reach[other] for other in targets if other != target)

    def _runner(self, node: NodeSpec) -> NodeRunner:
        kind = kind_of(node, self.shop.registry)
        site = Site(spec=self.spec, registry=self.shop.registry, read=self.shop.read)
        return NodeRunner(
            node=node,
            spec=self.spec,
            checked=kind.check(node, site),
            run=kind.prepare(node, self.shop),
            when=None if node.when is None else parse(node.when),
            handled=any(edge.error and edge.source == node.name for edge in self.spec.edges),
            identity=identity(node, self.spec),
        )


def _finished(node: NodeSpec, visited: Visited, targets: tuple[str, ...]) -> NodeFinished:
    return NodeFinished(
        scope=visited.scope,
        use=node.use,
        outputs=visited.outputs or {},
        seconds=visited.seconds,
        error=visited.error,
        recorded=visited.recorded,
        skipped=visited.outputs is None,
        next=targets,
    )
