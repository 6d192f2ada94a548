"""The model samples of a run, recorded one by one under the request that drew them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agentkit.events import Scope
from agentkit.runtime.codec import decode, decode_usage, dumps, encode, encode_usage
from agentkit.runtime.database import readable
from agentkit.runtime.ordinals import Ordinals
from agentkit.runtime.runfile import RunFile
from agentkit.types import Sample, Usage

_Place = tuple[str, int, str, bytes]  # node, visit, path, request key


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The places that one request's samples take: sample ``i`` has ``ordinals[i]`` among its equals.

    ``recorded`` holds (sample index, row) in the order in which they were drawn, ``missing`` the indices still to draw.
    """

    scope: Scope
    key: str
    ordinals: tuple[int, ...]
    recorded: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A recorded sample: where it was drawn, and when (seconds since the run began)."""

    scope: Scope
    sample: Sample
    at: float


class Calls:
    """The calls of a run's file: a request claims its places, reads what is recorded there and records the rest."""

    def __init__(self, file: RunFile) -> None:
        self._file = file
        self._ordinals: Ordinals[_Place] = Ordinals()
        self._rows: dict[_Place, dict[int, int]] = {}
        columns = ("seq", "node", "visit", "path", "request", "ordinal")
        for row, node, visit, path, request, ordinal in file.select("calls", *columns):
            if request is not None:
                self._rows.setdefault((node, visit, path, bytes(request)), {})[ordinal] = row

    def claim(self, scope: Scope, key: str, n: int) -> Claim:
        """The next ``n`` places in ``scope`` for the request ``key`` (of ``codec.request_key``)."""
        place = _place(scope, key)
        ordinals = self._ordinals.take(place, n)
        rows = self._rows.get(place, {})
        recorded = sorted((rows[ordinal], index) for index, ordinal in enumerate(ordinals) if ordinal in rows)
        return Claim(
            scope=scope,
            key=key,
            ordinals=ordinals,
            recorded=tuple((index, row) for row, index in recorded),
            missing=tuple(index for index, ordinal in enumerate(ordinals) if ordinal not in rows),
        )

    def surrender(self, claim: Claim) -> None:
        """Put back the empty places of a request that failed: the next equal request takes them, now and after a resume."""
        place = _place(claim.scope, claim.key)
        rows = self._rows.get(place, {})
        self._ordinals.put_back(place, (ordinal for ordinal in claim.ordinals if ordinal not in rows))

    def read(self, row: int) -> Sample:
        """The sample of a row, marked as recorded."""
        found = self._file.select("calls", "sample", "usage", seq=row)
        with readable(self._file.place, f"row {row} of calls"):
            return _sample(*found[0])

    def drawn(self) -> Iterator[Drawn]:
        """Every recorded sample, in the order in which they were drawn."""
        columns = ("seq", "node", "visit", "path", "sample", "usage", "at")
        for row, node, visit, path, sample, usage, at in self._file.select("calls", *columns):
            if sample is None:
                continue
            with readable(self._file.place, f"row {row} of calls"):
                scope = Scope(run=self._file.header.id, node=node, visit=visit, path=path)
                drawn = Drawn(scope=scope, sample=_sample(sample, usage), at=float(at))
            yield drawn

    def record(self, claim: Claim, index: int, sample: Sample) -> Sample:
        """Commit sample ``index`` of a claim, and return it as it was written: known secrets are struck out."""
        data = encode(sample)
        data.pop("index", None)
        usage = dumps(data.pop("usage", {}))
        text, changed = self._file.clean(data, "a sample")
        place = _place(claim.scope, claim.key)
        ordinal = claim.ordinals[index]
        row = self._file.insert("calls", *place, ordinal, text, usage)
        self._rows.setdefault(place, {})[ordinal] = row
        return replace(decode(json.loads(text)), usage=sample.usage, index=sample.index) if changed else sample

    def lose(self, scope: Scope, usage: Usage) -> None:
        """Commit what was spent on calls that gave no sample, so that a resumed run's budget knows of it."""
        where = (scope.node, scope.visit, scope.path)
        self._file.insert("calls", *where, None, None, None, dumps(encode_usage(usage)))

    def rewind(self, scope: Scope) -> None:
        """Count from the start again in ``scope`` and inside it."""
        holds = holds_for(scope)
        self._ordinals.forget(lambda place: holds(place[0], place[1], place[2]))

    def usage(self, scope: Scope) -> Usage:
        """What was spent in ``scope`` and inside it."""
        holds = holds_for(scope)
        total = Usage()
        for row, node, visit, path, text in self._file.select("calls", "seq", "node", "visit", "path", "usage"):
            if holds(node, visit, path):
                with readable(self._file.place, f"row {row} of calls"):
                    total = total + decode_usage(json.loads(text))
        return total

    def usage_beyond(self, other: Calls) -> Usage:
        """What was spent on calls that ``other`` does not hold: on those that were not taken over from it."""
        known = {row[1:] for row in other._costs()}
        total = Usage()
        for row in self._costs():
            if row[1:] not in known:
                with readable(self._file.place, f"row {row[0]} of calls"):
                    total = total + decode_usage(json.loads(str(row[-2])))
        return total

    def _costs(self) -> list[tuple[object, ...]]:
        columns = ("seq", "node", "visit", "path", "request", "ordinal", "usage", "at")
        return [
            tuple(bytes(one) if isinstance(one, memoryview) else one for one in row)
            for row in self._file.select("calls", *columns)
        ]


def holds_for(scope: Scope) -> Callable[[str, int, str], bool]:
    """Whether a node, visit and path lie in ``scope`` or inside it; a scope without a node is the whole run."""

    def holds(node: str, visit: int, path: str) -> bool:
        if not scope.node:
            return True
        inside = not scope.path or path == scope.path or path.startswith(f"{scope.path}/")
        return inside and (node, visit) == (scope.node, scope.visit)

    return holds


def _sample(sample: str, usage: str) -> Sample:
    return replace(decode({**json.loads(sample), "usage": json.loads(usage)}), recorded=True)


def _place(scope: Scope, key: str) -> _Place:
    return scope.node, scope.visit, scope.path, bytes.fromhex(key)
