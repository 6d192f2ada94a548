"""What a run is: the one row of its file that lists and reports read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentkit.errors import StoreError
from agentkit.runtime.codec import dumps
from agentkit.runtime.database import readable
from agentkit.types import JSON

FORMAT = 1
"""The version of the file's tables. A newer agentkit reads older ones; an older one refuses newer ones by name."""

APPLICATION = 0x616B6974  # "akit"

SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE meta (
    id TEXT NOT NULL, graph TEXT NOT NULL, graph_hash TEXT NOT NULL, inputs TEXT NOT NULL, status TEXT NOT NULL,
    created REAL NOT NULL, seconds REAL NOT NULL, output TEXT, error TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A run: its graph and inputs, when it was made, and how it stands.

    ``created`` is in seconds since 1970, ``seconds`` how long it ran. ``status`` is ``running`` or how the run ended; a list
    of runs also knows ``killed`` (its process is gone) and ``unreadable`` (``error`` says why).
    """

    id: str
    graph: str = ""
    graph_hash: str = ""
    inputs: Mapping[str, JSON]
    status: str = "running"
    created: float = 0.0
    seconds: float = 0.0
    output: Mapping[str, JSON] | None = None
    error: str = ""


def read_header(connection: sqlite3.Connection, path: Path) -> Header:
    """The header in a run's file; raises ``StoreError`` when the file is none of ours or newer than we are."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise StoreError(f"{path}: this is not a run of agentkit, or its process died while making it")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise StoreError(
            f"{path}: this run was written by a newer agentkit (format {version}, this one reads up to {FORMAT}): "
            "update agentkit to open it"
        )
    query = "SELECT id, graph, graph_hash, inputs, status, created, seconds, output, error FROM meta"
    with readable(path, "the header"):
        return _header(*connection.execute(query).fetchone())


def _header(
    run: str,
    graph: str,
    graph_hash: str,
    inputs: str,
    status: str,
    created: float,
    seconds: float,
    output: str | None,
    error: str,
) -> Header:
    return Header(
        id=run,
        graph=graph,
        graph_hash=graph_hash,
        inputs=dict(json.loads(inputs)),
        status=status,
        created=float(created),
        seconds=float(seconds),
        output=None if output is None else dict(json.loads(output)),
        error=error,
    )


def insert_header(connection: sqlite3.Connection, path: Path, header: Header) -> None:
    """Commit the header of a new run; raises ``StoreError`` when its inputs are not plain data."""
    try:
        inputs = dumps(dict(header.inputs))
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: the inputs of the run cannot be recorded: {error}") from error
    connection.execute(
        "INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?, NULL, '')",
        (header.id, header.graph, header.graph_hash, inputs, header.status, header.created, header.seconds),
    )


def update_header(connection: sqlite3.Connection, header: Header) -> None:
    """Commit how the run stands now."""
    output = None if header.output is None else dumps(header.output)
    connection.execute(
        "UPDATE meta SET status = ?, seconds = ?, output = ?, error = ?",
        (header.status, header.seconds, output, header.error),
    )
