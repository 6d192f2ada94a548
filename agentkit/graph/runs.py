"""The runs that were kept: list and read them, go on with one, fork one, compare two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentkit.errors import GraphError, InputError, did_you_mean
from agentkit.events import Emit, ignore
from agentkit.graph.graph import Graph
from agentkit.graph.origin import Origin
from agentkit.graph.questions import answered, questions_of
from agentkit.graph.run import Fork
from agentkit.runtime import compare
from agentkit.runtime.cache import NodeCache
from agentkit.runtime.compare import RunDiff
from agentkit.runtime.header import Header
from agentkit.runtime.journal import Journal
from agentkit.runtime.runstore import RunStore
from agentkit.types import JSON, Question, Run


@dataclass(frozen=True)
class Runs:
    """The runs in ``store``; ``load(path, models=..., changes=...)`` loads their graphs. The Kit makes it: ``kit.runs``.

    Every method that takes a run's id raises ``InputError`` when there is no such run.
    """

    store: RunStore
    load: Callable[..., Graph]

    @property
    def cache(self) -> NodeCache:
        """What nodes with a ``cache`` put out, kept for later runs."""
        return self.store.cache

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

    def instead(
        self, run: str, node: str, *, use: str | None = None, options: Mapping[str, JSON] | None = None
    ) -> tuple[dict[str, JSON], tuple[str, ...]]:
        """The ``changes`` that put another component or other ``options`` in a node, and the options that were left out for it.

        ``use`` may do without its kind: ``tree_of_thought`` in place of another strategy. Options of the old component that the
        new one does not know are left out.
        """
        spec = self.graph(run).spec
        if node not in spec.nodes:
            raise InputError(f"{spec.name} has no node {node!r}{did_you_mean(node, spec.nodes)}")
        old = spec.nodes[node]
        kept = {**old.options, **(options or {})}
        if use is None:
            return {f"nodes.{node}.with": kept}, ()
        use = use if "." in use or not old.component else f"{old.kind}.{use}"
        changes: dict[str, JSON] = {f"nodes.{node}.use": use, f"nodes.{node}.with": kept}
        try:
            self.graph(run, changes=changes)
        except GraphError as error:
            unknown = {one.path for one in error.problems if one.message.startswith("unknown option")}
            left = tuple(name for name in old.options if f"nodes.{node}.with.{name}" in unknown)
            kept = {name: value for name, value in kept.items() if name not in left}
            return {**changes, f"nodes.{node}.with": kept}, left
        return changes, ()

    def changed(self, run: str) -> tuple[str, ...]:
        """The nodes of a run's graph that are no longer as they were: resumed, they and what follows from them run again."""
        return self.graph(run).changed_since(self.store.read(run))

    async def resume(
        self,
        run: str,
        *,
        answers: Mapping[str, JSON] | None = None,
        models: Mapping[str, Any] | None = None,
        emit: Emit = ignore,
    ) -> Run:
        """Go on with a run, with ``answers`` to what it asked; what it recorded is not paid again. Raises as ``Graph.run``."""
        return await self.graph(run, models=models).execute({}, resume=run, answers=answers or {}, emit=emit)

    def questions(self, run: str) -> tuple[Question, ...]:
        """What a run waits for a person to say."""
        with self.store.look(run) as journal:
            return tuple(one.question for one in questions_of(journal) if one.answer is None)

    def answer(self, run: str, answers: Mapping[str, JSON]) -> tuple[Question, ...]:
        """Record ``answers`` by question, for whoever resumes the run, and return the questions still open.

        The same answer twice changes nothing. Raises ``InputError`` for one that does not fit, and no answer is recorded.
        """
        header = self.store.read(run)
        journal, _ = answered(self.store, run, answers)
        with journal:
            journal.set_status(header.status, output=header.output, error=header.error)
            return tuple(one.question for one in questions_of(journal) if one.answer is None)

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
