"""Exact arithmetic on text: ``(10 - 4) * 4`` is 24, with fractions all the way and no ``eval``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from fractions import Fraction

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "[": "(", "]": ")"})
_LONGEST = 200
_LARGEST_POWER = 64


def evaluate(expression: str) -> Fraction:
    """The value of ``expression`` (numbers, ``+ - * / ^`` and parentheses).

    Raises ``ValueError`` when it is anything else, divides by zero, or is unreasonably long or large.
    """
    return _value(_parse(expression))


def operands(expression: str) -> tuple[Fraction, ...]:
    """The numbers written in ``expression``, in order; raises ``ValueError`` as ``evaluate`` does."""
    found = [node for node in ast.walk(_parse(expression)) if isinstance(node, ast.Constant)]
    return tuple(_constant(node) for node in sorted(found, key=lambda node: node.col_offset))


def _parse(expression: str) -> ast.expr:
    if len(expression) > _LONGEST:
        raise ValueError(f"the expression is longer than {_LONGEST} characters")
    try:
        return ast.parse(expression.translate(_SIGNS).strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not an arithmetic expression: {expression!r}") from error


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        return _combine(node.op, _value(node.left), _value(node.right))
    raise ValueError("only numbers, + - * / ^ and parentheses can be evaluated")


def _constant(node: ast.Constant) -> Fraction:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ValueError(f"{node.value!r} is not a number")
    return Fraction(str(node.value))


def _combine(sign: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    if isinstance(sign, ast.Pow):
        return _power(left, right)
    if type(sign) not in _OPERATORS:
        raise ValueError("only + - * / ^ can be evaluated")
    try:
        return _OPERATORS[type(sign)](left, right)
    except ZeroDivisionError:
        raise ValueError("division by zero") from None


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if (
        exponent.denominator != 1
        or abs(exponent) > _LARGEST_POWER
        or max(abs(base.numerator), base.denominator) > 10**9
    ):
        raise ValueError("only small whole powers can be evaluated")
    if base == 0 and exponent < 0:
        raise ValueError("division by zero")
    return Fraction(base ** int(exponent))
