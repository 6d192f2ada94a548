"""One run of a graph: inputs checked, events on one stream, the ledger and the journal opened and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentkit.errors import BudgetExceededError
from agentkit.events import Emit, Event, RunFinished, RunStarted, Scope
from agentkit.graph.context import RunContext
from agentkit.graph.spec import GraphSpec
from agentkit.graph.values import graph_outputs
from agentkit.runtime.concurrency import cancel
from agentkit.types import JSON, Run, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Begin a new run with what ``run`` recorded before its node ``at``, which runs anew; None: with all of it.

    ``visit`` says which of several visits of the node (from 0). With ``outputs`` the node does not run: it is taken to have
    put out these, and for the rest what it did.
    """

    run: str
    at: str | None = None
    visit: int = 0
    outputs: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run: ``resume`` names an earlier run to go on with, ``fork`` one to begin a new run with, ``record`` a cassette
    to write, ``replay`` one to answer from.

    Same ``seed``, same run (None: that of the earlier run, else 0). Without ``keep`` nothing is written, and nothing can be
    resumed. ``answers`` are to questions that the run asks, or asked, by their id. Without ``cache`` no node takes what an
    earlier run put out, whatever the graph says.
    """

    resume: str | None = None
    fork: Fork | None = None
    seed: int | None = None
    record: Path | None = None
    replay: Path | None = None
    keep: bool = True
    answers: Mapping[str, JSON] = field(default_factory=dict)
    cache: bool = True

    @property
    def reuses(self) -> bool:
        """Whether nodes may take what earlier runs put out: not where this run shall be live, or like a recorded one."""
        live = self.fork is not None or self.record is not None or self.replay is not None
        return self.cache and self.keep and not live


class Execution:
    """A run under way: ``run`` carries it to its end, ``stream`` does so and tells what happens."""

    def __init__(
        self,
        spec: GraphSpec,
        inputs: Mapping[str, JSON],
        context: RunContext,
        walk: Callable[[Mapping[str, JSON], RunContext], Awaitable[None]],
        *,
        resumed: bool = False,
    ) -> None:
        self.spec, self.inputs, self.context, self._walk, self._resumed = spec, inputs, context, walk, resumed

    async def run(self) -> Run:
        """The finished run; raises what ended it, if it did not succeed. Every event goes to the context's ``emit``."""
        started = self.context.clock()
        nodes = tuple(self.spec.nodes)
        self._emit(RunStarted, graph=self.spec.name, inputs=self.inputs, nodes=nodes, resumed=self._resumed)
        status: RunStatus = "failed"
        error: BaseException | None = None
        try:
            status = await self._walked()
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        except BaseException as raised:
            status, error = ("exhausted" if isinstance(raised, BudgetExceededError) else "failed"), raised
            raise
        finally:
            try:
                if self.context.connections is not None:
                    await self.context.connections.aclose()
            finally:
                run = self._finish(status, error, self.context.clock() - started)
        return run

    async def stream(self) -> AsyncGenerator[Event, None]:
        """What happens, as it happens; raises at the end what ended the run, if it did not succeed.

        Closing the stream cancels the run: nodes, the streams of their models and the connections below them.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.context = replace(self.context, emit=fan(self.context.emit, queue.put_nowait))
        task = asyncio.create_task(self.run())
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            await cancel([task])

    async def _walked(self) -> RunStatus:
        best_so_far = self.spec.budget is not None and self.spec.budget.on_exhausted != "stop"
        try:
            await self._walk(self.inputs, self.context)
        except BudgetExceededError:
            if not best_so_far:
                raise
            return "exhausted"
        return "interrupted" if self.context.held else "succeeded"

    def _finish(self, status: RunStatus, error: BaseException | None, seconds: float) -> Run:
        run = Run(
            id=self.context.run,
            graph=self.spec.name,
            status=status,
            output=graph_outputs(self.spec, self.inputs, self.context.outputs),
            usage=self.context.ledger.spent,
            seconds=seconds,
            error="" if error is None else str(error),
            kept=tuple(dict.fromkeys(self.context.kept)),
            pending=self.context.pending if status == "interrupted" else (),
        )
        told = {"status": status, "output": run.output, "usage": run.usage, "seconds": seconds, "error": run.error}
        self._emit(RunFinished, **told, questions=run.pending)
        if self.context.journal is not None:
            with self.context.journal as journal:
                journal.set_status(status, output=run.output, error=run.error)
        return run

    def _emit(self, event: Callable[..., Event], **facts: object) -> None:
        self.context.emit(event(scope=Scope(run=self.context.run), **facts))


def fan(*listeners: Emit) -> Emit:
    """Tells every listener."""

    def emit(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listeners[0] if len(listeners) == 1 else emit
