"""The runs of one home: a file each under ``runs/``, made, opened, read and listed."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from agentkit.errors import InputError, StoreError, did_you_mean
from agentkit.runtime.cache import NodeCache, SqliteCache
from agentkit.runtime.database import connect, explained, look
from agentkit.runtime.header import Header, read_header, row_of
from agentkit.runtime.journal import Journal
from agentkit.runtime.lock import FileLock, is_held
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.runtime.rows import Row
from agentkit.runtime.runfile import RunFile
from agentkit.runtime.sqlite import SCHEMA, SqliteRows
from agentkit.types import JSON

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_INSERT = f"INSERT INTO meta VALUES ({', '.join('?' * 10)})"


def run_id(now: float, rng: random.Random) -> str:
    """A short name that sorts by time: UTC date and time of ``now`` (seconds since 1970) and four random characters."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{''.join(rng.choices(_ALPHABET, k=4))}"


def _known_secrets() -> Redactor:
    return Redactor(secrets_in(os.environ), shapes=False)


@dataclass(frozen=True, kw_only=True)
class Store:
    """The run store in the folder ``home``.

    A commit survives the death of the process; with ``durability="power"`` it is synced and survives a power cut too, at
    about ten times the cost. ``patience`` is how many seconds to wait for a locked file. ``now`` gives seconds since
    1970, ``clock`` seconds that never jump, ``rng`` the random part of new ids, ``redact`` strikes secrets out.
    Raises ``StoreError`` for whatever goes wrong with files.
    """

    home: Path
    durability: Literal["process", "power"] = "process"
    patience: float = 2.0
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.SystemRandom)
    redact: Redactor = field(default_factory=_known_secrets)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.home / "runs"

    @property
    def cache(self) -> NodeCache:
        """What nodes put out, kept across runs in the file ``cache.db``."""
        return SqliteCache(path=self.home / "cache.db", redact=self.redact, patience=self.patience)

    def create(
        self,
        *,
        graph: str,
        graph_hash: str = "",
        inputs: Mapping[str, JSON],
        origin: Mapping[str, JSON] | None = None,
        rows: Sequence[Row] = (),
    ) -> Journal:
        """The journal of a new run, which begins with ``rows`` of another (``Journal.rows``).

        ``origin`` is plain data to go on with the run by. Raises ``StoreError`` when it or the inputs are not plain data.
        """
        now = self.now()
        path = self._new_file(now)
        kept, whence = self.redact.data(dict(inputs)), self.redact.data(dict(origin or {}))
        header = Header(id=path.stem, graph=graph, graph_hash=graph_hash, inputs=kept, created=now, origin=whence)
        with ExitStack() as undo:
            undo.callback(path.unlink, missing_ok=True)
            connection, lock = self._take(path, undo, SCHEMA)
            with explained(path):
                connection.execute(_INSERT, row_of(header, path))
            return self._journal(path, connection, lock, header, undo, rows)

    def open(self, run: str) -> Journal:
        """The journal of an earlier run, to go on with it; it counts as running from now.

        Raises ``InputError`` when there is no such run, ``StoreError`` when another process is running it.
        """
        path = self._find(run)
        with ExitStack() as undo:
            connection, lock = self._take(path, undo)
            with explained(path):
                header = read_header(connection, path)
            SqliteRows(path, connection, None).upgrade()
            journal = self._journal(path, connection, lock, header, undo)
        try:
            journal.set_status("running")
        except StoreError:
            journal.close()
            raise
        return journal

    def look(self, run: str) -> Journal:
        """The journal of a run to read from, whoever may be running it; close it after. Raises as ``read`` does."""
        path = self._find(run)
        with explained(path):
            connection = look(path, patience=self.patience)
        with ExitStack() as undo:
            undo.callback(connection.close)
            with explained(path):
                header = self._standing(path, read_header(connection, path))
            return self._journal(path, connection, None, header, undo)

    def read(self, run: str) -> Header:
        """What a run is and how it stands, without opening it for writing; raises ``InputError`` when there is none."""
        path = self._find(run)
        with explained(path), closing(look(path, patience=self.patience)) as connection:
            return self._standing(path, read_header(connection, path))

    def runs(self) -> list[Header]:
        """All runs, the newest first; one that cannot be read is listed as ``unreadable``, with the reason."""
        found = [self._listed(path) for path in self.folder.glob("*.db") if _ID.match(path.stem)]
        return sorted(found, key=lambda one: (one.created, one.id), reverse=True)

    def drop(self, run: str) -> None:
        """Delete a run; raises ``InputError`` when there is none, ``StoreError`` while a process is running it."""
        path = self._find(run)
        with explained(path):
            lock = FileLock(_lock_of(path), f"run {run}")
            try:
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
            finally:
                lock.release()

    def _standing(self, path: Path, header: Header) -> Header:
        if header.status == "running" and not is_held(_lock_of(path)):
            return replace(header, status="killed")
        return header

    def _listed(self, path: Path) -> Header:
        try:
            return self.read(path.stem)
        except StoreError as error:
            return Header(id=path.stem, inputs={}, status="unreadable", error=str(error), created=path.stat().st_mtime)

    def _new_file(self, now: float) -> Path:
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                path = self.folder / f"{run_id(now, self.rng)}.db"
                try:
                    path.touch(mode=0o600, exist_ok=False)
                except FileExistsError:
                    continue
                return path

    def _find(self, run: str) -> Path:
        path = self.folder / f"{run}.db"
        if not _ID.match(run) or not path.is_file():
            known = [one.stem for one in self.folder.glob("*.db")]
            raise InputError(f"there is no run {run!r} in {self.folder}{did_you_mean(run, known)}")
        return path

    def _take(self, path: Path, undo: ExitStack, schema: str = "") -> tuple[sqlite3.Connection, FileLock]:
        with explained(path):
            lock = FileLock(_lock_of(path), f"run {path.stem}")
            undo.callback(lock.release)
            connection = connect(path, full=self.durability == "power", patience=self.patience, schema=schema)
            undo.callback(connection.close)
        return connection, lock

    def _journal(
        self,
        path: Path,
        connection: sqlite3.Connection,
        lock: FileLock | None,
        header: Header,
        undo: ExitStack,
        rows: Sequence[Row] = (),
    ) -> Journal:
        table = SqliteRows(path, connection, lock)
        if rows:
            table.append(rows)
        journal = Journal(RunFile(table, header, redact=self.redact, clock=self.clock))
        undo.pop_all()  # from here on the journal closes what was opened
        return journal


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
