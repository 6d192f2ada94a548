"""The runs of one PostgreSQL database: the same tables as a run's file, with the run's id in every row."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from agentkit.errors import InputError, MissingExtraError, StoreError, did_you_mean
from agentkit.runtime.cache import NodeCache
from agentkit.runtime.database import readable
from agentkit.runtime.header import FORMAT, Header, header_of, row_of, values_of
from agentkit.runtime.journal import Journal
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.runtime.rows import TABLES, Row
from agentkit.runtime.runfile import RunFile
from agentkit.runtime.runstore import Durability
from agentkit.runtime.store import run_id
from agentkit.types import JSON

_PLACE = "run TEXT NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, path TEXT NOT NULL"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS agentkit_format (version INTEGER NOT NULL);
INSERT INTO agentkit_format SELECT {FORMAT} WHERE NOT EXISTS (SELECT 1 FROM agentkit_format);
CREATE TABLE IF NOT EXISTS agentkit_runs (
    id TEXT PRIMARY KEY, graph TEXT NOT NULL, graph_hash TEXT NOT NULL, inputs TEXT NOT NULL, status TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL, seconds DOUBLE PRECISION NOT NULL, output TEXT, error TEXT NOT NULL,
    origin TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS agentkit_calls (
    seq BIGSERIAL PRIMARY KEY, {_PLACE}, request BYTEA, ordinal INTEGER, sample TEXT, usage TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS agentkit_nodes (
    seq BIGSERIAL PRIMARY KEY, {_PLACE}, key TEXT NOT NULL, outputs TEXT NOT NULL, usage TEXT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL, at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS agentkit_events (
    seq BIGSERIAL PRIMARY KEY, {_PLACE}, kind TEXT NOT NULL, data TEXT NOT NULL, at DOUBLE PRECISION NOT NULL
);
CREATE INDEX IF NOT EXISTS agentkit_calls_run ON agentkit_calls (run, seq);
CREATE INDEX IF NOT EXISTS agentkit_nodes_run ON agentkit_nodes (run, seq);
CREATE INDEX IF NOT EXISTS agentkit_events_run ON agentkit_events (run, seq);
"""
_INSERTS = {
    table: f"INSERT INTO agentkit_{table} (run, {', '.join(columns)}) "
    f"VALUES ({', '.join(['%s'] * (1 + len(columns)))}) RETURNING seq"
    for table, columns in TABLES.items()
}
_HEADER = "id, graph, graph_hash, inputs, status, created, seconds, output, error, origin"
_LOCK = "hashtextextended('agentkit:' || %s, 0)"
_HELD = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
    f"AND (classid::bigint << 32 | objid::bigint) = {_LOCK}"
)
MAKING = 0x616B6974  # the advisory lock of whoever makes the tables


def _known_secrets() -> Redactor:
    return Redactor(secrets_in(os.environ), shapes=False)


@dataclass(frozen=True, kw_only=True)
class PostgresStore:
    """The run store in the database at ``url`` (``postgresql://user:password@host/database``); it makes its tables itself.

    With ``durability="power"`` a commit waits until the server has it on disk (``synchronous_commit``); with ``process`` it
    survives the death of this process, and a crash of the server may lose the last moments. The lock on a run under way is
    the server's and ends with the connection. The other fields are those of ``Store``. Raises ``StoreError`` for whatever
    goes wrong with the server, ``MissingExtraError`` without psycopg.
    """

    url: str = field(repr=False)
    durability: Durability = "power"
    patience: float = 10.0
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.SystemRandom)
    redact: Redactor = field(default_factory=_known_secrets)

    @property
    def place(self) -> str:
        """The address without user and password."""
        parts = urlsplit(self.url)
        return f"postgresql://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

    @property
    def cache(self) -> NodeCache:
        """What nodes put out, kept across runs in the same database."""
        from agentkit.runtime.postgres_cache import PostgresCache

        return PostgresCache(store=self)

    def create(
        self,
        *,
        graph: str,
        graph_hash: str = "",
        inputs: Mapping[str, JSON],
        origin: Mapping[str, JSON] | None = None,
        rows: Sequence[Row] = (),
    ) -> Journal:
        """The journal of a new run, which begins with ``rows`` of another; see ``Store.create``."""
        now = self.now()
        kept, whence = self.redact.data(dict(inputs)), self.redact.data(dict(origin or {}))
        with self.connected() as (connection, undo):
            run = run_id(now, self.rng)
            header = Header(id=run, graph=graph, graph_hash=graph_hash, inputs=kept, created=now, origin=whence)
            self._lock(connection, run)
            statement = f"INSERT INTO agentkit_runs ({_HEADER}) VALUES ({', '.join(['%s'] * 10)})"
            connection.execute(statement, row_of(header, self.place))
            return self._journal(connection, header, undo, rows)

    def open(self, run: str) -> Journal:
        """The journal of an earlier run, to go on with it; see ``Store.open``."""
        with self.connected() as (connection, undo):
            header = self._header(connection, run)
            self._lock(connection, run)
            journal = self._journal(connection, header, undo)
        journal.set_status("running")
        return journal

    def look(self, run: str) -> Journal:
        """The journal of a run to read from, whoever may be running it; close it after."""
        with self.connected() as (connection, undo):
            return self._journal(connection, self._standing(connection, self._header(connection, run)), undo)

    def read(self, run: str) -> Header:
        """What a run is and how it stands; raises ``InputError`` when there is none."""
        with self.connected() as (connection, _):
            return self._standing(connection, self._header(connection, run))

    def runs(self) -> list[Header]:
        """All runs, the newest first."""
        with self.connected() as (connection, _):
            found = connection.execute(f"SELECT {_HEADER} FROM agentkit_runs ORDER BY created DESC, id DESC").fetchall()
            return [self._standing(connection, self._read(row)) for row in found]

    def drop(self, run: str) -> None:
        """Delete a run; raises ``InputError`` when there is none, ``StoreError`` while a process is running it."""
        with self.connected() as (connection, _):
            self._header(connection, run)
            self._lock(connection, run)
            with connection.transaction():
                for table in TABLES:
                    connection.execute(f"DELETE FROM agentkit_{table} WHERE run = %s", (run,))
                connection.execute("DELETE FROM agentkit_runs WHERE id = %s", (run,))

    @contextmanager
    def connected(self) -> Iterator[tuple[Any, ExitStack]]:
        """A connection with our tables, closed at the end unless a journal took it over."""
        psycopg = _psycopg()
        with explained(self.place), ExitStack() as undo:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=max(2, int(self.patience)))
            undo.callback(connection.close)
            connection.execute(f"SET synchronous_commit TO {'on' if self.durability == 'power' else 'off'}")
            connection.execute(f"SET lock_timeout TO {int(self.patience * 1000)}")
            self._prepare(connection)
            yield connection, undo

    def _prepare(self, connection: Any) -> None:
        """Make the tables where they are missing; raises ``StoreError`` for those of a newer release."""
        if connection.execute("SELECT to_regclass('agentkit_events')").fetchone()[0] is None:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
                connection.execute(_SCHEMA)
        (version,) = connection.execute("SELECT max(version) FROM agentkit_format").fetchone()
        if version is not None and version > FORMAT:
            raise StoreError(
                f"{self.place}: these runs were written by a newer agentkit (format {version}, this one reads up to "
                f"{FORMAT}): update agentkit to open them"
            )

    def _header(self, connection: Any, run: str) -> Header:
        found = connection.execute(f"SELECT {_HEADER} FROM agentkit_runs WHERE id = %s", (_checked(run),)).fetchone()
        if found is None:
            known = [one for (one,) in connection.execute("SELECT id FROM agentkit_runs").fetchall()]
            raise InputError(f"there is no run {run!r} in {self.place}{did_you_mean(run, known)}")
        return self._read(found)

    def _read(self, row: Sequence[Any]) -> Header:
        with readable(self.place, f"the header of run {row[0]}"):
            return header_of(*row)

    def _standing(self, connection: Any, header: Header) -> Header:
        if header.status != "running" or connection.execute(_HELD, (header.id,)).fetchone()[0]:
            return header
        return replace(header, status="killed")

    def _lock(self, connection: Any, run: str) -> None:
        if not connection.execute(f"SELECT pg_try_advisory_lock({_LOCK})", (run,)).fetchone()[0]:
            raise StoreError(f"run {run} is already being run: wait until it ends, or stop it first")

    def _journal(self, connection: Any, header: Header, undo: ExitStack, rows: Sequence[Row] = ()) -> Journal:
        table = PostgresRows(self.place, connection, header.id)
        if rows:
            table.append(rows)
        journal = Journal(RunFile(table, header, redact=self.redact, clock=self.clock))
        undo.pop_all()  # from here on the journal closes the connection
        return journal


class PostgresRows:
    """The rows of ``run`` in an open database."""

    def __init__(self, place: str, connection: Any, run: str) -> None:
        self._place, self._connection, self._run = place, connection, run

    @property
    def place(self) -> str:
        """The address without user and password, and the run."""
        return f"{self._place}: run {self._run}"

    def append(self, rows: Iterable[Row]) -> int:
        """Commit rows together."""
        found = list(rows)
        with explained(self.place):
            if len(found) == 1:
                return self._insert(*found[0])
            with self._connection.transaction(), self._connection.pipeline():
                *before, last = found
                for table, values in before:
                    self._connection.execute(_INSERTS[table], (self._run, *values))
                cursor = self._connection.execute(_INSERTS[last[0]], (self._run, *last[1]))
                return int(cursor.fetchone()[0])

    def select(self, table: str, columns: Sequence[str], *, seq: int | None = None) -> list[tuple[Any, ...]]:
        """Columns of rows."""
        query = f"SELECT {', '.join(columns)} FROM agentkit_{table} WHERE run = %s"
        with explained(self.place):
            if seq is None:
                found = self._connection.execute(f"{query} ORDER BY seq", (self._run,))
            else:
                found = self._connection.execute(f"{query} AND seq = %s", (self._run, seq))
            return list(found.fetchall())

    def update(self, header: Header, rows: Iterable[Row]) -> None:
        """Commit how the run stands."""
        statement = "UPDATE agentkit_runs SET status = %s, seconds = %s, output = %s, error = %s WHERE id = %s"
        with explained(self.place), self._connection.transaction():
            for table, values in rows:
                self._insert(table, values)
            self._connection.execute(statement, (*values_of(header), self._run))

    def close(self) -> None:
        """Close the connection, and with it end the lock."""
        self._connection.close()

    def _insert(self, table: str, values: Sequence[object]) -> int:
        return int(self._connection.execute(_INSERTS[table], (self._run, *values)).fetchone()[0])


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn errors of the server and of the way to it into ``StoreError`` with one sentence."""
    psycopg = _psycopg()
    try:
        yield
    except psycopg.OperationalError as error:
        raise StoreError(
            f"{place}: the PostgreSQL server cannot be used ({_line(error)}); what was recorded is kept"
        ) from error
    except psycopg.Error as error:
        raise StoreError(f"{place}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _checked(run: str) -> str:
    """An id as it is; one that cannot be an id names no run, and a server takes no NUL in a text."""
    return run if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run) else ""


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError("psycopg", "postgres", "a run store in PostgreSQL") from None
    return psycopg
