"""Where a run can go: pure questions about the nodes and edges of a graph.

The edge rule: when a node ends, its edges are read in order and the first whose ``when`` holds is taken; where none holds,
those without ``when`` are all taken, in parallel. A node that several branches can reach runs once at least one has
arrived and none of the others can still come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from agentkit.graph.spec import INPUTS, EdgeSpec, NodeSpec, Reference

Taken = Mapping[int, int]
"""How often the edges with a ``max`` were taken so far, by their index."""


@dataclass(frozen=True)
class Topology:
    """The ways through ``nodes`` (in file order) along ``edges`` (in the order they are tried)."""

    nodes: tuple[str, ...]
    edges: tuple[EdgeSpec, ...]

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """Where a run begins: nodes that no edge leads to, or the first node when every node has one."""
        targets = {edge.target for edge in self.edges}
        return tuple(node for node in self.nodes if node not in targets) or self.nodes[:1]

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[tuple[int, EdgeSpec], ...]]:
        """The edges of each node, with their index."""
        found: dict[str, list[tuple[int, EdgeSpec]]] = {node: [] for node in self.nodes}
        for index, edge in enumerate(self.edges):
            found[edge.source].append((index, edge))
        return {node: tuple(edges) for node, edges in found.items()}

    @cached_property
    def joins(self) -> frozenset[str]:
        """Nodes at which branches that run at the same time can meet."""
        if not self.forks:
            return frozenset()
        ends = {(edge.source, edge.target) for edge in self.edges}
        sources = Counter(target for _, target in ends)
        return frozenset(node for node, count in sources.items() if count > 1)

    @property
    def forks(self) -> bool:
        """Whether branches can run at the same time."""
        defaults = [edge.source for edge in self.edges if edge.when is None and not edge.error]
        return len(self.starts) > 1 or len(set(defaults)) < len(defaults)

    @cached_property
    def reach(self) -> Mapping[str, frozenset[str]]:
        """The nodes that can come after each node, by any edges."""
        return {node: self.reachable(node, {}) for node in self.nodes}

    @property
    def steps(self) -> int:
        """An upper bound on the steps of a run: a pass through all nodes and joins for every time a bounded edge is taken."""
        passes = 1 + sum(edge.max or 0 for edge in self.edges)
        return passes * (2 * len(self.nodes) + 1) + 2

    def reachable(self, source: str, taken: Taken) -> frozenset[str]:
        """The nodes that can come after ``source`` along edges that may still be taken."""
        found: set[str] = set()
        frontier = [source]
        while frontier:
            for index, edge in self.outgoing[frontier.pop()]:
                if not exhausted(index, edge, taken) and edge.target not in found:
                    found.add(edge.target)
                    frontier.append(edge.target)
        return frozenset(found)

    def choose(self, node: str, holds: Callable[[EdgeSpec], bool], taken: Taken) -> tuple[int, ...]:
        """The indices of the edges to take when ``node`` has ended; none: this branch ends here."""
        usable = [(i, edge) for i, edge in self.outgoing[node] if not edge.error and not exhausted(i, edge, taken)]
        for index, edge in usable:
            if edge.when is not None and holds(edge):
                return (index,)
        return tuple(index for index, edge in usable if edge.when is None)

    def handler(self, node: str, taken: Taken) -> tuple[int, ...]:
        """The edge to take when ``node`` has failed, if there is one."""
        usable = [i for i, edge in self.outgoing[node] if edge.error and not exhausted(i, edge, taken)]
        return tuple(usable[:1])

    def must_wait(self, join: str, active: Iterable[str], waiting: Iterable[str], taken: Taken) -> bool:
        """Whether another branch can still come to ``join``: one at a node of ``active``, or at a join of ``waiting``.

        Of joins in a loop that wait for each other, the first in the file goes first.
        """
        reach = self.reach if not taken else {}
        for node in active:
            if join in (reach.get(node) or self.reachable(node, taken)):
                return True
        for other in waiting:
            if other == join or join not in (reach.get(other) or self.reachable(other, taken)):
                continue
            mutual = other in (reach.get(join) or self.reachable(join, taken))
            if not mutual or self.nodes.index(other) < self.nodes.index(join):
                return True
        return False


def exhausted(index: int, edge: EdgeSpec, taken: Taken) -> bool:
    """Whether the edge was taken as often as it may be."""
    return edge.max is not None and taken.get(index, 0) >= edge.max


def implied_edges(nodes: Mapping[str, NodeSpec], *, handlers: Iterable[EdgeSpec] = ()) -> tuple[EdgeSpec, ...]:
    """The edges of a graph that has none: each node runs after the nodes it takes values from.

    A node that one of the ``handlers`` leads to from a failed node runs only then, so it does not follow that node.
    """
    handled = {(edge.source, edge.target) for edge in handlers}
    found = dict.fromkeys(
        (one.node, node.name)
        for node in nodes.values()
        for binding in node.inputs.values()
        for one in binding
        if isinstance(one, Reference) and one.node != INPUTS and one.node in nodes
    )
    return tuple(EdgeSpec(source=source, target=target) for source, target in found if (source, target) not in handled)


def endless_loops(nodes: Iterable[str], edges: tuple[EdgeSpec, ...], *, most: int = 20) -> list[list[int]]:
    """Loops without a ``max`` on any of their edges, at most ``most``, each as indices of edges, the closing one last."""
    ways: dict[str, list[int]] = {node: [] for node in nodes}
    for index, edge in enumerate(edges):
        if edge.max is None:
            ways[edge.source].append(index)
    found: list[list[int]] = []
    done: set[str] = set()
    for node in ways:
        if node not in done:
            _search(node, ways, edges, done, found)
    return found[:most]


def _search(
    start: str, ways: Mapping[str, list[int]], edges: tuple[EdgeSpec, ...], done: set[str], found: list[list[int]]
) -> None:
    """Depth first from ``start`` without recursion: an edge back to a node still on the way closes a loop."""
    way = [start]
    taken: list[int] = []
    left = [iter(ways[start])]
    while left:
        index = next(left[-1], None)
        if index is None:
            left.pop()
            done.add(way.pop())
            taken = taken[: len(way) - 1] if way else []
            continue
        target = edges[index].target
        if target in way:
            found.append([*taken[way.index(target) :], index])
        elif target not in done:
            way.append(target)
            taken.append(index)
            left.append(iter(ways[target]))
