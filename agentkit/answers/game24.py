"""The rules of the game of 24: operations on the numbers left, read exactly from what was written, as fractions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from agentkit.answers import arithmetic, numbers

TARGET = 24

_DECIMAL = r"-?\d+(?:\.\d+)?"
_RATIO = r"-?\d+(?:\.\d+)?(?:/\d+)?"
_SIGN = r"\s*([-+*/×÷−])\s*"
_OPERATIONS = tuple(
    re.compile(rf"(?:\d{{1,2}}[.)]\s+)?\W{{0,3}}?\(?({number})\)?{_SIGN}\(?({number})\)?\s*[=≈]")
    for number in (_DECIMAL, _RATIO)
)
_TYPOGRAPHIC = str.maketrans({"×": "*", "÷": "/", "−": "-"})
_ROUNDING = Fraction(1, 50)


@dataclass(frozen=True, slots=True)
class Operation:
    """Two numbers and a sign."""

    left: Fraction
    sign: str
    right: Fraction

    @property
    def result(self) -> Fraction:
        """Exact."""
        return arithmetic.evaluate(str(self))

    def __str__(self) -> str:
        return f"{_operand(self.left)} {self.sign} {_operand(self.right)}"


def show(values: Sequence[Fraction]) -> str:
    """The numbers, smallest first."""
    return " ".join(numbers.spell(value) for value in sorted(values))


def read(line: str, state: Sequence[Fraction]) -> Operation | None:
    """The operation that ``line`` begins with, if both of its operands are in ``state``; no division by zero."""
    for pattern in _OPERATIONS:
        found = pattern.match(line.strip())
        if found:
            left = _among(found[1], state)
            right = _among(found[3], without(state, left)) if left is not None else None
            sign = found[2].translate(_TYPOGRAPHIC)
            if left is not None and right is not None and not (sign == "/" and right == 0):
                return Operation(left, sign, right)
    return None


def is_operation(line: str) -> bool:
    """Whether ``line`` begins with an operation at all, on whatever numbers."""
    return any(pattern.match(line.strip()) for pattern in _OPERATIONS)


def left_after(operation: Operation, state: Sequence[Fraction]) -> list[Fraction]:
    """The numbers left once the operation is done."""
    return [*without(without(state, operation.left), operation.right), operation.result]


def operations(state: Sequence[Fraction]) -> Iterator[Operation]:
    """Every operation on two of the numbers, each once."""
    seen = set()
    for place, left in enumerate(state):
        for other, right in enumerate(state):
            if place == other:
                continue
            for sign in "+-*/":
                commutes = sign in "+*" and left > right
                operation = Operation(left, sign, right)
                if not commutes and not (sign == "/" and right == 0) and operation not in seen:
                    seen.add(operation)
                    yield operation


def without(state: Sequence[Fraction], value: Fraction | None) -> list[Fraction]:
    """The numbers but for one of this value."""
    rest = list(state)
    if value in rest:
        rest.remove(value)
    return rest


def makes_24(expression: str, allowed: Sequence[Fraction]) -> bool:
    """Whether ``expression`` is 24 and uses every number of ``allowed`` once and no other."""
    expression = expression.split("=")[0]
    try:
        right = arithmetic.evaluate(expression) == TARGET
        return right and sorted(arithmetic.operands(expression)) == sorted(allowed)
    except ValueError:
        return False


def _operand(value: Fraction) -> str:
    text = numbers.spell(value)
    return f"({text})" if value < 0 or "/" in text else text


def _among(text: str, state: Sequence[Fraction]) -> Fraction | None:
    """The number of ``state`` that ``text`` means: the equal one, or for a rounded decimal the nearest within two percent."""
    wanted = Fraction(text) if not text.endswith("/0") else None
    if wanted is None or wanted in state:
        return wanted
    near = [one for one in state if one.denominator > 1 and abs(one - wanted) <= abs(one) * _ROUNDING]
    return min(near, key=lambda one: abs(one - wanted)) if "." in text and near else None
