"""Numbers under one value."""

import pytest

from agentkit.evaluators.hallucination.quantities import quantities
from agentkit.text import words


def values(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(one.value, one.unit) for one in quantities(words(text, language))]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("1,000 dollars", "en", [("1000", "$")]),
        ("$1000", "en", [("1000", "$")]),
        ("two million people", "en", [("2000000", "")]),
        ("2.5 млн руб.", "ru", [("2500000", "₽")]),
        ("тысяча человек", "ru", [("1000", "")]),
        ("5 km, five kilometres and 5 miles", "en", [("5", "km"), ("5", "km"), ("5", "mi")]),
        ("12 % and 12 percent", "en", [("12", "%"), ("12", "%")]),
        ("десяти процентов", "ru", [("10", "%")]),
        ("one of them, hundreds of others", "en", []),
        ("9" * 200 + " million", "en", [("9" * 200, "")]),
    ],
)
def test_numbers_meet_however_they_are_written(text: str, language: str, expected: list[tuple[str, str]]) -> None:
    assert values(text, language) == expected
