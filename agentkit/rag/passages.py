"""The texts of an index and where each stands: one SQLite file, changed by one transaction a page."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agentkit.rag.chunk import Chunk
from agentkit.types import Document

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pages (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (id TEXT PRIMARY KEY, text TEXT NOT NULL, context TEXT NOT NULL, language TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE places (
  path TEXT NOT NULL REFERENCES pages, position INTEGER NOT NULL, passage TEXT NOT NULL REFERENCES passages,
  start INTEGER NOT NULL, titles TEXT NOT NULL, PRIMARY KEY (path, position)
) WITHOUT ROWID;
CREATE INDEX places_of ON places (passage, path, position);
"""
_AT_ONCE = 500  # parameters in one statement


def passage_id(text: str) -> str:
    """The key under which equal passages meet: 20 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


class Passages:
    """Pages, their passages and places. A passage that stands in several places is kept once.

    Reading opens the file anew each time, so that threads need no lock; sqlite3's errors come through as they are.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self._path = path
        self._writable = writable

    @classmethod
    def create(cls, path: Path, settings: Mapping[str, str]) -> Passages:
        """An empty store with these settings."""
        made = cls(path, writable=True)
        with closing(made._connect()) as store, store:
            store.executescript(_SCHEMA)
            store.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
        return made

    def settings(self) -> dict[str, str]:
        """How the passages were made."""
        return dict(self._rows("SELECT name, value FROM settings"))

    def hashes(self) -> dict[str, str]:
        """The sha256 of every page by its path."""
        return dict(self._rows("SELECT path, sha256 FROM pages ORDER BY path"))

    def blank(self) -> set[str]:
        """The pages without a passage."""
        return {path for (path,) in self._rows("SELECT path FROM pages WHERE path NOT IN (SELECT path FROM places)")}

    def languages(self) -> list[str]:
        """The languages of the passages, most frequent first."""
        rows = self._rows("SELECT language, count(*) FROM passages GROUP BY language ORDER BY 2 DESC, 1")
        return [language for language, _ in rows]

    def ids(self) -> list[str]:
        """The id of every passage, sorted."""
        return [key for (key,) in self._rows("SELECT id FROM passages ORDER BY id")]

    def contexts(self) -> Iterator[tuple[str, str, str]]:
        """(id, headings and text, language) of every passage, by id."""
        yield from self._rows("SELECT id, context, language FROM passages ORDER BY id")

    def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """The passages by id, each with its first place; the others are ``metadata["also"]``. Unknown ids are left out."""
        found: dict[str, Document] = {}
        for key, text, path, start, titles in self._places(ids):
            source, title = _source(path, titles)
            if key not in found:
                found[key] = Document(id=key, text=text, title=title, source=source, start=start)
            else:
                found[key] = _also(found[key], source)
        return found

    def replace(self, path: str, sha256: str, chunks: Iterable[Chunk], language: str) -> list[str]:
        """Put a page in place of what was known of it; returns the ids of passages that stand nowhere any more."""
        with closing(self._connect()) as store, store:
            old = _empty(store, path)
            store.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (path, sha256))
            for position, chunk in enumerate(chunks):
                key, titles = passage_id(chunk.text), json.dumps(chunk.titles, ensure_ascii=False)
                row = (key, chunk.text, chunk.context, language)
                store.execute("INSERT OR IGNORE INTO passages VALUES (?, ?, ?, ?)", row)
                store.execute("INSERT INTO places VALUES (?, ?, ?, ?, ?)", (path, position, key, chunk.start, titles))
            return _sweep(store, old)

    def remove(self, path: str) -> list[str]:
        """Forget a page; returns the ids of passages that stand nowhere any more."""
        with closing(self._connect()) as store, store:
            old = _empty(store, path)
            store.execute("DELETE FROM pages WHERE path = ?", (path,))
            return _sweep(store, old)

    def _places(self, ids: Sequence[str]) -> Iterator[tuple[str, str, str, int, str]]:
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            yield from self._rows(
                "SELECT passages.id, text, path, start, titles FROM places JOIN passages ON passages.id = passage "
                f"WHERE passage IN ({marks}) ORDER BY passages.id, path, position",
                some,
            )

    def _rows(self, query: str, parameters: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        with closing(self._connect()) as store:
            yield from store.execute(query, parameters)

    def _connect(self) -> sqlite3.Connection:
        if self._writable:
            return sqlite3.connect(self._path)
        # Published stores never change, so SQLite need not lock them, and a read-only disk does no harm.
        return sqlite3.connect(f"file:{quote(str(self._path.absolute()))}?mode=ro&immutable=1", uri=True)


def _empty(store: sqlite3.Connection, path: str) -> list[str]:
    """Take the page's places away; returns the ids that stood there."""
    ids = [key for (key,) in store.execute("SELECT DISTINCT passage FROM places WHERE path = ?", (path,))]
    store.execute("DELETE FROM places WHERE path = ?", (path,))
    return ids


def _sweep(store: sqlite3.Connection, ids: Iterable[str]) -> list[str]:
    """Delete those passages that have no place left; returns their ids."""
    query = "DELETE FROM passages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM places WHERE passage = ?1)"
    return [key for key in ids if store.execute(query, (key,)).rowcount]


def _source(path: str, titles: str) -> tuple[str, str]:
    """Where a person finds it, ``path#heading``, and the headings in words."""
    names = json.loads(titles)
    anchor = re.sub(r"[^\w\- ]", "", names[-1].lower()).strip().replace(" ", "-") if len(names) > 1 else ""
    return f"{path}#{anchor}" if anchor else path, " > ".join(names)


def _also(document: Document, source: str) -> Document:
    also = [*document.metadata.get("also", ()), source]
    return replace(document, metadata={"also": also})
