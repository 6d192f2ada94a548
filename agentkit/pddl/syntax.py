"""What a domain and a problem say, as values. All names are in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Comparison = Literal["<", "<=", "=", ">=", ">"]
Kinds: TypeAlias = tuple[str, ...]
"""Names of types of which a thing has one: ``(either truck plane)``."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable (``?x``) and the types its value may have."""

    name: str
    kinds: Kinds


@dataclass(frozen=True, slots=True)
class Atom:
    """A predicate of variables and objects."""

    predicate: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """Two terms are the same object."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Fluent:
    """A number that belongs to objects: ``(distance ?from ?to)``."""

    name: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Arithmetic: ``+ - * /`` of expressions; ``-`` of one is its negative."""

    sign: str
    parts: tuple[Expression, ...]


Expression: TypeAlias = float | Fluent | Operation


@dataclass(frozen=True, slots=True)
class Compared:
    """One number against another."""

    sign: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """The formula does not hold."""

    part: Formula


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts hold; of none: true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the parts holds; of none: false."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Quantified:
    """The formula for every (or some) value of the variables."""

    every: bool
    variables: tuple[Parameter, ...]
    part: Formula


Formula: TypeAlias = Atom | Same | Compared | Not | Both | Either | Quantified


@dataclass(frozen=True, slots=True)
class Change:
    """An atom becomes true or false."""

    atom: Atom
    true: bool


@dataclass(frozen=True, slots=True)
class Assign:
    """A number changes: ``assign``, ``increase``, ``decrease``, ``scale-up``, ``scale-down``."""

    verb: str
    fluent: Fluent
    value: Expression


@dataclass(frozen=True, slots=True)
class When:
    """Effects that happen for every value of ``variables`` for which ``condition`` held before the action."""

    variables: tuple[Parameter, ...]
    condition: Formula
    effects: tuple[Effect, ...]


Effect: TypeAlias = Change | Assign | When


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What can be done: for which objects, when, and what it changes."""

    name: str
    parameters: tuple[Parameter, ...]
    condition: Formula
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Types, predicates and actions. ``ancestors`` maps a type to itself and all types above it."""

    name: str
    ancestors: Mapping[str, frozenset[str]]
    constants: Mapping[str, Kinds]
    predicates: Mapping[str, tuple[Parameter, ...]]
    functions: Mapping[str, tuple[Parameter, ...]]
    actions: Mapping[str, Action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Objects, the initial state and the goal. ``metric`` is what a plan costs, None for its length."""

    name: str
    objects: Mapping[str, Kinds]
    true: tuple[Atom, ...]
    numbers: Mapping[Fluent, float] = field(default_factory=dict)
    goal: Formula
    metric: Expression | None = None
    maximise: bool = False
