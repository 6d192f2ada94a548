"""What a message claims, line by line: the sentences of a text and the things that each is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agentkit.evaluators.planning.trajectory.facts import is_id
from agentkit.traces.values import tokens

OUTSIDE = ("user", "human", "system", "tool", "environment")
"""Speakers who are no agents: what they say is given."""

_LINES = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|(?=\n)|$)")
_SHORTEST = 4


def lines(text: str) -> Iterator[str]:
    """The sentences of a text; a new line ends one, too."""
    return (found[0] for found in _LINES.finditer(text))


def line_at(text: str, place: int) -> str:
    """The sentence or line around a place."""
    return next((found[0] for found in _LINES.finditer(text) if found.start() <= place < found.end()), text)


def mentioned(line: str, things: Iterable[str]) -> tuple[str, ...]:
    """The things that a line names, in order; an id of fewer than four characters is found everywhere and so nowhere."""
    by_words = {tuple(tokens(thing)): thing for thing in things if is_id(thing) and len(thing) >= _SHORTEST}
    words, lengths = tokens(line), {len(key) for key in by_words}
    found: dict[str, None] = {}
    for start in range(len(words)):
        for length in lengths:
            if thing := by_words.get(tuple(words[start : start + length])):
                found[thing] = None
    return tuple(found)
