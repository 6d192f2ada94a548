"""How often the nodes of a graph are visited: at most, and at least whatever its conditions say.

At most: between two bounded edges a walk follows edges that form no loop, so it comes to a node once from the start and once for
each time that a bounded edge is taken. At least: what lies on every way to an end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from agentkit.graph.spec import EdgeSpec
from agentkit.graph.topology import Topology

Choice = frozenset[str]
"""Where a run goes next, all of them at once; empty where it ends."""


def most_visits(topology: Topology, *, failing: bool = False) -> dict[str, int]:
    """The most visits of each node in a run; with ``failing`` nodes may fail, and lead to those that handle it."""
    ways = [edge for edge in topology.edges if failing or not edge.error]
    follow = {
        node: [edge.target for edge in ways if edge.source == node and edge.max is None] for node in topology.nodes
    }
    everywhere = {node: [edge.target for edge in ways if edge.source == node] for node in topology.nodes}
    reached = _closure(topology.starts, everywhere)
    found = {node: int(node in _closure(topology.starts, follow)) for node in topology.nodes}
    for edge in ways:
        if edge.max is not None and edge.source in reached:
            for node in _closure((edge.target,), follow):
                found[node] += edge.max
    if topology.forks:
        return {node: count * _waiting(topology) for node, count in found.items()}
    # a single branch cannot come back to a node that no way leads back to
    return {node: count if node in topology.reach[node] else min(count, 1) for node, count in found.items()}


def surely(topology: Topology) -> dict[str, frozenset[str]]:
    """The nodes that every run visits after each node, as long as nothing fails."""
    choices = {node: _choices(topology, node) for node in topology.nodes}
    everything = frozenset(topology.nodes)
    found = dict.fromkeys(topology.nodes, everything)
    changed = True
    while changed:
        new = {node: everything.intersection(*(_after(one, found) for one in choices[node])) for node in topology.nodes}
        changed, found = new != found, new
    return found


def certain(topology: Topology) -> frozenset[str]:
    """The nodes that every run visits."""
    return _after(frozenset(topology.starts), surely(topology))


def least(topology: Topology, weights: Mapping[str, float], *, together: bool = True) -> float:
    """The least that the visits of a run weigh in all; not ``together``, of branches side by side only one counts."""
    after = surely(topology)
    best = dict.fromkeys(topology.nodes, math.inf)  # a walk that never ends is none

    def cost(choice: Choice) -> float:
        all_of_them = sum(weights[node] for node in _after(choice, after)) if together else 0.0
        return max([all_of_them, *(best[node] for node in choice)])

    choices = {node: _choices(topology, node) for node in topology.nodes}
    for _ in topology.nodes:
        best = {node: weights[node] + min(cost(one) for one in choices[node]) for node in topology.nodes}
    return cost(frozenset(topology.starts))


def avoids(topology: Topology, nodes: frozenset[str]) -> bool:
    """Whether a run can come to its end without a visit of any of ``nodes``."""
    return least(topology, {node: float(node in nodes) for node in topology.nodes}, together=False) == 0.0


def _choices(topology: Topology, node: str) -> list[Choice]:
    """The smallest sets of nodes that a run may go on to, by the edge rule; a bounded edge may be used up."""
    edges: Sequence[EdgeSpec] = [edge for _, edge in topology.outgoing[node] if not edge.error]
    conditional = [frozenset({edge.target}) for edge in edges if edge.when is not None]
    return [*conditional, frozenset(edge.target for edge in edges if edge.when is None and edge.max is None)]


def _after(choice: Choice, found: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return choice.union(*(found[node] for node in choice))


def _closure(starts: Sequence[str], follow: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found, frontier = set(starts), list(starts)
    while frontier:
        fresh = [node for node in follow[frontier.pop()] if node not in found]
        found.update(fresh)
        frontier.extend(fresh)
    return frozenset(found)


def _waiting(topology: Topology) -> int:
    """How many branches may wait for one another in a loop: there each of them may go through it by itself."""
    reach, joins = topology.reach, topology.joins
    rings = [[other for other in joins if other in reach[node] and node in reach[other]] for node in joins]
    return max((len(ring) for ring in rings), default=0) or 1
