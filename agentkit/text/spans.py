"""Pieces of a text and where they stand in it."""

from __future__ import annotations

from typing import Literal, NamedTuple

WordKind = Literal["word", "number", "punctuation"]


class Span(NamedTuple):
    """Characters ``[start, end)`` of a text: ``text == original[start:end]``."""

    start: int
    end: int
    text: str


# A named tuple rather than a dataclass: a source has thousands of words and this is made three times as fast.
class Word(NamedTuple):
    """A word, number or mark with its place; ``stem`` is the key under which its inflections meet."""

    start: int
    end: int
    text: str
    stem: str
    kind: WordKind
