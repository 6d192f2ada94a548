"""Any cell of a run's file changed to anything: it still reads, or it is one named error; nothing else, and nothing runs."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import StoreError
from agentkit.events import NodeFinished, NodeStarted, Scope, VoteCast
from agentkit.runtime.sampling import draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Usage

SCOPE = Scope(node="solve", path="sample:0")
ASKED = GenerateRequest(messages=(Message("user", "2+2?"),), n=3, logprobs=True)
COLUMNS = {
    "meta": ("id", "graph", "graph_hash", "inputs", "status", "created", "seconds", "output", "error", "origin"),
    "calls": ("node", "visit", "path", "request", "ordinal", "sample", "usage", "at"),
    "nodes": ("node", "visit", "path", "key", "outputs", "usage", "seconds", "at"),
    "events": ("node", "visit", "path", "kind", "data", "at"),
}
PLACES = st.sampled_from([(table, column) for table, columns in COLUMNS.items() for column in columns])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KNOWN = (
    "text",
    "usage",
    "calls",
    "usd",
    "logprobs",
    "tool_calls",
    "finish_reason",
    "index",
    "outputs",
    "answer",
    "next",
)
FORGED = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=12)
    | st.text(max_size=12)
    | PLAIN.map(json.dumps)
    | st.dictionaries(st.sampled_from(KNOWN), PLAIN, max_size=4).map(json.dumps)
    | st.sampled_from(["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "NaN", "-Infinity", '{"text": "\\ud800"}'])
)


@pytest.fixture(scope="module")
def run() -> Iterator[Path]:
    """The file of a finished run that has rows of every kind."""
    with tempfile.TemporaryDirectory() as home:
        store = Store(home=Path(home))
        asyncio.run(_recorded(store))
        (path,) = store.folder.glob("*.db")
        yield path


async def _recorded(store: Store) -> None:
    with store.create(graph="g", inputs={"question": "2+2?"}, origin={"seed": 3}) as journal:
        journal.timeline.see(NodeStarted(scope=SCOPE, use="strategy.x"))
        model = ScriptedModel(script=lambda request: "4")
        await draw_all(bind(model, scope=SCOPE, journal=journal), ASKED)
        journal.timeline.see(VoteCast(scope=SCOPE, answer="4", counts={"4": 3}, wanted=3))
        journal.finish_node(SCOPE, "key", {"answer": "4"}, Usage(calls=3), 1.5)
        journal.timeline.see(NodeFinished(scope=SCOPE, use="strategy.x", outputs={"answer": "4"}, seconds=1.5))
        journal.set_status("succeeded", output={"answer": "4"})


async def read_all(store: Store, run: str) -> None:
    """Everything that lists, shows, replays and resumes do with a run's file."""
    header = store.read(run)
    json.dumps([header.inputs, header.output, header.origin])
    with store.look(run) as journal:
        journal.visits(), journal.events(), journal.rows(lambda scope: True), [*journal.calls.drawn()]
    with store.open(run) as journal:
        journal.usage(), journal.usage(SCOPE), journal.elapsed
        journal.finished_node(SCOPE, "key")
        await draw_all(bind(ScriptedModel(script=lambda request: "5"), scope=SCOPE, journal=journal), ASKED)
        journal.set_status("succeeded", output={})


@settings(max_examples=400, deadline=None)
@given(place=PLACES, value=FORGED)
def test_a_forged_cell_reads_or_is_one_named_error(run: Path, place: tuple[str, str], value: object) -> None:
    table, column = place
    with tempfile.TemporaryDirectory() as home:
        store = Store(home=Path(home))
        store.folder.mkdir()
        copy = Path(shutil.copy(run, store.folder))
        connection = sqlite3.connect(copy)
        with suppress(sqlite3.IntegrityError, UnicodeEncodeError), connection:
            connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        connection.close()
        (listed,) = store.runs()
        assert listed.id == copy.stem or listed.status != "unreadable"
        failure = ""
        try:
            asyncio.run(read_all(store, copy.stem))
        except StoreError as error:
            failure = str(error)
        assert not failure or str(copy) in failure
