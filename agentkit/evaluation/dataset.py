"""Records from a JSON Lines file: checked once, at the door, with every problem told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from agentkit.errors import InputError, Problem, did_you_mean
from agentkit.evaluation.plain import NotJSONError, canonical, parse, plain
from agentkit.evaluation.row import decoder
from agentkit.types import Document, Record

_RECORD_KEYS = tuple(field.name for field in fields(Record))
_DOCUMENT_KEYS = tuple(field.name for field in fields(Document))
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Dataset:
    """Records with unique ids, in file order; ``source`` says where they came from."""

    records: tuple[Record, ...]
    source: str = ""

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def take(self, limit: int | None) -> Dataset:
        """The first ``limit`` records; all of them for None."""
        return replace(self, records=self.records[:limit])

    @property
    def digest(self) -> str:
        """Changes when any record does."""
        return sha256("\n".join(canonical(plain(record)) for record in self.records).encode()).hexdigest()


def as_dataset(records: Iterable[Record]) -> Dataset:
    """The records as a data set, those without an id named by their content; raises ``InputError`` for an id used twice."""
    if isinstance(records, Dataset):
        return records
    named = [record if record.id else replace(record, id=content_id(record)) for record in records]
    seen: dict[str, int] = {}
    for place, record in enumerate(named):
        if (first := seen.setdefault(record.id, place)) != place:
            raise InputError(f"records {first} and {place} have the same id {record.id!r}; every record needs its own")
    return Dataset(tuple(named))


def load_dataset(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Dataset:
    """The records of a JSON Lines file: ``{"input": ..., "target": ..., "id", "documents", "metadata", "output"}`` a line.

    A record without ``id`` gets one from its content, so it keeps it when lines move. ``columns`` reads files
    written otherwise, e.g. ``{"input": "question", "target": "answer"}``; keys it does not name go to ``metadata``.
    Raises ``InputError`` listing every problem with its line: bad JSON, unknown keys, no input, an id used twice.
    """
    _check_columns(columns or {})
    found, problems = dict[str, int](), list[Problem]()
    records = []
    for number, line in enumerate(_lines(Path(path)), start=1):
        try:
            record = _record(line, columns)
            _check_new(record, found, number)
        except _WrongError as wrong:
            problems += [Problem(str(path), number, column, place, text) for place, text, column in wrong.found]
        else:
            records += [record] if record else []
    if problems:
        raise InputError(_summary(problems), problems=problems)
    if not records:
        raise InputError(f"{path} holds no records: write one JSON object a line, with an 'input'")
    return Dataset(tuple(records), source=str(path))


def content_id(record: Record) -> str:
    """The id of a record that was given none: the start of the hash of all it holds."""
    return sha256(canonical(plain(replace(record, id=""))).encode()).hexdigest()[:16]


class _WrongError(Exception):
    """What is wrong with one line: (path inside the record, message, column) each."""

    def __init__(self, *found: tuple[str, str, int]) -> None:
        self.found = found
        super().__init__(found)


def _record(line: bytes, columns: Mapping[str, str] | None) -> Record | None:
    """The record of a line; None for a blank one."""
    if not line.strip():
        return None
    data = _rename(_object(line), columns) if columns else _object(line)
    if found := [*_wrong_keys(data), *_wrong_document_keys(data)]:
        raise _WrongError(*((place, message, 1) for place, message in found))
    return _typed(data)


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = parse(line)
    except NotJSONError as error:
        raise _WrongError(("", str(error), error.column)) from None
    if not isinstance(data, dict):
        raise _WrongError(("", "a record must be a JSON object with an 'input'", 1))
    return data


def _rename(data: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    if missing := sorted(set(columns.values()) - data.keys()):
        raise _WrongError(*(("", f"no key {column!r}{did_you_mean(column, data)}", 1) for column in missing))
    rest = {key: value for key, value in data.items() if key not in columns.values()}
    return {**{field: data[column] for field, column in columns.items()}, "metadata": rest}


def _wrong_keys(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    unknown = [key for key in data if key not in _RECORD_KEYS]
    for key in unknown:
        yield "", f"unknown key {key!r}{did_you_mean(key, _RECORD_KEYS) or '; data of your own goes under metadata'}"
    if data.get("input") is None and not unknown:
        yield "", "no 'input'"


def _wrong_document_keys(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    documents = data.get("documents")
    for place, document in enumerate(documents if isinstance(documents, list) else ()):
        for key in document if isinstance(document, dict) else ():
            if key not in _DOCUMENT_KEYS:
                yield f"documents[{place}]", f"unknown key {key!r}{did_you_mean(key, _DOCUMENT_KEYS)}"


def _typed(data: dict[str, Any]) -> Record:
    from pydantic import ValidationError

    documents = data.get("documents")
    if isinstance(documents, list):
        data["documents"] = [{"text": one} if isinstance(one, str) else one for one in documents]
    if type(data.get("id")) is int:
        data["id"] = str(data["id"])
    try:
        record: Record = decoder(Record).validate_python(data)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        raise _WrongError(*((".".join(map(str, one["loc"])), one["msg"], 1) for one in errors)) from None
    return record if record.id else replace(record, id=content_id(record))


def _check_columns(columns: Mapping[str, str]) -> None:
    for name in columns:
        if name not in _RECORD_KEYS:
            raise InputError(f"a record has no field {name!r}{did_you_mean(name, _RECORD_KEYS)}")


def _check_new(record: Record | None, found: dict[str, int], number: int) -> None:
    if record and (first := found.setdefault(record.id, number)) != number:
        raise _WrongError(("", f"the id {record.id!r} is that of line {first}; every record needs its own", 1))


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except FileNotFoundError:
        raise InputError(f"there is no data set at {path}") from None
    except OSError as error:
        raise InputError(f"the data set {path} cannot be read: {error.strerror}") from None


def _summary(problems: Sequence[Problem]) -> str:
    shown = [str(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    hidden = len(problems) - len(shown)
    return "\n".join([*shown, f"... and {hidden} more problems"] if hidden else shown)
