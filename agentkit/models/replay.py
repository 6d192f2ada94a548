"""Replay: answers from a cassette, with no network and no model; and the recording of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

from agentkit.errors import ReplayMissError
from agentkit.models.cassette import Cassette, Player, Response, Tape, cassette_key
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.codec import request_data
from agentkit.runtime.ordinals import Ordinals
from agentkit.runtime.parts import placed, replayed
from agentkit.runtime.price import Price, price_of
from agentkit.types import JSON, Capabilities, GenerateRequest, Sample


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Answers every request as the cassette ``path`` recorded it, byte for byte and in the order of arrival.

    ``model`` prefers the answers of one model, by its label in the cassette; where that one gave none, whoever answered in its
    stead does so again. Raises ``ReplayMissError`` for a response that was not recorded, ``InputError`` without the file and
    ``StoreError`` for one that cannot be read.
    """

    path: Path
    model: str = ""

    @property
    def name(self) -> str:
        """The recorded model's, or ``replay`` where it may be one of several."""
        return self._players[0].name if len(self._players) == 1 else "replay"

    @property
    def capabilities(self) -> Capabilities:
        """What all recorded models could do."""
        names = [field.name for field in fields(Capabilities)]
        return Capabilities(**{name: all(getattr(one.capabilities, name) for one in self._players) for name in names})

    @property
    def price(self) -> Price | None:
        """What the recorded model cost, so that a replay meets the same budget; None where several were recorded."""
        return self._players[0].price if len(self._players) == 1 else None

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """The recorded samples of ``request``; raises ``ReplayMissError`` when the next one was not recorded."""
        key = cassette_key(request)
        ordinals = self._ordinals.take(key, request.n)
        index_of = {ordinal: index for index, ordinal in enumerate(ordinals)}
        found = [one for one in self._recorded(key) if one.ordinal in index_of]
        for one in found:
            for item in replayed(replace(one.sample, index=index_of[one.ordinal]), stream=request.stream):
                yield item
        if missing := sorted(index_of.keys() - {one.ordinal for one in found}):
            self._ordinals.put_back(key, missing)
            raise ReplayMissError(self._miss(request, key, missing[0]))

    @cached_property
    def _tape(self) -> Tape:
        return Tape(Path(self.path))

    @cached_property
    def _ordinals(self) -> Ordinals[str]:
        return Ordinals()

    @cached_property
    def _players(self) -> Sequence[Player]:
        players = list(self._tape.players.values())
        return [one for one in players if one.label == self.model] or players

    def _recorded(self, key: str) -> Sequence[Response]:
        """The answers to one request in the order of arrival: the model's own, then those of others numbered after them."""
        answers = self._tape.responses.get(key, [])
        first = self.model if len({one.label for one in answers}) > 1 else answers[0].label if answers else ""
        own = [one for one in answers if one.label == first]
        after = 1 + max((one.ordinal for one in own), default=-1)
        others = [one for one in answers if one.label != first]
        return [*own, *(replace(one, ordinal=number) for number, one in enumerate(others, start=after))]

    def _miss(self, request: GenerateRequest, key: str, ordinal: int) -> str:
        asked = request.messages[-1].content[:120] if request.messages else ""
        sentence = f"{self.path} has no response number {ordinal + 1} to {asked!r}"
        changed = () if key in self._tape.requests else _changed(request_data(request), [*self._tape.requests.values()])
        hint = f"; one was recorded with another {' and '.join(changed)}" if changed else ""
        return f"{sentence}{hint}: record the cassette again"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Writes every sample of ``model`` to ``cassette``, under ``label`` (or its name), before it passes it on."""

    model: Model
    cassette: Cassette
    label: str = ""

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's."""
        return self.model.capabilities

    @property
    def price(self) -> Price | None:
        """The model's."""
        return price_of(self.model)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """The model's stream, as it is written: secrets in it are struck out."""
        label = self.label or self.name
        place = (label, cassette_key(request))
        ordinals = self.cassette.ordinals.take(place, request.n)
        written: set[int] = set()
        try:
            async with aclosing(self.model.generate(request)) as stream:
                async for item in stream:
                    item = placed(item, range(request.n), self.name)
                    if isinstance(item, Sample):
                        written.add(ordinals[item.index])
                        item = self.cassette.add(label, self.model, request, ordinals[item.index], item)
                    yield item
        except Exception:
            self.cassette.ordinals.put_back(place, set(ordinals) - written)
            raise


def _changed(asked: Mapping[str, JSON], recorded: Sequence[Mapping[str, JSON]]) -> Sequence[str]:
    """The fields in which ``asked`` differs from the most similar recorded request that ends with the same message."""
    last = asked["messages"][-1:]
    alike = [one for one in recorded if one["messages"][-1:] == last]
    differences = [[name for name in {**asked, **one} if asked.get(name) != one.get(name)] for one in alike]
    return min(differences, key=len, default=())
