"""Outputs kept across runs: found again, bounded, redacted, forgotten; on files and on a real PostgreSQL server."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import StoreError
from agentkit.runtime.cache import CacheSize, Kept, NodeCache, SqliteCache
from agentkit.runtime.redact import Redactor
from agentkit.runtime.runstore import open_store
from agentkit.types import Usage


@pytest.fixture(params=["files", pytest.param("postgres", marks=pytest.mark.postgres)])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> NodeCache:
    address = None if request.param == "files" else request.getfixturevalue("postgres_url")
    found = open_store(tmp_path, address).cache
    found.clear()
    return found


def kept(text: str = "a", calls: int = 1) -> Kept:
    return Kept(outputs={"text": text}, usage=Usage(calls=calls))


def put(cache: NodeCache, key: str, *, now: float = 1.0, graph: str = "g", text: str = "a") -> None:
    cache.put(key, kept(text), now=now, graph=graph, node="n")


def test_what_was_kept_is_found_with_what_it_had_cost(cache: NodeCache) -> None:
    assert cache.get("k", now=1.0) is None
    cache.put("k", kept("Привет \x00", 3), now=1.0, graph="g", node="n")
    assert cache.get("k", now=2.0) == kept("Привет \x00", 3)
    cache.put("k", kept("b"), now=3.0, graph="g", node="n")
    assert cache.get("k", now=4.0) == kept("b")
    assert cache.size().entries == 1


def test_what_is_too_old_is_not_found(cache: NodeCache) -> None:
    put(cache, "k", now=10.0)
    assert cache.get("k", now=20.0, since=10.5) is None
    assert cache.get("k", now=20.0, since=10.0) == kept()


def test_all_or_one_graph_can_be_forgotten(cache: NodeCache) -> None:
    put(cache, "a")
    put(cache, "b", graph="other")
    assert cache.clear("other") == 1
    assert cache.get("b", now=2.0) is None
    assert cache.clear() == 1
    assert cache.size() == CacheSize(entries=0, bytes=0)
    assert cache.clear() == 0


def test_what_was_not_used_for_longest_goes_first(cache: Any) -> None:
    small = replace(cache, most_entries=10)
    for place in range(10):
        put(small, f"k{place}", now=float(place))
    assert small.get("k0", now=100.0) is not None
    put(small, "new", now=101.0)
    assert small.size().entries == 9
    assert small.get("k0", now=102.0) is not None
    assert small.get("k1", now=102.0) is None


def test_one_entry_cannot_push_out_the_others(cache: Any) -> None:
    small = replace(cache, most_bytes=800)
    put(small, "small")
    put(small, "large", text="x" * 200)
    assert small.get("large", now=2.0) is None
    assert small.get("small", now=2.0) == kept()


@given(sizes=st.lists(st.integers(1, 90), max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_never_holds_more_than_it_may(tmp_path: Path, sizes: list[int]) -> None:
    small = SqliteCache(path=tmp_path / "cache.db", redact=Redactor([]), most_entries=8, most_bytes=900)
    small.clear()
    for place, size in enumerate(sizes):
        put(small, f"k{place}", now=float(place), text="x" * size)
        held = small.size()
        assert held.entries <= 8
        assert held.bytes <= 900
        assert small.get(f"k{place}", now=float(place)) == kept("x" * size)


def test_secrets_are_struck_out_before_anything_is_written(tmp_path: Path) -> None:
    found = SqliteCache(path=tmp_path / "cache.db", redact=Redactor(["hunter2-hunter2"], shapes=False))
    put(found, "k", text="it is hunter2-hunter2")
    assert b"hunter2-hunter2" not in (tmp_path / "cache.db").read_bytes()


def test_a_forged_or_foreign_file_is_one_sentence(tmp_path: Path) -> None:
    found = SqliteCache(path=tmp_path / "cache.db", redact=Redactor([]))
    put(found, "k")
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE kept SET outputs = '[1]'")
    database.close()
    with pytest.raises(StoreError, match="a kept output cannot be read"):
        found.get("k", now=1.0)
    (tmp_path / "cache.db").write_text("something else entirely, and not a database at all")
    with pytest.raises(StoreError, match="not a database"):
        found.get("k", now=1.0)
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        found.put("k", Kept(outputs={"a": float("nan")}, usage=Usage()), now=1.0, graph="g", node="n")
