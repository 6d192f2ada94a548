r"""Templates for prompts: a small, strict part of Mustache over plain data.

``{{name}}`` and ``{{a.b}}`` insert a value, ``{{#list}}...{{/list}}`` repeats for each item (or once for a value that is
there), ``{{^list}}...{{/list}}`` stands in where there is none. Inside a list ``{{.}}`` is the item and ``{{number}}`` counts
from 1. ``{{! a remark }}`` vanishes; ``\{{`` is the two braces themselves.

There are no calls, filters or attributes, values are looked up in mappings only, and what was inserted is never read again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentkit.errors import TemplateError, did_you_mean
from agentkit.types import JSON

MAX_SOURCE = 64_000
MAX_OUTPUT = 1_000_000
_MAX_NESTING = 8
_PIECES = 20_000

_TAG = re.compile(r"\\(?:\{\{|\{%)|\{\{|\{%")
_NAME = re.compile(r"(?:\.|[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)\Z")


@dataclass(frozen=True, slots=True)
class Name:
    """A use of a value: its dotted ``path``, where it stands, and the lists it stands in, outermost first.

    ``test`` marks the name of a section, which may well be absent.
    """

    path: tuple[str, ...]
    line: int
    column: int
    within: tuple[str, ...] = ()
    test: bool = False

    def __str__(self) -> str:
        return ".".join(self.path) or "."


@dataclass(frozen=True, slots=True)
class _Section:
    name: Name
    inverted: bool
    parts: tuple[_Part, ...]


_Part = str | Name | _Section

Show = Callable[[JSON, "Name"], str]
"""Turns a value into the text that stands for it."""

Wrap = Callable[[str, "Name", int], str]
"""Puts something around the text of item ``number`` (from 1) of a list."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; ``names`` are all uses of values in it, in order."""

    parts: tuple[_Part, ...]
    names: tuple[Name, ...]

    @property
    def literal(self) -> str:
        """The text between the names, sections included once."""
        return "".join(_literals(self.parts))

    def render(self, values: Mapping[str, JSON], *, show: Show | None = None, wrap: Wrap | None = None) -> str:
        """The text for ``values`` (plain data); raises ``TemplateError`` for an absent value or more than 1 MB of text.

        ``show`` turns a value into text (default ``plain``), ``wrap`` may put something around each item of a list.
        """
        writer = _Writer(show or plain, wrap)
        writer.write(self.parts, (values,))
        return "".join(writer.pieces)


def parse(text: str) -> Template:
    """The template; raises ``TemplateError`` with line and column for anything that is not in the language."""
    if len(text) > MAX_SOURCE:
        raise TemplateError(f"the template is longer than {MAX_SOURCE:,} characters")
    parser = _Parser(text)
    return Template(parser.parts(), tuple(parser.names))


def plain(value: JSON, name: Name) -> str:
    """Text as it is, numbers as written, anything else as JSON; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _literals(parts: Sequence[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Section):
            yield from _literals(part.parts)


class _Parser:
    """Splits a text at its tags; sections are kept on a list rather than the call stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[Name] = []
        self._stack: list[tuple[Name, bool, list[_Part]]] = []
        self._parts: list[_Part] = []

    def parts(self) -> tuple[_Part, ...]:
        for piece, offset in self._pieces():
            if offset is None:
                self._parts.append(piece)
            else:
                self._tag(piece, offset)
        if self._stack:
            name, inverted, _ = self._stack[-1]
            opened = f"{{{{{'^' if inverted else '#'}{name}}}}}"
            raise TemplateError(f"{opened} is never closed with {{{{/{name}}}}}", line=name.line, column=name.column)
        return tuple(self._parts)

    def _pieces(self) -> Iterator[tuple[str, int | None]]:
        """Literal text with None, and the inside of each tag with its offset."""
        position = 0
        while found := _TAG.search(self.text, position):
            start = found.start()
            if found[0].startswith("\\"):
                yield self.text[position:start] + found[0][1:], None
                position = found.end()
                continue
            end = self._end(found[0], start)
            first, last = self._alone(start, end)
            yield self.text[position:first], None
            yield self.text[start + 2 : end - 2], start
            position = last
        yield self.text[position:], None

    def _end(self, opening: str, start: int) -> int:
        if opening == "{%":
            self._fail(start, "'{%' is not part of the template language; write '\\{%' for the characters themselves")
        end = self.text.find("}}", start)
        if end < 0:
            self._fail(start, "'{{' is never closed with '}}'; write '\\{{' for the braces themselves")
        return end + 2

    def _alone(self, start: int, end: int) -> tuple[int, int]:
        """The whole line of a tag that inserts nothing and stands alone on it, so that it leaves no empty line behind."""
        first = self.text.rfind("\n", 0, start) + 1
        newline = self.text.find("\n", end)
        last = len(self.text) if newline < 0 else newline + 1
        alone = not self.text[first:start].strip() and not self.text[end:last].strip()
        return (first, last) if alone and self.text[start + 2] in "#^/!" else (start, end)

    def _tag(self, inside: str, offset: int) -> None:
        mark, word = inside[:1], inside
        if mark == "!":
            return
        if mark in ("#", "^", "/"):
            word = inside[1:]
        name = self._name(word.strip(), offset, test=mark in ("#", "^"))
        if mark == "/":
            self._close(name, offset)
        elif mark in ("#", "^"):
            self._open(name, mark == "^", offset)
        else:
            self.names.append(name)
            self._parts.append(name)

    def _name(self, word: str, offset: int, *, test: bool) -> Name:
        if not _NAME.match(word):
            self._fail(offset, f"{{{{{word[:60]}}}}} is not a name; a template holds names, not code")
        line, column = self._place(offset)
        path = () if word == "." else tuple(word.split("."))
        within = tuple(str(name) for name, inverted, _ in self._stack if not inverted)
        return Name(path, line, column, within, test)

    def _open(self, name: Name, inverted: bool, offset: int) -> None:
        if len(self._stack) >= _MAX_NESTING:
            self._fail(offset, f"sections are nested more than {_MAX_NESTING} deep")
        self.names.append(name)
        self._stack.append((name, inverted, self._parts))
        self._parts = []

    def _close(self, name: Name, offset: int) -> None:
        if not self._stack:
            self._fail(offset, f"{{{{/{name}}}}} closes nothing")
        opened, inverted, outer = self._stack.pop()
        if opened.path != name.path:
            self._fail(offset, f"{{{{/{name}}}}} stands where {{{{/{opened}}}}} should close the section")
        outer.append(_Section(opened, inverted, tuple(self._parts)))
        self._parts = outer

    def _place(self, offset: int) -> tuple[int, int]:
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)

    def _fail(self, offset: int, message: str) -> None:
        line, column = self._place(offset)
        raise TemplateError(message, line=line, column=column)


class _Writer:
    def __init__(self, show: Show, wrap: Wrap | None) -> None:
        self.pieces: list[str] = []
        self._show, self._wrap = show, wrap
        self._size = self._steps = 0

    def write(self, parts: Sequence[_Part], scopes: tuple[JSON, ...]) -> None:
        for part in parts:
            self._step()
            if isinstance(part, str):
                self._put(part)
            elif isinstance(part, Name):
                self._put(self._show(_value(part, scopes), part))
            else:
                self._section(part, scopes)

    def _section(self, section: _Section, scopes: tuple[JSON, ...]) -> None:
        value = _find(section.name.path, scopes)[1]
        there = value is not None and value is not False and value != "" and value != [] and value != {}
        if section.inverted:
            if not there:
                self.write(section.parts, scopes)
        elif isinstance(value, list):
            for number, item in enumerate(value, 1):
                self._item(section, number, item, scopes)
        elif there:
            self.write(section.parts, (*scopes, value) if isinstance(value, Mapping) else scopes)

    def _item(self, section: _Section, number: int, item: JSON, scopes: tuple[JSON, ...]) -> None:
        inner = (*scopes, {"number": number}, _Item(item))
        if self._wrap is None:
            self.write(section.parts, inner)
            return
        outer, self.pieces = self.pieces, []
        self.write(section.parts, inner)
        text = self._wrap("".join(self.pieces), section.name, number)
        self.pieces = [*outer, text]

    def _put(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_OUTPUT:
            raise TemplateError(f"the filled template would be longer than {MAX_OUTPUT:,} characters")
        self.pieces.append(text)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _PIECES:
            raise TemplateError(f"the filled template would have more than {_PIECES:,} pieces")


@dataclass(frozen=True, slots=True)
class _Item:
    """The item of a list that a section is at."""

    value: JSON


def _find(path: tuple[str, ...], scopes: tuple[JSON, ...]) -> tuple[bool, JSON]:
    """Whether the path leads to a value, looked up from the innermost scope outwards, and the value."""
    for scope in reversed(scopes):
        here = scope.value if isinstance(scope, _Item) else scope
        if not path:
            if isinstance(scope, _Item):
                return True, here
        elif isinstance(here, Mapping) and path[0] in here:
            return _descend(path[1:], here[path[0]])
    return False, None


def _descend(path: tuple[str, ...], value: JSON) -> tuple[bool, JSON]:
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return False, None
        value = value[part]
    return True, value


def _value(name: Name, scopes: tuple[JSON, ...]) -> JSON:
    there, value = _find(name.path, scopes)
    if not there and not name.within:
        known = [key for key in scopes[0] if isinstance(key, str)]
        hint = did_you_mean(str(name), known)
        raise TemplateError(f"{{{{{name}}}}} has no value{hint}", line=name.line, column=name.column)
    return value
