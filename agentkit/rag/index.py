"""A document index: vectors in Chroma, words in BM25, texts in SQLite. The only file that imports chromadb and bm25s."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from agentkit.errors import MissingExtraError, StoreError
from agentkit.rag.passages import Passages
from agentkit.text import language as detect
from agentkit.text import words
from agentkit.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Ranking = list[tuple[str, float]]
"""(passage id, score), best first."""

_COLLECTION = "passages"
_AT_ONCE = 1000  # ids in one deletion
_K1, _B = 1.2, 0.75  # the values of Lucene


class Vectors:
    """Vectors of unit length by passage id, in a persistent Chroma collection that never embeds anything itself."""

    def __init__(self, folder: Path) -> None:
        chromadb = _chromadb()
        settings = chromadb.config.Settings(anonymized_telemetry=False, allow_reset=False)
        with _chroma_errors():
            self._client = chromadb.PersistentClient(str(folder), settings=settings)
            self._collection = self._client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "ip", "ef_search": 200}}
            )

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that have a vector."""
        with _chroma_errors():
            return set(self._collection.get(ids=list(ids), include=[])["ids"]) if ids else set()

    def ids(self) -> set[str]:
        """Every id that has a vector."""
        with _chroma_errors():
            return set(self._collection.get(include=[])["ids"])

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep ``vectors`` of shape (len(ids), dimensions)."""
        with _chroma_errors():
            self._collection.upsert(ids=list(ids), embeddings=vectors)

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these."""
        gone = list(ids)
        with _chroma_errors():
            for first in range(0, len(gone), _AT_ONCE):
                self._collection.delete(ids=gone[first : first + _AT_ONCE])

    def nearest(self, vector: NDArray[np.float32], most: int) -> Ranking:
        """The ids whose vectors have the largest dot product with ``vector``, at most ``most``."""
        with _chroma_errors():
            most = min(most, self._collection.count())
            if not most:
                return []
            found = self._collection.query(query_embeddings=[vector], n_results=most, include=["distances"])
        return [(key, 1.0 - distance) for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


class Lexicon:
    """Stemmed words of passages, scored by BM25 (Robertson et al. 1994, in Lucene's form)."""

    def __init__(self, ids: Sequence[str], model: Any) -> None:
        self._ids = ids
        self._model = model

    @classmethod
    def build(cls, texts: Iterable[tuple[str, str, str]]) -> Lexicon:
        """From (id, text, language) of each passage."""
        rows = [(key, stems(text, language)) for key, text, language in texts]
        model = _bm25s().BM25(method="lucene", k1=_K1, b=_B)
        model.index([row for _, row in rows] or [[""]], show_progress=False)
        return cls([key for key, _ in rows], model)

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """What ``save`` wrote."""
        model = _bm25s().BM25.load(folder, load_corpus=False, show_progress=False)
        return cls(json.loads((folder / "ids.json").read_text("utf-8")), model)

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        self._model.save(folder, show_progress=False)
        (folder / "ids.json").write_text(json.dumps(self._ids), "utf-8")

    def best(self, terms: Sequence[str], most: int) -> Ranking:
        """The passages that hold any of ``terms``, at most ``most``; ties go by id."""
        known = [term for term in terms if term in self._model.vocab_dict]
        if not known or not self._ids:
            return []
        scores = self._model.get_scores(known)
        order = sorted(scores.nonzero()[0].tolist(), key=lambda place: (-scores[place], self._ids[place]))
        return [(self._ids[place], float(scores[place])) for place in order[:most]]


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


def stems(text: str, language: str) -> list[str]:
    """The words and numbers of ``text`` in the form in which they are compared."""
    return [word.stem for word in words(text, language) if word.kind != "punctuation"]


def _language_of(query: str, known: Sequence[str]) -> str:
    """The query's language if the index has it, else the index's most frequent one: few words are easily mistaken."""
    found = detect(query)
    return found if found in known or not known else known[0]


@contextmanager
def _chroma_errors() -> Iterator[None]:
    try:
        yield
    except _chromadb().errors.ChromaError as error:
        raise StoreError(f"the vector store failed: {error}") from error


def _chromadb() -> Any:
    try:
        import chromadb
        import chromadb.config
        import chromadb.errors
    except ImportError:
        raise MissingExtraError("chromadb", "chroma", "a document index") from None
    return chromadb


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError:
        raise MissingExtraError("bm25s", "chroma", "a document index") from None
    return bm25s
