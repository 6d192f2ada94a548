"""Exact arithmetic, and nothing but arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentkit.errors import ToolError
from agentkit.tools.calculator import Calculator, calculate, show


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1/3*3", "1"),
        ("2/3", "2/3"),
        ("2 ^ 10", "1024"),
        ("(12.5 + 7) * 3 / 4", "14.625"),
        ("15% * 80", "12"),
        ("17 % 5", "2"),
        ("-7 // 2", "-4"),
        ("sqrt(2.25)", "1.5"),
        ("round(2.567, 2)", "2.57"),
        ("factorial(5) + comb(5, 2)", "130"),
        ("6 × 7 − 2", "40"),
    ],
)
async def test_arithmetic_is_exact(expression: str, value: str) -> None:
    assert await Calculator().call({"expression": expression}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "x + 1",
        "__import__('os')",
        "().__class__",
        "1 if 1 else 2",
        "9**9**9**9",
        "1/0",
        "factorial(10**6)",
        "(" * 500,
        "'a'*9",
        "True",
    ],
)
def test_anything_else_is_one_sentence(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)


@given(st.fractions(max_denominator=10**6))
@example(Fraction(65537, 131072))
def test_what_is_shown_reads_back_as_the_same_number(value: Fraction) -> None:
    assert calculate(show(value)) == value
