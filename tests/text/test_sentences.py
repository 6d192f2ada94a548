"""Where sentences end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.text import sentences


def texts(text):
    return [span.text for span in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. J. R. Smith paid $3.50 in the U.S.", "He left."],
        ["The U.S. Government said no.", "Then it left."],
        ["See No. 5, Fig. 2 and https://a.b/c?d=1. now.", "It works."],
        ["Then… nothing!", '"Stop!" he said.', "“Go.”", "She went (at 10 p.m.).", "Why?"],
        ["It weighs approx. 3.5 kg, i.e. little.", "Take vitamin C.", "The dose is small."],
        ["А. С. Пушкин родился в 1799 г. в Москве.", "Он умер в 1837 г.", "Это известно."],
        ["Было 3,5 тыс. руб. и др. вещи…", "Правда?", "«Да».", "Вот так."],
        ["Столица, т. е. город, стоит на р. Неве.", "До н. э. её не было."],
        ["Yahoo! is a company.", "Is it?"],
    ],
)
def test_a_paragraph_splits_into_its_sentences(expected):
    assert texts(" ".join(expected)) == expected


def test_markdown_gives_headings_items_rows_and_code_as_sentences():
    text = (
        "# Care\n\nWash it by hand in\ncold water. Dry flat.\n\n- no bleach\n- iron. Low heat\n1. First\n\n"
        "```\nx = 1. Y\n```\n| a | b |\n|---|---|\n"
    )
    assert texts(text) == [
        "Care",
        "Wash it by hand in\ncold water.",
        "Dry flat.",
        "no bleach",
        "iron.",
        "Low heat",
        "First",
        "x = 1. Y",
        "| a | b |",
    ]


def test_a_full_stop_inside_a_link_or_number_is_not_an_end():
    assert len(sentences("Version 1.2.3 of example.com/a.Html costs 4.99 today.")) == 1


def test_chinese_needs_no_space_between_sentences():
    assert texts("我是。你好！") == ["我是。", "你好！"]


@given(st.text())
def test_spans_lie_in_order_inside_the_text_and_reproduce_it(text):
    end = 0
    for span in sentences(text):
        assert end <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == span.text == span.text.strip()
        end = span.end


@given(
    st.lists(
        st.sampled_from(
            ["Dr.", "A.", "etc.", "he", "The", "...", "«", "»", "\n", "- ", "5.", "# ", "г.", "?!", " ", "|"]
        ),
        max_size=30,
    )
)
def test_no_letter_of_prose_is_lost(parts):
    text = " ".join(parts)
    kept = "".join(span.text for span in sentences(text))
    for word in ("he", "The"):
        assert kept.count(word) == text.count(word)


@pytest.mark.parametrize("unit", ["a.", ". ", "\n", "- ", "»", "#", "a. ", "-=", "|--", "> ", "```\n", "(a) "])
def test_hostile_repetition_takes_linear_time(unit):
    sentences(unit * 50_000)
