"""What a store of runs can do, whatever the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from agentkit.errors import ConfigError
from agentkit.runtime.cache import NodeCache
from agentkit.runtime.header import Header
from agentkit.runtime.journal import Journal
from agentkit.runtime.rows import Row
from agentkit.types import JSON

Durability = Literal["process", "power"]
"""What a commit survives: the death of the process, or a power cut too."""


class RunStore(Protocol):
    """Makes, opens, reads and lists runs. Raises ``StoreError`` for whatever goes wrong with the database."""

    @property
    def cache(self) -> NodeCache:
        """What nodes put out, kept across runs beside them."""
        ...

    def create(
        self,
        *,
        graph: str,
        graph_hash: str = "",
        inputs: Mapping[str, JSON],
        origin: Mapping[str, JSON] | None = None,
        rows: Sequence[Row] = (),
    ) -> Journal:
        """The journal of a new run, which begins with ``rows`` of another (``Journal.rows``)."""
        ...

    def open(self, run: str) -> Journal:
        """The journal of an earlier run, to go on with it; ``StoreError`` when another process is running it."""
        ...

    def look(self, run: str) -> Journal:
        """The journal of a run to read from, whoever may be running it; close it after."""
        ...

    def read(self, run: str) -> Header:
        """What a run is and how it stands; ``InputError`` when there is none."""
        ...

    def runs(self) -> list[Header]:
        """All runs, the newest first."""
        ...

    def drop(self, run: str) -> None:
        """Delete a run; ``StoreError`` while a process is running it."""
        ...


def open_store(home: Path, url: str | None = None, *, durability: Durability | None = None) -> RunStore:
    """The store at ``url`` (``postgresql://...``), or the one of files under ``home``.

    Files are durable against the death of the ``process`` unless told otherwise, a PostgreSQL server against a ``power`` cut.
    """
    if url is None:
        from agentkit.runtime.store import Store

        return Store(home=home, durability=durability or "process")
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigError(f"a store is a URL like postgresql://user@host/database, not {url.partition('?')[0][:60]!r}")
    from agentkit.runtime.postgres import PostgresStore

    return PostgresStore(url=url, durability=durability or "power")
