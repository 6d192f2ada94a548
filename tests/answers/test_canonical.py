from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.answers import Kind, canonical
from agentkit.errors import ConfigError

NUMBERS = [
    ("1,234", "1234"),
    ("1 234,5", "1234.5"),
    ("1.234.567", "1234567"),
    ("5.0", "5"),
    (".5", "0.5"),
    ("-.5", "-0.5"),
    ("1e3", "1000"),
    ("1.5 × 10^3", "1500"),
    ("$1,234.00", "1234"),
    ("18 dollars", "18"),
    ("5 рублей", "5"),
    ("18 apples", "18"),
    ("50%", "50%"),
    ("50 percent", "50%"),
    ("50 процентов", "50%"),
    ("3/4", "0.75"),
    ("1/3", "1/3"),
    ("2/6", "1/3"),
    ("3 1/2", "3.5"),
    ("3½", "3.5"),
    ("twenty-three", "23"),
    ("one hundred and five", "105"),
    ("two thousand five hundred", "2500"),
    ("three and a half", "3.5"),
    ("minus five", "-5"),
    ("two dozen eggs", "24"),
    ("двадцать три", "23"),
    ("минус сто пять", "-105"),
    ("две тысячи пятьсот", "2500"),
    ("полтора", "1.5"),
    ("1.5 million", "1500000"),
    ("2 млн", "2000000"),
    ("− 5", "-5"),
    ("x = 5", "5"),
    ("about 7.", "7"),
    ("80.80000000000007", "80.8"),
    ("13.333333333333332", "40/3"),
    ("1234567890.5", "1234567890.5"),
]


@pytest.mark.parametrize(("written", "key"), NUMBERS)
def test_numbers_meet_however_they_are_written(written, key):
    assert canonical(written) == key


UNITS = [
    ("5 km", "5000 m"),
    ("5000 meters", "5000 m"),
    ("2 hours", "7200 s"),
    ("120 минут", "7200 s"),
    ("5 m/s", "18 km/h"),
    ("90°", "90 deg"),
    ("2 years", "24 month"),
]


@pytest.mark.parametrize(("written", "key"), UNITS)
def test_quantities_are_told_in_their_base_unit(written, key):
    assert canonical(written) == key


def test_a_number_wanted_is_a_number_whatever_stands_around_it():
    assert {canonical(one, "number") for one in ("5 km", "5%", "$5", "there are 5 of them", "five")} == {"5"}


DATES = [
    ("05/01/2021", "2021-05-01"),
    ("5/1/2021", "2021-05-01"),
    ("13/05/2021", "2021-05-13"),
    ("01.05.2021", "2021-05-01"),
    ("2021-05-01", "2021-05-01"),
    ("May 1st, 2021", "2021-05-01"),
    ("1 May 2021", "2021-05-01"),
    ("Saturday, May 1, 2021", "2021-05-01"),
    ("Sept. 9, 1909", "1909-09-09"),
    ("1 мая 2021 г.", "2021-05-01"),
]


@pytest.mark.parametrize(("written", "key"), DATES)
def test_dates_meet_in_iso_form(written, key):
    assert canonical(written) == canonical(written, "date") == key


def test_the_convention_says_whether_the_day_comes_first():
    assert canonical("05/01/2021", convention="eu") == "2021-01-05"
    assert canonical("1,234", convention="eu") == "1.234"


def test_a_date_that_does_not_exist_is_text():
    assert canonical("02/30/2021") == "02/30/2021"


def test_a_date_without_its_year_keeps_month_and_day_apart_from_all_years():
    assert canonical("08/31", "date") == "--08-31"
    assert canonical("May 2021", "date") == "2021-05"


CHOICES = [
    ("(B)", "B"),
    ("B", "B"),
    ("b.", "B"),
    ("B) Paris", "B"),
    ("B: Paris", "B"),
    ("option B", "B"),
    ("I choose (B), not A", "B"),
    ("Вариант А", "A"),
]


@pytest.mark.parametrize(("written", "key"), CHOICES)
def test_choices_meet_in_their_letter(written, key):
    assert canonical(written, "choice") == key


def test_a_lone_letter_is_a_choice_and_a_label_is_not():
    assert canonical("(b)") == "B"
    assert canonical("A: 05/01/2021") == "2021-05-01"


STRUCTURES = [
    ("{3, 1, 2}", "{1, 2, 3}"),
    ("1, 2 and 3", "{1, 2, 3}"),
    (r"\{1, 2, 2\}", "{1, 2}"),
    ("(2, 1.0)", "(2, 1)"),
    ("[1, 2)", "[1, 2)"),
    ("{(1, 2), 3}", "{(1, 2), 3}"),
]


@pytest.mark.parametrize(("written", "key"), STRUCTURES)
def test_sets_lose_their_order_and_tuples_keep_it(written, key):
    assert canonical(written) == key


LATEX = [
    (r"\boxed{42}", "42"),
    (r"$\dfrac{3}{4}$", "0.75"),
    (r"-\frac12", "-0.5"),
    (r"3\frac{1}{2}", "3.5"),
    (r"\text{Paris}", "paris"),
    (r"90^\circ", "90 deg"),
    (r"2^{10}", "1024"),
    (r"50\%", "50%"),
    (r"\$18", "18"),
    (r"3 \cdot \sqrt{2}", "3sqrt(2)"),
]


@pytest.mark.parametrize(("written", "key"), LATEX)
def test_latex_says_the_same_as_plain_text(written, key):
    assert canonical(written) == key


TEXTS = [
    ("The Eiffel Tower.", "eiffel tower"),
    ("**eiffel tower**", "eiffel tower"),
    ("Yes.", "yes"),
    ("Да", "yes"),
    ("нет", "no"),
    ("True", "yes"),
    ("Ёлка", "елка"),
    ("5 or 6", "5 or 6"),
    ("10-4", "10-4"),
    ("12:30", "12:30"),
    ("third", "third"),
]


@pytest.mark.parametrize(("written", "key"), TEXTS)
def test_short_texts_lose_case_articles_and_punctuation(written, key):
    assert canonical(written) == key


def test_an_unknown_kind_is_named_with_the_nearest_one():
    with pytest.raises(ConfigError, match="did you mean 'number'"):
        canonical("5", "numbr")


def test_absurdly_large_numbers_are_text():
    assert canonical("1e999") == "1e999"


_WORDS = r"5 km $ ( ) { } , 1/2 \frac{1}{2} the and % 3.50 - B A: 01/02/2021 yes двадцать three x = ^{2} ** . apples 5,000 ° 1e3"
_PIECES = st.sampled_from([*_WORDS.split(), "May 1, 2021", "\n", "half"])
ANSWERS = st.one_of(
    st.lists(_PIECES, max_size=6).map(" ".join), st.lists(_PIECES, max_size=6).map("".join), st.text(max_size=12)
)


@settings(max_examples=400, deadline=None)
@given(ANSWERS, st.sampled_from(get_args(Kind)), st.sampled_from(["us", "eu"]))
def test_the_key_of_a_key_is_itself(answer, kind, convention):
    key = canonical(answer, kind, convention=convention)
    assert canonical(key, kind, convention=convention) == key


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6))
def test_every_fraction_has_one_key(value):
    key = canonical(f"{value.numerator}/{value.denominator}")
    assert canonical(f"{value.numerator * 3}/{value.denominator * 3}") == key


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_every_integer_has_one_key_with_and_without_separators(value):
    assert canonical(f"{value:,}") == canonical(f"{value}.0") == canonical(f"${value:,}") == str(value)
