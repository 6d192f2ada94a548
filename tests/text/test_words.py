"""Words, numbers and marks."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.text import number_key, stem, words
from agentkit.text.stems import light_stem


def kinds(text, kind, language="en"):
    return [word.text for word in words(text, language) if word.kind == kind]


def test_numbers_keep_separators_decimals_and_endings():
    text = "On 2020-01-15 at 10:30 the 20th of 1,000.50 tons, 3.5%, 1.2.3, 1990s and 1/2."
    assert kinds(text, "number") == ["2020-01-15", "10:30", "20th", "1,000.50", "3.5", "1.2.3", "1990s", "1/2"]


def test_russian_numbers_may_have_spaces_and_decimal_commas():
    assert kinds("18 189 человек, 2,8% и 1990-е, 5-й, 20-летний", "number", "ru") == [
        "18 189",
        "2,8",
        "1990-е",
        "5-й",
        "20",
    ]


def test_hyphenated_words_addresses_and_mail_are_one_word_each():
    text = "state-of-the-art don't из-за https://a.b/c?d=1, me.you@mail.example.org"
    expected = ["state-of-the-art", "don't", "из-за", "https://a.b/c?d=1", "me.you@mail.example.org"]
    assert [word.text for word in words(text, "en") if word.text != ","] == expected


@pytest.mark.parametrize(
    ("text", "language", "key"),
    [
        ("1,000", "en", "1000"),
        ("1 000", "ru", "1000"),
        ("1,000,000.50", "en", "1000000.5"),
        ("1.000.000,5", "de", "1000000.5"),
        ("3,50", "ru", "3.5"),
        ("3.5", "en", "3.5"),
        ("2.0", "en", "2"),
        ("20th", "en", "20"),
        ("5-й", "ru", "5"),
        ("1990s", "en", "1990s"),
        ("1990-х", "ru", "1990s"),
        ("10:30", "en", "10:30"),
        ("2020-01-15", "en", "2020-01-15"),
        ("1.2.3", "en", "1.2.3"),
    ],
)
def test_equal_numbers_meet_under_one_key(text, language, key):
    assert number_key(text, language) == key


def test_inflections_meet_under_one_stem_whatever_the_language_said():
    assert stem("connections", "en") == stem("connected", "ru")
    assert stem("столицы", "en") == stem("столицей", "ru")
    assert stem("Ещё") == stem("еще", "ru")
    assert stem("й") == stem("й")


def test_without_the_stemmer_package_a_suffix_rule_stands_in():
    assert light_stem("prices", "en") == light_stem("price", "en")
    assert light_stem("covered", "en") == light_stem("covers", "en") == light_stem("covering", "en")
    assert light_stem("гарантия", "ru") == light_stem("гарантии", "ru") == light_stem("гарантией", "ru")
    assert light_stem("bus", "en") == "bus"


@given(st.text(), st.sampled_from([None, "en", "ru", "de"]))
def test_words_cover_everything_but_white_space_in_order(text, language):
    position = 0
    for word in words(text, language):
        assert text[position : word.start].strip() == ""
        assert text[word.start : word.end] == word.text != ""
        assert word.stem
        position = word.end
    assert text[position:].strip() == ""


@given(st.text())
def test_words_are_the_same_each_time(text):
    assert words(text) == words(text)


@pytest.mark.parametrize("unit", ["a.", "1,", "www.", "'", "1 ", "_-", "a@", "1-", "http://"])
def test_hostile_repetition_takes_linear_time(unit):
    words(unit * 20_000)


def test_importing_the_room_imports_no_third_party_package():
    code = (
        "import sys, agentkit.text\n"
        "assert 'Stemmer' not in sys.modules\n"
        "assert 'numpy' not in sys.modules and 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
