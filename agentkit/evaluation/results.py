"""The result file: a header line, then one line a row, appended as each comes and never lost.

A row is handed to the operating system before the next is taken, so killing the process loses none; every
``BATCH`` rows they are forced to the disk, so that a power cut loses at most those.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from io import FileIO
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from agentkit.errors import EvaluationError, StoreError
from agentkit.evaluation.plain import NotJSONError, parse
from agentkit.evaluation.row import SCHEMA, Header, Row, decoder, encode
from agentkit.runtime.lock import FileLock
from agentkit.runtime.redact import Redactor

NAME = "results.jsonl"
BATCH = 20


@dataclass(frozen=True, slots=True)
class Results:
    """What a result file holds."""

    header: Header
    rows: tuple[Row, ...]
    path: Path


class ResultFile:
    """Rows of one evaluation, kept in ``folder``; ``rows`` are those it held when opened. Use as a context manager.

    The same header goes on where the file ends; another one is refused with ``EvaluationError``, unless ``fresh``,
    which moves the old file aside. With ``retry_errors`` failed rows are not among ``rows``: those appended in their place
    count, and the file keeps both.
    Raises ``StoreError`` when the file cannot be written, was damaged, or is being written by another process.
    """

    def __init__(
        self,
        folder: str | Path,
        header: Header,
        *,
        redactor: Redactor,
        fresh: bool = False,
        retry_errors: bool = False,
    ) -> None:
        self.path = Path(folder) / NAME
        self.rows: tuple[Row, ...] = ()
        self.attempts: Mapping[tuple[str, int], int] = {}
        self._redactor = redactor
        self._unsynced = 0
        with ExitStack() as undo:
            undo.callback(self._locked().release)
            self._file = self._open()
            undo.callback(lambda: self._file.close())
            self._begin(header, fresh=fresh, retry_errors=retry_errors)
            self._undo = undo.pop_all()

    def append(self, row: Row) -> None:
        """Add a row; it is safe from a kill when this returns."""
        self._write(encode(row, self._redactor))
        self._unsynced += 1
        if self._unsynced >= BATCH:
            self._sync()

    def close(self) -> None:
        """Force what is written to the disk and let others write."""
        with self._undo:
            self._sync()

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _locked(self) -> FileLock:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return FileLock(self.path.with_suffix(".lock"), f"the evaluation in {self.path.parent}")
        except OSError as error:
            raise self._failed(error) from None

    def _open(self) -> FileIO:
        try:
            return self.path.open("ab", buffering=0)
        except OSError as error:
            raise self._failed(error) from None

    def _begin(self, header: Header, *, fresh: bool, retry_errors: bool) -> None:
        if fresh and self.path.stat().st_size:
            self._set_aside()
        size = _whole(self.path)
        self._file.truncate(size)
        line = encode(header, self._redactor)
        if not size:
            self._write(line)
            return
        results = read_results(self.path)
        if changed := _difference(results.header, decoder(Header).validate_json(line)):
            raise EvaluationError(
                f"{self.path} holds results of another evaluation ({changed}); "
                "use --fresh to start over (the old file is kept) or --output for another folder"
            )
        self.rows = results.rows
        if retry_errors:
            self.rows = tuple(row for row in results.rows if not row.failed)
            self.attempts = {row.key: row.attempt for row in results.rows if row.failed}

    def _set_aside(self) -> None:
        """Rename the file to the first free number beside it, and go on with an empty one."""
        numbers = (self.path.with_name(f"results-{number}.jsonl") for number in range(1, 1_000_000))
        self.path.rename(next(path for path in numbers if not path.exists()))
        self._file.close()
        self._file = self._open()

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            raise self._failed(error) from None

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from None
        self._unsynced = 0

    def _failed(self, error: OSError) -> StoreError:
        return StoreError(
            f"results cannot be written to {self.path}: {error.strerror or error}; rows already there are kept"
        )


class Unkept:
    """A result file that is none: for evaluations whose rows only the caller wants."""

    rows: tuple[Row, ...] = ()
    attempts: Mapping[tuple[str, int], int] = MappingProxyType({})
    path = ""

    def append(self, row: Row) -> None:
        """Nothing to keep."""

    def __enter__(self) -> Unkept:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


def read_results(path: str | Path) -> Results:
    """The results in a folder or file, of several attempts at a row the last; a half-written last line is left out.

    Raises ``StoreError`` for a file that is missing, damaged, or of another format.
    """
    file = Path(path) / NAME if Path(path).is_dir() else Path(path)
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        raise StoreError(f"there are no results at {file}") from None
    except OSError as error:
        raise StoreError(f"the results {file} cannot be read: {error.strerror}") from None
    if not lines:
        raise StoreError(f"{file} holds no results")
    header = _decoded(file, lines[:1], Header, first=1)[0]
    rows = _decoded(file, lines[1:], Row, first=2)
    return Results(header, tuple({row.key: row for row in rows}.values()), file)


def _decoded(file: Path, lines: list[bytes], kind: Any, *, first: int) -> list[Any]:
    from pydantic import ValidationError

    validate, found = decoder(kind).validate_python, []
    for number, line in enumerate(lines, start=first):
        try:
            data = parse(line)
            _check_schema(file, data, kind)
            found.append(validate(data))
        except (NotJSONError, ValidationError):
            raise StoreError(f"{file}:{number} is not a result line; move the file away or use --fresh") from None
    return found


def _check_schema(file: Path, data: object, kind: type) -> None:
    schema = data.get("schema") if isinstance(data, dict) else None
    if kind is Header and schema != SCHEMA:
        raise StoreError(f"{file} is not a result file that this release reads ({SCHEMA}): its schema is {schema!r}")


def _difference(old: Header, new: Header) -> str:
    names = [field.name for field in fields(Header) if field.name not in ("created", "agentkit", "name")]
    changed = [name for name in names if getattr(old, name) != getattr(new, name)]
    return f"its {', '.join(changed)} changed" if changed else ""


def _whole(path: Path) -> int:
    """The size of the file without a half-written last line."""
    return path.read_bytes().rfind(b"\n") + 1
