"""``agentkit evaluate``: judge the rows of a JSON Lines file with one evaluator, one line of output a row."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from agentkit.errors import ConfigError, InputError, StoreError

if TYPE_CHECKING:
    from io import BufferedReader

    from rich.progress import Progress

    from agentkit.protocols import Evaluator
    from agentkit.types import JSON, Document, Finding, Record, Score

_KEYS = {
    "output": ("answer", "claim", "output", "response"),
    "input": ("question", "input", "query"),
    "target": ("target", "reference", "expected"),
    "documents": ("documents", "document", "contexts", "context", "evidence"),
}
_GZIP = b"\x1f\x8b"
_TAKEN = frozenset(("id", "metadata", *(key for keys in _KEYS.values() for key in keys)))


@click.command(name="evaluate")
@click.argument("evaluator")
@click.option(
    "--input", "-i", "source", required=True, metavar="FILE", help="Rows as JSON Lines, gzipped or not; - for stdin."
)
@click.option("--output", "-o", "target", required=True, metavar="FILE", help="Where verdicts go; - for stdout.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the evaluator.")
@click.option("--fresh", is_flag=True, help="Write the output anew instead of going on where it ends.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def command(evaluator: str, source: str, target: str, options: tuple[str, ...], fresh: bool, quiet: bool) -> None:
    """Judge each row of a JSONL file with EVALUATOR and write one line of JSON for it.

    A row is {"answer" (or claim, output, response), "documents": [text or {text, id, title}], "question", "target", "id"}, all
    but the answer optional; an evaluator may ask for other keys. A line of output has status, score, label, findings and reason.
    A row that cannot be read gets status "error" and the run goes on. Run again, it skips the rows that are in the output.
    """
    from agentkit.kit import Kit

    with Kit() as kit, ExitStack() as open_files:
        judge = kit.evaluator(evaluator, **options_of(options))
        rows = lines_of(open_files.enter_context(opened(source)), source)
        output = _Output(target, evaluator, fresh=fresh)
        open_files.callback(output.close)
        _run(judge, rows, output, source=source, quiet=quiet)


def _run(judge: Evaluator, rows: Iterable[bytes], output: _Output, *, source: str, quiet: bool) -> None:
    from agentkit.runtime.concurrency import run_sync

    counts, scores = Counter[str](), _Mean()

    async def run(tell: Callable[[int, str], None]) -> None:
        for number, line in enumerate(rows, 1):
            if number in output.done or not line.strip():
                tell(len(line), _summary(counts, scores))
                continue
            verdict = await _verdict(judge, line)
            output.append({"row": number, **verdict})
            counts[verdict["status"]] += 1
            scores.add(verdict.get("score"))
            tell(len(line), _summary(counts, scores))

    with progress(source, quiet=quiet) as shown:
        task = shown.add_task("judging", total=size_of(source), state="")
        run_sync(run(lambda size, state: shown.update(task, advance=size, state=state)))
    if not quiet:
        kept = f", {len(output.done):,} were there" if output.done else ""
        click.echo(f"{_summary(counts, scores) or 'no rows'}{kept}", err=True)


async def _verdict(judge: Evaluator, line: bytes) -> dict[str, Any]:
    """What is written for a row; whatever goes wrong with one is told in its place."""
    from agentkit.evaluation.plain import NotJSONError, parse, plain

    row: Any = None
    try:
        row = parse(line.removeprefix(b"\xef\xbb\xbf"))
        record = reader(judge)(row)
        verdict = _renderer(judge)(await judge.evaluate(record))
        return {**_id(row), **plain(verdict)}
    except NotJSONError as error:
        return _error(judge, {}, f"{error} (column {error.column})")
    except Exception as error:  # noqa: BLE001 - one row never ends the run
        return _error(judge, _id(row), str(error) or type(error).__name__)


def _error(judge: Evaluator, named: Mapping[str, JSON], reason: str) -> dict[str, Any]:
    """A line with every key that a verdict has at its top, so that who reads ``first_error`` or ``valid`` finds a null."""
    from agentkit.types import Score

    blank = dict.fromkeys(_renderer(judge)(Score(value=None, status="error")))
    return {**named, **blank, "status": "error", "score": None, "label": "", "findings": [], "reason": reason}


def _id(row: JSON) -> dict[str, JSON]:
    return {"id": row["id"]} if isinstance(row, dict) and "id" in row else {}


def reader(judge: Evaluator) -> Callable[[Any], Record]:
    """The evaluator's own ``parse(row) -> Record``, where it reads rows of another form."""
    own: Callable[[Any], Record] = getattr(judge, "parse", _record)
    return own


def _renderer(judge: Evaluator) -> Callable[[Score], Mapping[str, Any]]:
    """The evaluator's own ``render(score) -> mapping``, where it writes verdicts of another form."""
    own: Callable[[Score], Mapping[str, Any]] = getattr(judge, "render", _rendered)
    return own


def _record(row: Any) -> Record:
    from agentkit.types import Record

    if not isinstance(row, dict):
        raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
    found = {field: _first(row, keys) for field, keys in _KEYS.items()}
    if not any(key in row for key in _KEYS["output"]):
        raise InputError(f"the row has none of {', '.join(_KEYS['output'])}")
    metadata = row.get("metadata")
    return Record(
        id=str(row.get("id", "")),
        input=found["input"],
        output=found["output"],
        target=found["target"],
        documents=tuple(_document(one, place) for place, one in enumerate(_listed(found["documents"]))),
        metadata={
            **{key: row[key] for key in row if key not in _TAKEN},
            **(metadata if isinstance(metadata, dict) else {}),
        },
    )


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _listed(documents: Any) -> list[Any]:
    if documents is None:
        return []
    return documents if isinstance(documents, list) else [documents]


def _document(value: Any, place: int) -> Document:
    from agentkit.types import Document

    if isinstance(value, str):
        return Document(text=value)
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise InputError(f"documents[{place}] must be a text, or an object with a 'text'")
    named = {key: str(value.get(key) or "") for key in ("id", "title", "source")}
    return Document(text=value["text"], id=named["id"], title=named["title"], source=named["source"])


def _rendered(score: Score) -> dict[str, Any]:
    return {
        "status": score.status,
        "score": score.value,
        "label": score.label,
        "findings": [_finding(one) for one in score.findings],
        "reason": score.reason,
        "evaluator": score.evaluator,
        "version": score.version,
        "seconds": round(score.seconds, 6),
        "metadata": dict(score.metadata),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    evidence = finding.evidence
    where = {"start": finding.start, "end": finding.end, "step": finding.step, "agent": finding.agent}
    return {
        "code": finding.code,
        **{key: value for key, value in where.items() if value is not None},
        "text": finding.text,
        "kind": finding.kind,
        "evidence": evidence
        and {"document": evidence.document, "start": evidence.start, "end": evidence.end, "text": evidence.text},
        "reason": finding.message,
        "confidence": finding.confidence,
    }


class _Output:
    """The lines written so far: ``done`` holds the rows that an earlier run wrote. A torn last line is cut off."""

    def __init__(self, target: str, evaluator: str, *, fresh: bool) -> None:
        self.done: frozenset[int] = frozenset()
        self._target = target
        self._file: BinaryIO
        if target == "-":
            self._file = sys.stdout.buffer
            return
        path = Path(target)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb" if fresh else "ab")
            self.done = frozenset(self._numbers(path, evaluator))
        except OSError as error:
            raise self._failed(error) from None

    def append(self, line: Mapping[str, Any]) -> None:
        """Write a line; it is with the operating system when this returns."""
        try:
            self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close the file; stdout stays open."""
        if self._target != "-":
            self._file.close()

    def _numbers(self, path: Path, evaluator: str) -> Iterator[int]:
        size = 0
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield self._number(line, evaluator)
                size += len(line)
        self._file.truncate(size)

    def _number(self, line: bytes, evaluator: str) -> int:
        try:
            written = json.loads(line)
            number = written["row"]
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{self._target} holds something else than verdicts: name another --output, or start over with --fresh"
            ) from None
        if (other := written.get("evaluator") or evaluator) != evaluator:
            raise InputError(
                f"{self._target} holds verdicts of {other!r}: name another --output, or start over with --fresh"
            )
        return int(number)

    def _failed(self, error: OSError) -> StoreError:
        return StoreError(f"{self._target} cannot be written: {error.strerror or error}")


def opened(source: str) -> BufferedReader:
    """The file, or stdin for ``-``; raises ``InputError`` where it cannot be read."""
    if source == "-":
        return cast("BufferedReader", sys.stdin.buffer)
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}") from None


def lines_of(rows: BufferedReader, source: str) -> Iterator[bytes]:
    """The lines of the file, whether it is gzipped or not, which its first two bytes tell."""
    if rows.peek(2)[:2] != _GZIP:
        yield from rows
        return
    try:
        yield from gzip.GzipFile(fileobj=rows)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source} is damaged: {error}; what was read before is judged") from None


def size_of(source: str) -> int | None:
    """How many bytes of lines are to come; None where that is not known before they are read."""
    packed = source == "-" or _opened_with(source, _GZIP)
    return None if packed else Path(source).stat().st_size


def _opened_with(source: str, start: bytes) -> bool:
    with Path(source).open("rb") as file:
        return file.read(len(start)) == start


def options_of(options: tuple[str, ...]) -> dict[str, Any]:
    """``KEY=VALUE`` by key, each value as JSON where it is, else as text."""
    found = {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or not key:
            raise ConfigError(f"--option takes KEY=VALUE, not {option!r}")
        found[key.strip()] = _value(text)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class _Mean:
    """The mean of the scores so far."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, score: Any) -> None:
        """Take in a score; what is no number is left out."""
        if isinstance(score, float | int):
            self._total, self._count = self._total + score, self._count + 1

    def __str__(self) -> str:
        return f"; mean score {self._total / self._count:.3f}" if self._count else ""


def _summary(counts: Mapping[str, int], scores: _Mean) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items())) + str(scores)


def progress(source: str, *, quiet: bool) -> Progress:
    """A bar on stderr over the bytes of the rows, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=quiet)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
