"""Finding passages in an index: by words, by vectors, or by both.

The index is opened at the first query, and again when it was built anew meanwhile; the work is done in a thread. All raise
``IndexNotFoundError``, ``StoreError`` for a damaged index, ``ConfigError`` when its vectors are of another embedder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from sqlite3 import Error as SqliteError
from threading import Lock
from typing import Any

from agentkit.errors import ConfigError
from agentkit.protocols import Embedder
from agentkit.rag.embed import MiniLM
from agentkit.rag.fuse import Ranking, reciprocal_rank
from agentkit.rag.index import Index
from agentkit.rag.prompt import clean
from agentkit.rag.shelf import Manifest, Shelf, damaged
from agentkit.registry import provided
from agentkit.types import Document

_DEPTH = 100  # places of each ranking that are fused


@dataclass(frozen=True, kw_only=True)
class Hybrid:
    """Passages by words and by vectors, fused by reciprocal rank; ``weight`` in [0, 1] is the share of the vectors.

    ``score`` of a passage is the fused one: comparable within one query only.
    """

    index: str
    top_k: int = 6
    weight: float = 0.5
    home: Path | None = provided("home")
    cache: Path | None = provided("cache")
    embedder: Embedder | None = provided("embedder")

    def __post_init__(self) -> None:
        _check(self.top_k)
        if not 0 <= self.weight <= 1:
            raise ConfigError(f"weight is {self.weight}: the share of the vectors lies between 0 and 1")

    async def retrieve(self, query: str) -> tuple[Document, ...]:
        """The passages for ``query``, best first, at most ``top_k``; none for an empty query."""
        return await self._reader.find(query, self._rank, self.top_k)

    def _rank(self, query: str, index: Index) -> Ranking:
        depth = max(_DEPTH, self.top_k)
        lexical = [key for key, _ in index.lexical(query, depth)]
        dense = [key for key, _ in index.dense(self._reader.vector(query), depth)]
        return reciprocal_rank((lexical, dense), (1 - self.weight, self.weight))

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.home, self.index, self.embedder or MiniLM(cache=self.cache))


@dataclass(frozen=True, kw_only=True)
class Lexical:
    """Passages that share stemmed words with the query, by BM25, which is the ``score``; any language, no weights."""

    index: str
    top_k: int = 6
    home: Path | None = provided("home")

    def __post_init__(self) -> None:
        _check(self.top_k)

    async def retrieve(self, query: str) -> tuple[Document, ...]:
        """The passages for ``query``, best first, at most ``top_k``; none for an empty query."""
        return await self._reader.find(query, lambda text, index: index.lexical(text, self.top_k), self.top_k)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.home, self.index)


@dataclass(frozen=True, kw_only=True)
class Dense:
    """Passages whose vectors are nearest to the query's; ``score`` is the cosine."""

    index: str
    top_k: int = 6
    home: Path | None = provided("home")
    cache: Path | None = provided("cache")
    embedder: Embedder | None = provided("embedder")

    def __post_init__(self) -> None:
        _check(self.top_k)

    async def retrieve(self, query: str) -> tuple[Document, ...]:
        """The passages for ``query``, best first, at most ``top_k``; none for an empty query."""
        return await self._reader.find(query, self._rank, self.top_k)

    def _rank(self, query: str, index: Index) -> Ranking:
        return index.dense(self._reader.vector(query), self.top_k)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.home, self.index, self.embedder or MiniLM(cache=self.cache))


class Reader:
    """An index by its name, always in its current generation; threads may share it."""

    def __init__(self, home: Path | None, name: str, embedder: Embedder | None = None) -> None:
        self._shelf = Shelf(home or Path(".agentkit"))
        self._name = name
        self._embedder = embedder
        self._swap = Lock()
        self._open: list[tuple[str, Index]] = []

    async def find(self, query: str, rank: Callable[[str, Index], Ranking], top_k: int) -> tuple[Document, ...]:
        """The first ``top_k`` passages of a ranking, worked out in a thread."""
        query = clean(query).strip()
        return await asyncio.to_thread(self._find, query, rank, top_k) if query else ()

    def vector(self, query: str) -> Any:
        """The query as a row of float32."""
        assert self._embedder is not None
        return self._embedder.embed([query])[0]

    def _find(self, query: str, rank: Callable[[str, Index], Ranking], top_k: int) -> tuple[Document, ...]:
        manifest = self._shelf.manifest(self._name)
        self._check(manifest)
        with self._reading():
            index = self._current(manifest)
            return tuple(index.documents(rank(query, index)[:top_k]))

    def _check(self, manifest: Manifest) -> None:
        if self._embedder and self._embedder.name != manifest.embedder:
            raise ConfigError(
                f"the index {self._name!r} has vectors of {manifest.embedder!r}, the query would have one of "
                f"{self._embedder.name!r}: make the index again with `agentkit index {manifest.folder} --name {self._name}`"
            )

    def _current(self, manifest: Manifest) -> Index:
        """The open index; one that was replaced is closed when the next replaces it in turn, since queries may still run."""
        with self._swap:
            if not self._open or self._open[-1][0] != manifest.generation:
                self._open.append((manifest.generation, Index(self._shelf.place(self._name) / manifest.generation)))
            for _, old in self._open[:-2]:
                old.close()
            del self._open[:-2]
            return self._open[-1][1]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, SqliteError, ValueError, KeyError) as error:
            raise damaged(self._name, self._shelf.place(self._name)) from error


def _check(top_k: int) -> None:
    if top_k < 1:
        raise ConfigError(f"top_k is {top_k}: at least one passage must be wanted")
