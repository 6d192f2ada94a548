"""The runs that were kept: list and read them, go on with one, fork one, compare two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentkit.errors import InputError
from agentkit.events import Emit, ignore
from agentkit.graph.graph import Graph
from agentkit.graph.origin import Origin
from agentkit.graph.run import Fork
from agentkit.runtime import compare
from agentkit.runtime.compare import RunDiff
from agentkit.runtime.header import Header
from agentkit.runtime.journal import Journal
from agentkit.runtime.runstore import RunStore
from agentkit.types import JSON, Run


@dataclass(frozen=True)
class Runs:
    """The runs in ``store``; ``load(path, models=..., changes=...)`` loads their graphs. The Kit makes it: ``kit.runs``.

    Every method that takes a run's id raises ``InputError`` when there is no such run.
    """

    store: RunStore
    load: Callable[..., Graph]

    def list(self) -> list[Header]:
        """All runs, the newest first."""
        return self.store.runs()

    def look(self, run: str) -> Journal:
        """The record of a run, to read from; close it after, or use it in a ``with``."""
        return self.store.look(run)

    def drop(self, run: str) -> None:
        """Delete a run; raises ``StoreError`` while a process is running it."""
        self.store.drop(run)

    def graph(
        self, run: str, *, models: Mapping[str, Any] | None = None, changes: Mapping[str, JSON] | None = None
    ) -> Graph:
        """The graph of a run as its file is now, with the models and changes of then and those given.

        Raises ``InputError`` when it had no file, or had models that were not recorded and are not given.
        """
        origin = Origin.of(self.store.read(run).origin)
        if origin.file is None:
            raise InputError(
                f"run {run!r} was not made from a graph file: load its graph and run it with resume={run!r}"
            )
        if not Path(origin.file).is_file():
            raise InputError(f"the graph of run {run!r} is gone: there is no {origin.file}")
        given = {**origin.models, **(models or {})}
        missing = [name for name, one in given.items() if one is None]
        if missing:
            names = ", ".join(missing)
            raise InputError(f"run {run!r} was given models that are not recorded: give {names} again")
        return self.load(origin.file, models=given, changes={**origin.changes, **(changes or {})})

    def changed(self, run: str) -> tuple[str, ...]:
        """The nodes of a run's graph that are no longer as they were: resumed, they and what follows from them run again."""
        return self.graph(run).changed_since(self.store.read(run))

    async def resume(self, run: str, *, models: Mapping[str, Any] | None = None, emit: Emit = ignore) -> Run:
        """Go on with a run; what it recorded is not paid again. Raises what ``Graph.run`` raises."""
        return await self.graph(run, models=models).execute({}, resume=run, emit=emit)

    async def fork(
        self,
        run: str,
        *,
        at: str | None = None,
        inputs: Mapping[str, JSON] | None = None,
        models: Mapping[str, Any] | None = None,
        changes: Mapping[str, JSON] | None = None,
        seed: int | None = None,
        visit: int = 0,
        outputs: Mapping[str, JSON] | None = None,
        emit: Emit = ignore,
    ) -> Run:
        """A new run with something changed: what the old one recorded before the node ``at`` is read, the rest is live.

        Without ``at`` all that the change leaves as it was is read. ``visit`` says which of several visits of the node, and
        with ``outputs`` the node does not run but is taken to have put out these. The ``usage`` of the new run counts what it
        began with.
        """
        graph = self.graph(run, models=models, changes=changes)
        fork = Fork(run=run, at=at, visit=visit, outputs=outputs)
        return await graph.execute(dict(inputs or {}), fork=fork, seed=seed, emit=emit)

    def diff(self, before: str, after: str) -> RunDiff:
        """What one run did otherwise than another."""
        with closing(self.store.look(before)) as first, closing(self.store.look(after)) as second:
            return compare.diff(first, second)

    def pools(self, runs: Iterable[str], *, gold: str | None = None) -> Iterator[dict[str, JSON]]:
        """The answers of every vote of ``runs``; ``gold`` names the input that holds the right answer."""
        for run in runs:
            with self.store.look(run) as journal:
                yield from compare.pools(journal, journal.header.inputs.get(gold) if gold else None)

    def export(self, run: str) -> dict[str, JSON]:
        """All that is recorded of a run, as plain data: its header, visits of nodes, samples and events."""
        with self.store.look(run) as journal:
            return {
                "run": asdict(journal.header),
                "usage": asdict(journal.usage()),
                "nodes": [asdict(one) for one in journal.visits()],
                "samples": [asdict(one) for one in journal.calls.drawn()],
                "events": [
                    {"at": one.at, "event": type(one.event).__name__, **asdict(one.event)} for one in journal.events()
                ],
            }
