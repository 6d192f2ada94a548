"""Conditions and effects over one concrete state: a state is a bit for each atom, and the numbers by name.

``need`` and ``forbid`` hold the literals of a conjunction as bits, so that most conditions are decided by two operations;
what is left (``or``, comparisons of numbers) stands in ``parts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

Values = Mapping[str, float]
Number: TypeAlias = "float | str | tuple[str, tuple[Number, ...]]"
"""A constant, the name of a number (``(fuel truck1)``), or a sign with its parts."""


class Part(Protocol):
    """A condition that is not a literal."""

    def holds(self, state: int, values: Values) -> bool:
        """Whether it holds."""
        ...

    def said(self, values: Values) -> str:
        """What it demands, in PDDL, with the numbers that stand now."""
        ...


class Condition(NamedTuple):
    """A conjunction. ``literals`` are its literals in the order written: the place of the bit, and whether it is to be set."""

    need: int = 0
    forbid: int = 0
    literals: tuple[tuple[int, bool], ...] = ()
    parts: tuple[Part, ...] = ()

    def holds(self, state: int, values: Values) -> bool:
        """Whether all of it holds."""
        if state & self.need != self.need or state & self.forbid:
            return False
        return all(part.holds(state, values) for part in self.parts)

    def unmet(self, state: int, values: Values, names: Sequence[str]) -> list[str]:
        """The literals and parts that do not hold, in PDDL; ``names`` are those of the bits."""
        found = [
            names[place] if positive else f"(not {names[place]})"
            for place, positive in self.literals
            if bool(state >> place & 1) != positive
        ]
        return found + [part.said(values) for part in self.parts if not part.holds(state, values)]

    def failing(self, state: int) -> int:
        """The bits of the literals that do not hold."""
        return (self.need & ~state) | (self.forbid & state)

    def bits(self) -> int:
        """All bits that it looks at as literals."""
        return self.need | self.forbid


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the options holds; ``text`` is how it was written."""

    options: tuple[Condition, ...]
    text: str

    def holds(self, state: int, values: Values) -> bool:
        """Whether one does."""
        return any(option.holds(state, values) for option in self.options)

    def said(self, values: Values) -> str:
        """As written."""
        return self.text


@dataclass(frozen=True, slots=True)
class Never:
    """What cannot hold: an equality of two different objects."""

    text: str

    def holds(self, state: int, values: Values) -> bool:
        """Never."""
        return False

    def said(self, values: Values) -> str:
        """As written."""
        return self.text


@dataclass(frozen=True, slots=True)
class Numeric:
    """One number against another; false where one of them has no value."""

    sign: str
    left: Number
    right: Number

    def holds(self, state: int, values: Values) -> bool:
        """Whether the comparison is true."""
        left, right = evaluate(self.left, values), evaluate(self.right, values)
        return left is not None and right is not None and _COMPARE[self.sign](left, right)

    def said(self, values: Values) -> str:
        """As written, with the values that stand now."""
        return f"({self.sign} {written(self.left)} {written(self.right)}){_now(values, self.left, self.right)}"


class Assignment(NamedTuple):
    """The number ``name`` becomes what ``verb`` and ``value`` say."""

    verb: str
    name: str
    value: Number


class Change(NamedTuple):
    """What happens when ``condition`` held before: bits set and cleared, numbers changed."""

    condition: Condition
    add: int
    delete: int
    assignments: tuple[Assignment, ...]


def assigned(assignment: Assignment, values: Values) -> float | None:
    """The new value; None where an operand has none."""
    value = evaluate(assignment.value, values)
    if assignment.verb == "assign" or value is None:
        return value
    old = values.get(assignment.name)
    return None if old is None else _apply(_VERBS[assignment.verb], old, value)


def evaluate(number: Number, values: Values) -> float | None:
    """The value of an expression; None where a part has none, or for a division by zero."""
    if isinstance(number, float):
        return number
    if isinstance(number, str):
        return values.get(number)
    sign, parts = number
    total: float | None = evaluate(parts[0], values)
    if len(parts) == 1:
        return -total if sign == "-" and total is not None else total
    for part in parts[1:]:
        other = evaluate(part, values)
        if total is None or other is None:
            return None
        total = _apply(sign, total, other)
    return total


def written(number: Number) -> str:
    """The expression in PDDL."""
    if isinstance(number, float):
        return f"{number:g}"
    if isinstance(number, str):
        return number
    return f"({number[0]} {' '.join(map(written, number[1]))})"


def _apply(sign: str, left: float, right: float) -> float | None:
    try:
        return _ARITHMETIC[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return None


def _now(values: Values, *numbers: Number) -> str:
    said = dict.fromkeys(name for number in numbers for name in _names(number))
    known = [f"{name} is {values[name]:g}" if name in values else f"{name} has no value" for name in said]
    return f" where {', '.join(known)}" if known else ""


def _names(number: Number) -> Iterator[str]:
    if isinstance(number, str):
        yield number
    elif isinstance(number, tuple):
        for part in number[1]:
            yield from _names(part)


_VERBS = {"increase": "+", "decrease": "-", "scale-up": "*", "scale-down": "/"}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}
_SLACK = 1e-9  # sums of decimals that should be equal differ by this much
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right - _SLACK,
    "<=": lambda left, right: left <= right + _SLACK,
    "=": lambda left, right: abs(left - right) <= _SLACK,
    ">=": lambda left, right: left >= right - _SLACK,
    ">": lambda left, right: left > right + _SLACK,
}
