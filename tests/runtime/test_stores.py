"""What every run store does, on files and on a real PostgreSQL server."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agentkit.errors import InputError, StoreError
from agentkit.events import NodeFinished, NodeStarted, RunStarted, Scope, TokenDrawn, VoteCast
from agentkit.runtime.runstore import RunStore, open_store
from agentkit.runtime.sampling import draw_all
from agentkit.runtime.stack import bind
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Usage

SCOPE = Scope(node="solve")
OTHER = Scope(node="other")


@pytest.fixture(params=["files", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "files" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(address: str | None, tmp_path: Path) -> RunStore:
    return open_store(tmp_path, address)


def ask(text: str = "hi", **knobs: Any) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


async def recorded(store: RunStore, **settings: Any) -> str:
    """A run with three samples and one finished node in ``SCOPE``; its id."""
    with store.create(graph="g", inputs={"q": "Привет \x00 \ud800"}, **settings) as journal:
        bound = bind(ScriptedModel(script=["0", "1\x00", "2"]), scope=SCOPE, journal=journal)
        await draw_all(bound, ask(n=3))
        journal.finish_node(SCOPE, "key", {"answer": "4"}, Usage(calls=3), 1.0)
        journal.set_status("succeeded", output={"answer": "4"})
    return journal.header.id


async def test_what_was_recorded_is_there_again(store: RunStore) -> None:
    run = await recorded(store, origin={"seed": 3})
    header = store.read(run)
    assert (header.graph, header.status, header.output) == ("g", "succeeded", {"answer": "4"})
    assert (header.inputs, header.origin) == ({"q": "Привет \x00 \ud800"}, {"seed": 3})
    with store.open(run) as journal:
        samples = await draw_all(bind(ScriptedModel(), scope=SCOPE, journal=journal), ask(n=3))
        assert [(one.text, one.recorded) for one in samples] == [("0", True), ("1\x00", True), ("2", True)]
        assert journal.usage().calls == 3
        visit = journal.finished_node(SCOPE, "key")
        assert visit is not None
        assert (visit.outputs, visit.usage.calls, visit.seconds) == ({"answer": "4"}, 3, 1.0)
        assert journal.finished_node(SCOPE, "another key") is None


async def test_a_run_goes_on_in_one_place_at_a_time_and_can_be_read_meanwhile(store: RunStore) -> None:
    run = await recorded(store)
    with store.open(run):
        with pytest.raises(StoreError, match="already being run"):
            store.open(run)
        with pytest.raises(StoreError, match="already being run"):
            store.drop(run)
        assert store.read(run).status == "running"
        with store.look(run) as reading:
            assert [one.sample.text for one in reading.calls.drawn()] == ["0", "1\x00", "2"]
    assert store.read(run).status == "killed"


async def test_a_dropped_run_is_gone_and_others_stay(store: RunStore) -> None:
    run, other = await recorded(store), await recorded(store)
    store.drop(run)
    with pytest.raises(InputError, match=f"there is no run '{run}'"):
        store.read(run)
    assert other in [one.id for one in store.runs()]
    assert run not in [one.id for one in store.runs()]


@pytest.mark.parametrize("run", ["", "../x", "a'; DROP TABLE agentkit_runs; --", "x" * 65, "a\x00b"])
def test_an_id_that_is_none_is_an_input_error(store: RunStore, run: str) -> None:
    for attempt in (store.open, store.read, store.look, store.drop):
        with pytest.raises(InputError, match="there is no run"):
            attempt(run)


async def test_events_come_back_as_they_were_and_outputs_are_written_once(store: RunStore) -> None:
    run = await recorded(store)
    seen = [
        RunStarted(scope=Scope(run=run), graph="g", inputs={"q": 1}, nodes=("solve",)),
        NodeStarted(scope=Scope(run=run, node="solve"), use="strategy.x"),
        TokenDrawn(scope=Scope(run=run, node="solve"), model="m", text="t"),
        VoteCast(scope=Scope(run=run, node="solve", path="sample:0"), answer=None, counts={"4": 2}, wanted=3),
        NodeFinished(
            scope=Scope(run=run, node="solve"), use="strategy.x", outputs={"answer": "4"}, seconds=0.5, next=("b",)
        ),
        NodeFinished(scope=Scope(run=run, node="b"), use="set", outputs={"x": 1}, seconds=0.5, error="no"),
    ]
    with store.open(run) as journal:
        for event in seen:
            journal.timeline.see(event)
        journal.set_status("succeeded")
    with store.look(run) as journal:
        kept = [one.event for one in journal.timeline.read(lambda row: {"answer": "4"})]
        assert kept == [one for one in seen if not isinstance(one, TokenDrawn)]
        assert [type(one.event).__name__ for one in journal.events()].count("SampleDrawn") == 3
        texts = [data for (data,) in journal._file.select("events", "data")]
    assert not any('"answer":"4"' in text for text in texts)


async def test_a_run_can_begin_with_what_another_recorded(store: RunStore) -> None:
    run = await recorded(store)
    with store.open(run) as journal:
        await draw_all(bind(ScriptedModel(script=["x"]), scope=OTHER, journal=journal), ask())
        rows = journal.rows(lambda scope: scope.node == "solve")
    with store.create(graph="g", inputs={}, rows=rows) as journal:
        assert journal.usage().calls == 3
        assert journal.finished_node(SCOPE, "key") is not None
        with ScriptedModel(script=["new"]) as model:
            (drawn,) = await draw_all(bind(model, scope=OTHER, journal=journal), ask())
        assert drawn.text == "new"
    with store.look(run) as journal:
        assert journal.usage().calls == 4


async def test_runs_are_listed_newest_first(address: str | None, tmp_path: Path) -> None:
    store = open_store(tmp_path, address)
    seconds = count(4_000_000_000)
    later = type(store)(**{**_fields(store), "now": lambda: float(next(seconds)), "rng": random.Random(1)})
    ids = []
    for graph in ("first", "second"):
        with later.create(graph=graph, inputs={}) as journal:
            ids.append(journal.header.id)
    assert [one.id for one in store.runs()][:2] == ids[::-1]
    for run in ids:
        store.drop(run)


def _fields(store: Any) -> dict[str, Any]:
    return {name: getattr(store, name) for name in store.__dataclass_fields__}


def test_after_a_kill_the_run_is_free_and_what_was_committed_is_there(address: str | None, tmp_path: Path) -> None:
    script = f"""
        import asyncio, os, pathlib, signal
        from agentkit.events import Scope
        from agentkit.runtime.runstore import open_store
        from agentkit.runtime.sampling import draw_all
        from agentkit.runtime.stack import bind
        from agentkit.testing import ScriptedModel
        from agentkit.types import GenerateRequest, Message

        async def main():
            journal = open_store(pathlib.Path({str(tmp_path)!r}), {address!r}).create(graph="g", inputs={{}})
            print(journal.header.id, flush=True)
            bound = bind(ScriptedModel(script=["a", "b"]), scope=Scope(node="solve"), journal=journal)
            await draw_all(bound, GenerateRequest(messages=(Message("user", "hi"),), n=2))
            os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store, run = open_store(tmp_path, address), done.stdout.strip()
    end = time.monotonic() + 10
    while store.read(run).status == "running" and time.monotonic() < end:
        time.sleep(0.05)  # the server has to notice that its client is gone
    assert store.read(run).status == "killed"
    with store.open(run) as journal:
        assert journal.usage().calls == 2


@pytest.mark.postgres
def test_the_password_is_in_no_message_and_no_repr(postgres_url: str, tmp_path: Path) -> None:
    wrong = postgres_url.replace("/postgres", "/nowhere")
    store = open_store(tmp_path, wrong)
    with pytest.raises(StoreError, match="cannot be used") as caught:
        store.runs()
    assert "not-a-secret" not in str(caught.value) + repr(store)
    assert os.environ.get("PGPASSWORD") is None


@pytest.mark.postgres
def test_rows_of_a_newer_release_are_refused_by_name(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    store = open_store(tmp_path, postgres_url)
    store.runs()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE agentkit_format SET version = 99")
        try:
            with pytest.raises(StoreError, match="newer agentkit"):
                store.runs()
        finally:
            connection.execute("UPDATE agentkit_format SET version = 2")


@pytest.mark.postgres
def test_durability_is_the_server_s_own(postgres_url: str, tmp_path: Path) -> None:
    for durability, wanted in (("power", "on"), ("process", "off")):
        with open_store(tmp_path, postgres_url, durability=durability).create(graph="g", inputs={}) as journal:  # type: ignore[arg-type]
            connection = journal._file._rows._connection  # type: ignore[attr-defined]
            assert connection.execute("SHOW synchronous_commit").fetchone() == (wanted,)
