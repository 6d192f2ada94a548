"""An exact calculator: fractions all the way, so that 0.1 + 0.2 is 0.3 and 1/3*3 is 1."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from agentkit.errors import ToolError
from agentkit.types import JSON, ToolSpec

_LONGEST = 1000
_BITS = 4096
# A percent sign ends a number when no operand follows it; otherwise it is the remainder.
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%(?!\s*[\d(])")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "floor": math.floor,
    "ceil": math.ceil,
}
_INTEGER_FUNCTIONS: dict[str, Callable[..., int]] = {
    "gcd": math.gcd,
    "lcm": math.lcm,
    "factorial": math.factorial,
    "comb": math.comb,
}


@dataclass(frozen=True, kw_only=True)
class Calculator:
    """A tool that evaluates arithmetic exactly: ``+ - * / // % **``, parentheses, ``abs round min max floor ceil gcd lcm
    factorial comb sqrt`` and percent signs after numbers."""

    @property
    def idempotent(self) -> bool:
        """A second call does no harm."""
        return True

    @property
    def spec(self) -> ToolSpec:
        """One argument: the expression."""
        schema = {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]}
        about = "Evaluate an arithmetic expression exactly, e.g. (12.5 + 7) * 3 / 4."
        return ToolSpec(name="calculator", description=about, parameters={**schema, "additionalProperties": False})

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """The value as text: an integer, a terminating decimal, or a fraction ``a/b``; raises ``ToolError``."""
        return show(calculate(str(arguments["expression"])))


def calculate(expression: str) -> Fraction:
    """The exact value; ``ToolError`` with a sentence a model can act on when it is not arithmetic or grows too large."""
    text = (
        _PERCENT.sub(r"(\1/100)", expression.strip())
        .replace("^", "**")
        .replace("×", "*")
        .replace("÷", "/")
        .replace("−", "-")
    )
    if len(text) > _LONGEST:
        raise ToolError(f"the expression is longer than {_LONGEST} characters")
    try:
        return _value(_exact(ast.parse(text, mode="eval"), text).body)
    except ZeroDivisionError:
        raise ToolError(f"division by zero in {expression!r}") from None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ToolError(f"{expression!r} is not an arithmetic expression: {error}") from None


def _exact(tree: ast.Expression, text: str) -> ast.Expression:
    """The tree with every decimal as it is written, which the parser has already rounded to a float."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < math.inf:
            node.value = Fraction(ast.get_source_segment(text, node) or node.value)  # type: ignore[assignment]
    return tree


def show(value: Fraction) -> str:
    """An integer or terminating decimal where there is one, else ``a/b``."""
    if value.denominator == 1:
        return str(value.numerator)
    twos_and_fives = value.denominator
    places = 0
    while twos_and_fives % 10 == 0 or twos_and_fives % 2 == 0 or twos_and_fives % 5 == 0:
        twos_and_fives //= 10 if twos_and_fives % 10 == 0 else 2 if twos_and_fives % 2 == 0 else 5
        places += 1
    if twos_and_fives != 1 or places > 30:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=Fraction() as number):
            return number
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(Fraction(_BINARY[type(op)](_value(left), _value(right))))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, [_value(argument) for argument in arguments])
    raise ValueError(f"{ast.unparse(node)!r} is not a number, an operation or a known function")


def _call(name: str, values: list[Fraction]) -> Fraction:
    if name == "sqrt" and len(values) == 1:
        return _root(values[0])
    if name in _FUNCTIONS:
        places = [int(value) if name == "round" and place else value for place, value in enumerate(values)]
        return Fraction(_FUNCTIONS[name](*places))
    if name in _INTEGER_FUNCTIONS:
        if any(value.denominator != 1 or abs(value) > 1000 for value in values) and name in ("factorial", "comb"):
            raise ValueError(f"{name} takes whole numbers up to 1000")
        return Fraction(_INTEGER_FUNCTIONS[name](*(int(value) for value in values)))
    raise ValueError(f"{name} is not a known function")


def _root(value: Fraction) -> Fraction:
    if value < 0:
        raise ValueError("the square root of a negative number is not real")
    exact = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    return exact if exact * exact == value else Fraction(str(math.sqrt(value)))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent == Fraction(1, 2):
        return _root(base)
    if exponent.denominator != 1:
        return Fraction(str(float(base) ** float(exponent)))
    size = max(abs(base.numerator), base.denominator).bit_length() * abs(exponent.numerator)
    if size > _BITS:
        raise ValueError("the power is too large")
    return base**exponent.numerator


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() > _BITS or value.denominator.bit_length() > _BITS:
        raise ValueError("the number is too large")
    return value
