"""Where work is done: one run as its nodes see it, and one place inside a visit of a node."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from agentkit.errors import QuestionsPendingError
from agentkit.events import Emit, Event, Scope
from agentkit.protocols import ConnectedTool, Model, Tool
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.cache import NodeCache
from agentkit.runtime.codec import fingerprint
from agentkit.runtime.connections import Connections
from agentkit.runtime.journal import Journal
from agentkit.types import JSON, Question

Work = Callable[["NodeContext"], Awaitable[Mapping[str, JSON]]]
"""What is done at a place: plain outputs."""


Choose = Callable[[Mapping[str, Model]], Model]
"""Makes a model that chooses between others, by their names in the graph."""


def _no_choice(name: str) -> Choose | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """One run, as its nodes see it. ``outputs`` collects what each node put out last, ``kept`` who finished, in order.

    ``open_model`` gives the backend of a full name; ``choosing`` what makes the model of that name from others, if it is one
    that chooses between them call by call.

    ``held`` are the nodes that cannot go on before a person answers their questions, ``answers`` those given ahead, by the
    question's id. ``now`` is in seconds since 1970, ``cache`` what earlier runs put out. ``connections`` are
    open as long as the run is; without them every call of a tool makes its own. For a graph inside a node ``place`` is where
    it runs, and ``outputs``, ``kept`` and ``held`` are its own.
    """

    run: str
    seed: int
    emit: Emit
    ledger: Ledger
    clock: Callable[[], float]
    open_model: Callable[[str], Model]
    choosing: Callable[[str], Choose | None] = _no_choice
    journal: Journal | None = None
    place: Scope = field(default_factory=Scope)
    outputs: dict[str, Mapping[str, JSON]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    held: dict[str, tuple[Question, ...]] = field(default_factory=dict)
    answers: Mapping[str, JSON] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    cache: NodeCache | None = None
    connections: Connections | None = None

    @property
    def pending(self) -> tuple[Question, ...]:
        """The questions that wait for a person."""
        return tuple(question for questions in self.held.values() for question in questions)

    def inside(self, place: Scope, ledger: Ledger) -> RunContext:
        """The same run as the nodes of a graph inside a node see it, which is at ``place`` and pays from ``ledger``."""
        return replace(self, place=place, ledger=ledger, outputs={}, kept=[], held={})

    def proceed(self) -> None:
        """Raises ``QuestionsPendingError`` when a person must answer before the graph can come to its end."""
        if self.held:
            raise QuestionsPendingError(self.pending)

    def scope(self, node: str, visit: int) -> Scope:
        """The place of a visit: of a graph inside a node it is a part ``node:visit`` of that node's."""
        return self.place.inner(f"{node}:{visit}") if self.place.node else Scope(run=self.run, node=node, visit=visit)

    def title(self, node: str) -> str:
        """The node's name with those of the nodes around it, as people write it: ``review/solve``."""
        around = [part.partition(":")[0] for part in self.place.path.split("/") if part]
        return "/".join([self.place.node, *around, node]).lstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """A place inside a visit of a node: where it is, what pays for it, and ``bind``, which puts a model there."""

    scope: Scope
    run: RunContext
    ledger: Ledger
    bind: Callable[[str, Scope, Ledger], Model]

    @property
    def seed(self) -> int:
        """This place's own seed, drawn from the run's: another visit, sample or item gets another one."""
        where = f"{self.run.seed}/{self.scope.node}/{self.scope.visit}"
        return _number(f"{where}/{self.scope.path}" if self.scope.path else where)

    @property
    def title(self) -> str:
        """The node's name with those of the nodes around it, as people write it: ``review/solve``."""
        around = [part.partition(":")[0] for part in self.scope.path.split("/") if part]
        return "/".join([self.scope.node, *(name for name in around if name not in ("item", "sample", "tool"))])

    @property
    def fence(self) -> str:
        """What the delimiters of a visit are drawn from; the same for its samples, so that their prompts share a beginning."""
        return str(_number(f"{self.run.seed}/{self.scope.node}/{self.scope.visit}"))

    def model(self, name: str) -> Model:
        """The graph's model of that name, its calls counted, recorded and shown at this place."""
        return self.bind(name, self.scope, self.ledger)

    async def call(self, tool: Tool, arguments: Mapping[str, JSON]) -> JSON:
        """What the tool gives, over the connection that the run holds where it needs one."""
        if self.run.connections is None or not isinstance(tool, ConnectedTool):
            return await tool.call(dict(arguments))
        return await tool.call_over(self.run.connections.get(tool.connection, tool.connect), dict(arguments))

    def emit(self, event: Event) -> None:
        """Tell what happened here; components say what, this says where."""
        self.run.emit(placed(event, self.scope))

    def inner(self, part: str, budget: Budget | None = None, *, name: str = "") -> NodeContext:
        """The place ``part`` inside this one (``sample:3``), with an account of its own and perhaps a budget."""
        scope, journal = self.scope.inner(part), self.run.journal
        spent = journal.usage(scope) if journal and budget else None
        return replace(self, scope=scope, ledger=self.ledger.child(budget, name=name, spent=spent))

    async def once(self, key: JSON, work: Work) -> Mapping[str, JSON]:
        """What ``work`` puts out here: from the record where it finished before under this ``key``, else done and recorded."""
        journal = self.run.journal
        if journal is None:
            return await work(self)
        mark = fingerprint([key, self.run.seed])
        if known := journal.finished_node(self.scope, mark):
            return known.outputs
        started = self.run.clock()
        outputs = await work(self)
        journal.finish_node(self.scope, mark, outputs, self.ledger.spent, self.run.clock() - started)
        return outputs


def placed(event: Event, scope: Scope) -> Event:
    """``event`` at ``scope``, or inside it where it names a path of its own; one that knows its run stays as it is."""
    if event.scope.run:
        return event
    path = "/".join(part for part in (scope.path, event.scope.path) if part)
    return replace(event, scope=replace(scope, path=path))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & 0x7FFFFFFF
