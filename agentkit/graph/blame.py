"""Who broke a run, by experiment: put another output in a node's place, run the rest again, and see whether the end comes right.

The evidence of a log is a guess; this is a test of it. Every trial has its control: the same forks with the node's output left as
it was, so that luck in the steps after it is not taken for a cure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.errors import InputError, NodeError, did_you_mean
from agentkit.evaluators.planning.attribution.log import read
from agentkit.evaluators.planning.attribution.ranking import Suspect, suspects
from agentkit.events import NodeFinished
from agentkit.graph.graph import Graph
from agentkit.graph.run import Fork
from agentkit.runtime.journal import Journal
from agentkit.statistics import Interval, wilson
from agentkit.traces import Step, Trace
from agentkit.types import JSON

if TYPE_CHECKING:
    from agentkit.graph.runs import Runs

Right = Callable[[Mapping[str, JSON]], Awaitable[bool]]
"""Whether the outputs of a run are what they should be."""

Tell = Callable[[int, int, str], None]
"""Told after each run: how many are done, of how many, and what it was."""

_GLUE = ("set", "template", "switch", "evaluator")
"""Nodes that only pass on or judge what others put out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspected:
    """A visit of a node, its ``place`` among those of the run, and the chance that the evidence gives it.

    One that ``failed`` put out nothing, so its control runs it anew.
    """

    node: str
    visit: int = 0
    chance: float = 0.0
    place: int = 0
    failed: bool = False

    @property
    def label(self) -> str:
        """``node``, or ``node:2`` for a later visit."""
        return f"{self.node}:{self.visit}" if self.visit else self.node


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of putting ``outputs`` in a node's place: for each repeat whether the end was right, and whether it was right
    with the node's own output. ``runs`` are the corrected runs, ``errors`` what ended runs that failed; those count as wrong.
    """

    suspect: Suspected
    outputs: Mapping[str, JSON]
    corrected: tuple[bool, ...]
    kept: tuple[bool, ...]
    runs: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def cured(self) -> Interval:
        """The share of corrected runs that came right (Wilson)."""
        return wilson(sum(self.corrected), len(self.corrected))

    @property
    def luck(self) -> Interval:
        """The share that came right with the node's own output."""
        return wilson(sum(self.kept), len(self.kept))

    @property
    def flips(self) -> bool:
        """Whether most runs came right with the correction, and most did not without it."""
        return 2 * sum(self.corrected) > len(self.corrected) and 2 * sum(self.kept) <= len(self.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The trials on a run, in order of suspicion."""

    run: str
    trials: tuple[Trial, ...]

    @property
    def decisive(self) -> Trial | None:
        """The earliest visit of the run whose correction flips the outcome, None when none does."""
        return min((one for one in self.trials if one.flips), key=lambda one: one.suspect.place, default=None)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How to correct and how often to try.

    ``corrections`` says by visit (``node`` or ``node:2``) what it should have put out; then only those are tried. Otherwise the
    ``most`` likeliest suspects are, each corrected by what it puts out with other ``models`` or ``changes``. ``repeats`` runs
    follow each correction, with the seeds from ``seed`` on. ``given`` are the models of the run that were not recorded. ``hear``
    gets each trial as it ends.
    """

    right: Right
    corrections: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, JSON] = field(default_factory=dict)
    most: int = 3
    repeats: int = 3
    seed: int = 1
    given: Mapping[str, Any] = field(default_factory=dict)
    tell: Tell = lambda done, total, what: None
    hear: Callable[[Trial], None] = lambda trial: None

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.most < 1:
            raise InputError("repeats and suspects must be at least 1")
        if not self.corrections and not self.models and not self.changes:
            raise InputError(
                "say what a suspect should have put out, or name another model or option for it to try with"
            )


async def blame(runs: Runs, run: str, experiment: Experiment) -> Blame:
    """Try each suspect of ``run`` in turn; raises ``InputError`` when the run is right as it is, or has no such suspect."""
    with runs.look(run) as journal:
        output, ranked = journal.header.output, suspected(journal)
    if await experiment.right(output or {}):
        raise InputError(f"run {run!r} came to the right end: there is nothing to blame")
    chosen = _chosen(ranked, experiment)
    lab = _Lab(runs, run, experiment, total=2 * experiment.repeats * len(chosen))
    return Blame(run=run, trials=tuple([await lab.trial(one) for one in chosen]))


def suspected(journal: Journal) -> tuple[Suspected, ...]:
    """The visits of a run that somebody can be blamed for, the likeliest first by the evidence of what they put out."""
    found = [
        one.event
        for one in journal.events()
        if isinstance(one.event, NodeFinished)
        and not (one.event.scope.path or one.event.skipped)
        and one.event.use.partition(".")[0] not in _GLUE
    ]
    if not found:
        return ()
    steps = tuple(Step(kind="message", agent=one.scope.node, text=_said(one.outputs, one.error)) for one in found)
    ranked = suspects(read(Trace(task=_said(journal.header.inputs), steps=steps)))
    return tuple(_suspected(found[one.step], one) for one in ranked)


def _suspected(event: NodeFinished, one: Suspect) -> Suspected:
    scope = event.scope
    return Suspected(node=scope.node, visit=scope.visit, chance=one.chance, place=one.step, failed=bool(event.error))


@dataclass
class _Lab:
    """Runs the forks of one run."""

    runs: Runs
    run: str
    experiment: Experiment
    total: int
    done: int = 0

    async def trial(self, suspect: Suspected) -> Trial:
        """The forks with the correction, each beside one with the node's own output and the same seed."""
        outputs = self._given(suspect) or await self._tried(suspect)
        own: Mapping[str, JSON] | None = None if suspect.failed else {}
        corrected: list[bool] = []
        kept: list[bool] = []
        made: list[str] = []
        errors: list[str] = []
        for repeat in range(self.experiment.repeats):
            seed = self.experiment.seed + repeat
            for wanted, results in ((outputs, corrected), (own, kept)):
                end, name, error = await self._fork(suspect, wanted, seed)
                results.append(end)
                errors += [error] if error else []
                made += [name] if wanted and name else []
                self.done += 1
                self.experiment.tell(self.done, self.total, suspect.label)
        trial = Trial(
            suspect=suspect,
            outputs=outputs,
            corrected=tuple(corrected),
            kept=tuple(kept),
            runs=tuple(made),
            errors=tuple(dict.fromkeys(errors)),
        )
        self.experiment.hear(trial)
        return trial

    def _given(self, suspect: Suspected) -> Mapping[str, JSON]:
        return self.experiment.corrections.get(suspect.label, {})

    async def _tried(self, suspect: Suspected) -> Mapping[str, JSON]:
        """What the node puts out with the other models and options; the run is left as soon as it has."""
        others = {**self.experiment.given, **self.experiment.models}
        graph = self.runs.graph(self.run, models=others, changes=self.experiment.changes)
        fork = Fork(run=self.run, at=suspect.node, visit=suspect.visit)
        async with aclosing(graph.stream(fork=fork, seed=self.experiment.seed)) as events:
            async for event in events:
                if isinstance(event, NodeFinished) and _is(event, suspect):
                    if event.error:
                        raise InputError(f"{suspect.label} failed with the other model too: {event.error}")
                    return event.outputs
        raise InputError(f"the run never came to {suspect.label!r} with the other model")

    async def _fork(self, suspect: Suspected, outputs: Mapping[str, JSON] | None, seed: int) -> tuple[bool, str, str]:
        graph: Graph = self.runs.graph(self.run, models=self.experiment.given)
        fork = Fork(run=self.run, at=suspect.node, visit=suspect.visit, outputs=outputs)
        try:
            made = await graph.execute({}, fork=fork, seed=seed)
        except NodeError as error:
            return False, "", str(error)
        return await self.experiment.right(made.output), made.id, ""


def _is(event: NodeFinished, suspect: Suspected) -> bool:
    scope = event.scope
    return not scope.path and (scope.node, scope.visit) == (suspect.node, suspect.visit)


def _chosen(ranked: Sequence[Suspected], experiment: Experiment) -> list[Suspected]:
    if not experiment.corrections:
        if not ranked:
            raise InputError("the run has no node that anybody could be blamed for")
        return list(ranked[: experiment.most])
    known = {one.label: one for one in ranked}
    for label in experiment.corrections:
        if label not in known:
            raise InputError(f"the run has no visit {label!r} to correct{did_you_mean(label, known)}")
    return [one for one in ranked if one.label in experiment.corrections]


def _said(values: Mapping[str, JSON], error: str = "") -> str:
    texts = [value if isinstance(value, str) else repr(value) for value in values.values()]
    return "\n".join([*dict.fromkeys(texts), *([f"Error: {error}"] if error else [])])
