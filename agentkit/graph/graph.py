"""A graph you can run."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.errors import InputError, Problem, did_you_mean
from agentkit.events import Emit, Event, Scope, ignore
from agentkit.graph.backends import Backends
from agentkit.graph.compile import Engine, compile_graph, inner_walk, state_graph
from agentkit.graph.context import RunContext
from agentkit.graph.kinds import Workshop
from agentkit.graph.lint import lint
from agentkit.graph.models import Models, Open, recorded, replayed
from agentkit.graph.nodes import visit_key
from agentkit.graph.origin import Origin, changed, origin_of, visits_before
from agentkit.graph.plan import Assumptions, Plan, plan
from agentkit.graph.questions import answered, check_ahead
from agentkit.graph.run import Execution, Fork, Settings, fan
from agentkit.graph.spec import GraphSpec
from agentkit.graph.substitute import put
from agentkit.graph.values import read_inputs
from agentkit.graph.walk import Walker
from agentkit.graph.write import to_yaml
from agentkit.protocols import Model
from agentkit.registry import Registry
from agentkit.runtime.budget import Ledger
from agentkit.runtime.codec import fingerprint
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.connections import Connections
from agentkit.runtime.header import Header
from agentkit.runtime.journal import Journal
from agentkit.runtime.rows import Row
from agentkit.runtime.runstore import RunStore
from agentkit.runtime.store import Store
from agentkit.types import JSON, Run
from agentkit.yaml_reader import Source, read

if TYPE_CHECKING:
    from agentkit.graph.builder import GraphBuilder
    from agentkit.graph.compile import PlainGraph


class MakesGraphs(Protocol):
    """The part of a Kit that makes graphs."""

    def graph(self, source: Any, **settings: Any) -> Graph:
        """The graph of a file or a builder."""
        ...


@dataclass(frozen=True)
class Graph:
    """A checked graph with all it needs to run; the Kit makes it.

    ``open_model`` opens the backend of a model's entry, ``models`` are objects that stand for entries, ``provided`` is
    what components may ask of the Kit. Runs are kept in ``store``, or else under ``home`` (None: nowhere). ``listeners`` see
    every event. ``source`` is what a file would hold, of a graph that has none.
    """

    spec: GraphSpec
    _: KW_ONLY
    registry: Registry = field(repr=False)
    open_model: Open = field(repr=False)
    models: Mapping[str, Model] = field(default_factory=dict, repr=False)
    provided: Mapping[str, Any] = field(default_factory=dict, repr=False)
    source: Source | None = field(default=None, repr=False)
    home: Path | None = None
    store: RunStore | None = field(default=None, repr=False)
    listeners: tuple[Emit, ...] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    now: Callable[[], float] = field(default=time.time, repr=False)

    async def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        resume: str | None = None,
        answers: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Run:
        """Run to the end on the given inputs, or go on with the run ``resume``.

        Where a person must answer first, the run ends as ``interrupted`` and ``pending`` holds the questions; resumed with
        ``answers``, by the question's id, it goes on from there.

        Raises ``InputError`` for wrong inputs or answers, ``NodeError`` for a node that failed, ``BudgetExceededError`` when the
        budget is spent (unless it says ``on_exhausted: best_so_far``).
        """
        return await self.execute({**(inputs or {}), **named}, resume=resume, answers=answers or {})

    def run_sync(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        resume: str | None = None,
        answers: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Run:
        """``run`` from ordinary code."""
        return run_sync(self.run(inputs, resume=resume, answers=answers, **named))

    async def execute(self, inputs: Mapping[str, Any], *, emit: Emit = ignore, **settings: Any) -> Run:
        """``run`` with the settings of ``stream``; ``emit`` sees every event."""
        return await self._execution(inputs, Settings(**settings), emit).run()

    async def stream(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        resume: str | None = None,
        fork: Fork | None = None,
        seed: int | None = None,
        record: Path | None = None,
        replay: Path | None = None,
        keep: bool = True,
        answers: Mapping[str, Any] | None = None,
        cache: bool = True,
        **named: Any,
    ) -> AsyncGenerator[Event, None]:
        """What happens in a run, as it happens, ending with ``RunFinished``; closing the stream cancels the run.

        ``resume`` goes on with an earlier run: what it recorded is not paid again. ``fork`` begins a new run with what an
        earlier one recorded before some node. ``record`` writes every response to a new cassette, ``replay`` answers from
        one. Same ``seed``, same run (None: the earlier run's, else 0). Without ``keep`` nothing is written. ``answers`` are
        those of a person, by the question's id: ``InputError`` for one that does not fit, and the question stays open.
        Without ``cache`` no node takes what an earlier run put out.
        """
        settings = Settings(
            resume=resume,
            fork=fork,
            seed=seed,
            record=record,
            replay=replay,
            keep=keep,
            answers=answers or {},
            cache=cache,
        )
        execution = self._execution({**(inputs or {}), **named}, settings, ignore)
        async with aclosing(execution.stream()) as events:
            async for event in events:
                yield event

    @classmethod
    def from_builder(cls, builder: GraphBuilder, kit: MakesGraphs, **settings: Any) -> Graph:
        """``kit.graph(builder, ...)``: the graph of a builder, checked and ready to run."""
        return kit.graph(builder, **settings)

    def to_yaml(self) -> str:
        """The graph as the text of a file, normalised; raises ``ConfigError`` where it holds what only this program has."""
        return to_yaml(self.spec)

    def to_langgraph(self) -> PlainGraph:
        """The same graph as a langgraph ``StateGraph``, uncompiled.

        Its state takes ``{"inputs": {...}}`` and ends with what nodes put out under ``@outputs``. The graph's budget holds
        for all runs of the returned object together.
        """
        return state_graph(self._walker, cache(self._detached))

    def plan(self, *, items: int | None = None, value_tokens: int = 1000, call_seconds: float | None = None) -> Plan:
        """Bounds of what a run will cost, before it runs; no model is called.

        ``items`` is the longest list that a ``map`` meets, ``value_tokens`` the most tokens that a value takes up in a prompt,
        ``call_seconds`` the longest that a call takes.
        """
        assume = Assumptions(items=items, value_tokens=value_tokens, call_seconds=call_seconds)
        return plan(self._walker.shop, self.backends, assume)

    def lint(self, *, codes: Collection[str] | None = None) -> list[Problem]:
        """What is odd in its file though it loads, each with a code, a severity and a place; ``codes`` are the rules to ask."""
        return lint(self._walker.shop, self.backends, self.source or self._read(), codes=codes)

    def _read(self) -> Source:
        try:
            return read(Path(self.spec.file).read_bytes(), file=self.spec.file)
        except OSError as error:
            raise InputError(f"{self.spec.file} cannot be read again: {error.strerror}") from None

    @cached_property
    def backends(self) -> Backends:
        """What the backends of its models say of themselves."""
        return Backends(spec=self.spec, registry=self.registry, given=self.models, provided=self.provided)

    @cached_property
    def _walker(self) -> Walker:
        shop = Workshop(spec=self.spec, registry=self.registry, walk=inner_walk, provided=self.provided)
        return Walker(self.spec, shop)

    @cached_property
    def _engine(self) -> Engine:
        return compile_graph(self._walker, self._detached)

    @cached_property
    def _models(self) -> Models:
        return Models(
            spec=self.spec, registry=self.registry, open=self.open_model, given=self.models, environ=self.environ
        )

    def changed_since(self, run: Header) -> tuple[str, ...]:
        """The nodes that are no longer as they were when ``run`` was made: resumed, they and what follows run again."""
        return changed(Origin.of(run.origin), self._origin(0))

    def _execution(self, inputs: Mapping[str, Any], settings: Settings, emit: Emit) -> Execution:
        if settings.replay is None:
            self._models.check()
        journal, settings = self._journal(inputs, settings)
        try:
            given = inputs or (journal.header.inputs if settings.resume and journal else {})
            values = dict(journal.header.inputs) if settings.fork and journal else read_inputs(self.spec, given)
        except InputError:
            if journal is not None:
                journal.close()
            raise
        if journal is not None and settings.seed is None:
            settings = replace(settings, seed=Origin.of(journal.header.origin).seed)
        context = self._context(settings, journal, emit)
        return Execution(self.spec, values, context, self._walk, resumed=settings.resume is not None)

    def _journal(self, inputs: Mapping[str, Any], settings: Settings) -> tuple[Journal | None, Settings]:
        """The record of the run, opened or made (None where nothing is kept), and the settings with the answers left to give."""
        ahead = tuple(name for name in settings.answers if name.partition("/")[0].partition(":")[0] in self.spec.nodes)
        if settings.resume:
            self._check_earlier(settings.resume)
            journal, left = answered(self._store, settings.resume, settings.answers, ahead=ahead)
            return journal, replace(settings, answers=left)
        check_ahead(settings.answers, ahead, self.spec)
        if settings.fork is not None:
            return self._forked(settings.fork, inputs, settings.seed), settings
        if not settings.keep or (self.store is None and self.home is None):
            return None, settings
        return self._create(read_inputs(self.spec, inputs), self._origin(settings.seed or 0)), settings

    def _create(self, inputs: Mapping[str, JSON], origin: Origin, rows: Sequence[Row] = ()) -> Journal:
        return self._store.create(
            graph=self.spec.name, graph_hash=self._hash, inputs=inputs, origin=origin.data(), rows=rows
        )

    def _forked(self, fork: Fork, inputs: Mapping[str, Any], seed: int | None) -> Journal:
        """A new record that begins with what the earlier run had before the node to fork at."""
        self._check_earlier(fork.run)
        with closing(self._store.look(fork.run)) as earlier:
            values = read_inputs(self.spec, {**earlier.header.inputs, **inputs})
            seed = Origin.of(earlier.header.origin).seed if seed is None else seed
            rows = earlier.rows(self._before(fork, earlier))
            if fork.at is not None:
                rows = [self._as_now(table, row, seed) for table, row in rows]
            if fork.outputs is not None:
                rows.append(self._put(fork, earlier, seed))
            return self._create(values, self._origin(seed, fork), rows)

    def _as_now(self, table: str, row: Sequence[Any], seed: int) -> Row:
        """A recorded visit as one of the node as it is now: what came before a fork stays, whatever its model is today."""
        if table != "nodes" or row[2] or row[0] not in self._walker.runners:
            return table, row
        now = visit_key(self._walker.runners[row[0]].identity, seed, {})
        return table, (*row[:3], now[:32] + row[3][32:], *row[4:])

    def _before(self, fork: Fork, earlier: Journal) -> Callable[[Scope], bool]:
        if fork.at is None:
            return lambda scope: True
        if fork.at not in self.spec.nodes:
            raise InputError(f"{self.spec.name} has no node {fork.at!r}{did_you_mean(fork.at, self.spec.nodes)}")
        return visits_before(earlier, fork.at, self._walker.topology.reach[fork.at], fork.visit)

    def _put(self, fork: Fork, earlier: Journal, seed: int) -> Row:
        """The visit to fork at, as if it had put out what the fork says."""
        if fork.at is None:
            raise InputError("outputs can be put in the place of a node's own only where the node to fork at is named")
        return put(earlier, self._walker.runners[fork.at], fork, seed)

    def _check_earlier(self, run: str) -> None:
        if self.store is None and self.home is None:
            raise InputError(f"run {run!r} cannot go on: this graph keeps no runs")
        header = self._store.read(run)
        if header.graph != self.spec.name:
            raise InputError(f"run {run!r} is one of the graph {header.graph!r}, not of {self.spec.name!r}")

    def _origin(self, seed: int, fork: Fork | None = None) -> Origin:
        if fork is None:
            return replace(self._origin_now, seed=seed)
        return replace(self._origin_now, seed=seed, run=fork.run, at=fork.at, outputs=fork.outputs or {})

    @cached_property
    def _origin_now(self) -> Origin:
        identities = {name: runner.identity for name, runner in self._walker.runners.items()}
        return origin_of(self.spec, identities)

    @cached_property
    def _hash(self) -> str:
        return fingerprint(self.spec.data())

    async def _walk(self, inputs: Mapping[str, JSON], context: RunContext) -> None:
        await self._engine.run(inputs, context)

    @cached_property
    def _store(self) -> RunStore:
        assert self.home is not None or self.store is not None
        return self.store or Store(home=self.home or Path())

    def _detached(self) -> RunContext:
        return replace(self._context(Settings(keep=False), None), connections=None)

    def _context(self, settings: Settings, journal: Journal | None, emit: Emit = ignore) -> RunContext:
        opener: Callable[[str], Model] = self._models.model
        if settings.replay is not None:
            opener = replayed(settings.replay)
        if settings.record is not None:
            opener = recorded(opener, settings.record)
        kept = () if journal is None else (journal.timeline.see,)
        return RunContext(
            run=journal.header.id if journal else secrets.token_hex(6),
            seed=settings.seed or 0,
            emit=fan(*self.listeners, emit, *kept),
            ledger=Ledger(
                self.spec.budget,
                clock=self.clock,
                spent=journal.usage() if journal else None,
                elapsed=journal.elapsed if journal else 0.0,
            ),
            clock=self.clock,
            open_model=opener,
            choosing=self._models.choosing,
            journal=journal,
            answers=settings.answers,
            now=self.now,
            cache=self._store.cache if journal is not None and settings.reuses else None,
            connections=Connections(),
        )
