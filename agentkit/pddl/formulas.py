"""Conditions, numbers and effects, read from groups of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import get_args

from agentkit.errors import did_you_mean
from agentkit.pddl.sexpr import Group, Node, Word, fail, shown
from agentkit.pddl.syntax import (
    Assign,
    Atom,
    Both,
    Change,
    Compared,
    Comparison,
    Effect,
    Either,
    Expression,
    Fluent,
    Formula,
    Not,
    Operation,
    Parameter,
    Quantified,
    Same,
    When,
)
from agentkit.pddl.typed import parameters

TRUE = Both(())
_VERBS = ("assign", "increase", "decrease", "scale-up", "scale-down")
_LATER = ("at start", "at end", "over all", "always", "sometime", "within", "at-most-once", "preference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names that a formula may use: ``terms`` are variables and objects, None where any object may be meant."""

    ancestors: Mapping[str, frozenset[str]]
    predicates: Mapping[str, tuple[Parameter, ...]]
    functions: Mapping[str, tuple[Parameter, ...]]
    terms: frozenset[str]

    def inside(self, variables: Sequence[Parameter]) -> Scope:
        """The scope with more variables."""
        return replace(self, terms=self.terms | {one.name for one in variables})

    def formula(self, node: Node) -> Formula:
        """A condition: literals, ``and or not imply forall exists``, equality and comparisons."""
        if not isinstance(node, Group):
            fail(node, f"expected a condition in brackets, not {shown(node)}")
        if not node:
            return TRUE
        head, rest = node.head, node[1:]
        if head == "and":
            return Both(tuple(map(self.formula, rest)))
        if head == "or":
            return Either(tuple(map(self.formula, rest)))
        if head in get_args(Comparison) and head not in self.predicates:
            return self._comparison(node)
        if head in ("not", "imply", "forall", "exists"):
            return self._compound(node)
        return self.atom(node)

    def _compound(self, node: Group) -> Formula:
        head = node.head
        _expect(node, 1 if head == "not" else 2)
        if head == "not":
            return Not(self.formula(node[1]))
        if head == "imply":
            return Either((Not(self.formula(node[1])), self.formula(node[2])))
        variables = parameters(node[1], self.ancestors)
        return Quantified(head == "forall", variables, self.inside(variables).formula(node[2]))

    def atom(self, node: Node) -> Atom:
        """A predicate of known terms."""
        if not isinstance(node, Group) or not node.head:
            fail(node, f"expected a predicate in brackets, not {shown(node)}")
        if node.head in _LATER:
            fail(
                node, f"({node.head} ...) is not supported: plans are checked step by step, without time or preferences"
            )
        declared = self._declared(node, self.predicates, "predicate", ":predicates")
        return Atom(node.head, self._terms(node, len(declared)))

    def expression(self, node: Node) -> Expression:
        """A number, a fluent, or arithmetic of them."""
        if isinstance(node, Word):
            if node in self.functions:
                return Fluent(str(node), ())
            return number(node)
        if node.head in ("+", "-", "*", "/") and len(node) > 1:
            return Operation(node.head, tuple(map(self.expression, node[1:])))
        return self.fluent(node)

    def fluent(self, node: Node) -> Fluent:
        """A function of known terms; brackets may be missing around one without terms."""
        if isinstance(node, Word):
            group = Group([node])
            group.at = node.at
            node = group
        if not node.head:
            fail(node, f"expected a function in brackets, not {shown(node)}")
        declared = self._declared(node, self.functions, "function", ":functions")
        return Fluent(node.head, self._terms(node, len(declared)))

    def effects(self, node: Node) -> tuple[Effect, ...]:
        """What an action changes: literals, ``and forall when``, and changes of numbers."""
        if not isinstance(node, Group):
            fail(node, f"expected an effect in brackets, not {shown(node)}")
        if not node:
            return ()
        if node.head == "and":
            return tuple(effect for one in node[1:] for effect in self.effects(one))
        if node.head in ("forall", "when"):
            return (self._when(node),)
        if node.head in _VERBS and node.head not in self.predicates:
            _expect(node, 2)
            return (Assign(node.head, self.fluent(node[1]), self.expression(node[2])),)
        if node.head == "not":
            _expect(node, 1)
            return (Change(self.atom(node[1]), False),)
        if node.head in ("or", "imply", "exists", "oneof", "probabilistic"):
            fail(node, f"({node.head} ...) is not supported in an effect: what an action does must be certain")
        return (Change(self.atom(node), True),)

    def _when(self, node: Group) -> When:
        _expect(node, 2)
        if node.head == "when":
            return When((), self.formula(node[1]), self.effects(node[2]))
        variables = parameters(node[1], self.ancestors)
        return When(variables, TRUE, self.inside(variables).effects(node[2]))

    def _comparison(self, node: Group) -> Formula:
        _expect(node, 2)
        left, right = node[1:]
        if node.head == "=" and all(isinstance(one, Word) and self._is_term(one) for one in (left, right)):
            return Same(self._term(left), self._term(right))
        sign: Comparison = node.head  # type: ignore[assignment]
        return Compared(sign, self.expression(left), self.expression(right))

    def _is_term(self, word: Word) -> bool:
        return word not in self.functions and not _is_number(word)

    def _declared(
        self, node: Group, known: Mapping[str, tuple[Parameter, ...]], kind: str, where: str
    ) -> tuple[Parameter, ...]:
        if node.head not in known:
            fail(node, f"the {kind} {node.head!r} is not declared in ({where} ...){did_you_mean(node.head, known)}")
        if len(node) - 1 != len(known[node.head]):
            fail(node, f"{node.head} takes {_count(len(known[node.head]))}, not {len(node) - 1}: {shown(node)}")
        return known[node.head]

    def _terms(self, node: Group, count: int) -> tuple[str, ...]:
        return tuple(self._term(one) for one in node[1 : count + 1])

    def _term(self, node: Node) -> str:
        if not isinstance(node, Word):
            fail(node, f"expected a variable or an object, not {shown(node)}")
        if node not in self.terms:
            what = "variable" if node.startswith("?") else "object"
            fail(node, f"the {what} {node} is not known here{did_you_mean(node, self.terms)}")
        return str(node)


def number(node: Node) -> float:
    """A finite number; raises ``PDDLError`` for anything else."""
    if not isinstance(node, Word) or not _is_number(node):
        fail(node, f"expected a number, not {shown(node)}")
    return float(node)


def _is_number(word: Word) -> bool:
    try:
        return isfinite(float(word))
    except ValueError:
        return False


def _expect(node: Group, parts: int) -> None:
    if len(node) != parts + 1:
        fail(node, f"({node.head} ...) takes {parts} part{'s' if parts > 1 else ''}, not {len(node) - 1}")


def _count(arguments: int) -> str:
    return f"{arguments} argument{'' if arguments == 1 else 's'}"
