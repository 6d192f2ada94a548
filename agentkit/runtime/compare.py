"""Two recorded runs side by side, and the answers of a run's votes: pure functions of what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agentkit.events import Scope, VoteCast
from agentkit.runtime.journal import Journal, Visit
from agentkit.types import JSON, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value that differs between two runs; None stands for one that is absent."""

    before: JSON
    after: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDiff:
    """What differs between two runs of a graph.

    ``inputs`` and ``output`` by name, ``nodes`` by node and port (a second visit is ``node#2``), ``scores`` by node: those of
    evaluators, changed or not, also inside other nodes (``review/check``). ``usage`` is what each run cost in all, ``paid``
    what the second spent on calls that it did not take over from the first.
    """

    before: str
    after: str
    inputs: Mapping[str, Change]
    output: Mapping[str, Change]
    nodes: Mapping[str, Mapping[str, Change]]
    scores: Mapping[str, Change]
    usage: tuple[Usage, Usage]
    paid: Usage
    seconds: tuple[float, float]
    status: tuple[str, str]

    @property
    def same(self) -> bool:
        """Whether both took the same inputs to the same outputs, node by node."""
        return not (self.inputs or self.output or self.nodes) and self.status[0] == self.status[1]


def diff(before: Journal, after: Journal) -> RunDiff:
    """What ``after`` did otherwise than ``before``."""
    first, second = before.header, after.header
    here, there = _visits(before), _visits(after)
    nodes = {name: _changes(here.get(name, {}), there.get(name, {})) for name in {**here, **there}}
    scores, others = _scores(before), _scores(after)
    return RunDiff(
        before=first.id,
        after=second.id,
        inputs=_changes(first.inputs, second.inputs),
        output=_changes(first.output or {}, second.output or {}),
        nodes={name: changes for name, changes in nodes.items() if changes},
        scores={
            name: Change(before=scores.get(name), after=others.get(name)) for name in dict.fromkeys((*scores, *others))
        },
        usage=(before.usage(), after.usage()),
        paid=after.calls.usage_beyond(before.calls),
        seconds=(first.seconds, second.seconds),
        status=(first.status, second.status),
    )


def pools(journal: Journal, gold: JSON = None) -> Iterator[dict[str, JSON]]:
    """The answers of each vote, in the order in which they were counted: ``{id, gold?, answers}``; None is an abstention."""
    votes: dict[tuple[str, int, str], list[str | None]] = {}
    for one in journal.events():
        if isinstance(one.event, VoteCast):
            scope = one.event.scope
            votes.setdefault((scope.node, scope.visit, scope.path), []).append(one.event.answer)
    for (node, visit, path), answers in votes.items():
        place = "/".join(part for part in (journal.header.id, label(node, visit), path) if part)
        yield {"id": place, **({} if gold is None else {"gold": gold}), "answers": list(answers)}


def label(node: str, visit: int) -> str:
    """``node``, or ``node#2`` for its second visit."""
    return f"{node}#{visit + 1}" if visit else node


def label_of(scope: Scope) -> str:
    """The label of a visit."""
    return label(scope.node, scope.visit)


def _scores(journal: Journal) -> dict[str, float | None]:
    """The score of every visit of an evaluator, None where it could not judge; they are known by their ports."""
    return {
        _way(one.scope): one.outputs.get("score")
        for one in journal.visits()
        if {"status", "findings"} <= one.outputs.keys()
    }


def _way(scope: Scope) -> str:
    """The labels of a visit and of those around it, samples and items by their number."""
    return "/".join([label_of(scope), *(_part(part) for part in scope.path.split("/") if part)])


def _part(part: str) -> str:
    name, _, number = part.partition(":")
    return part if name in ("sample", "item") else label(name, int(number or 0))


def _visits(journal: Journal) -> dict[str, Mapping[str, JSON]]:
    visits: Iterable[Visit] = journal.visits()
    return {label_of(one.scope): one.outputs for one in visits if not one.scope.path}


def _changes(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, Change]:
    return {
        name: Change(before=before.get(name), after=after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }
