"""Actions told in sentences: ``unstack the blue block from on top of the orange block``, ``load package_0 into truck_1``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from agentkit.pddl.syntax import Action, Atom, Both

if TYPE_CHECKING:
    from agentkit.pddl.task import Task

_WORD = re.compile(r"[^\W_]+(?:[_-][^\W_]+)*")
_PARTS = re.compile(r"[-_]+")
_IDENTIFIER = re.compile(r"[^\W\d_]|[^\W\d_]\w*\d[\w-]*")
_NUMBERED = re.compile(r"[^\W\d_]+[_-]\d[\w-]*")
_LONGEST = 2000  # characters of a line that may be one step
_WIDEST = 3  # words in the name of an object
_ARTICLES = ("a", "i")
_AUXILIARIES = frozenset(("will", "can", "must", "should", "then", "now", "have", "need", "would"))


class Said(NamedTuple):
    """An action and its arguments."""

    name: str
    arguments: tuple[str, ...]


class Sentences:
    """Reads sentences about the actions and objects of one task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._words = {name: [_stem(word) for word in _PARTS.split(name)] for name in task.domain.actions}

    def read(self, line: str) -> Said | None:
        """The one action the line tells of, or None: no verb of an action, or no object."""
        if len(line) > _LONGEST:
            return None
        written = _WORD.findall(line)
        words = [word.lower() for word in written]
        objects, rest = self._objects(words, written)
        named = self._named(rest, {_stem(part) for word in words for part in (word, *_PARTS.split(word))})
        if not named or (not objects and all(action.parameters for action in named)):
            return None
        action = next((one for one in named if self._fitting(one, objects)), None)
        if action is not None:
            return Said(action.name, self._fitting(action, objects) or ())
        fewest = min(named, key=lambda one: abs(len(one.parameters) - len(objects)))
        return Said(fewest.name, tuple(objects))

    def _objects(self, words: Sequence[str], written: Sequence[str]) -> tuple[list[str], list[str]]:
        """The objects in the order they are named, and the other words."""
        found: list[str] = []
        rest: list[str] = []
        place = 0
        while place < len(words):
            name, width = self._object_at(words, written, place)
            if name is None:
                rest.append(words[place])
            else:
                found.append(name)
            place += width
        return found, rest

    def _object_at(self, words: Sequence[str], written: Sequence[str], place: int) -> tuple[str | None, int]:
        if self._is_article(words, written, place):
            return None, 1
        for width in range(min(_WIDEST, len(words) - place), 0, -1):
            name = self.task.names.resolved(" ".join(words[place : place + width]))
            if name is not None:
                return name, width
        return self._stranger_at(words, place)

    def _stranger_at(self, words: Sequence[str], place: int) -> tuple[str | None, int]:
        """A word that can only be the name of an object, though the task has none such: ``block z``, ``truck_9``."""
        following = words[place + 1] if place + 1 < len(words) else ""
        if words[place] in self.task.names.nouns and _IDENTIFIER.fullmatch(following):
            return following, 2
        if following in self.task.names.nouns and self.task.names.is_colour(words[place]):
            return words[place], 2
        return (words[place], 1) if _NUMBERED.fullmatch(words[place]) else (None, 1)

    def _is_article(self, words: Sequence[str], written: Sequence[str], place: int) -> bool:
        """``a block`` is any block, and ``I`` am nobody's block."""
        if words[place] not in _ARTICLES:
            return False
        if written[place] == "I" and place + 1 < len(words) and _stem(words[place + 1]) in self._after_i:
            return True
        return words[place] == "a" and place + 1 < len(words) and words[place + 1] in self.task.names.nouns

    @cached_property
    def _after_i(self) -> frozenset[str]:
        """Words that tell the pronoun from an object named i."""
        return frozenset(words[0] for words in self._words.values()) | _AUXILIARIES

    def _named(self, rest: Sequence[str], stems: Collection[str]) -> list[Action]:
        """The actions whose verb is in the sentence, those first of whose name most is there."""
        found: list[tuple[int, float, Action]] = []
        spoken = [_stem(word) for word in rest]
        for name, action in self.task.domain.actions.items():
            parts = self._words[name]
            if parts[0] in spoken:
                share = sum(part in stems for part in parts) / len(parts)
                found.append((spoken.index(parts[0]), -share, action))
        found.sort(key=lambda one: (one[0], one[1], -len(self._words[one[2].name])))
        return [action for _, _, action in found]

    def _fitting(self, action: Action, objects: Sequence[str]) -> tuple[str, ...] | None:
        """The objects in an order that fits the types and the facts that never change; as told where that order does."""
        if len(objects) != len(action.parameters):
            return None
        if not all(one in self.task.grounder.kinds for one in objects):
            return tuple(objects)
        orders = permutations(objects) if len(objects) <= 5 else iter([tuple(objects)])
        return next((one for one in orders if self._fits(action, one)), None)

    def _fits(self, action: Action, objects: Sequence[str]) -> bool:
        grounder = self.task.grounder
        if not all(grounder.fits(one, parameter) for one, parameter in zip(objects, action.parameters, strict=True)):
            return False
        binding = dict(zip((one.name for one in action.parameters), objects, strict=True))
        return all(
            self.task.initial >> grounder.place(atom.predicate, [binding.get(term, term) for term in atom.terms]) & 1
            for atom in self._fixed(action)
        )

    def _fixed(self, action: Action) -> Iterator[Atom]:
        """The preconditions that no action changes and that speak of one object: what it is."""
        parts = action.condition.parts if isinstance(action.condition, Both) else (action.condition,)
        for part in parts:
            if isinstance(part, Atom) and part.predicate not in self.task.changing and len(part.terms) == 1:
                yield part


def _stem(word: str) -> str:
    """``stacking``, ``stacks`` and ``stacked`` as ``stack``; ``moving`` and ``move`` as ``mov``; ``putting`` as ``put``."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            if len(word) > 3 and word[-1] == word[-2] and ending in ("ing", "ed"):
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > 3 else word
