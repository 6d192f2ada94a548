"""The runs of one home: a file each under ``runs/``, made, opened, read and listed."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from agentkit.errors import InputError, StoreError, did_you_mean
from agentkit.runtime.calls import SCHEMA as CALLS
from agentkit.runtime.database import connect, explained, look
from agentkit.runtime.header import SCHEMA as META
from agentkit.runtime.header import Header, insert_header, read_header
from agentkit.runtime.journal import SCHEMA as NODES
from agentkit.runtime.journal import Journal
from agentkit.runtime.lock import FileLock, is_held
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.runtime.runfile import RunFile
from agentkit.types import JSON

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_SCHEMA = META + CALLS + NODES


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

    def create(self, *, graph: str, graph_hash: str = "", inputs: Mapping[str, JSON]) -> Journal:
        """The journal of a new run; raises ``StoreError`` when its inputs are not plain data."""
        now = self.now()
        path = self._new_file(now)
        kept = self.redact.data(dict(inputs))
        header = Header(id=path.stem, graph=graph, graph_hash=graph_hash, inputs=kept, created=now)
        with ExitStack() as undo:
            connection, lock = self._take(path, undo, _SCHEMA)
            with explained(path):
                insert_header(connection, path, header)
            return self._journal(path, connection, lock, header, undo)

    def open(self, run: str) -> Journal:
        """The journal of an earlier run, to go on with it; it counts as running from now.

        Raises ``InputError`` when there is no such run, ``StoreError`` when another process is running it.
        """
        path = self._find(run)
        with ExitStack() as undo:
            connection, lock = self._take(path, undo)
            with explained(path):
                header = read_header(connection, path)
            journal = self._journal(path, connection, lock, header, undo)
        try:
            journal.set_status("running")
        except StoreError:
            journal.close()
            raise
        return journal

    def read(self, run: str) -> Header:
        """What a run is and how it stands, without opening it for writing; raises ``InputError`` when there is none."""
        path = self._find(run)
        with explained(path), closing(look(path, patience=self.patience)) as connection:
            found = read_header(connection, path)
        if found.status == "running" and not is_held(_lock_of(path)):
            return replace(found, status="killed")
        return found

    def runs(self) -> list[Header]:
        """All runs, the newest first; one that cannot be read is listed as ``unreadable``, with the reason."""
        found = [self._listed(path) for path in self.folder.glob("*.db") if _ID.match(path.stem)]
        return sorted(found, key=lambda one: (one.created, one.id), reverse=True)

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
        self, path: Path, connection: sqlite3.Connection, lock: FileLock, header: Header, undo: ExitStack
    ) -> Journal:
        file = RunFile(path, connection, header, lock=lock, redact=self.redact, clock=self.clock)
        journal = Journal(file)
        undo.pop_all()  # from here on the journal closes what was opened
        return journal


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
