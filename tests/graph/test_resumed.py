"""Random graphs of every kind of node: killed or cancelled anywhere and resumed, they end as if nothing had happened."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agentkit.errors import NodeError
from agentkit.events import Event, NodeFinished
from agentkit.graph import Graph, load_text
from agentkit.registry import Registry
from agentkit.runtime.rows import Row, Rows
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest


class Killed(BaseException):
    """The process is gone."""


class Deadly:
    """Rows of a run that dies before or after commit number ``at``: from then on nothing is written."""

    def __init__(self, rows: Rows, at: float) -> None:
        self._rows, self.left = rows, at

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def append(self, rows: list[Row]) -> int:
        self._step()
        seq = self._rows.append(rows)
        self._step()
        return seq

    def update(self, *standing: Any) -> None:
        self._step()
        self._rows.update(*standing)

    def _step(self) -> None:
        self.left -= 0.5
        if self.left <= 0:
            raise Killed


@dataclass(frozen=True, kw_only=True)
class DeadlyStore(Store):
    """Its first journal kills."""

    at: float

    def create(self, **settings: Any) -> Any:
        journal = super().create(**settings)
        journal._file._rows = Deadly(journal._file._rows, self.at)
        return journal


class Worked(TypedDict):
    value: int
    text: str
    items: list[str]


def digest(*parts: Any) -> int:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).digest()[0] % 10


@dataclass(frozen=True, kw_only=True)
class Work:
    """A digit drawn from what it was given, and a few texts; a fragile one fails at some."""

    label: str
    fragile: bool = False

    async def run(self, *, a: Any = None, b: Any = None) -> Worked:
        value = digest(self.label, a, b)
        for _ in range(value % 3):
            await asyncio.sleep(0)
        if self.fragile and value % 3 == 0:
            raise ValueError(f"{value} is too much")
        return {"value": value, "text": f"{value}", "items": [f"{self.label}{place}" for place in range(value % 4)]}


def answer(request: GenerateRequest) -> str:
    """The same to the same request."""
    return f"The answer is {digest([one.content for one in request.messages], request.seed) % 4}"


def asking(label: str) -> dict[str, Any]:
    return {"use": "model", "with": {"model": "small", "prompt": label + " {{a}} {{b}}", "temperature": 1.0}}


def inner(label: str) -> dict[str, Any]:
    """A graph of two nodes that ask, the second in a loop."""
    first = {**asking(label), "in": {"a": "inputs.a", "b": [""]}}
    second = {**asking(f"{label} again"), "in": {"a": "x.text", "b": ["y.text", ""]}}
    return {
        "inputs": {"a": {"default": ""}, "b": {"default": ""}},
        "outputs": {"text": "y.text"},
        "models": {"small": "fake/x"},
        "nodes": {"x": first, "y": second},
        "edges": ["x -> y", {"from": "y", "to": "y", "max": 1}],
    }


@st.composite
def graphs(draw: st.DrawFn) -> str:
    """Graph files of two to seven nodes of every kind; edges forwards, one back, and one from a failure."""
    names = [f"n{number}" for number in range(draw(st.integers(2, 7)))]
    nodes: dict[str, Any] = {}
    works: list[str] = []
    edges: list[Any] = []
    outputs: dict[str, str] = {}
    for place, name in enumerate(names):
        kind = draw(st.sampled_from(["work", "work", "model", "sample", "map", "graph", "graph map", "graph sample"]))
        lists = [one for one in works if one in names[:place]]
        kind = kind if place and (lists or "map" not in kind) else "work"
        sources = names[:place] and draw(st.lists(st.sampled_from(names[:place]), min_size=1, max_size=2, unique=True))
        edges += [{"from": one, "to": name} for one in sources]
        readable = [one for one in sources if kind == "work" or "map" not in nodes[one]]
        reads = {port: [f"{one}.text", ""] for port, one in zip("ab", readable, strict=False)}
        nodes[name] = node = _node(kind, name, fragile=draw(st.booleans()))
        if "map" in kind:
            over = draw(st.sampled_from(lists))
            edges += [] if over in sources else [{"from": over, "to": name}]
            node["map"] = {"over": f"{over}.items", "concurrency": draw(st.integers(1, 3)), "on_error": "skip"}
            reads["a"] = f"{over}.items"
        node["in"] = {"a": "", "b": "", **reads} if kind != "work" else reads
        outputs[name] = f"{name}.text"
        works += [name] if kind == "work" else []
    if draw(st.booleans()):
        back, source = sorted(draw(st.lists(st.sampled_from(names), min_size=2, max_size=2)))
        edges.append({"from": source, "to": back, "max": 1})
    fragile = [name for name in works[:-1] if nodes[name]["with"]["fragile"]]
    for name in fragile[:1]:
        nodes[name]["on_error"] = {"to": draw(st.sampled_from(names[names.index(name) + 1 :]))}
    for edge in draw(st.lists(st.sampled_from(edges), max_size=2)):
        edge["when"] = f"{draw(st.sampled_from(works))}.value % 2 == 0"
    return json.dumps(
        {
            "schema": "agentkit/v1",
            "name": "drawn",
            "models": {"small": "fake/x"},
            "outputs": outputs,
            "nodes": nodes,
            "edges": edges,
        }
    )


def _node(kind: str, name: str, *, fragile: bool) -> dict[str, Any]:
    if kind == "work":
        return {"use": "work", "with": {"label": name, "fragile": fragile}}
    node = {"use": "graph", "with": {"graph": inner(name)}} if "graph" in kind else asking(name)
    return {**node, "sample": {"n": 3, "vote": "text", "stop": "esc"}} if "sample" in kind else node


@dataclass(frozen=True, kw_only=True)
class Fake:
    model: str = ""


@dataclass
class Trial:
    """One run: what came of it, the visits it made, and what was asked of the model."""

    output: Any = None
    calls: int = -1
    made: frozenset[tuple[str, int, str]] = frozenset()
    asked: int = 0
    killed: bool = False


def graph_of(text: str, model: ScriptedModel, store: Store) -> Graph:
    registry = Registry()
    registry.add("node", "work", Work, plugin="tests")
    registry.add("model", "fake", Fake, plugin="tests")
    spec = load_text(text, registry=registry)
    return Graph(spec, registry=registry, open_model=lambda entry: model, store=store, environ={})


async def tried(text: str, store: Store, *, resume: str | None = None, cancel_at: int = -1, seed: int = 0) -> Trial:
    model = ScriptedModel(script=answer)
    seen: list[Event] = []

    def see(happened: Event) -> None:
        seen.append(happened)
        if len(seen) == cancel_at:
            task.cancel()

    graph = graph_of(text, model, store)
    task = asyncio.create_task(graph.execute({}, resume=resume, emit=see, seed=None if resume else seed))
    trial = Trial()
    try:
        run = await task
        trial.output, trial.calls = dict(run.output), run.usage.calls
    except NodeError:
        trial.output = "failed"
    except (Killed, asyncio.CancelledError):
        trial.killed = True
    finished = [one for one in seen if isinstance(one, NodeFinished) and not (one.error or one.skipped or one.recorded)]
    trial.made = frozenset((one.scope.node, one.scope.visit, one.scope.path) for one in finished)
    trial.asked = len(model.requests)
    return trial


def recorded(store: Store, run: str) -> tuple[set[tuple[str, int, str]], int]:
    with store.look(run) as journal:
        visits = {(one.scope.node, one.scope.visit, one.scope.path) for one in journal.visits()}
        return visits, sum(1 for _ in journal.calls.drawn())


async def ends_the_same(text: str, first: Any, cancel_at: int) -> None:
    """A run without a kill, one that ends at ``cancel_at`` events or when ``first`` (a store) kills it, and that one resumed."""
    store = Store(home=first.home)
    whole = await tried(text, Store(home=first.home / "whole"))
    broken = await tried(text, first, cancel_at=cancel_at)
    if not broken.killed:
        assert broken.output == whole.output
        return
    run = store.runs()[0]
    finished, committed = recorded(store, run.id)
    resumed = await tried(text, store, resume=run.id)
    event(f"{run.status}, then {'failed' if resumed.output == 'failed' else 'succeeded'}")
    assert resumed.output == whole.output
    in_flight = broken.asked - committed
    assert 0 <= resumed.calls - whole.calls <= in_flight  # a cancelled call is paid for
    assert not resumed.made & finished
    if whole.output != "failed":
        assert broken.asked + resumed.asked - whole.asked <= in_flight


SETTINGS = settings(max_examples=40, deadline=None)


@SETTINGS
@given(graphs(), st.integers(1, 40))
def test_killed_around_any_commit_and_resumed_it_ends_the_same(text: str, at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(ends_the_same(text, DeadlyStore(home=Path(folder), at=at / 2), -1))


@SETTINGS
@given(graphs(), st.integers(1, 40))
def test_cancelled_at_any_event_and_resumed_it_ends_the_same(text: str, at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(ends_the_same(text, Store(home=Path(folder)), at))


@SETTINGS
@given(graphs(), st.integers(0, 3))
def test_the_same_seed_is_the_same_run(text: str, seed: int) -> None:
    async def twice() -> None:
        with tempfile.TemporaryDirectory() as folder:
            one, other = [await tried(text, Store(home=Path(folder) / name), seed=seed) for name in "ab"]
            assert (one.output, one.calls, one.made) == (other.output, other.calls, other.made)

    asyncio.run(twice())
