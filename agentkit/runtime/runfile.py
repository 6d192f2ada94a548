"""The SQLite file of one run: its header, its clock, its lock, and rows committed one by one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentkit.errors import StoreError
from agentkit.runtime.codec import dumps
from agentkit.runtime.database import explained
from agentkit.runtime.header import Header, update_header
from agentkit.runtime.lock import FileLock
from agentkit.runtime.redact import Redactor
from agentkit.types import JSON


class RunFile:
    """One run's open file. Raises ``StoreError`` for whatever goes wrong with it; what was committed stays."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        header: Header,
        *,
        lock: FileLock,
        redact: Redactor,
        clock: Callable[[], float],
    ) -> None:
        self.path, self.header = path, header
        self._connection, self._lock, self._redact, self._clock = connection, lock, redact, clock
        last = "SELECT max(coalesce((SELECT max(at) FROM calls), 0), coalesce((SELECT max(at) FROM nodes), 0))"
        self._started = clock() - max(float(self.rows(last)[0][0]), header.seconds)

    @property
    def elapsed(self) -> float:
        """Seconds that the run has been going, in this session and those before it, without the time between them."""
        return self._clock() - self._started

    def insert(self, statement: str, *values: object) -> int:
        """Commit one row and return its number."""
        with explained(self.path):
            return int(self._connection.execute(statement, values).lastrowid or 0)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows that ``query`` finds."""
        with explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def clean(self, data: JSON, what: str) -> tuple[str, bool]:
        """Plain data as JSON with known secrets struck out, and whether there were any."""
        try:
            text = dumps(data)
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"{self.path}: {what} cannot be recorded as JSON: {error}") from error
        changed = self._redact(text) != text
        return (dumps(self._redact.data(data)) if changed else text), changed

    def set_status(self, status: str, *, output: Mapping[str, JSON] | None, error: str) -> None:
        """Commit how the run stands."""
        output = None if output is None else json.loads(self.clean(dict(output), "the output")[0])
        changed = replace(
            self.header, status=status, output=output, error=self._redact(error), seconds=round(self.elapsed, 3)
        )
        with explained(self.path):
            update_header(self._connection, changed)
        self.header = changed

    def close(self) -> None:
        """Leave one plain file, free for others."""
        self._connection.close()
        self._lock.release()
