"""The store of texts and their places."""

from __future__ import annotations

import pytest

from agentkit.rag.chunk import Chunk
from agentkit.rag.passages import Passages, passage_id


def chunk(text: str, start: int = 0, titles: tuple[str, ...] = ("Guide", "Part one")) -> Chunk:
    return Chunk(page="", titles=titles, start=start, end=start + len(text), text=text)


@pytest.fixture
def store(tmp_path) -> Passages:
    return Passages.create(tmp_path / "passages.sqlite", {"embedder": "x"})


def test_a_passage_comes_back_as_a_document_with_its_place(store):
    store.replace("a.md", "1f", [chunk("some text", 7)], "en")
    (document,) = store.documents([passage_id("some text"), "unknown"]).values()
    assert (document.text, document.title, document.source, document.start) == (
        "some text", "Guide > Part one", "a.md#part-one", 7,
    )  # fmt: skip
    assert store.settings() == {"embedder": "x"}


def test_equal_passages_are_kept_once_and_all_their_places_named(store):
    store.replace("b.md", "2f", [chunk("same"), chunk("same", 40)], "en")
    store.replace("a.md", "1f", [chunk("same")], "en")
    assert len(store.ids()) == 1
    (document,) = store.documents(store.ids()).values()
    assert document.source == "a.md#part-one"
    assert document.metadata["also"] == ["b.md#part-one", "b.md#part-one"]


def test_a_passage_goes_when_its_last_place_goes(store):
    store.replace("a.md", "1f", [chunk("same"), chunk("only a")], "en")
    store.replace("b.md", "2f", [chunk("same")], "en")
    assert store.remove("a.md") == [passage_id("only a")]
    assert store.remove("b.md") == [passage_id("same")]
    assert store.ids() == []
    assert store.hashes() == {}


def test_replacing_a_page_keeps_what_it_still_says(store):
    store.replace("a.md", "1f", [chunk("one"), chunk("two")], "en")
    assert store.replace("a.md", "2f", [chunk("two"), chunk("three")], "en") == [passage_id("one")]
    assert set(store.ids()) == {passage_id("two"), passage_id("three")}
    assert store.hashes() == {"a.md": "2f"}


def test_languages_come_most_frequent_first(store):
    store.replace("a.md", "1f", [chunk("one"), chunk("two")], "en")
    store.replace("b.md", "2f", [chunk("три")], "ru")
    assert store.languages() == ["en", "ru"]


def test_pages_without_passages_are_known(store):
    store.replace("a.md", "1f", [], "")
    assert store.blank() == {"a.md"}


def test_a_published_store_is_read_without_being_touched(store, tmp_path):
    store.replace("a.md", "1f", [chunk("one")], "en")
    path = tmp_path / "odd ?#% name.sqlite"
    (tmp_path / "passages.sqlite").rename(path)
    path.chmod(0o444)
    assert Passages(path).ids() == [passage_id("one")]
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name]


def test_text_that_looks_like_sql_is_text(store):
    evil = "'; DROP TABLE pages; --"
    store.replace(evil, "1f", [chunk(evil, titles=(evil,))], evil)
    assert next(iter(store.documents(store.ids()).values())).text == evil
    assert store.remove(evil) == [passage_id(evil)]


def test_lone_surrogates_do_no_harm(store):
    assert passage_id("\ud800") == passage_id("?")
