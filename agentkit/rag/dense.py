"""Vectors of passages in Chroma, found by nearness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.errors import MissingExtraError, StoreError
from agentkit.rag.fuse import Ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLLECTION = "passages"
_AT_ONCE = 1000  # ids in one deletion


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
