"""The events of a run, kept beside its results, so that what happened can be shown without running it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from agentkit.errors import StoreError
from agentkit.events import Event, NodeFinished, SampleDrawn, Scope, Spent, TokenDrawn
from agentkit.runtime.database import readable
from agentkit.runtime.event_codec import KINDS, decode_event, encode_event
from agentkit.runtime.runfile import RunFile
from agentkit.types import JSON

_NOT_KEPT = (TokenDrawn, SampleDrawn, Spent)  # a sample is a row of its own, tokens and spending add up to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event and when it happened, in seconds since the run began."""

    at: float
    event: Event


class Timeline:
    """The events of one run; each waits in memory for the next result and is committed with it.

    All are kept but ``TokenDrawn``, ``SampleDrawn`` and ``Spent``, whose facts are in the recorded samples, and those of
    plugins' own types. The outputs of a finished node are not written twice: ``recorded(scope)`` is the row that holds them.
    """

    def __init__(self, file: RunFile, recorded: Callable[[Scope], int | None]) -> None:
        self._file, self._recorded = file, recorded

    def see(self, event: Event) -> None:
        """Keep an event; one whose data is not plain is passed over, as nobody may fail because he is watched."""
        if isinstance(event, _NOT_KEPT) or type(event).__name__ not in KINDS:
            return
        data = encode_event(event)
        if isinstance(event, NodeFinished) and (row := self._row_of(event)) is not None:
            data["outputs"] = row
        with suppress(StoreError):
            text, _ = self._file.clean(data, "an event")
            where = (event.scope.node, event.scope.visit, event.scope.path)
            row_of_event = (*where, type(event).__name__, text, round(self._file.elapsed, 6))
            self._file.later.append(("events", row_of_event))

    def read(self, outputs: Callable[[int], JSON]) -> Iterator[Happened]:
        """What was kept, in order; ``outputs(row)`` are those of a finished node."""
        columns = ("seq", "node", "visit", "path", "kind", "data", "at")
        for seq, node, visit, path, kind, text, at in self._file.select("events", *columns):
            with readable(self._file.place, f"row {seq} of events"):
                data = json.loads(text)
                if isinstance(data, dict) and isinstance(data.get("outputs"), int):
                    data["outputs"] = outputs(data["outputs"])
                scope = Scope(run=self._file.header.id, node=node, visit=visit, path=path)
                happened = Happened(at=float(at), event=decode_event(kind, data, scope))
            yield happened

    def _row_of(self, event: NodeFinished) -> int | None:
        return None if event.error or event.skipped else self._recorded(event.scope)
