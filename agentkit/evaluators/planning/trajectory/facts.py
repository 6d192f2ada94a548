"""What the results of tools say of things: attributes by the id of the thing, each with the step that said it last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agentkit.traces.values import tokens
from agentkit.types import JSON

_DEPTH = 12
_MOST = 5_000


class Fact(NamedTuple):
    """The attribute of a thing has this value, says step ``step``."""

    value: JSON
    step: int


class Facts:
    """A typed store that grows result by result; what is said later of the same attribute takes the place of the earlier."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Fact]] = {}
        self.parts: dict[str, dict[str, set[str]]] = {}
        """Of a thing, the ids of what it holds, by the name of their key: an order holds ``item_id`` 1, 2, 3."""
        self.domains: dict[str, set[str]] = {}
        """The texts that an attribute has taken over all things: ``status`` has been pending and delivered."""

    def learn(self, step: int, result: JSON) -> None:
        """Take in a result; what is no object or list of objects says nothing of things."""
        self._walk(result, step, (), "", 0)

    def value(self, thing: str, attribute: str) -> Fact | None:
        """What is known of an attribute."""
        return self.things.get(thing, {}).get(attribute)

    def owners(self, key: str, part: str) -> list[str]:
        """The things that hold a part with this id."""
        return [thing for thing, held in self.parts.items() if part in held.get(key, ())]

    def shared(self, key: str, part: str) -> bool:
        """Whether things hold the part under other keys, too, so that it belongs to nobody alone."""
        return any(part in ids for held in self.parts.values() for name, ids in held.items() if name != key)

    def plain(self) -> dict[str, dict[str, JSON]]:
        """All attributes as plain data, for conditions."""
        return {thing: {name: fact.value for name, fact in known.items()} for thing, known in self.things.items()}

    def _walk(self, data: JSON, step: int, above: tuple[str, ...], key: str, depth: int) -> None:
        if depth > _DEPTH or len(self.things) > _MOST:
            return
        if isinstance(data, list | tuple):
            for item in data:
                self._walk(item, step, above, key, depth + 1)
        elif isinstance(data, Mapping):
            named = identity(data) or ((key, key) if is_id(key) else None)
            inside = above
            if named is not None:
                self._note(named[1], data, step)
                inside = (*above, named[1])
            for thing in above:
                self._hold(thing, data)
            for name, item in data.items():
                if isinstance(item, Mapping | list | tuple):
                    self._walk(item, step, inside, str(name), depth + 1)

    def _note(self, thing: str, data: Mapping[str, JSON], step: int) -> None:
        known = self.things.setdefault(thing, {})
        for name, value in _scalars(data):
            known[name] = Fact(value, step)
            if isinstance(value, str) and _is_choice(value):
                self.domains.setdefault(name, set()).add(value)

    def _hold(self, thing: str, data: Mapping[str, JSON]) -> None:
        held = self.parts.setdefault(thing, {})
        for name, value in data.items():
            if name.endswith("id") and isinstance(value, str | int) and is_id(str(value)):
                held.setdefault(name, set()).add(str(value))


def identity(data: Mapping[str, JSON]) -> tuple[str, str] | None:
    """The key and the value by which an object is known: the first of its keys that ends in ``id`` and holds an id."""
    for name, value in data.items():
        ending = str(name).casefold()
        if (ending == "id" or ending.endswith(("_id", "-id"))) and isinstance(value, str | int) and is_id(str(value)):
            return str(name), str(value)
    return None


def is_id(text: str) -> bool:
    """Whether a text can name one thing among many: it has a digit or an underscore and is no long phrase."""
    return 1 < len(text) <= 64 and " " not in text and any(letter.isdecimal() or letter == "_" for letter in text)


def listings(result: JSON, depth: int = 0) -> Iterator[tuple[str, Sequence[Mapping[str, JSON]]]]:
    """The collections of objects in a result with their names: lists of objects, and objects by their ids."""
    if depth > _DEPTH:
        return
    pairs = (
        result.items() if isinstance(result, Mapping) else [("", result)] if isinstance(result, list | tuple) else ()
    )
    for name, item in pairs:
        members = (
            list(item.values()) if isinstance(item, Mapping) and item and all(map(is_id, map(str, item))) else item
        )
        if isinstance(members, list) and members and all(isinstance(one, Mapping) for one in members):
            yield str(name), members
        if isinstance(item, Mapping):
            yield from listings(item, depth + 1)


def _scalars(data: Mapping[str, JSON], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, JSON]]:
    for name, value in data.items():
        if isinstance(value, Mapping) and depth < 2 and identity(value) is None:
            yield from _scalars(value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, str | int | float | bool):
            yield f"{prefix}{name}", value


def _is_choice(value: str) -> bool:
    """Whether a text reads like one of a few choices: one to three words without digits."""
    return 1 <= len(tokens(value)) <= 3 and not any(letter.isdecimal() for letter in value) and len(value) <= 30
