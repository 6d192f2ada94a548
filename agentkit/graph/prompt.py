"""Prompts: turns of a conversation as templates, filled with data that can neither leave its place nor give orders.

A prompt is a text, ``{file: ...}``, ``{system: ..., user: ...}``, or a list of turns with one role each. Data never enters a
system turn; everything inserted is cleaned, and documents stand between fences that carry a delimiter of this request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from agentkit.errors import ConfigError, TemplateError, did_you_mean
from agentkit.graph import plain
from agentkit.graph.template import Name, Template, parse
from agentkit.graph.template import plain as as_text
from agentkit.options import Fault, plainly
from agentkit.rag.prompt import clean, delimiter, fence
from agentkit.types import JSON, Message, Path

PromptRole = Literal["system", "user", "assistant"]
_ROLES: tuple[PromptRole, ...] = get_args(PromptRole)

DOCUMENT_NAMES = ("number", "text", "title", "source", "id", "score", "metadata")
"""What a template may say inside ``{{#documents}}``."""

_PLAIN = "{{question}}"
_WITH_DOCUMENTS = """\
Answer the question from the sources below. If they do not hold the answer, say so.

{{documents}}

Question: {{question}}"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; ``path`` is where it stands in the option, ``file`` the file that holds its text, if one does."""

    role: PromptRole
    template: Template
    path: Path = ()
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation to fill in."""

    turns: tuple[Turn, ...]

    def wants(self) -> dict[str, bool]:
        """The values it takes, by name: True for those it cannot do without.

        A name inside a list may be a field of the item or a value of its own; it is among the latter, but not needed.
        """
        found: dict[str, bool] = {}
        for turn in self.turns:
            for name in turn.template.names:
                if name.path and not _of_document(name):
                    needed = not (name.test or name.within)
                    found[name.path[0]] = found.get(name.path[0], False) or needed
        return found

    def fill(self, values: Mapping[str, JSON], *, seed: str) -> tuple[Message, ...]:
        """The messages; ``documents`` among the values are fenced with a delimiter drawn from ``seed``.

        Raises ``TemplateError`` for a value that is absent or text of more than 1 MB.
        """
        filler = _Filler(delimiter(seed))
        return tuple(
            Message(turn.role, turn.template.render(values, show=filler.show, wrap=filler.wrap)) for turn in self.turns
        )


def default_prompt(*, documents: bool) -> Prompt:
    """The question as a single user turn, after the numbered, fenced documents where there are any."""
    return Prompt((Turn("user", parse(_WITH_DOCUMENTS if documents else _PLAIN)),))


Read = Callable[[str], str]
"""Gives the text of a file of the graph; raises ``ConfigError``."""


def read_prompt(option: JSON, read: Read) -> tuple[Prompt | None, list[Fault]]:
    """The prompt that ``option`` describes, or everything wrong with it, with paths inside the option."""
    reader = _Reader(read)
    turns = tuple(reader.turns(option))
    if not reader.faults and (not turns or turns[-1].role != "user"):
        reader.faults.append(((), "the last turn of a prompt must be the user's"))
    return (None if reader.faults else Prompt(turns)), reader.faults


def read_text(option: JSON, read: Read) -> tuple[Template | None, list[Fault]]:
    """A single template: a text or ``{file: ...}``."""
    reader = _Reader(read)
    found = reader.template(option, ())
    return (found[0] if found else None), reader.faults


def faults_of_names(prompt: Prompt, given: Mapping[str, bool]) -> Iterator[Fault]:
    """What is wrong with the names of a prompt; ``given`` are the values it will have, True for those that are data."""
    for turn in prompt.turns:
        for name in turn.template.names:
            if message := _fault_of(name, turn, given):
                where = (
                    f"{turn.file}:{name.line}:{name.column}" if turn.file else f"line {name.line}, column {name.column}"
                )
                yield turn.path, f"{where}: {message}"


def _fault_of(name: Name, turn: Turn, given: Mapping[str, bool]) -> str:
    if not name.path:
        return "" if name.within else "{{.}} stands for the item of a list, and this is in none"
    if name.within:
        known = (*DOCUMENT_NAMES, *given)
        unknown = "documents" in name.within and name.path[0] not in known
        return f"a document has no {{{{{name}}}}}{did_you_mean(name.path[0], known)}" if unknown else ""
    if name.path[0] not in given:
        return f"{{{{{name}}}}} is not among the node's inputs{did_you_mean(name.path[0], given)}"
    if turn.role == "system" and given[name.path[0]]:
        return f"{{{{{name}}}}} is data, and data may not stand in a system turn; put it in a user turn"
    return ""


def _of_document(name: Name) -> bool:
    """Whether the name is a field of a document, or the number that any item has."""
    return bool(name.within) and (
        name.path == ("number",) or ("documents" in name.within and name.path[0] in DOCUMENT_NAMES)
    )


class _Reader:
    def __init__(self, read: Read) -> None:
        self.faults: list[Fault] = []
        self._read = read

    def turns(self, option: JSON) -> Iterator[Turn]:
        if isinstance(option, list):
            for index, item in enumerate(option):
                yield from self._turn(item, (index,), single=True)
        elif isinstance(option, Mapping) and set(option) != {"file"}:
            yield from self._turn(option, (), single=False)
        elif found := self.template(option, ()):
            yield Turn("user", found[0], (), found[1])

    def _turn(self, item: JSON, path: Path, *, single: bool) -> Iterator[Turn]:
        if not isinstance(item, Mapping) or not item or (single and len(item) > 1):
            self.faults.append((path, f"a turn is written {{user: ...}}, not {plainly(item)}"))
            return
        for role, content in item.items():
            if role not in _ROLES:
                self.faults.append(((*path, role), f"unknown role{did_you_mean(str(role), _ROLES)}"))
            elif role == "system" and path not in ((), (0,)):
                self.faults.append(((*path, role), "a system turn can only be the first"))
            elif found := self.template(content, (*path, role)):
                yield Turn(role, found[0], (*path, role), found[1])

    def template(self, content: Any, path: Path) -> tuple[Template, str | None] | None:
        file = content.get("file") if isinstance(content, Mapping) and set(content) == {"file"} else None
        if not isinstance(content if file is None else file, str):
            self.faults.append((path, f"must be a text or {{file: prompts/name.md}}, not {plainly(content)}"))
            return None
        text = content if file is None else self._text(file, path)
        if text is None:
            return None
        try:
            return parse(text), file
        except TemplateError as error:
            where = f"{file}:{error.line}:{error.column}" if file else f"line {error.line}, column {error.column}"
            self.faults.append((path, f"{where}: {error}"))
            return None

    def _text(self, file: str, path: Path) -> str | None:
        try:
            return self._read(file)
        except ConfigError as error:
            self.faults.append(((*path, "file"), str(error)))
            return None


class _Filler:
    """How values look in a prompt, and the fences around documents."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._inside = re.compile(re.escape(mark), re.IGNORECASE)

    def show(self, value: JSON, name: Name) -> str:
        if name.path == ("documents",) and isinstance(value, list):
            return fence(plain.documents(value), self._mark)
        text = clean(as_text(value, name))
        return self._inside.sub("█", text) if "documents" in name.within else text

    def wrap(self, text: str, name: Name, number: int) -> str:
        if name.path != ("documents",):
            return text
        return f"(source {self._mark})\n{text.strip(chr(10))}\n(end of source {self._mark})\n"
