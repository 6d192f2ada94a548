"""A graph you can run."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.errors import InputError
from agentkit.events import Emit, Event, NodeFinished, RunFinished, ignore
from agentkit.graph.compile import Engine, compile_graph, state_graph
from agentkit.graph.kinds import Workshop
from agentkit.graph.models import Models, Open, recorded, replayed
from agentkit.graph.nodes import RunContext
from agentkit.graph.run import Execution, Settings, fan, read_inputs
from agentkit.graph.spec import GraphSpec
from agentkit.graph.walk import Walker
from agentkit.protocols import Model
from agentkit.registry import Registry
from agentkit.runtime.budget import Ledger
from agentkit.runtime.codec import fingerprint
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.journal import Journal
from agentkit.runtime.store import Store
from agentkit.types import JSON, Run, Usage

if TYPE_CHECKING:
    from agentkit.graph.compile import PlainGraph


@dataclass(frozen=True)
class Graph:
    """A checked graph with all it needs to run; the Kit makes it.

    ``open_model`` opens the backend of a model's entry, ``models`` are objects that stand for entries, ``provided`` is
    what components may ask of the Kit. Runs are kept under ``home`` (None: nowhere). ``listeners`` see every event.
    """

    spec: GraphSpec
    _: KW_ONLY
    registry: Registry = field(repr=False)
    open_model: Open = field(repr=False)
    models: Mapping[str, Model] = field(default_factory=dict, repr=False)
    provided: Mapping[str, Any] = field(default_factory=dict, repr=False)
    home: Path | None = None
    listeners: tuple[Emit, ...] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    async def run(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """Run to the end on the given inputs.

        Raises ``InputError`` for wrong inputs, ``NodeError`` for a node that failed, ``BudgetExceededError`` when the
        budget is spent (unless it says ``on_exhausted: best_so_far``).
        """
        return await self.execute({**(inputs or {}), **named})

    def run_sync(self, inputs: Mapping[str, Any] | None = None, /, **named: Any) -> Run:
        """``run`` from ordinary code."""
        return run_sync(self.run(inputs, **named))

    async def execute(self, inputs: Mapping[str, Any], *, emit: Emit = ignore, **settings: Any) -> Run:
        """``run`` with the settings of ``stream``; ``emit`` sees every event."""
        kept: dict[str, None] = {}
        end = RunFinished(status="failed", output={}, usage=Usage(), seconds=0.0)
        async with aclosing(self.stream(inputs, **settings)) as events:
            async for event in events:
                emit(event)
                if isinstance(event, NodeFinished) and not event.error and not event.skipped:
                    kept[event.scope.node] = None
                elif isinstance(event, RunFinished):
                    end = event
        return Run(
            id=end.scope.run,
            graph=self.spec.name,
            status=end.status,
            output=end.output,
            usage=end.usage,
            seconds=end.seconds,
            error=end.error,
            kept=tuple(kept),
        )

    async def stream(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        resume: str | None = None,
        seed: int = 0,
        record: Path | None = None,
        replay: Path | None = None,
        keep: bool = True,
        **named: Any,
    ) -> AsyncGenerator[Event, None]:
        """What happens in a run, as it happens, ending with ``RunFinished``; closing the stream cancels the run.

        ``resume`` goes on with an earlier run: what it recorded is not paid again. ``record`` writes every response to a
        new cassette, ``replay`` answers from one. Same ``seed``, same run. Without ``keep`` nothing is written.
        """
        settings = Settings(resume=resume, seed=seed, record=record, replay=replay, keep=keep)
        execution = self._execution({**(inputs or {}), **named}, settings)
        async with aclosing(execution.events()) as events:
            async for event in events:
                yield event

    def to_langgraph(self) -> PlainGraph:
        """The same graph as a langgraph ``StateGraph``, uncompiled.

        Its state takes ``{"inputs": {...}}`` and ends with what nodes put out under ``@outputs``. The graph's budget holds
        for all runs of the returned object together.
        """
        return state_graph(self._walker, cache(self._detached))

    @cached_property
    def _walker(self) -> Walker:
        return Walker(self.spec, Workshop(spec=self.spec, registry=self.registry, provided=self.provided))

    @cached_property
    def _engine(self) -> Engine:
        return compile_graph(self._walker, self._detached)

    @cached_property
    def _models(self) -> Models:
        return Models(
            spec=self.spec, registry=self.registry, open=self.open_model, given=self.models, environ=self.environ
        )

    def _execution(self, inputs: Mapping[str, Any], settings: Settings) -> Execution:
        if settings.replay is None:
            self._models.check()
        journal = self._resumed(settings.resume) if settings.resume else None
        values = read_inputs(self.spec, inputs or (journal.header.inputs if journal else {}))
        if journal is None and settings.keep and self.home is not None:
            journal = self._store.create(graph=self.spec.name, graph_hash=fingerprint(self.spec.data()), inputs=values)
        context = self._context(settings, journal)
        return Execution(self.spec, values, context, self._walk, resumed=settings.resume is not None)

    async def _walk(self, inputs: Mapping[str, JSON], context: RunContext) -> None:
        await self._engine.run(inputs, context)

    @property
    def _store(self) -> Store:
        assert self.home is not None
        return Store(home=self.home)

    def _resumed(self, run: str) -> Journal:
        if self.home is None:
            raise InputError(f"run {run!r} cannot go on: this graph keeps no runs")
        header = self._store.read(run)
        if header.graph != self.spec.name:
            raise InputError(f"run {run!r} is one of the graph {header.graph!r}, not of {self.spec.name!r}")
        return self._store.open(run)

    def _detached(self) -> RunContext:
        return self._context(Settings(keep=False), None)

    def _context(self, settings: Settings, journal: Journal | None) -> RunContext:
        opener: Callable[[str], Model] = self._models.model
        if settings.replay is not None:
            opener = replayed(settings.replay)
        if settings.record is not None:
            opener = recorded(opener, settings.record)
        return RunContext(
            run=journal.header.id if journal else secrets.token_hex(6),
            seed=settings.seed,
            emit=fan(self.listeners),
            ledger=Ledger(
                self.spec.budget,
                clock=self.clock,
                spent=journal.usage() if journal else None,
                elapsed=journal.elapsed if journal else 0.0,
            ),
            clock=self.clock,
            open_model=opener,
            journal=journal,
        )
