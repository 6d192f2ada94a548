"""One run under way: its header, its clock, and rows committed one by one, whatever the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentkit.errors import StoreError
from agentkit.runtime.codec import dumps
from agentkit.runtime.database import readable
from agentkit.runtime.header import Header
from agentkit.runtime.redact import Redactor
from agentkit.runtime.rows import Row, Rows, checked
from agentkit.types import JSON


class RunFile:
    """One run's open file. Raises ``StoreError`` for whatever goes wrong with it; what was committed stays.

    ``later`` are rows that nothing depends on: they are committed with the next one that matters.
    """

    def __init__(self, rows: Rows, header: Header, *, redact: Redactor, clock: Callable[[], float]) -> None:
        self.header = header
        self.later: list[Row] = []
        self._rows, self._clock = rows, clock
        self.redact = redact
        last = max((at for table in ("calls", "nodes") for (at,) in self.select(table, "at")), default=0.0)
        self._started = clock() - max(last, header.seconds)

    @property
    def place(self) -> str:
        """What to call the file in a message."""
        return self._rows.place

    @property
    def elapsed(self) -> float:
        """Seconds that the run has been going, in this session and those before it, without the time between them."""
        return self._clock() - self._started

    def insert(self, table: str, *values: object) -> int:
        """Commit one row, stamped with the time, and return its number."""
        return self.append([(table, (*values, round(self.elapsed, 6)))])

    def append(self, rows: Sequence[Row]) -> int:
        """Commit rows as they are, and what was left for later before them; the number of the last."""
        seq = self._rows.append([*self.later, *rows])
        self.later.clear()
        return seq

    def select(self, table: str, *columns: str, seq: int | None = None) -> list[tuple[Any, ...]]:
        """Columns of all rows of a table in the order of writing, or of one row."""
        found = self._rows.select(table, columns, seq=seq)
        with readable(self.place, f"a row of {table}" if seq is None else f"row {seq} of {table}"):
            return [checked(columns, row) for row in found]

    def clean(self, data: JSON, what: str) -> tuple[str, bool]:
        """Plain data as JSON with known secrets struck out, and whether there were any."""
        try:
            text = dumps(data)
        except (TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"{self.place}: {what} cannot be recorded as JSON: {error}") from error
        changed = self.redact(text) != text
        return (dumps(self.redact.data(data)) if changed else text), changed

    def set_status(self, status: str, *, output: Mapping[str, JSON] | None, error: str) -> None:
        """Commit how the run stands."""
        output = None if output is None else json.loads(self.clean(dict(output), "the output")[0])
        changed = replace(
            self.header, status=status, output=output, error=self.redact(error), seconds=round(self.elapsed, 3)
        )
        self._rows.update(changed, self.later)
        self.later.clear()
        self.header = changed

    def close(self) -> None:
        """Let go, so that others may go on with the run."""
        self._rows.close()
