"""Text in brackets as nested groups of words, each with its place; bounded in size and depth."""

from __future__ import annotations

import re
from typing import NoReturn, TypeAlias

from agentkit.errors import PDDLError

MAX_CHARACTERS = 4_000_000
MAX_DEPTH = 100
_TOKEN = re.compile(r"[()]|[^\s();]+")


class Word(str):
    """A word in lower case; ``at`` is its line and column, from 1."""

    at: tuple[int, int] = (1, 1)


class Group(list["Node"]):
    """What stands between two brackets; ``at`` is the place of the opening one."""

    at: tuple[int, int] = (1, 1)

    @property
    def head(self) -> str:
        """The first word; empty where there is none."""
        return self[0] if self and isinstance(self[0], Word) else ""


Node: TypeAlias = Word | Group


def parse(text: str, what: str) -> Group:
    """The one group that ``text`` holds; ``what`` (``domain``, ``problem``) names it in errors, which are ``PDDLError``."""
    if len(text) > MAX_CHARACTERS:
        raise PDDLError(f"{what}: more than {MAX_CHARACTERS:,} characters")
    top = Group()
    opened = [top]
    for number, line in enumerate(text.lower().split("\n"), 1):
        for found in _TOKEN.finditer(line.partition(";")[0]):
            _take(found.group(), (number, found.start() + 1), opened, what)
    if len(opened) > 1:
        _fail(what, opened[-1].at, "this bracket is never closed")
    if len(top) != 1 or not isinstance(top[0], Group):
        _fail(what, top[1].at if len(top) > 1 else (1, 1), f"expected one (define ...), found {len(top)} expressions")
    return top[0]


def fail(node: Node, message: str) -> NoReturn:
    """Raise ``PDDLError`` for the place of ``node``."""
    line, column = node.at
    raise PDDLError(f"line {line}, column {column}: {message}", line=line, column=column)


def shown(node: Node, limit: int = 60) -> str:
    """The node as text, cut to ``limit`` characters."""
    if isinstance(node, Word):
        return str(node)[:limit]
    parts, left = [], limit
    for one in node:
        parts.append(shown(one, left))
        left -= len(parts[-1])
        if left <= 0:
            parts.append("...")
            break
    return f"({' '.join(parts)})"


def _take(token: str, at: tuple[int, int], opened: list[Group], what: str) -> None:
    if token == "(":
        group = Group()
        group.at = at
        opened[-1].append(group)
        opened.append(group)
        if len(opened) > MAX_DEPTH:
            _fail(what, at, f"brackets nested more than {MAX_DEPTH} deep")
    elif token == ")":
        if len(opened) == 1:
            _fail(what, at, "this bracket closes nothing")
        opened.pop()
    else:
        word = Word(token)
        word.at = at
        opened[-1].append(word)


def _fail(what: str, at: tuple[int, int], message: str) -> NoReturn:
    raise PDDLError(f"{what}: line {at[0]}, column {at[1]}: {message}", line=at[0], column=at[1])
