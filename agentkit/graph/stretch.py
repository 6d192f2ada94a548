"""Steps that no other branch can notice, taken as one: the engine makes a superstep only where branches part or meet.

A branch goes on by itself for as long as it neither parts nor comes to a join, and no other branch can still visit its next node
or write what that one reads. So a chain costs no supersteps, and a branch does not wait for slower ones before their join.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from agentkit.graph.context import RunContext
from agentkit.graph.spec import NodeSpec, Reference
from agentkit.graph.walk import JOIN, Move, Position, Walker


@dataclass(frozen=True)
class Stretches:
    """The steps of ``walker``, as many at a time as leave the result what it is one by one."""

    walker: Walker

    async def visit(self, name: str, position: Position, context: RunContext) -> Move:
        """Visit a node and those after it; what all of them changed. Raises what ``Walker.visit`` raises."""
        reached = self._reached(one for one in position.active or self.walker.topology.starts if one != name)
        done = move = await self.walker.visit(name, position, context)
        while self._goes_on(move, reached):
            await asyncio.sleep(0)  # other runs of this event loop, and whoever watches this one, have their turn
            position = position.after(move)
            move = await self.walker.visit(move.next[0], position, context)
            done = done.then(move)
        return done

    async def wait(self, name: str, position: Position, context: RunContext) -> Move:
        """At the join before a node: wait one step more, or go on to the node and those after it."""
        move = await self.walker.wait(name, position, context)
        others = [step for step in position.active if step != f"{name}{JOIN}"]
        position = replace(position, active=(*others, name))
        return await self.visit(name, position, context) if self._goes_on(move, self._reached(others)) else move

    def _goes_on(self, move: Move, reached: frozenset[str]) -> bool:
        """Whether one node alone follows, which is none of those ``reached`` by other branches and reads none of them."""
        if len(move.next) != 1 or move.next[0].endswith(JOIN):
            return False
        return self._reads[move.next[0]].isdisjoint(reached)

    def _reached(self, steps: Iterable[str]) -> frozenset[str]:
        """The nodes of these steps, and those that can come after them."""
        nodes = {one.removesuffix(JOIN) for one in steps}
        return frozenset(nodes.union(*(self.walker.topology.reach[one] for one in nodes)))

    @cached_property
    def _reads(self) -> Mapping[str, frozenset[str]]:
        """The nodes that each node looks at: itself, and those in its inputs, its condition and those of its edges."""
        return {name: frozenset({name, *self._read_by(node)}) for name, node in self.walker.spec.nodes.items()}

    def _read_by(self, node: NodeSpec) -> Iterator[str]:
        for binding in node.inputs.values():
            yield from (one.node for one in binding if isinstance(one, Reference))
        edges = [self.walker.conditions.get(edge) for _, edge in self.walker.topology.outgoing[node.name]]
        for condition in (self.walker.runners[node.name].when, *edges):
            yield from () if condition is None else (use.root for use in condition.uses)
