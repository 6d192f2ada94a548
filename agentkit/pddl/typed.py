"""Types and lists of typed names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agentkit.errors import did_you_mean
from agentkit.pddl.sexpr import Group, Node, Word, fail, shown
from agentkit.pddl.syntax import Kinds, Parameter

OBJECT = "object"


class Typed(NamedTuple):
    """A name and its types."""

    name: Word
    kinds: Kinds


def typed_list(nodes: Sequence[Node]) -> list[Typed]:
    """``a b - block c - (either x y) d``: each name with its types, ``object`` where none is written."""
    found: list[Typed] = []
    waiting: list[Word] = []
    place = 0
    while place < len(nodes):
        node = nodes[place]
        if not isinstance(node, Word):
            fail(node, f"expected a name, not {shown(node)}")
        if node.startswith("-"):
            glued = node != "-"  # some write ``?x -block``
            if not waiting or (place + 1 == len(nodes) and not glued):
                fail(node, "a '-' stands between names and their type")
            kinds = (str(node[1:]),) if glued else _kinds(nodes[place + 1])
            found += [Typed(name, kinds) for name in waiting]
            waiting = []
            place += not glued
        else:
            waiting.append(node)
        place += 1
    return found + [Typed(name, (OBJECT,)) for name in waiting]


def hierarchy(nodes: Sequence[Node]) -> dict[str, frozenset[str]]:
    """Each type with all types above it, itself and ``object`` among them, from the names after ``:types``."""
    parents: dict[str, set[str]] = {OBJECT: set()}
    for name, kinds in typed_list(nodes):
        parents.setdefault(name, set()).update(one for one in kinds if one != name)
        for kind in kinds:
            parents.setdefault(kind, set())
    return {name: _above(name, parents) for name in parents}


def parameters(node: Node, ancestors: Mapping[str, frozenset[str]]) -> tuple[Parameter, ...]:
    """The variables of a list such as ``(?x - block ?y)``."""
    if not isinstance(node, Group):
        fail(node, f"expected a list of variables in brackets, not {shown(node)}")
    found: dict[str, Parameter] = {}
    for name, kinds in typed_list(node):
        if not name.startswith("?"):
            fail(name, f"a variable begins with '?': {name}")
        if name in found:
            fail(name, f"the variable {name} is written twice")
        check_kinds(name, kinds, ancestors)
        found[name] = Parameter(str(name), kinds)
    return tuple(found.values())


def check_kinds(node: Word, kinds: Kinds, ancestors: Mapping[str, frozenset[str]]) -> None:
    """Raise ``PDDLError`` for a type that the domain does not declare."""
    for kind in kinds:
        if kind not in ancestors:
            fail(node, f"the type {kind!r} of {node} is not declared in (:types ...){did_you_mean(kind, ancestors)}")


def _kinds(node: Node) -> Kinds:
    if isinstance(node, Word):
        return (str(node),)
    if node.head != "either" or len(node) < 2 or not all(isinstance(one, Word) for one in node):
        fail(node, f"expected a type or (either ...), not {shown(node)}")
    return tuple(str(one) for one in node[1:])


def _above(name: str, parents: Mapping[str, set[str]]) -> frozenset[str]:
    found, waiting = {OBJECT}, [name]
    while waiting:
        one = waiting.pop()
        if one not in found or one == name:
            found.add(one)
            waiting += parents[one] - found
    return frozenset(found)
