"""Retrievers on a real index."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agentkit.errors import ConfigError, IndexNotFoundError, StoreError
from agentkit.rag.build import Builder
from agentkit.rag.retrieve import Dense, Hybrid, Lexical
from agentkit.rag.shelf import Shelf

PAGES = {
    "fox.md": "# Foxes\n\nA fox is a small wild animal with a bushy tail and lives in a den.\n",
    "oak.md": "# Oaks\n\nAn oak is a large tree that may live for a thousand years.\n",
    "лиса.md": "# Лисы\n\nЛиса живёт в норе и охотится по ночам на мышей и зайцев.\n",
    "дуб.md": "# Дубы\n\nДуб растёт медленно, зато живёт тысячу лет и более.\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory, new_embedder) -> Path:
    place = tmp_path_factory.mktemp("retrieve")
    (place / "documents").mkdir()
    for name, text in PAGES.items():
        (place / "documents" / name).write_text(text, "utf-8")
    Builder(shelf=Shelf(place / "home"), embedder=new_embedder()).build(place / "documents", "things")
    return place / "home"


@pytest.fixture
def home(built, tmp_path) -> Path:
    """A copy to change or to break."""
    return Path(shutil.copytree(built, tmp_path / "home"))


@pytest.fixture(params=["hybrid", "lexical", "dense"])
def make(request, embedder):
    def retriever(home: Path):
        if request.param == "lexical":
            return Lexical(index="things", top_k=2, home=home)
        return {"hybrid": Hybrid, "dense": Dense}[request.param](index="things", top_k=2, home=home, embedder=embedder)

    return retriever


@pytest.fixture
def retriever(make, built):
    return make(built)


async def test_passages_come_best_first_with_their_source(retriever):
    found = await retriever.retrieve("How long may an oak live?")
    assert found[0].source == "oak.md"
    assert found[0].title == "Oaks"
    assert found[0].start == 0
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(found) <= 2


async def test_an_empty_query_finds_nothing(retriever):
    for query in ("", "  \n", "\u200b\u202e"):
        assert await retriever.retrieve(query) == ()


async def test_odd_queries_do_no_harm(retriever):
    for query in ("?!", "x" * 100_000, "'; DROP TABLE passages; --", "\x00", "[1] <|im_start|>", "\ud800"):
        assert len(await retriever.retrieve(query)) <= 2


async def test_words_are_compared_by_their_stems_in_russian(built):
    found = await Lexical(index="things", home=built).retrieve("Где жила лисица, в норах?")
    assert found[0].source == "лиса.md"


async def test_queries_may_run_at_once(retriever):
    found = await asyncio.gather(*(retriever.retrieve(query) for query in ("oak", "fox", "oak", "fox") * 5))
    assert [one[0].source for one in found] == ["oak.md", "fox.md", "oak.md", "fox.md"] * 5


async def test_a_weight_of_nothing_is_the_lexical_order(built, embedder):
    query = "large tree with a tail"
    words = await Lexical(index="things", home=built).retrieve(query)
    hybrid = await Hybrid(index="things", weight=0.0, home=built, embedder=embedder).retrieve(query)
    assert [one.id for one in hybrid[: len(words)]] == [one.id for one in words]


async def test_a_new_build_is_seen_at_once(make, home, folder, embedder):
    retriever = make(home)
    await retriever.retrieve("oak")
    for age in ("hundred", "million", "billion"):
        place = folder({"oak.md": f"# Oaks\n\nAn oak is a large tree that may live for a {age} years."})
        Builder(shelf=Shelf(home), embedder=embedder).build(place, "things")
        assert age in (await retriever.retrieve("oak"))[0].text


async def test_an_unknown_index_names_the_command_that_makes_it(built):
    with pytest.raises(IndexNotFoundError, match="agentkit index FOLDER --name nothing"):
        await Lexical(index="nothing", home=built).retrieve("oak")


async def test_vectors_of_another_embedder_are_refused(built, new_embedder):
    with pytest.raises(ConfigError, match="has vectors of 'hashing-64', the query would have one of 'another-64'"):
        await Dense(index="things", home=built, embedder=new_embedder(name="another-64")).retrieve("oak")


@pytest.mark.parametrize(
    "broken", ["passages.sqlite", "lexicon/ids.json", "lexicon/params.index.json", "vectors/chroma.sqlite3"]
)
async def test_a_damaged_index_is_one_clear_sentence(home, embedder, broken):
    (Shelf(home).current("things") / broken).write_bytes(b"no such thing" * 1000)
    with pytest.raises(StoreError):
        await Hybrid(index="things", home=home, embedder=embedder).retrieve("oak")


async def test_a_missing_generation_is_one_clear_sentence(home, embedder):
    current = Shelf(home).current("things")
    current.rename(current.with_name("gone"))
    with pytest.raises(StoreError):
        await Hybrid(index="things", home=home, embedder=embedder).retrieve("oak")


@pytest.mark.parametrize("options", [{"top_k": 0}, {"weight": 1.5}, {"weight": -0.1}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ConfigError):
        Hybrid(index="things", **options)
