"""Equalities in running text: which are stated, which are false."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.evaluators.planning.reasoning.equalities import equalities

TRUE = [
    "She has 16 - 3 - 4 = 9 eggs.",
    "That is 9 * 2 = $18 every day.",
    "48 / 2 = 24 clips, so 48 + 24 = 72 clips in all.",
    "16 - 3 - 4 = <<16-3-4=9>>9 duck eggs",
    "The total is 1,200 + 300 = 1,500.",
    "20% of the way: 50 * 20% = 10",
    "50 + 10% = 55",
    "10 / 3 = 3.33",
    "2/3 = 0.67",
    "5 x 4 = 20 and 5 × 4 = 20",
    "3 apples + 4 apples = 7 apples",
    "2 + 3 * 4 is 14",
    "5 plus 7 equals 12",
    "Adding 4 and 3 gives 7.",
    "Subtracting 4 from 10 leaves 6.",
    "2^10 = 1024",
    "1 hour = 60 minutes",
    "11/18*162 = 99.00000000000001",
    "2x + 60 = 100, so 2x = 40",
    "N + 48 = 62",
    "32 / 96 * 100% = 33.3",
    "25 miles per gallon x 12 gallons = 300 miles",
    "5 + 3 = 8, which is 2 more than 6",
    "Всего 3 + 4 = 7 яблок.",
    "2,5 + 1,5 = 4 литра",
    "5 плюс 7 равно 12",
    "10 000 + 5 000 = 15 000 рублей",
]
FALSE = [
    ("step: 4 + 5 = 8", "4 + 5", "8", 9),
    ("It costs 3 * $15 = $40 in all.", "3 * $15", "40", 45),
    ("16 - 3 = <<16-3=12>>13", "16-3", "12", 13),
    ("7 times 6 is 41", "7 times 6", "41", 42),
    ("1 + 2 = 3 = 4", "3", "4", 3),
    ("-4 - -6 = -10", "-4 - -6", "-10", 2),
    ("8 - 2 * 3 = 18", "8 - 2 * 3", "18", 2),
    ("Adding 4 and 3 gives 8.", "4 + 3", "8", 7),
    ("Потратил 10 - 4 = 5 рублей", "10 - 4", "5", 6),
    ("Вышло 2,5 * 2 = 6 литров", "2.5 * 2", "6", 5),
    ("30 миль/час * 2 часа = 50", "30 миль/час * 2 часа", "50", 60),
]


@pytest.mark.parametrize("text", TRUE)
def test_true_equalities_are_not_flagged(text: str) -> None:
    assert [one for one in equalities(text) if not one.holds] == []


@pytest.mark.parametrize(("text", "left", "right", "value"), FALSE)
def test_a_false_equality_is_found_with_its_sides(text: str, left: str, right: str, value: int) -> None:
    wrong = next(one for one in equalities(text) if not one.holds)
    assert wrong.left.replace("2,5", "2.5") == left
    assert wrong.right == right
    assert wrong.left_value == value


@given(st.integers(-999, 999), st.integers(1, 999), st.sampled_from("+-*"), st.integers(-50, 50))
def test_a_sum_is_right_exactly_when_its_value_is(left: int, right: int, sign: str, off: int) -> None:
    value = {"+": left + right, "-": left - right, "*": left * right}[sign] + off
    found = equalities(f"We get {left} {sign} {right} = {value} in the end.")
    assert [one.holds for one in found] == [off == 0]


@given(st.fractions(0, 1000, max_denominator=40), st.integers(1, 4))
def test_rounding_to_the_digits_written_is_allowed(value: Fraction, digits: int) -> None:
    text = f"{value.numerator} / {value.denominator} = {float(value):.{digits}f}"
    assert all(one.holds for one in equalities(text))
