"""Passages reproduce the page, lose no word, and know their headings."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.rag.chunk import Chunk, Chunking, chunks, size
from agentkit.rag.load import Page

LINES = st.sampled_from([
    "# Title", "## Part", "Under", "=====", "---", "```", "~~~sql", "- item one", "1. first", "", " ", "\t", "| a | b |",
    "A sentence. Another one! And a third?", "Пример предложения. Ещё одно.", "select * from t;", "x" * 70, "中文句子。第二句。",
    "#", "a\u2028b", "\x1f", "***", "(a) see e.g. the other", "\u200b",
])  # fmt: skip
TEXTS = st.lists(LINES, max_size=40).map("\n".join) | st.text(max_size=300)
SMALL = Chunking(words=12, overlap=4, smallest=3)


def page(text: str, *, markdown: bool = True, title: str = "Guide") -> Page:
    return Page(path="guide.md", title=title, text=text, markdown=markdown)


def cut(text: str, how: Chunking = SMALL, *, markdown: bool = True) -> list[Chunk]:
    return chunks(page(text, markdown=markdown), how)


@given(TEXTS, st.booleans())
def test_offsets_reproduce_the_text(text, markdown):
    for chunk in cut(text, markdown=markdown):
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() != ""


@given(TEXTS, st.booleans())
def test_every_word_is_in_some_passage(text, markdown):
    found = cut(text, markdown=markdown)
    for word in re.finditer(r"[^\s。]{1,16}", text):
        if len(word[0]) < 16:
            assert any(chunk.start <= word.start() and word.end() <= chunk.end for chunk in found)
        assert any(chunk.start <= word.start() < chunk.end for chunk in found)


@given(TEXTS, st.booleans())
def test_passages_move_on_and_none_is_too_long(text, markdown):
    found = cut(text, markdown=markdown)
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert all(size(one.text) <= 2 * (SMALL.words + SMALL.smallest) for one in found)


def test_a_passage_knows_its_headings():
    text = (
        "# Guide\n\nIntroduction of four words here.\n\n## Install\n\nRun the installer and wait.\n\n"
        "### Windows\n\nClick on it once more.\n\n## Use\n\nStart it and be happy.\n"
    )
    assert [(one.titles, one.text.split("\n")[-1]) for one in cut(text)] == [
        (("Guide",), "Introduction of four words here."),
        (("Guide", "Install"), "Run the installer and wait."),
        (("Guide", "Install", "Windows"), "Click on it once more."),
        (("Guide", "Use"), "Start it and be happy."),
    ]


def test_underlined_headings_count_and_rules_do_not():
    text = "Install\n-------\n\nRun the installer and wait.\n\n---\n\nUse\n===\n\nStart it and be happy.\n"
    assert [one.titles for one in cut(text)] == [("Guide", "Install"), ("Guide", "Use")]


def test_hashes_in_code_are_no_headings():
    text = "Some words to begin with.\n\n```\n# a comment\nls\n```\n\nSome words to end with.\n"
    assert {one.titles for one in cut(text)} == {("Guide",)}


def test_plain_text_has_no_headings():
    assert [one.titles for one in cut("# one two three four five", markdown=False)] == [("Guide",)]


def test_a_short_section_stands_with_the_next_one():
    assert [one.text for one in cut("## 1. Rules\n\n### 1.1. First\n\nThe first rule has many words.")] == [
        "## 1. Rules\n\n### 1.1. First\n\nThe first rule has many words."
    ]


def test_a_short_last_section_stands_with_the_one_before():
    assert len(cut("## One\n\nThe first rule has many words.\n\n## Two\n\nShort.")) == 1


def test_many_short_sections_stand_together_until_they_are_long_enough():
    text = "".join(f"## Term {n}\n\nTwo words.\n\n" for n in range(6))
    assert [one.titles[-1] for one in cut(text)] == ["Term 1", "Term 3", "Term 5"]


def test_following_passages_share_whole_sentences():
    text = "One two three four. Five six seven. Eight nine ten eleven. Twelve thirteen. Fourteen fifteen sixteen seventeen."
    assert [one.text for one in cut(text)] == [
        "One two three four. Five six seven. Eight nine ten eleven.",
        "Eight nine ten eleven. Twelve thirteen. Fourteen fifteen sixteen seventeen.",
    ]


def test_without_overlap_nothing_is_shared():
    how = Chunking(words=12, overlap=0, smallest=3)
    found = cut("One two three four. Five six seven. " * 20, how)
    assert all(left.end <= right.start for left, right in pairwise(found))


def test_a_code_block_keeps_its_fences():
    text = "Look at this statement, please.\n\n```\nselect 1;\n```\n\nIt gives one row and one column.\n"
    found = cut(text, Chunking(words=6, overlap=0, smallest=1))
    assert [one.text for one in found] == [
        "Look at this statement, please.",
        "```\nselect 1;\n```",
        "It gives one row and one",
        "column.",
    ]


def test_a_line_of_a_megabyte_is_cut():
    found = cut("word " * 200_000)
    assert all(size(one.text) <= SMALL.words for one in found)
    unbroken = cut("x" * 1_000_000)
    assert "".join(one.text for one in unbroken) == "x" * 1_000_000


def test_headings_are_part_of_what_is_searched():
    (found,) = cut("## Install\n\nRun the installer and wait.")
    assert found.context == "Guide > Install\n## Install\n\nRun the installer and wait."


def test_an_empty_page_has_no_passages():
    assert cut("") == cut(" \n\n") == []


@pytest.mark.parametrize(
    "options", [{"words": 10, "overlap": 10}, {"words": 10, "overlap": -1}, {"words": 10, "smallest": 11}]
)
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ConfigError, match="must be smaller"):
        Chunking(**{"overlap": 0, "smallest": 0, **options})
