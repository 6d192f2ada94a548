"""Outputs of nodes, kept across runs in the PostgreSQL database of the runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agentkit.runtime.cache import MOST_BYTES, MOST_ENTRIES, CacheSize, Kept, read_row, row_of
from agentkit.runtime.postgres import MAKING, PostgresStore, explained

_SCHEMA = """
CREATE TABLE IF NOT EXISTS agentkit_cache (
    seq BIGSERIAL, key TEXT PRIMARY KEY, graph TEXT NOT NULL, node TEXT NOT NULL, outputs TEXT NOT NULL, usage TEXT NOT NULL,
    bytes BIGINT NOT NULL, written DOUBLE PRECISION NOT NULL, used DOUBLE PRECISION NOT NULL
);
CREATE INDEX IF NOT EXISTS agentkit_cache_used ON agentkit_cache (used, seq);
"""
_PUT = """
INSERT INTO agentkit_cache (key, graph, node, outputs, usage, bytes, written, used)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET graph = excluded.graph, node = excluded.node, outputs = excluded.outputs,
    usage = excluded.usage, bytes = excluded.bytes, written = excluded.written, used = excluded.used
"""
_MAKE_ROOM = """
DELETE FROM agentkit_cache WHERE key IN (
    SELECT key FROM (
        SELECT key, count(*) OVER w AS entries, sum(bytes) OVER w AS size
        FROM agentkit_cache WINDOW w AS (ORDER BY used DESC, seq DESC)
    ) AS newest WHERE entries > %s OR size > %s
)
"""


@dataclass(frozen=True, kw_only=True)
class PostgresCache:
    """The cache in the database of ``store``; it makes its table itself."""

    store: PostgresStore
    most_entries: int = MOST_ENTRIES
    most_bytes: int = MOST_BYTES

    def get(self, key: str, *, now: float, since: float = 0.0) -> Kept | None:
        """What is kept under ``key``."""
        query = "UPDATE agentkit_cache SET used = %s WHERE key = %s AND written >= %s RETURNING outputs, usage"
        with self._open() as database:
            row = database.execute(query, (now, key, since)).fetchone()
        return None if row is None else read_row(self.store.place, *row)

    def put(self, key: str, kept: Kept, *, now: float, graph: str, node: str) -> None:
        """Keep outputs; those that alone would fill an eighth of the cache are not kept."""
        outputs, usage = row_of(self.store.place, kept, self.store.redact)
        if len(outputs) > self.most_bytes // 8:
            return
        with self._open() as database, database.transaction():
            database.execute(_PUT, (key, graph, node, outputs, usage, len(outputs), now, now))
            size = _size(database)
            if size.entries > self.most_entries or size.bytes > self.most_bytes:
                database.execute(_MAKE_ROOM, (self.most_entries * 9 // 10, self.most_bytes * 9 // 10))

    def clear(self, graph: str | None = None) -> int:
        """Forget entries."""
        with self._open() as database:
            if graph is None:
                return int(database.execute("DELETE FROM agentkit_cache").rowcount)
            return int(database.execute("DELETE FROM agentkit_cache WHERE graph = %s", (graph,)).rowcount)

    def size(self) -> CacheSize:
        """How much is kept."""
        with self._open() as database:
            return _size(database)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        with self.store.connected() as (connection, _), explained(self.store.place):
            if connection.execute("SELECT to_regclass('agentkit_cache')").fetchone()[0] is None:
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
                    connection.execute(_SCHEMA)
            yield connection


def _size(database: Any) -> CacheSize:
    entries, size = database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM agentkit_cache").fetchone()
    return CacheSize(entries=int(entries), bytes=int(size))
