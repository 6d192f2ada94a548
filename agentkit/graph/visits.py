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
    first = _closure(topology.starts, follow)
    found = {node: int(node in first) for node in topology.nodes}
    for edge in ways:
        if edge.max is not None and edge.source in reached:
            for node in _closure((edge.target,), follow):
                found[node] += edge.max
    if topology.forks:
        branches = _waiting(topology)
        return {node: count * branches for node, count in found.items()}
    # a single branch cannot come back to a node that no way leads back to
    return {node: count if node in topology.reach[node] else min(count, 1) for node, count in found.items()}


def surely(topology: Topology) -> dict[str, frozenset[str]]:
    """The nodes that every run visits after each node, as long as nothing fails."""
    choices = {node: _choices(topology, node) for node in topology.nodes}
    everything = frozenset(topology.nodes)
    found = dict.fromkeys(topology.nodes, everything)
    changed = True
    while changed:
        changed = False
        for node in reversed(topology.nodes):  # most edges lead forwards, so that one pass settles most nodes
            new = everything.intersection(*(_after(one, found) for one in choices[node]))
            changed, found[node] = changed or new != found[node], new
    return found


def certain(topology: Topology, after: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The nodes that every run visits; ``after`` is what ``surely`` says."""
    return _after(frozenset(topology.starts), after)


def least(topology: Topology, weights: Mapping[str, float], after: Mapping[str, frozenset[str]] | None = None) -> float:
    """The least that the visits of a run weigh in all.

    ``after`` is what ``surely`` says: with it branches side by side all count, without it only the heaviest, as with time.
    """
    best = dict.fromkeys(topology.nodes, math.inf)  # a walk that never ends is none
    choices = {
        node: [(one, _floor(one, weights, after)) for one in _choices(topology, node)] for node in topology.nodes
    }
    changed = True
    while changed:
        changed = False
        for node in reversed(topology.nodes):
            new = weights[node] + min(max([floor, *(best[one] for one in choice)]) for choice, floor in choices[node])
            changed, best[node] = changed or new != best[node], new
    starts = frozenset(topology.starts)
    return max([_floor(starts, weights, after), *(best[node] for node in starts)])


def avoids(topology: Topology, nodes: frozenset[str]) -> bool:
    """Whether a run can come to its end without a visit of any of ``nodes``."""
    return least(topology, {node: float(node in nodes) for node in topology.nodes}) == 0.0


def _choices(topology: Topology, node: str) -> list[Choice]:
    """The smallest sets of nodes that a run may go on to, by the edge rule; a bounded edge may be used up."""
    edges: Sequence[EdgeSpec] = [edge for _, edge in topology.outgoing[node] if not edge.error]
    conditional = [frozenset({edge.target}) for edge in edges if edge.when is not None]
    return [*conditional, frozenset(edge.target for edge in edges if edge.when is None and edge.max is None)]


def _floor(choice: Choice, weights: Mapping[str, float], after: Mapping[str, frozenset[str]] | None) -> float:
    """What is surely visited from here on weighs this much."""
    return 0.0 if after is None else sum(weights[node] for node in _after(choice, after))


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
    reach = topology.reach
    joins = [node for node in topology.joins if node in reach[node]]
    rings = [[other for other in joins if other in reach[node] and node in reach[other]] for node in joins]
    return max((len(ring) for ring in rings), default=0) or 1
