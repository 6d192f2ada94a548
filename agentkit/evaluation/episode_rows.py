"""Episodes as rows of a file that grows, and what many of them say together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from agentkit import statistics
from agentkit.errors import InputError, StoreError
from agentkit.evaluation import horizon
from agentkit.evaluation.episodes import Played
from agentkit.statistics import Interval
from agentkit.types import JSON

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same for all rows of a file: the environment with its options, who plays, and how."""

    environment: str
    options: Mapping[str, JSON]
    model: str
    graph: str
    mode: str

    @property
    def key(self) -> str:
        """Short, and another one for another setting."""
        return sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()[:8]


def row_of(played: Played, setting: Setting) -> dict[str, Any]:
    """A row: ``steps`` (also as ``length``), ``first_error`` (0-based or null), ``success``, the actions and the findings.

    ``task`` and ``model`` are what statistics group by; ``agentkit horizon`` reads the file as it is. An episode that its graph
    ended by failing has status ``error`` and is left out of all figures.
    """
    findings = [
        {"code": one.code, "step": step, "message": one.message} for step, one in enumerate(played.outcomes) if one.code
    ]
    return {
        **asdict(setting),
        "episode": played.seed,
        "task": f"{setting.environment}/{played.seed}",
        "status": "error" if played.error else "scored",
        "success": played.success,
        "first_error": played.first_error,
        "steps": len(played.actions),
        "length": len(played.actions),
        "reference": played.reference,
        "findings": findings,
        "actions": list(played.actions),
        "usage": {"calls": played.usage.calls, "tokens": played.usage.tokens, "usd": played.usage.usd},
        "reason": played.error,
    }


class Rows:
    """A file of rows that grows episode by episode; ``done`` are the rows of an earlier run. A torn last line is cut off.

    Raises ``InputError`` for a file of another setting, ``StoreError`` for one that cannot be written. As a context manager it
    closes the file.
    """

    def __init__(self, path: Path, setting: Setting, *, fresh: bool = False) -> None:
        self.path, self._setting = path, setting
        self.done: list[Row] = []
        self._file: BinaryIO
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb" if fresh else "ab")
            self.done = self._kept()
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None

    def append(self, row: Row) -> None:
        """Write a row; it is with the operating system when this returns."""
        try:
            self._file.write(
                json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
            )
            self._file.flush()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}") from None
        self.done.append(row)

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _kept(self) -> list[Row]:
        """The last row of each episode; the file is closed where it holds something else."""
        try:
            return list({row["episode"]: row for row in self._earlier()}.values())
        except InputError:
            self._file.close()
            raise

    def _earlier(self) -> Iterator[Row]:
        size = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield self._read(line)
                size += len(line)
        self._file.truncate(size)

    def _read(self, line: bytes) -> Row:
        try:
            row = json.loads(line)
            same = all(row[key] == value for key, value in asdict(self._setting).items())
            int(row["episode"])
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise InputError(
                f"{self.path} holds other episodes than these: name another --output, or start over with --fresh"
            )
        found: Row = row
        return found


def success_rate(rows: Sequence[Row]) -> Interval | None:
    """The share of episodes that were solved; None without any."""
    scored = _scored(rows)
    return statistics.wilson(sum(row["success"] for row in scored), len(scored)) if scored else None


def summary(rows: Sequence[Row], *, seed: int = 0) -> str:
    """What the episodes say together: solved, first errors, horizon; one thing a line."""
    scored, rate = _scored(rows), success_rate(rows)
    if rate is None:
        return f"no episode came to an end; the first failure: {rows[0]['reason']}" if rows else "no episodes"
    firsts = [row["first_error"] for row in scored if row["first_error"] is not None]
    lines = [f"solved     {sum(row['success'] for row in scored)} of {len(scored)}: {rate}"]
    if len(scored) < len(rows):
        reason = next(row["reason"] for row in rows if row["status"] == "error")
        lines.append(f"failed     {len(rows) - len(scored)} without a verdict, such as: {reason}")
    if firsts:
        middle = statistics.median([float(one) for one in firsts], rng=Random(seed), resamples=500)
        lines.append(f"first error at step {_around(middle)} of those {len(firsts)} with one (median)")
        codes = Counter(_first_code(row) for row in scored if row["first_error"] is not None)
        lines.append("kinds      " + ", ".join(f"{code} {count}" for code, count in codes.most_common()))
    groups = horizon.lifetimes(scored)
    lines += ["", horizon.table([horizon.measure(name, runs, seed=seed) for name, runs in groups.items()])]
    return "\n".join(lines)


def _scored(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == "scored"]


def _around(interval: Interval) -> str:
    return f"{interval.value:.1f} [{interval.low:.1f}, {interval.high:.1f}]"


def _first_code(row: Row) -> str:
    return str(row["findings"][0]["code"])
