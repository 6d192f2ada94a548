"""A published document index, open for reading: texts in SQLite, vectors in Chroma, words in BM25."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from agentkit.rag.dense import Vectors
from agentkit.rag.fuse import Ranking
from agentkit.rag.lexical import Lexicon, stems
from agentkit.rag.passages import Passages
from agentkit.text import language as detect
from agentkit.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Index:
    """A published index, open for reading; threads may share it. Its parts are opened when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opening = Lock()
        self.passages = Passages(folder / "passages.sqlite")

    def dense(self, vector: NDArray[np.float32], most: int) -> Ranking:
        """Passages whose vectors are nearest to ``vector``."""
        with self._opening:
            vectors = self._vectors
        return vectors.nearest(vector, most)

    def lexical(self, query: str, most: int) -> Ranking:
        """Passages that share stemmed words with ``query``."""
        with self._opening:
            lexicon, languages = self._lexicon, self._languages
        return lexicon.best(stems(query, _language_of(query, languages)), most)

    def documents(self, ranking: Ranking) -> list[Document]:
        """The passages of a ranking with their scores, in its order."""
        found = self.passages.documents([key for key, _ in ranking])
        return [replace(found[key], score=score) for key, score in ranking if key in found]

    def close(self) -> None:
        """Let go of the files."""
        if "_vectors" in vars(self):
            self._vectors.close()

    @cached_property
    def _vectors(self) -> Vectors:
        return Vectors(self._folder / "vectors")

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon.load(self._folder / "lexicon")

    @cached_property
    def _languages(self) -> list[str]:
        return self.passages.languages()


def _language_of(query: str, known: Sequence[str]) -> str:
    """The query's language if the index has it, else the index's most frequent one: few words are easily mistaken."""
    found = detect(query)
    return found if found in known or not known else known[0]
