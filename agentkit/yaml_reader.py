"""Read YAML that a stranger wrote: strict, bounded, every key and value with its place.

YAML 1.2 scalars (``no`` and ``on`` are text), no tags, no merge keys, duplicate keys refused; size, depth, number of
values and of aliases bounded. The parser's events are read without recursion, so that no text can exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.errors import GraphError, Problem
from agentkit.types import JSON, Path

if TYPE_CHECKING:
    from yaml import Event

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_VALUES = 50_000
MAX_ALIASES = 100
_MAX_PROBLEMS = 100

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_OTHER_BASE = re.compile(r"0o[0-7]{1,20}\Z|0x[0-9a-fA-F]{1,15}\Z")
_FLOAT = re.compile(r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, 1-based."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A parsed file: ``data``, and the marks of its ``values`` and ``keys`` by their path."""

    file: str
    data: JSON
    values: Mapping[Path, Mark] = field(repr=False)
    keys: Mapping[Path, Mark] = field(repr=False)

    def problem(self, path: Path, message: str, *, key: bool = False, code: str = "") -> Problem:
        """A problem at the value of ``path`` (its key with ``key``), or at the nearest thing around it that has a place."""
        mark = self._mark(path, key=key)
        return Problem(self.file, mark.line, mark.column, ".".join(str(part) for part in path), message, code)

    def _mark(self, path: Path, *, key: bool) -> Mark:
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            if path in self.keys:
                return self.keys[path]
            path = path[:-1]
        return self.values.get(path, Mark())


def read(text: str | bytes, *, file: str) -> Source:
    """The document in ``text``; raises ``GraphError`` with every problem found, and nothing else."""
    if len(text) > MAX_BYTES:
        raise GraphError([Problem(file, 1, 1, "", f"the file is larger than {MAX_BYTES:,} bytes")])
    reader = _Reader(file)
    reader.read(text if isinstance(text, str) else _decoded(text, file))
    if reader.problems:
        raise GraphError(reader.problems)
    return Source(file=file, data=reader.data, values=reader.values, keys=reader.keys)


def _decoded(text: bytes, file: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise GraphError([Problem(file, line, column, "", "the file is not UTF-8 text")]) from None


@dataclass(slots=True)
class _Open:
    """A mapping or list being filled; ``key`` is the one whose value comes next, ``size`` how many values it holds."""

    value: Any
    path: Path
    anchor: str | None
    key: str | None = None
    size: int = 1


@dataclass(slots=True)
class _Anchored:
    value: JSON
    size: int


class _Stop(Exception):
    """Nothing more can be read."""


class _Reader:
    """Builds plain data from the parser's events, keeping problems as it goes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: JSON = None
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._aliases = 0
        self._count = 0
        self._documents = 0
        self._last = Mark()

    def read(self, text: str) -> None:
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            return
        if not self._documents and not self.problems:
            self._say(Mark(), (), "the file is empty")

    def _events(self, text: str) -> Iterator[Event]:
        import yaml

        try:
            yield from yaml.parse(text, Loader=yaml.SafeLoader)
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            mark = Mark(before.count("\n") + 1, error.position - before.rfind("\n"))
            self._say(mark, (), f"the character {_shown(error.character)} is not allowed in YAML")
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = Mark(at.line + 1, at.column + 1) if at else Mark()
            self._say(mark, (), f"this is not YAML: {_plainly(error)}")
        except (ValueError, OverflowError):
            # PyYAML converts escapes and version numbers with chr() and int(), and lets their errors through
            self._say(self._last, (), "this is not YAML: a number or an escape after this place is out of range")

    def _take(self, event: Event) -> None:
        if event.start_mark is not None:
            self._last = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
        handler = getattr(self, f"_on_{type(event).__name__}", None)
        if handler is not None:
            handler(event, self._last)

    def _say(self, mark: Mark, path: Path, message: str) -> None:
        self.problems.append(Problem(self.file, mark.line, mark.column, ".".join(map(str, path)), message))
        if len(self.problems) >= _MAX_PROBLEMS:
            raise _Stop

    def _fail(self, mark: Mark, path: Path, message: str) -> None:
        self._say(mark, path, message)
        raise _Stop

    def _on_DocumentStartEvent(self, event: Any, mark: Mark) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fail(mark, (), "a file holds one document; remove the second '---'")

    def _on_MappingStartEvent(self, event: Any, mark: Mark) -> None:
        self._enter({}, event, mark)

    def _on_SequenceStartEvent(self, event: Any, mark: Mark) -> None:
        self._enter([], event, mark)

    def _on_MappingEndEvent(self, event: Any, mark: Mark) -> None:
        self._leave(mark)

    def _on_SequenceEndEvent(self, event: Any, mark: Mark) -> None:
        self._leave(mark)

    def _on_ScalarEvent(self, event: Any, mark: Mark) -> None:
        if self._expects_key():
            return self._take_key(event, mark)
        path = self._place(mark)
        self._refuse_tag(event, mark, path)
        value = self._scalar(event, mark, path)
        self._put(value, event.anchor, 1)

    def _on_AliasEvent(self, event: Any, mark: Mark) -> None:
        if self._expects_key():
            self._fail(mark, self._path(), "a key must be plain text, not an alias")
        path = self._place(mark)
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._fail(mark, path, f"more than {MAX_ALIASES} aliases")
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            self._fail(mark, path, f"the alias *{event.anchor} has no anchor &{event.anchor} that ends before it")
            return
        self._bound(anchored.size, mark, path)
        self._put(anchored.value, None, anchored.size)

    def _enter(self, value: Any, event: Any, mark: Mark) -> None:
        if self._expects_key():
            self._fail(mark, self._path(), "a key must be plain text, not a mapping or a list")
        path = self._place(mark)
        self._refuse_tag(event, mark, path)
        if len(self._open) >= MAX_DEPTH:
            self._fail(mark, (), f"nested more than {MAX_DEPTH} levels deep")
        self._open.append(_Open(value, path, event.anchor))

    def _leave(self, mark: Mark) -> None:
        done = self._open.pop()
        self._put(done.value, done.anchor, done.size)

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _take_key(self, event: Any, mark: Mark) -> None:
        inside = self._open[-1]
        key = self._text(event.value, mark, inside.path)
        path = (*inside.path, key)
        self._bound(1, mark, path)
        self._refuse_tag(event, mark, path)
        if key == "<<" and event.implicit[0]:
            self._say(mark, path, "merge keys are not part of YAML 1.2; write the keys out")
        elif event.implicit[0] and not isinstance(resolved(key), str):
            self._say(mark, inside.path, f"a key must be text; write '{key}' in quotes")
        if path in self.keys:
            first = self.keys[path]
            self._say(mark, path, f"duplicate key; it stands first in line {first.line}")
            key = f"{key} (again)"  # so that what stands inside is not taken for a duplicate too
        self.keys.setdefault((*inside.path, key), mark)
        inside.key = key

    def _path(self) -> Path:
        return self._open[-1].path if self._open else ()

    def _place(self, mark: Mark) -> Path:
        """Where the value that begins here goes; remembers its mark."""
        inside = self._open[-1] if self._open else None
        if inside is None:
            path: Path = ()
        else:
            path = (*inside.path, len(inside.value) if isinstance(inside.value, list) else str(inside.key))
        self._bound(1, mark, path)
        self.values.setdefault(path, mark)
        return path

    def _put(self, value: JSON, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, size)
        if not self._open:
            self.data = value
            return
        inside = self._open[-1]
        inside.size += size
        if isinstance(inside.value, list):
            inside.value.append(value)
        else:
            inside.value.setdefault(inside.key, value)
            inside.key = None

    def _bound(self, size: int, mark: Mark, path: Path) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            self._fail(mark, path, f"more than {MAX_VALUES:,} values")

    def _refuse_tag(self, event: Any, mark: Mark, path: Path) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(mark, path, f"tags are not allowed: {tag}")

    def _scalar(self, event: Any, mark: Mark, path: Path) -> JSON:
        if not event.implicit[0]:
            return self._text(event.value, mark, path)
        if _NOT_FINITE.match(event.value):
            self._say(mark, path, f"{event.value} is not a number that a file may hold")
            return None
        return resolved(event.value)

    def _text(self, text: str, mark: Mark, path: Path) -> str:
        if _SURROGATE.search(text):
            self._say(mark, path, "half a surrogate pair is not a character; write the character itself")
        return text


def resolved(text: str) -> JSON:
    """A plain scalar by the rules of YAML 1.2; numbers too long for a machine word stay text."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.match(text):
        return int(text)
    if _OTHER_BASE.match(text):
        return int(text, 0)
    if len(text) <= 40 and _FLOAT.match(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text


def _plainly(error: Any) -> str:
    """What the parser says against a text, in the words of whoever wrote it, with what to do."""
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        return "a tab cannot stand here; indent with spaces"
    found = re.match(r"expected (.+), but (?:got|found) (.+)", problem)
    if found is None:
        return next((hint for words, hint in _HINTS.items() if words in problem), problem)
    if found[1] == "<block end>":
        return (
            f"{found[2]} closes nothing"
            if found[2] in ("']'", "'}'")
            else "the indentation fits nothing that stands above"
        )
    met = "the file ends" if found[2] == "'<stream end>'" else f"{found[2]} stands"
    opened = f"; see what line {error.context_mark.line + 1} opens" if error.context_mark else ""
    return f"{met} where {found[1].replace('the node content', 'a value')} must stand{opened}"


_HINTS = {
    "mapping values are not allowed": "': ' cannot stand here; indent keys alike, and write a text that holds ': ' in quotes",
    "could not find expected ':'": "a key without ': ' and a value",
    "cannot start any token": "a text may not begin with this character; write it in quotes",
    "found unexpected end of stream": "a quotation mark is opened and never closed",
    "unknown escape character": "there is no such escape in double quotes; write the text in single quotes",
}
"""The parser's words, and ours."""


def _shown(character: object) -> str:
    code = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    return f"U+{code:04X}"
