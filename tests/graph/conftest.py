"""A bench for graphs: a registry with small components of its own, and models that say what a test tells them to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, TypedDict

import pytest

from agentkit.errors import BudgetExceededError
from agentkit.events import Event
from agentkit.graph import Graph, GraphSpec, load_text
from agentkit.protocols import Model
from agentkit.registry import Registry, lazy
from agentkit.runtime.sampling import draw
from agentkit.testing import ScriptedModel
from agentkit.types import (
    JSON,
    Document,
    Finding,
    GenerateRequest,
    Message,
    Problem,
    Record,
    Score,
    Solution,
    ToolSpec,
    Vote,
)


@dataclass(frozen=True, kw_only=True)
class FakeBackend:
    """Stands in the file for the model that the test gives."""

    model: str = ""
    api_key: str = ""
    path: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A strategy that asks once."""

    samples: int = 1

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        sample = await draw(model, GenerateRequest(messages=Problem.of(problem).messages))
        return Solution(answer=sample.text, votes=(Vote(answer=sample.text, count=1, weight=1.0),), samples=(sample,))


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """A strategy that asks until its budget ends, and then tells what it has."""

    seed: int = 0

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        answers: list[str] = []
        while True:
            try:
                request = GenerateRequest(messages=Problem.of(problem).messages, seed=self.seed + len(answers))
                answers.append((await draw(model, request)).text)
            except BudgetExceededError as error:
                error.best_so_far = Solution(answer=answers[-1]) if answers else None
                raise


@dataclass(frozen=True, kw_only=True)
class Reverse:
    """A reranker."""

    async def rerank(self, query: str, documents: Sequence[Document]) -> Sequence[Document]:
        return [*documents][::-1]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A retriever over two documents."""

    top_k: int = 2

    async def retrieve(self, query: str) -> list[Document]:
        documents = [Document(text=f"about {query}", title="One", id="1"), Document(text="else", title="Two", id="2")]
        return documents[: self.top_k]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Scores the share of documents; with a model it asks that one."""

    floor: float = 0.0
    model: Model | None = None

    async def evaluate(self, record: Record) -> Score:
        if self.model is not None:
            said = await draw(self.model, GenerateRequest(messages=(Message("user", str(record.output)),)))
            return Score(value=float(said.text))
        if record.output is None:
            return Score(value=None, status="unscored", reason="nothing to judge")
        value = max(self.floor, 1.0 if str(record.output).startswith("good") else 0.25)
        return Score(
            value=value, label="fine" if value > 0.5 else "poor", findings=(Finding(code="X", message="seen"),)
        )


class Joined(TypedDict):
    text: str


@dataclass(frozen=True, kw_only=True)
class Join:
    """Puts two texts together."""

    by: str = "+"

    async def run(self, *, left: str, right: str = "") -> Joined:
        return {"text": f"{left}{self.by}{right}" if right else left}


@dataclass(frozen=True)
class Counted:
    number: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Count:
    """Counts documents."""

    async def run(self, *, documents: tuple[Document, ...]) -> Counted:
        return Counted(number=len(documents), words=tuple(one.title for one in documents))


@dataclass(frozen=True, kw_only=True)
class Adder:
    """A tool."""

    @property
    def spec(self) -> ToolSpec:
        properties = {"a": {"type": "number"}, "b": {"type": "integer", "maximum": 10}}
        parameters = {"type": "object", "properties": properties, "required": ["a"], "additionalProperties": False}
        return ToolSpec(name="adder", description="Adds.", parameters=parameters)

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        return arguments["a"] + arguments.get("b", 0)


@dataclass(kw_only=True)
class Probe:
    """What the ``probe`` nodes of one test did; ``act`` may raise or wait."""

    runs: list[str] = field(default_factory=list)
    act: Callable[[str], Any] = lambda label: None
    cancelled: list[str] = field(default_factory=list)


class Probed(TypedDict):
    value: Any
    label: str


@dataclass(kw_only=True)
class Bench:
    """Loads and runs graphs; ``probe`` sees the ``probe`` nodes run."""

    registry: Registry
    probe: Probe
    home: Path

    def load(self, text: str, **settings: Any) -> GraphSpec:
        return load_text(dedent(text), registry=self.registry, file="graph.yaml", **settings)

    def graph(self, text: str, script: Any = (), *, keep: bool = False, **settings: Any) -> Graph:
        model = script if hasattr(script, "generate") else ScriptedModel(script=script)
        home = self.home if keep else None
        return Graph(
            self.load(text), registry=self.registry, open_model=lambda spec: model, home=home, environ={}, **settings
        )

    async def events(self, graph: Graph, inputs: Mapping[str, Any] | None = None, **settings: Any) -> list[Event]:
        return [event async for event in graph.stream(inputs or {}, **settings)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    probe = Probe()

    @dataclass(frozen=True, kw_only=True)
    class ProbeNode:
        label: str = ""
        value: Any = None

        async def run(self, *, a: Any = None, b: Any = None) -> Probed:
            probe.runs.append(self.label)
            try:
                done = probe.act(self.label)
                if asyncio.iscoroutine(done):
                    done = await done
            except asyncio.CancelledError:
                probe.cancelled.append(self.label)
                raise
            return {"value": done if done is not None else self.value, "label": self.label}

    registry = Registry()
    for kind, name, factory in (
        ("model", "fake", FakeBackend),
        ("strategy", "asking", Asking),
        ("strategy", "greedy", Greedy),
        ("rag", "reverse", Reverse),
        ("strategy", "broken", lazy("agentkit_is_not.there:Broken")),
        ("retriever", "shelf", Shelf),
        ("evaluator", "judge", Judge),
        ("tool", "adder", Adder),
        ("node", "join", Join),
        ("node", "count", Count),
        ("node", "probe", ProbeNode),
    ):
        registry.add(kind, name, factory, plugin="tests")
    return Bench(registry=registry, probe=probe, home=tmp_path / "home")
