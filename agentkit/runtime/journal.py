"""The record of one run: a row a model sample and a row a finished node, committed as they happen.

A row is committed before anyone sees what it holds, so after ``kill -9`` a resumed run finds all that it paid for, but for
the calls then in flight.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agentkit.events import SampleDrawn, Scope
from agentkit.runtime.calls import Calls, Drawn
from agentkit.runtime.codec import decode_usage, dumps, encode_usage
from agentkit.runtime.database import readable
from agentkit.runtime.header import Header
from agentkit.runtime.redact import Redactor
from agentkit.runtime.rows import TABLES, Row
from agentkit.runtime.runfile import RunFile
from agentkit.runtime.timeline import Happened, Timeline
from agentkit.types import JSON, Usage

_COLUMNS = ("node", "visit", "path", "key", "outputs", "usage", "seconds", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A finished visit of a node: its ``outputs``, what it cost and how long it took (seconds).

    ``key`` fingerprints what the outputs depend on: the node's spec and its inputs. It ended ``at`` so many seconds into the
    run.
    """

    scope: Scope
    key: str
    outputs: Mapping[str, JSON]
    usage: Usage
    seconds: float
    at: float


class Journal:
    """What a run has paid for and finished; ``Store.create`` and ``Store.open`` make it.

    Every method that writes has committed when it returns. Raises ``StoreError`` when the file cannot be written or holds
    something unreadable; what was recorded before stays intact. Belongs to one event loop. ``calls`` holds the samples,
    ``timeline`` takes the events.
    """

    def __init__(self, file: RunFile) -> None:
        self._file = file
        self.calls = Calls(file)
        self._visits: dict[tuple[str, int, str], int] = {
            (node, visit, path): row for row, node, visit, path in file.select("nodes", "seq", "node", "visit", "path")
        }
        self.timeline = Timeline(file, self._row)

    @property
    def header(self) -> Header:
        """What the run is and how it stands."""
        return self._file.header

    @property
    def redact(self) -> Redactor:
        """What strikes known secrets out of everything written."""
        return self._file.redact

    @property
    def elapsed(self) -> float:
        """Seconds that the run has been going, in this session and those before it, without the time between them."""
        return self._file.elapsed

    def usage(self, scope: Scope | None = None) -> Usage:
        """What the run has spent so far, or what was spent in ``scope`` and inside it."""
        return self.calls.usage(scope or Scope())

    def rewind(self, scope: Scope) -> None:
        """Before a node is run once more in this process: its calls read again what they recorded, and pay for the rest."""
        self.calls.rewind(scope)

    def finish_node(self, scope: Scope, key: str, outputs: Mapping[str, JSON], usage: Usage, seconds: float) -> None:
        """Commit a finished visit; raises ``StoreError`` when its outputs are not plain data."""
        text, _ = self._file.clean(dict(outputs), f"what node {scope.node!r} put out")
        where = (scope.node, scope.visit, scope.path)
        self._visits[where] = self._file.insert(
            "nodes", *where, key, text, dumps(encode_usage(usage)), round(seconds, 6)
        )

    def finished_node(self, scope: Scope, key: str) -> Visit | None:
        """The visit as recorded; None if it has not finished, or was recorded under another ``key``."""
        row = self._row(scope)
        visit = None if row is None else self._read(row)
        return visit if visit is not None and visit.key == key else None

    def visits(self) -> list[Visit]:
        """Every finished visit in the order of finishing; of one recorded twice only the last."""
        return [self._read(row) for row in sorted(self._visits.values())]

    def events(self) -> list[Happened]:
        """What happened in all sessions, in order; each recorded sample is a ``SampleDrawn``."""
        kept = [*self.timeline.read(lambda row: self._read(row).outputs), *map(_sample_drawn, self.calls.drawn())]
        return sorted(kept, key=lambda one: one.at)

    def rows(self, wanted: Callable[[Scope], bool]) -> list[Row]:
        """What was recorded in the ``wanted`` visits, for ``Store.create`` of a run that begins with it."""
        return [
            (table, row)
            for table in ("calls", "nodes")
            for row in self._file.select(table, *TABLES[table])
            if wanted(Scope(node=row[0], visit=row[1], path=row[2]))
        ]

    def set_status(self, status: str, *, output: Mapping[str, JSON] | None = None, error: str = "") -> None:
        """Commit how the run stands: ``running``, or how it ended, with its output or its error."""
        self._file.set_status(status, output=output, error=error)

    def close(self) -> None:
        """Leave the run as one plain file, free for others; how it stands is not changed by this."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row(self, scope: Scope) -> int | None:
        return self._visits.get((scope.node, scope.visit, scope.path))

    def _read(self, row: int) -> Visit:
        found = self._file.select("nodes", *_COLUMNS, seq=row)
        with readable(self._file.place, f"row {row} of nodes"):
            node, visit, path, key, outputs, usage, seconds, at = found[0]
            return Visit(
                scope=Scope(run=self.header.id, node=node, visit=visit, path=path),
                key=key,
                outputs=dict(json.loads(outputs)),
                usage=decode_usage(json.loads(usage)),
                seconds=float(seconds),
                at=float(at),
            )


def _sample_drawn(drawn: Drawn) -> Happened:
    sample = drawn.sample
    event = SampleDrawn(
        scope=drawn.scope,
        model=sample.model,
        text=sample.text,
        finish_reason=sample.finish_reason,
        usage=sample.usage,
    )
    return Happened(at=drawn.at, event=event)
