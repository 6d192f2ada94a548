"""The edge rule: branches, joins, loops and their bounds, as tables of graphs and the visits they make."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import NodeError
from agentkit.events import NodeFinished
from agentkit.graph.spec import EdgeSpec
from agentkit.graph.topology import Topology, endless_loops


def graph_of(nodes: str, edges: list[str]) -> str:
    """A graph of probes: ``nodes`` are their names, edges as in a file."""
    lines = ["schema: agentkit/v1", "name: walk", "inputs: {n: {type: integer, default: 0}}", "nodes:"]
    lines += [f"  {name}: {{use: probe, with: {{label: {name}}}}}" for name in nodes.split()]
    return "\n".join([*lines, "edges:", *(f"  - {edge}" for edge in edges)])


TABLE = {
    "a chain": ("a b c", ["a -> b -> c"], "a b c"),
    "a branch by condition": (
        "a b c",
        ["{from: a, to: b, when: \"a.label == 'a'\"}", "{from: a, to: c}"],
        "a b",
    ),
    "the first condition that holds is taken": (
        "a b c d",
        ['{from: a, to: b, when: "false"}', '{from: a, to: c, when: "true"}', '{from: a, to: d, when: "true"}'],
        "a c",
    ),
    "the default where none holds": ("a b c", ['{from: a, to: b, when: "false"}', "a -> c"], "a c"),
    "the end where none holds and there is no default": ("a b", ['{from: a, to: b, when: "false"}'], "a"),
    "a condition on a null is not met": ("a b c", ['{from: a, to: b, when: "a.value > 1"}', "a -> c"], "a c"),
    "defaults run in parallel and meet": ("a b c d", ["a -> b -> d", "a -> c -> d"], "a b c d"),
    "a join waits for the longer branch": ("a b c d e", ["a -> b -> e", "a -> c -> d -> e"], "a b c d e"),
    "a join does not wait for a branch that went elsewhere": (
        "a b c d e",
        ["a -> b -> d", "a -> c", '{from: c, to: e, when: "true"}', "{from: c, to: d}"],
        "a b c e d",
    ),
    "a join whose other branch ends": (
        "a b c d",
        ["a -> b -> d", "a -> c", '{from: c, to: d, when: "false"}'],
        "a b c d",
    ),
    "joins one after another": (
        "a b c d e f",
        ["a -> b -> d", "a -> c -> d", "a -> e", "d -> f", "e -> f"],
        "a b c e d f",
    ),
    "several starts meet": ("a b c", ["a -> c", "b -> c"], "a b c"),
    "a fork in a fork": (
        "a b c d e f g",
        ["a -> b", "a -> c", "b -> d -> f", "b -> e -> f", "f -> g", "c -> g"],
        "a b c d e f g",
    ),
    "a loop runs to its bound": ("a b", ["a -> b", "{from: b, to: a, max: 2}"], "a b a b a b"),
    "a loop that goes on elsewhere when its bound is reached": (
        "a b c",
        ["a -> b", '{from: b, to: a, max: 1, when: "true"}', "b -> c"],
        "a b a b c",
    ),
    "a loop on one node": ("a b", ['{from: a, to: a, max: 3, when: "true"}', "a -> b"], "a a a a b"),
    "a loop around a fork and a join": (
        "a b c d",
        ["a -> b -> d", "a -> c -> d", "{from: d, to: a, max: 1}"],
        "a b c d a b c d",
    ),
    "a loop in one branch holds the join": (
        "a b c d",
        ["a -> b -> d", "a -> c", '{from: c, to: c, max: 2, when: "true"}', "c -> d"],
        "a b c c c d",
    ),
    "a loop back past a join": (
        "a b c d",
        ["a -> b", "b -> c", '{from: c, to: b, max: 2, when: "true"}', "c -> d"],
        "a b c b c b c d",
    ),
    "every node has an edge to it: the first in the file begins": (
        "a b",
        ["a -> b", "{from: b, to: a, max: 1, when: \"b.label == 'b'\"}"],
        "a b a b",
    ),
    "two loops that meet at each other": (
        "s a b",
        ["s -> a", "s -> b", "{from: a, to: b, max: 1}", "{from: b, to: a, max: 1}"],
        "s a b a",
    ),
}


@pytest.mark.parametrize("case", TABLE)
async def test_the_edge_rule(bench: Any, case: str) -> None:
    nodes, edges, expected = TABLE[case]
    await bench.graph(graph_of(nodes, edges)).run()
    assert " ".join(bench.probe.runs) == expected


async def test_events_tell_where_each_branch_went(bench: Any) -> None:
    events = await bench.events(bench.graph(graph_of("a b c d", ["a -> b -> d", "a -> c -> d"])))
    finished = [(one.scope.node, one.next) for one in events if isinstance(one, NodeFinished)]
    assert finished == [("a", ("b", "c")), ("b", ("d",)), ("c", ("d",)), ("d", ())]


async def test_visits_are_counted(bench: Any) -> None:
    events = await bench.events(bench.graph(graph_of("a b", ["a -> b", "{from: b, to: a, max: 2}"])))
    visits = [(one.scope.node, one.scope.visit) for one in events if isinstance(one, NodeFinished)]
    assert visits == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]


async def test_a_condition_that_cannot_be_computed_ends_the_run_with_a_sentence(bench: Any) -> None:
    graph = bench.graph(graph_of("a b", ['{from: a, to: b, when: "a.label > 3"}']))
    with pytest.raises(
        NodeError, match=r"node 'a': edge a -> b: 'a\.label > 3' cannot be computed: the kinds of its values"
    ):
        await graph.run()


async def test_branches_run_at_the_same_time(bench: Any) -> None:
    import asyncio

    both = asyncio.Barrier(2)

    async def meet(label: str) -> None:
        await both.wait()

    bench.probe.act = lambda label: meet(label) if label in "bc" else None
    await bench.graph(graph_of("a b c d", ["a -> b -> d", "a -> c -> d"])).run()
    assert bench.probe.runs[-1] == "d"


def topology(nodes: str, *edges: str) -> Topology:
    return Topology(tuple(nodes), tuple(EdgeSpec(source=edge[0], target=edge[1]) for edge in edges))


def test_only_nodes_where_parallel_branches_meet_are_joins() -> None:
    assert topology("abcd", "ab", "ac", "bd", "cd").joins == {"d"}
    assert topology("abc", "ab", "bc", "cb").joins == frozenset()
    assert topology("abc", "ac", "bc").joins == {"c"}


def test_endless_loops_are_told_by_their_edges() -> None:
    edges = tuple(EdgeSpec(source=a, target=b) for a, b in ("ab", "bc", "ca", "dd"))
    assert endless_loops("abcd", edges) == [[0, 1, 2], [3]]
    bounded = (*edges[:2], EdgeSpec(source="c", target="a", max=1))
    assert endless_loops("abcd", bounded) == []


NAMES = "abcdef"
EDGES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.sampled_from([None, "true", "false", "inputs.n > 2", "a.label == 'a'"]),
        st.sampled_from([1, 2]),
    ),
    max_size=12,
)


def random_graph(edges: list[tuple[str, str, str | None, int]]) -> str:
    """Edges forwards are free, those backwards bounded, so every draw is a right graph."""
    lines = []
    for source, target, when, most in dict.fromkeys(edges):
        fields = [f"from: {source}", f"to: {target}"]
        fields += [f'when: "{when}"'] if when else []
        fields += [f"max: {most}"] if target <= source else []
        lines.append(f"{{{', '.join(fields)}}}")
    return graph_of(" ".join(NAMES), lines or ["a -> b"])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(EDGES, st.integers(0, 5))
async def test_random_graphs_end_and_run_the_same_twice(bench: Any, edges: Any, n: int) -> None:
    runs = []
    for _ in range(2):
        bench.probe.runs.clear()
        events = await bench.events(bench.graph(random_graph(edges)), {"n": n})
        runs.append(
            (list(bench.probe.runs), [(one.scope.node, one.next) for one in events if isinstance(one, NodeFinished)])
        )
    assert runs[0] == runs[1]
    assert runs[0][0]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(EDGES, st.integers(0, 5), st.integers(0, 8))
async def test_a_run_that_broke_anywhere_ends_the_same_when_it_goes_on(
    bench: Any, edges: Any, n: int, breaks: int
) -> None:
    graph = bench.graph(random_graph(edges), keep=True)
    bench.probe.act = lambda label: None
    bench.probe.runs.clear()
    whole = await bench.events(graph, {"n": n})
    expected = list(bench.probe.runs)

    def act(label: str) -> None:
        if len(bench.probe.runs) > breaks:
            raise RuntimeError("broken")

    bench.probe.act = act
    bench.probe.runs.clear()
    broken: list[Any] = []
    if breaks < len(expected):
        with pytest.raises(NodeError):
            await graph.execute({"n": n}, emit=broken.append)
        bench.probe.act = lambda label: None
        again = await bench.events(graph, resume=broken[0].scope.run)
        assert sorted(one.scope.node for one in again if isinstance(one, NodeFinished)) == sorted(
            one.scope.node for one in whole if isinstance(one, NodeFinished)
        )
        assert again[-1].output == whole[-1].output
        finished = sum(isinstance(one, NodeFinished) and not one.error for one in broken)
        assert sum(one.recorded for one in again if isinstance(one, NodeFinished)) >= finished
