"""The contracts: one to three methods each, and nothing to inherit.

A component that satisfies one of these is a frozen, keyword-only dataclass: its fields are its options, and the
graph file, ``repr``, equality and the JSON Schema follow from them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol, runtime_checkable

from agentkit.types import (
    JSON,
    Bounds,
    Capabilities,
    Delta,
    Document,
    GenerateRequest,
    Outcome,
    Problem,
    Record,
    Sample,
    Score,
    Solution,
    ToolSpec,
)

SampleStream = AsyncGenerator[Sample | Delta, None]
"""Samples as each finishes, in any order; ``aclose()`` cancels those still being drawn."""


@runtime_checkable
class Model(Protocol):
    """A chat model, or anything that behaves as one: everything on the way of a call is a Model wrapping a Model."""

    @property
    def name(self) -> str:
        """What to call it in reports, e.g. ``local/smollm2``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can honour."""
        ...

    def generate(self, request: GenerateRequest) -> SampleStream:
        """An async generator of exactly ``request.n`` samples as each finishes; closing it cancels the rest."""
        ...


@runtime_checkable
class Strategy(Protocol):
    """Spends extra model calls to reach a better answer.

    A strategy that shows its progress also takes ``emit``: ``solve(problem, *, model, emit=ignore)``.
    """

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        """The answer to ``problem``, with the votes or the tree that led to it."""
        ...


@runtime_checkable
class ProcessRewardModel(Protocol):
    """Scores the steps of a solution, finished or not."""

    async def score(self, problem: Problem, steps: Sequence[str]) -> Sequence[float]:
        """One score in [0, 1] for each of ``steps``, in their order; no score at all when it cannot judge them."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """Identifies weights and settings: vectors of different names are not comparable."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """A float32 array of shape (len(texts), dimensions) with rows of unit length."""
        ...


@runtime_checkable
class Retriever(Protocol):
    """Finds passages."""

    async def retrieve(self, query: str) -> Sequence[Document]:
        """The passages for ``query``, best first."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """Puts passages in a better order."""

    async def rerank(self, query: str, documents: Sequence[Document]) -> Sequence[Document]:
        """The documents for ``query``, best first; it may return fewer."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """Judges a record."""

    async def evaluate(self, record: Record) -> Score:
        """The score of ``record.output``; a record that cannot be judged is ``unscored`` with a reason, never NaN."""
        ...


@runtime_checkable
class Tool(Protocol):
    """Something a model or a graph can call.

    One that does no harm when it is called twice may say so with a property ``idempotent``; lint then lets it be retried.
    """

    @property
    def spec(self) -> ToolSpec:
        """Name, description and the JSON Schema of the arguments."""
        ...

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """The result as plain data; raises ``ToolError`` with a sentence that the model can act on."""
        ...


class Connection(Protocol):
    """Something open to the outside; ``aclose`` may be called twice."""

    async def aclose(self) -> None:
        """Give everything back."""
        ...


@runtime_checkable
class ConnectedTool(Protocol):
    """A tool behind a connection that all calls of a run share: it is made for the first and closed when the run ends."""

    @property
    def connection(self) -> str:
        """Tools that say the same share one."""
        ...

    def connect(self) -> Connection:
        """A connection that opens when it is first used."""
        ...

    async def call_over(self, connection: Any, arguments: dict[str, JSON]) -> JSON:
        """``call`` over what ``connect`` made."""
        ...


@runtime_checkable
class Toolset(Protocol):
    """A component that stands for several tools."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools, in a stable order."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """A component that can say how many samples it draws before it does: beside its own protocol, and optional.

    ``agentkit plan`` and ``agentkit lint`` ask it. One that uses models and does not say is reported as unknown.
    """

    def bounds(self) -> Sequence[Bounds]:
        """The bounds of one call of it with these options, one for each model that it asks."""
        ...


@runtime_checkable
class Episode(Protocol):
    """One task of an environment, being played. It keeps its own state, so one episode serves one player."""

    @property
    def task(self) -> str:
        """What is to be done, the rules and how an action is written, for someone who knows nothing else."""
        ...

    @property
    def tools(self) -> Sequence[ToolSpec]:
        """The actions as tools; one tool called ``act`` where an action is a line of text."""
        ...

    def observe(self) -> str:
        """What the player may know of the world now."""
        ...

    def legal(self) -> Sequence[str]:
        """The actions that can be taken now; empty where they are too many to list, or would give the answer away."""
        ...

    def step(self, action: str) -> Outcome:
        """Take an action: a line of the task's grammar, or ``tool {"argument": value}``. Never raises for what it says."""
        ...


@runtime_checkable
class Environment(Protocol):
    """Makes episodes whose every step is judged exactly. Same seed, same episode."""

    @property
    def errors(self) -> Sequence[str]:
        """The kinds of errors that ``inject`` can plant."""
        ...

    def start(self, seed: int) -> Episode:
        """The episode of this seed, at its beginning."""
        ...

    def solve(self, seed: int) -> Sequence[str]:
        """Actions that solve the episode of this seed: an optimal run, or where that is out of reach a good one."""
        ...

    def inject(self, seed: int, kind: str, step: int) -> Sequence[str] | None:
        """The solution with its first error, of this kind, at ``step`` (0-based); None where the kind is no error there."""
        ...


class Node(Protocol):
    """A step of a graph that is none of the other kinds.

    ``run`` takes its input ports as keyword-only parameters and returns its outputs; the parameters' annotations and those
    of the returned dataclass or TypedDict are the typed ports that the loader checks::

        async def run(self, *, answer: str, documents: tuple[Document, ...] = ()) -> Cited: ...
    """

    @property
    def run(self) -> Any:
        """The async callable described above."""
        ...
