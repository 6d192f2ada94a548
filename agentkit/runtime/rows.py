"""Where the rows of one run are kept: four tables, whatever the database."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, Protocol

from agentkit.runtime.header import Header

TABLES = {
    "calls": ("node", "visit", "path", "request", "ordinal", "sample", "usage", "at"),
    "nodes": ("node", "visit", "path", "key", "outputs", "usage", "seconds", "at"),
    "events": ("node", "visit", "path", "kind", "data", "at"),
}
"""The columns of each table after its row number ``seq``: a call's ``sample`` is NULL when it gave none."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("node", "path", "key", "outputs", "usage", "kind", "data"), (str,)),
    **dict.fromkeys(("seq", "visit"), (int,)),
    **dict.fromkeys(("at", "seconds"), (float, int)),
    "request": (bytes, NoneType),
    "ordinal": (int, NoneType),
    "sample": (str, NoneType),
}


def checked(columns: Sequence[str], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row that was read; raises ``ValueError`` where one of its ``columns`` holds what no store of ours writes there."""
    for column, value in zip(columns, row, strict=True):
        if not isinstance(value, _KINDS[column]) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"its {column} is {type(value).__name__} {str(value)[:40]!r}")
    return row


Row = tuple[str, Sequence[object]]
"""A table, and a value for each of its columns."""


class Rows(Protocol):
    """The rows of one run in an open database. Raises ``StoreError`` for whatever goes wrong with it."""

    @property
    def place(self) -> str:
        """What to call the database in a message; never with a password."""
        ...

    def append(self, rows: Iterable[Row]) -> int:
        """Commit ``rows`` together, all or none, and return the number of the last."""
        ...

    def select(self, table: str, columns: Sequence[str], *, seq: int | None = None) -> list[tuple[Any, ...]]:
        """These columns of every row of ``table`` in the order of writing, or of the row ``seq`` alone."""
        ...

    def update(self, header: Header, rows: Iterable[Row]) -> None:
        """Commit how the run stands, and ``rows`` with it."""
        ...

    def close(self) -> None:
        """Let go, so that others may go on with the run; once is enough, more does no harm."""
        ...
