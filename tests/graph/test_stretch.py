"""Steps taken as one: a branch goes on by itself, and nobody can tell by the result."""

from __future__ import annotations

import asyncio
from typing import Any

from agentkit.events import NodeFinished

HEAD = "schema: agentkit/v1\nname: branches\ninputs: {n: {type: integer, default: 0}}\n"


def graph_of(nodes: str, edges: str) -> str:
    named = [f"  {name}: {{use: probe, with: {{label: {name}}}}}" for name in nodes.split()]
    return HEAD + "\n".join(["nodes:", *named, f"edges: [{edges}]"])


async def test_a_branch_does_not_wait_for_a_slower_one_before_their_join(bench: Any) -> None:
    arrived = asyncio.Event()
    slow = {"b": arrived.wait, "d": lambda: arrived.set()}
    bench.probe.act = lambda label: slow.get(label, lambda: None)()
    await bench.graph(graph_of("a b c d e", "a -> b -> e, a -> c -> d -> e")).run()
    assert bench.probe.runs == ["a", "b", "c", "d", "e"]


async def test_a_node_that_reads_what_another_branch_writes_waits_for_it(bench: Any) -> None:
    async def slowly() -> str:
        await asyncio.sleep(0.01)
        return "written"

    bench.probe.act = lambda label: slowly() if label == "b" else None
    text = HEAD + (
        "outputs: {seen: d.text}\n"
        "nodes:\n"
        "  a: {use: probe}\n"
        "  b: {use: probe, with: {label: b}}\n"
        "  c: {use: probe}\n"
        "  d: {use: join, in: {left: [b.value, 'nothing yet']}}\n"
        "edges: [a -> b, a -> c -> d]\n"
    )
    assert (await bench.graph(text).run()).output == {"seen": "written"}


async def test_an_edge_that_reads_what_another_branch_writes_waits_for_it(bench: Any) -> None:
    async def slowly() -> str:
        await asyncio.sleep(0.01)
        return "written"

    bench.probe.act = lambda label: slowly() if label == "b" else None
    edges = "a -> b, a -> c -> d, {from: d, to: e, when: \"b.value == 'written'\"}"
    await bench.graph(graph_of("a b c d e", edges)).run()
    assert bench.probe.runs == ["a", "b", "c", "d", "e"]


async def test_a_node_that_another_branch_visits_too_is_visited_twice(bench: Any) -> None:
    events = await bench.events(bench.graph(graph_of("a b c", "a -> b -> c, {from: a, to: a, max: 1}")))
    visits = [(one.scope.node, one.scope.visit) for one in events if isinstance(one, NodeFinished)]
    assert sorted(visits) == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("c", 0), ("c", 1)]


async def test_a_chain_is_one_superstep(bench: Any) -> None:
    graph = bench.graph(graph_of("a b c d", "a -> b -> c -> d, {from: d, to: a, max: 2}"))
    updates = graph._engine.graph.astream({"inputs": {"n": 0}}, context=graph._detached(), stream_mode="updates")
    assert len([one async for one in updates]) == 1
    assert bench.probe.runs == [*"abcd"] * 3


async def test_a_long_chain_leaves_the_event_loop_to_others(bench: Any) -> None:
    seen: list[int] = []

    async def other() -> None:
        while True:
            seen.append(len(bench.probe.runs))
            await asyncio.sleep(0)

    watching = asyncio.create_task(other())
    nodes = [f"n{number}" for number in range(30)]
    await bench.graph(graph_of(" ".join(nodes), " -> ".join(nodes))).run()
    watching.cancel()
    assert {*range(1, 30)} <= {*seen}
