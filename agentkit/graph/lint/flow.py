"""Where a run goes, and where it never does: AK001 to AK009."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agentkit.errors import ConfigError
from agentkit.expressions import parse
from agentkit.graph.lint.rule import Found, Subject, rule
from agentkit.graph.spec import EdgeSpec, Reference
from agentkit.graph.visits import avoids


@rule("AK001", "unreachable-node", "warning")
def unreachable_node(subject: Subject) -> Iterator[Found]:
    """No run comes to this node: no way leads to it from where the graph begins, or only edges that are never taken.

    A run begins at the nodes that no edge leads to. Draw an edge to the node, or remove it.
    """
    reached = _reached(subject)
    for name in subject.nodes:
        if name not in reached:
            yield ("nodes", name), f"no run comes to {name!r}; draw an edge to it, or remove it"


@rule("AK002", "never-taken-edge", "warning")
def never_taken_edge(subject: Subject) -> Iterator[Found]:
    """An edge before this one is always taken in its place: one with the same condition, or with a condition that always holds.

    The first edge whose `when` holds is taken, and edges without `when` only where none holds.
    """
    for edge, place in subject.edges:
        if before := _shadow(subject, edge):
            yield place, f"{edge} is never taken: {before} with 'when: {before.when}' is taken before it"


@rule("AK003", "constant-condition", "warning")
def constant_condition(subject: Subject) -> Iterator[Found]:
    """A condition that names no node and no input: it comes out the same in every run.

    Leave it out if it always holds; remove the edge or node if it never does.
    """
    for place, condition in subject.conditions.items():
        if not condition.uses:
            yield place, f"{condition.source!r} is the same in every run; remove it, or compare something"


@rule("AK004", "default-before-condition", "note")
def default_before_condition(subject: Subject) -> Iterator[Found]:
    """An edge without `when` stands before one with `when`, as if it were tried first. It is not: conditions go first.

    Write the edges in the order in which they are tried.
    """
    for index, (edge, place) in enumerate(subject.edges):
        later = [one for one, _ in subject.edges[index + 1 :] if one.source == edge.source and one.when is not None]
        if later and edge.when is None and not edge.error and not subject.spec.implied:
            yield place, f"{edge} is the default and is tried after {later[0]}; write it last"


@rule("AK005", "output-never-produced", "warning")
def output_never_produced(subject: Subject) -> Iterator[Found]:
    """An output of the graph comes only from nodes that no run comes to, so it is always null."""
    reached = _reached(subject)
    for name, nodes in _sources(subject).items():
        if nodes and not nodes & reached:
            yield ("outputs", name), f"output {name!r} is never produced: no run comes to {' or '.join(sorted(nodes))}"


@rule("AK006", "output-may-be-missing", "note")
def output_may_be_missing(subject: Subject) -> Iterator[Found]:
    """A run can end without coming to any of the nodes that this output is taken from; it is then null.

    Name another node to take it from (`[first.answer, second.answer]`), or leave it so if null is an answer.
    """
    reached = _reached(subject)
    for name, nodes in _sources(subject).items():
        sure = frozenset(node for node in nodes if subject.nodes[node].when is None)
        if nodes & reached and avoids(subject.topology, sure):
            yield ("outputs", name), f"a run can end without {' or '.join(sorted(nodes))}; output {name!r} is then null"


def _sources(subject: Subject) -> dict[str, frozenset[str]]:
    """The nodes that each output is taken from; those that cannot be missing are left out."""
    found = {}
    for name, binding in subject.spec.outputs.items():
        nodes = [one.node for one in binding if isinstance(one, Reference)]
        if len(nodes) == len(binding) and all(node in subject.nodes for node in nodes):
            found[name] = frozenset(nodes)
    return found


def _reached(subject: Subject) -> frozenset[str]:
    """The nodes that a run can come to along edges that can be taken."""
    found, frontier = set(subject.topology.starts), list(subject.topology.starts)
    while frontier:
        node = frontier.pop()
        for _, edge in subject.topology.outgoing[node]:
            if edge.target not in found and not _never(subject, edge):
                found.add(edge.target)
                frontier.append(edge.target)
    return frozenset(found)


def _never(subject: Subject, edge: EdgeSpec) -> bool:
    return _value(edge.when) is False or _shadow(subject, edge) is not None


def _shadow(subject: Subject, edge: EdgeSpec) -> EdgeSpec | None:
    """The edge that is always taken in place of this one."""
    if edge.error:
        return None
    for _, other in subject.topology.outgoing[edge.source]:
        if other is edge:
            if edge.when is not None:
                return None
            continue
        if other.max is None and other.when is not None and (_value(other.when) is True or other.when == edge.when):
            return other
    return None


@lru_cache(maxsize=4096)
def _value(when: str | None) -> bool | None:
    """What a condition comes out as in every run, None where that depends."""
    condition = None if when is None else parse(when)
    if condition is None or condition.uses:
        return None
    try:
        return condition.holds({})
    except ConfigError:
        return None
