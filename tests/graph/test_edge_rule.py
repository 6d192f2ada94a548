"""The edge rule on random graphs, beside an interpreter that knows nothing of the engine: plain Python, one node at a time."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypedDict

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from agentkit.errors import NodeError
from agentkit.events import NodeFinished
from agentkit.graph import Graph, load_text
from agentkit.registry import Registry


def digest(*parts: Any) -> int:
    """A digit that depends on all of them."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()[0] % 10


class Worked(TypedDict):
    value: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """Puts out a digit drawn from its name and inputs, after a few turns of the event loop; a fragile one fails at some."""

    label: str
    fragile: bool = False

    async def run(self, *, a: Any = None, b: Any = None) -> Worked:
        value = digest(self.label, a, b)
        for _ in range(value % 4):
            await asyncio.sleep(0)
        if self.fragile and value % 3 == 0:
            raise ValueError(f"{value} is too much")
        return {"value": value}


@dataclass(frozen=True)
class Test:
    """``node.value % by == left``; not so while there is no value."""

    __test__ = False
    node: str
    by: int
    left: int

    def __str__(self) -> str:
        return f"{self.node}.value % {self.by} == {self.left}"

    def holds(self, values: dict[str, dict[str, Any]]) -> bool:
        value = values.get(self.node, {}).get("value")
        return value is not None and value % self.by == self.left


@dataclass(frozen=True, eq=False)
class Edge:
    """Two between the same nodes are two."""

    source: str
    target: str
    when: Test | None = None
    max: int | None = None
    error: bool = False


@dataclass(frozen=True)
class Drawn:
    """A random graph: by node what it reads, which are fragile, and under what condition one runs."""

    reads: dict[str, tuple[str, ...]]
    fragile: frozenset[str]
    when: dict[str, Test]
    edges: tuple[Edge, ...]

    def text(self) -> str:
        """As a graph file; JSON is YAML."""
        nodes: dict[str, Any] = {}
        for name, reads in self.reads.items():
            nodes[name] = {"use": "work", "with": {"label": name, "fragile": name in self.fragile}}
            nodes[name]["in"] = {port: [f"{one}.value", 0] for port, one in zip("ab", reads, strict=False)}
            nodes[name] |= {"when": str(self.when[name])} if name in self.when else {}
        edges = []
        for edge in self.edges:
            bound = {} if edge.max is None else {"max": edge.max}
            if edge.error:
                nodes[edge.source]["on_error"] = {"to": edge.target, **bound}
            else:
                condition = {} if edge.when is None else {"when": str(edge.when)}
                edges.append({"from": edge.source, "to": edge.target, **condition, **bound})
        return json.dumps({"schema": "agentkit/v1", "name": "drawn", "nodes": nodes, "edges": edges})


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    """Up to nine nodes in order: edges forwards with or without conditions, bounded ones back, some from failures."""
    names = [f"n{number}" for number in range(draw(st.integers(2, 9)))]
    tests = st.builds(Test, st.sampled_from(names), st.sampled_from([2, 3]), st.integers(0, 1))
    edges: list[Edge] = []
    for place, name in enumerate(names[1:], 1):
        sources = draw(st.lists(st.sampled_from(names[:place]), min_size=place == 1, max_size=3, unique=True))
        edges += [Edge(source, name, draw(st.none() | st.none() | tests)) for source in sources]
    for _ in range(draw(st.integers(0, 2))):
        back, source = sorted(draw(st.lists(st.integers(0, len(names) - 1), min_size=2, max_size=2)))
        edges.append(Edge(names[source], names[back], draw(st.none() | tests), draw(st.integers(1, 3))))
    fragile = frozenset(draw(st.lists(st.sampled_from(names), max_size=2)))
    for name in sorted(fragile):
        if later := names[names.index(name) + 1 :]:
            edges.append(Edge(name, draw(st.sampled_from(later)), error=True))
    ways = Ways(tuple(edges))
    reads = {}
    for name in names:
        before = [one for one in names if name in ways.from_(one, Counter())]
        reads[name] = tuple(draw(st.lists(st.sampled_from(before), max_size=2, unique=True))) if before else ()
    when = draw(st.dictionaries(st.sampled_from(names), tests, max_size=1))
    return Drawn(reads=reads, fragile=fragile, when=when, edges=tuple(edges))


@dataclass(frozen=True)
class Ways:
    """Where one can go."""

    edges: tuple[Edge, ...]

    def open(self, name: str, taken: Counter[Edge]) -> list[Edge]:
        return [edge for edge in self.edges if edge.source == name and (edge.max is None or taken[edge] < edge.max)]

    def from_(self, name: str, taken: Counter[Edge]) -> set[str]:
        """All that can come after ``name``."""
        found: set[str] = set()
        left = [name]
        while left:
            new = {edge.target for edge in self.open(left.pop(), taken)} - found
            found |= new
            left += new
        return found


@dataclass(frozen=True)
class Visit:
    """What the interpreter remembers of a visit: what it read, whether it wrote, what came before it in any order of branches."""

    node: str
    number: int
    reads: frozenset[str]
    wrote: bool
    past: frozenset[int]
    reach: frozenset[str]


@dataclass
class Interpreter:
    """Runs a graph one node at a time."""

    drawn: Drawn
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[Visit] = field(default_factory=list)
    taken: Counter[Edge] = field(default_factory=Counter)
    failed: bool = False

    def run(self) -> Interpreter:
        ways = self.ways = Ways(self.drawn.edges)
        targets = {edge.target for edge in ways.edges}
        starts = [name for name in self.drawn.reads if name not in targets] or [*self.drawn.reads][:1]
        arrived: dict[str, frozenset[int]] = dict.fromkeys(starts, frozenset())
        while arrived and not self.failed:
            name = next(one for one in arrived if not self._waits(one, [*arrived]))
            past = arrived.pop(name)
            if self._is_join(name):  # it came after whatever could have led to it
                past = past.union(*({*one.past, one.number} for one in self.done if name in one.reach))
            for target in self._visit(name, past):
                arrived[target] = arrived.get(target, frozenset()) | past | {self.done[-1].number}
        return self

    @property
    def visits(self) -> Counter[str]:
        return Counter(one.node for one in self.done)

    @property
    def races(self) -> bool:
        """Whether a node read what was written by a branch beside its own, so that the order of branches mattered."""
        return any(
            writer.wrote
            and writer.node in reader.reads
            and writer is not reader
            and writer.number not in reader.past
            and reader.number not in writer.past
            for reader in self.done
            for writer in self.done
        )

    def _waits(self, name: str, arrived: list[str]) -> bool:
        if not self._is_join(name):
            return False
        for other in arrived:
            if other == name or name not in self.ways.from_(other, self.taken):
                continue
            mutual = self._is_join(other) and other in self.ways.from_(name, self.taken)
            if not mutual or other < name:
                return True
        return False

    def _is_join(self, name: str) -> bool:
        return len({edge.source for edge in self.ways.edges if edge.target == name}) > 1

    def _visit(self, name: str, past: frozenset[int]) -> list[str]:
        """Runs the node; where to go."""
        condition = self.drawn.when.get(name)
        runs = condition is None or condition.holds(self.values)
        failed = False
        if runs:
            given = [self._read(one) for one in self.drawn.reads[name]]
            value = digest(name, *given, *[None] * (2 - len(given)))
            failed = name in self.drawn.fragile and value % 3 == 0
            self.values[name] = {"error": f"node {name!r}: {value} is too much"} if failed else {"value": value}
        conditions = [condition, *(edge.when for edge in self.ways.edges if edge.source == name)]
        reads = frozenset({name, *self.drawn.reads[name], *(one.node for one in conditions if one is not None)})
        reach = frozenset(self.ways.from_(name, self.taken))
        self.done.append(Visit(name, len(self.done), reads, runs, past, reach))
        chosen = self._chosen(name, failed)
        self.failed = failed and not chosen
        self.taken.update(edge for edge in chosen if edge.max is not None)
        return [*dict.fromkeys(edge.target for edge in chosen)]

    def _read(self, name: str) -> int:
        value = self.values.get(name, {}).get("value")
        return 0 if value is None else value

    def _chosen(self, name: str, failed: bool) -> list[Edge]:
        usable = [edge for edge in self.ways.open(name, self.taken) if edge.error == failed]
        if failed:
            return usable[:1]
        for edge in usable:
            if edge.when is not None and edge.when.holds(self.values):
                return [edge]
        return [edge for edge in usable if edge.when is None]


def registry() -> Registry:
    found = Registry()
    found.add("node", "work", Work, plugin="tests")
    return found


def made(drawn: Drawn) -> Graph:
    known = registry()
    return Graph(load_text(drawn.text(), registry=known), registry=known, open_model=lambda spec: None)


def interpreted(drawn: Drawn) -> Interpreter:
    """What must come of it; graphs in which the order of branches matters are left out."""
    expected = Interpreter(drawn).run()
    assume(not expected.races)
    event(f"failed: {expected.failed}, visits: {min(10, expected.visits.total() // 3 * 3)} or more")
    return expected


SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


async def finished(graph: Graph) -> tuple[list[NodeFinished], bool]:
    """The visits of a run, and whether it failed."""
    seen: list[NodeFinished] = []
    try:
        async for happened in graph.stream():
            seen += [happened] if isinstance(happened, NodeFinished) else []
    except NodeError:
        return seen, True
    return seen, False


def outputs(visits: list[NodeFinished]) -> dict[str, Any]:
    """What nodes put out last."""
    ran = [one for one in visits if not one.skipped]
    return {
        one.scope.node: {"error": f"node {one.scope.node!r}: {one.error}"} if one.error else {**one.outputs}
        for one in ran
    }


@SETTINGS
@given(graphs())
def test_a_random_graph_does_what_the_edge_rule_says(drawn: Drawn) -> None:
    expected = interpreted(drawn)
    visits, failed = asyncio.run(finished(made(drawn)))
    assert failed == expected.failed
    if not failed:
        assert (outputs(visits), Counter(one.scope.node for one in visits)) == (expected.values, expected.visits)


@SETTINGS
@given(graphs())
def test_no_visit_is_made_twice_whatever_the_branches_do(drawn: Drawn) -> None:
    visits, _ = asyncio.run(finished(made(drawn)))
    assert max(Counter((one.scope.node, one.scope.visit) for one in visits).values()) == 1


@SETTINGS
@given(graphs())
def test_step_by_step_in_langgraph_it_does_the_same(drawn: Drawn) -> None:
    expected = interpreted(drawn)
    compiled = made(drawn).to_langgraph().compile()
    try:
        state = asyncio.run(compiled.ainvoke({"inputs": {}}, {"recursion_limit": 500}))
    except NodeError:
        assert expected.failed
    else:
        assert not expected.failed
        assert (state["@outputs"], Counter(state["@visits"])) == (expected.values, expected.visits)
