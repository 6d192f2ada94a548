"""One step of a run: visit a node, then choose where to go. Knows the edge rule and nothing of the engine that walks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from agentkit.errors import ConfigError, NodeError
from agentkit.events import NodeFinished
from agentkit.expressions import Expression, parse
from agentkit.graph.context import RunContext
from agentkit.graph.kinds import Kind, Run, Site, Workshop, kind_of
from agentkit.graph.nodes import NodeRunner, Visited, identity
from agentkit.graph.repeat import repeated
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

    def after(self, move: Move) -> Position:
        """Where the same branch is after ``move``, when no other step was taken."""
        return replace(
            self,
            outputs={**self.outputs, **move.outputs},
            visits={**self.visits, **move.visits},
            taken={**self.taken, **move.taken} if move.taken else self.taken,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a step changes, and the steps that come next."""

    next: tuple[str, ...]
    outputs: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[int, int] = field(default_factory=dict)

    def then(self, later: Move) -> Move:
        """Both moves as one."""
        return Move(
            next=later.next,
            outputs={**self.outputs, **later.outputs},
            visits={**self.visits, **later.visits},
            taken={**self.taken, **later.taken},
        )


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
        """Visit a node and choose its edges.

        A node that waits for a person ends this branch and is ``held`` in the context.
        Raises ``NodeError`` for a failure from which no edge leads on, ``BudgetExceededError`` when the run's budget is spent.
        """
        number = position.visits.get(name, 0)
        values = position.values()
        visited = await self.runners[name].visit(number, values, context)
        if visited.questions:
            context.held[name] = visited.questions
            return Move(next=())
        if visited.outputs is not None:
            values[name] = visited.outputs
        try:
            chosen = self._choose(name, visited, values, position.taken)
        except ConfigError as error:
            chosen, visited = (), replace(visited, failure=NodeError(name, error))
        targets = tuple(dict.fromkeys(self.spec.edges[index].target for index in chosen))
        context.emit(_finished(self.spec.nodes[name], visited, targets))
        if visited.failure is not None and not chosen:
            raise visited.failure
        outputs = {} if visited.outputs is None else {name: visited.outputs}
        context.outputs.update(outputs)
        context.kept.extend(outputs if visited.failure is None else ())
        return Move(
            next=self._steps(position, targets, held=bool(context.held)),
            outputs=outputs,
            visits={name: number + 1},
            taken={
                index: position.taken.get(index, 0) + 1 for index in chosen if self.spec.edges[index].max is not None
            },
        )

    async def wait(self, name: str, position: Position, context: RunContext) -> Move:
        """At the join before a node: go on to it, or wait one step more while another branch can still come.

        Where only a branch that waits for a person can still come, this one ends: the resumed run comes here again.
        """
        others = [step for step in position.active if step != f"{name}{JOIN}"]
        active = [step for step in others if not step.endswith(JOIN)]
        waiting = [step.removesuffix(JOIN) for step in others if step.endswith(JOIN)]
        if self.topology.must_wait(name, active, waiting, position.taken):
            return Move(next=(f"{name}{JOIN}",))
        if self.topology.must_wait(name, context.held, (), position.taken):
            return Move(next=())
        return Move(next=(name,))

    def _choose(
        self, name: str, visited: Visited, values: Mapping[str, Mapping[str, JSON]], taken: Taken
    ) -> tuple[int, ...]:
        if visited.failure is not None:
            return self.topology.handler(name, taken)
        return self.topology.choose(name, lambda edge: self._holds(edge, values), taken)

    def _holds(self, edge: EdgeSpec, values: Mapping[str, JSON]) -> bool:
        try:
            return self.conditions[edge].holds(values)
        except ConfigError as error:
            raise ConfigError(f"edge {edge}: {error}") from None

    @cached_property
    def conditions(self) -> Mapping[EdgeSpec, Expression]:
        """What must hold for an edge to be taken, of those that say so."""
        return {edge: parse(edge.when) for edge in self.spec.edges if edge.when is not None}

    def _steps(self, position: Position, targets: tuple[str, ...], *, held: bool) -> tuple[str, ...]:
        """The targets, those where branches may meet by way of their join."""
        alone = len(position.active) <= 1 if position.active else len(self.topology.starts) == 1
        alone = alone and not held
        return tuple(f"{one}{JOIN}" if self._meets(one, targets, alone=alone) else one for one in targets)

    def _meets(self, target: str, targets: tuple[str, ...], *, alone: bool) -> bool:
        if target not in self.topology.joins:
            return False
        return not alone or any(target in self.topology.reach[other] for other in targets if other != target)

    def _runner(self, node: NodeSpec) -> NodeRunner:
        kind = kind_of(node, self.shop.registry)
        shop = self.shop
        site = Site(spec=self.spec, registry=shop.registry, read=shop.read, provided=shop.provided)
        return NodeRunner(
            node=node,
            spec=self.spec,
            checked=kind.check(node, site),
            run=self._repeated(node, kind),
            when=None if node.when is None else parse(node.when),
            identity=identity(node, self.spec),
        )

    def _repeated(self, node: NodeSpec, kind: Kind) -> Run:
        less, alone = node.cheaper, identity(replace(node, map=None), self.spec)
        return repeated(
            node,
            kind.prepare(node, self.shop),
            identity(node, self.spec),
            graph=self.spec.name,
            alone=alone,
            cheaper=None if less is None else (kind.prepare(less, self.shop), identity(less, self.spec)),
        )


def _finished(node: NodeSpec, visited: Visited, targets: tuple[str, ...]) -> NodeFinished:
    return NodeFinished(
        scope=visited.scope,
        use=node.use,
        outputs=(visited.outputs or {}) if visited.failure is None else {},
        seconds=visited.seconds,
        error="" if visited.failure is None else str(visited.failure.__cause__ or visited.failure),
        recorded=visited.recorded,
        skipped=visited.outputs is None,
        next=targets,
    )
