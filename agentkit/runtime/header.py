"""What a run is: the one row of its file that lists and reports read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentkit.errors import StoreError
from agentkit.runtime.codec import dumps
from agentkit.runtime.database import readable
from agentkit.types import JSON

FORMAT = 2
"""The version of the file's tables. A newer agentkit reads older ones; an older one refuses newer ones by name."""

APPLICATION = 0x616B6974  # "akit"

META = """
CREATE TABLE meta (
    id TEXT NOT NULL, graph TEXT NOT NULL, graph_hash TEXT NOT NULL, inputs TEXT NOT NULL, status TEXT NOT NULL,
    created REAL NOT NULL, seconds REAL NOT NULL, output TEXT, error TEXT NOT NULL, origin TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A run: its graph and inputs, when it was made, and how it stands.

    ``created`` is in seconds since 1970, ``seconds`` how long it ran. ``status`` is ``running`` or how the run ended; a list
    of runs also knows ``killed`` (its process is gone) and ``unreadable`` (``error`` says why). ``origin`` is what whoever
    made the run needs to go on with it: the graph's file, the seed, the run it was forked from.
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
    origin: Mapping[str, JSON] = field(default_factory=dict)


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
    origin = "origin" if version > 1 else "'{}'"
    query = f"SELECT id, graph, graph_hash, inputs, status, created, seconds, output, error, {origin} FROM meta"
    with readable(path, "the header"):
        return header_of(*connection.execute(query).fetchone())


def header_of(
    run: str,
    graph: str,
    graph_hash: str,
    inputs: str,
    status: str,
    created: float,
    seconds: float,
    output: str | None,
    error: str,
    origin: str,
) -> Header:
    """The header in a row of ``meta``; raises ``ValueError`` or ``TypeError`` for one that was not written by us."""
    return Header(
        id=run,
        graph=graph,
        graph_hash=graph_hash,
        inputs=dict(json.loads(inputs)),
        status=status,
        created=float(created),
        seconds=float(seconds),
        output=None if output is None else dict(json.loads(output)),
        error=str(error),
        origin=dict(json.loads(origin)),
    )


def row_of(header: Header, place: object) -> tuple[object, ...]:
    """The row of ``meta`` for a new run; raises ``StoreError`` when its inputs are not plain data."""
    try:
        inputs, origin = dumps(dict(header.inputs)), dumps(dict(header.origin))
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"{place}: the inputs of the run cannot be recorded: {error}") from error
    named = (header.id, header.graph, header.graph_hash, inputs, header.status, header.created, header.seconds)
    return (*named, None, "", origin)


def values_of(header: Header) -> tuple[str, float, str | None, str]:
    """What changes of a run: ``status``, ``seconds``, ``output`` and ``error`` as they are written."""
    output = None if header.output is None else dumps(header.output)
    return header.status, header.seconds, output, header.error
