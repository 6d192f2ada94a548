"""The documents, read once: where every stem stands, how rare it is, which pairs and numbers occur."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from agentkit.evaluators.hallucination.quantities import Quantity, quantities
from agentkit.evaluators.hallucination.tongue import spoken_in
from agentkit.text import Word, language, sentences, words
from agentkit.types import Document

_RUN = re.compile(r"\w+")
_HELD = 500  # sentences remembered a word: one that stands in more tells little
_FAMILY = 200  # words with one beginning that are compared
_PREFIX = 4  # letters two words must share before they are compared further
_ALIKE = 0.6  # of the longer stem, how much the shared beginning must cover


class Sentence(NamedTuple):
    """A sentence of a document: characters ``[start, end)``, and its tokens ``[first, last)`` of the source."""

    document: int
    start: int
    end: int
    first: int
    last: int


class Source:
    """An index over documents; built once, asked for every claim.

    ``tokens`` are all words and numbers in order (offsets into their document), ``postings`` the tokens of a stem,
    ``holders`` the sentences of a stem, ``values`` the numbers by value, ``sentence_of`` the sentence of a token,
    ``languages`` what the documents are written in.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self.tokens: list[Word] = []
        self.sentences: list[Sentence] = []
        self.sentence_of: list[int] = []
        self.postings: dict[str, list[int]] = {}
        self.holders: dict[str, list[int]] = {}
        self.values: dict[str, list[Quantity]] = {}
        self.languages = spoken_in(self.documents)
        for number, document in enumerate(self.documents):
            self._read(number, document.text)
        self.triples = {triple for document in self.documents for triple in triples(document.text)}
        self._families: dict[str, list[str]] = {}
        for key in self.postings:
            if len(key) >= _PREFIX and len(family := self._families.setdefault(key[:_PREFIX], [])) < _FAMILY:
                family.append(key)

    def _read(self, number: int, text: str) -> None:
        marks = words(text, language(text))
        place = 0
        for span in sentences(text):
            while place < len(marks) and marks[place].start < span.start:
                place += 1
            begin = place
            while place < len(marks) and marks[place].start < span.end:
                place += 1
            self._take(marks[begin:place], Sentence(number, span.start, span.end, len(self.tokens), len(self.tokens)))

    def _take(self, marks: Sequence[Word], empty: Sentence) -> None:
        """Take in one sentence: its words without punctuation, and its numbers."""
        first = len(self.tokens)
        places = []
        for word in marks:
            if word.kind != "punctuation":
                self.tokens.append(word)
            places.append(len(self.tokens) - 1)
        for token in range(first, len(self.tokens)):
            self.postings.setdefault(self.tokens[token].stem, []).append(token)
        for stem in {word.stem for word in self.tokens[first:]}:
            held = self.holders.setdefault(stem, [])
            if len(held) < _HELD:
                held.append(len(self.sentences))
        for one in quantities(marks):
            found = Quantity(max(first, places[one.first]), places[one.last], one.value, one.unit)
            self.values.setdefault(one.value, []).append(found)
        self.sentence_of += [len(self.sentences)] * (len(self.tokens) - first)
        self.sentences.append(empty._replace(last=len(self.tokens)))

    def said(self, sentence: int) -> str:
        """The text of a sentence."""
        one = self.sentences[sentence]
        return self.documents[one.document].text[one.start : one.end]

    def between(self, stem: str, first: int, last: int) -> list[int]:
        """The tokens in ``[first, last)`` with this stem."""
        places = self.postings.get(stem, [])
        return places[bisect_left(places, first) : bisect_left(places, last)]

    def scattered(self, number: str) -> list[tuple[str, float]]:
        """The stem under which ``3,800`` stands where the source has it as ``3, 800``, with full credit; else nothing."""
        parts = _RUN.findall(number)
        if len(parts) > 1 and any(
            [word.text for word in self.tokens[place : place + len(parts)]] == parts
            for place in self.postings.get(parts[0], ())
        ):
            return [(parts[0], 1.0)]
        return []

    def alike(self, stem: str) -> list[str]:
        """Stems of the source that share a long enough beginning with ``stem`` (``infect``, ``infection``)."""
        if len(stem) < _PREFIX:
            return []
        return [other for other in self._families.get(stem[:_PREFIX], ()) if _shared(stem, other) >= _ALIKE]


def triples(text: str) -> list[tuple[str, str, str]]:
    """Every three letter or digit runs in a row, lower-case: ``3,800``, ``3, 800`` and ``3 800`` are the same two runs."""
    runs = _RUN.findall(text.casefold())
    return list(zip(runs, runs[1:], runs[2:], strict=False))


def _shared(one: str, other: str) -> float:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length / max(len(one), len(other))
