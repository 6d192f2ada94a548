"""The ballot box for outputs of a node: texts are read as answers, structures voted over field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agentkit.answers import Kind, Reading, extract, read
from agentkit.graph.plain import to_plain
from agentkit.strategies import votes
from agentkit.types import JSON, Vote

_Leaf = tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class OutputsBallot:
    """Takes outputs in any order and votes over the first of ``ports`` that they have, in the order of their places.

    A mapping is voted over leaf by leaf, a tool call by its name and arguments, a text by the ``answer`` in it.
    """

    ports: tuple[str, ...]
    answer: Kind = "auto"
    errors: dict[int, BaseException] = field(default_factory=dict)
    _cast: dict[int, Mapping[str, JSON]] = field(default_factory=dict)

    @property
    def drawn(self) -> int:
        """Samples settled, failures included."""
        return len(self._cast) + len(self.errors)

    def cast(self, place: int, outputs: Mapping[str, JSON]) -> None:
        """Count the outputs of a sample."""
        self._cast[place] = outputs

    def fail(self, place: int, error: BaseException) -> None:
        """Count a sample that failed: an abstention."""
        self.errors[place] = error

    def tallies(self) -> list[tuple[Vote, ...]]:
        """The tally of whole values, and for mappings one for each leaf after it."""
        leaves = self._leaves()
        whole = votes.tally([self._whole(one) for one in leaves])
        return [whole] if all(set(one) <= {()} for one in leaves) else [whole, *self._tallies(leaves).values()]

    def vote_of(self, place: int) -> str | None:
        """The name of the class of whole values that a sample voted for."""
        if place not in self._cast:
            return None
        order = sorted(self._cast).index(place)
        return next((vote.answer for vote in self.tallies()[0] if order in vote.samples), None)

    def outputs(self) -> dict[str, JSON]:
        """The outputs of the earliest sample nearest to the winner, with the winner's value, ``votes`` and ``confidence``.

        The confidence is the winner's share of the samples that arrived; of a mapping that of its least agreed leaf.
        """
        samples, leaves = [self._cast[place] for place in sorted(self._cast)], self._leaves()
        tallies = {leaf: tally[0] for leaf, tally in self._tallies(leaves).items() if tally}
        agreed = [sum(place in vote.samples for vote in tallies.values()) for place in range(len(samples))]
        outputs = dict(samples[agreed.index(max(agreed))])
        share = min((vote.count for vote in tallies.values()), default=0) / len(samples)
        outputs[self._port(outputs)] = _composed(tallies, [_leaves_of(self._value(one)) for one in samples])
        return {**outputs, "votes": to_plain(self.tallies()[0]), "confidence": share if tallies else None}

    def _port(self, outputs: Mapping[str, JSON]) -> str:
        return next((port for port in self.ports if port in outputs), self.ports[0])

    def _value(self, outputs: Mapping[str, JSON]) -> JSON:
        return outputs.get(self._port(outputs))

    def _leaves(self) -> list[dict[_Leaf, Reading | None]]:
        """The readings of every sample that arrived, by leaf."""
        values = (self._value(self._cast[place]) for place in sorted(self._cast))
        return [{leaf: self._reading(item, leaf) for leaf, item in _leaves_of(one).items()} for one in values]

    def _tallies(self, leaves: list[dict[_Leaf, Reading | None]]) -> dict[_Leaf, tuple[Vote, ...]]:
        known = dict.fromkeys(leaf for one in leaves for leaf in one)
        return {leaf: votes.tally([one.get(leaf) for one in leaves]) for leaf in known}

    def _reading(self, value: JSON, leaf: _Leaf) -> Reading | None:
        if value is None:
            return None
        if isinstance(value, str):
            found = value if leaf else extract(value, self.answer)
            return read(found, self.answer) if found else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return read(json.dumps(value), self.answer)
        return Reading(json.dumps(_without_ids(value), sort_keys=True, ensure_ascii=False))

    def _whole(self, leaves: Mapping[_Leaf, Reading | None]) -> Reading | None:
        if set(leaves) == {()}:
            return leaves[()]
        keys = {".".join(leaf): one.key for leaf, one in leaves.items() if one is not None}
        return Reading(json.dumps(keys, sort_keys=True, ensure_ascii=False)) if keys else None


def _leaves_of(value: JSON) -> dict[_Leaf, JSON]:
    """What is voted over by its path: the value itself, or what the mapping holds."""
    return dict(_walk(value, ()))


def _walk(value: JSON, path: _Leaf) -> Iterator[tuple[_Leaf, JSON]]:
    if not isinstance(value, Mapping) or not value:
        yield path, value
        return
    for name, item in value.items():
        yield from _walk(item, (*path, str(name)))


def _composed(winners: Mapping[_Leaf, Vote], samples: list[dict[_Leaf, JSON]]) -> JSON:
    """The value whose every leaf is that of the earliest sample in the class that won there."""
    value: dict[str, Any] = {}
    for leaf, vote in winners.items():
        item = samples[vote.samples[0]][leaf]
        if not leaf:
            return item
        place = value
        for name in leaf[:-1]:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place[leaf[-1]] = item
    return value or None


def _without_ids(value: JSON) -> JSON:
    """Tool calls as name and arguments, which is what they say; anything else as it is."""
    calls = isinstance(value, list) and all(isinstance(one, Mapping) and "arguments" in one for one in value)
    return [[one.get("name"), _parsed(one["arguments"])] for one in value] if calls else value


def _parsed(arguments: JSON) -> JSON:
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments
