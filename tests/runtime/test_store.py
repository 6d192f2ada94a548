"""The run store: names, lists, and one sentence for everything that can go wrong with its files."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agentkit.errors import InputError, StoreError
from agentkit.events import Scope
from agentkit.runtime.header import FORMAT
from agentkit.runtime.sampling import draw, draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store, run_id
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Usage

SCOPE = Scope(node="solve")
NOON = 1795348800.0  # 22 Nov 2026, 12:00:00 UTC


def ask(text: str = "hi", **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(home=tmp_path, patience=0.01)


async def recorded(store: Store, samples: int = 3) -> str:
    """A run with so many samples of one request and one finished node; its id."""
    with store.create(graph="g", graph_hash="abc", inputs={"question": "2+2?"}) as journal:
        bound = bind(ScriptedModel(script=[str(i) for i in range(samples)]), scope=SCOPE, journal=journal)
        await draw_all(bound, ask(n=samples))
        journal.finish_node(SCOPE, "key", {"answer": "4"}, Usage(calls=samples), 1.0)
    return journal.header.id


def path_of(store: Store, run: str) -> Path:
    return store.folder / f"{run}.db"


def change(store: Store, run: str, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path_of(store, run))
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_run_is_named_after_its_time_and_chance() -> None:
    assert run_id(NOON, random.Random(1)) == run_id(NOON, random.Random(1))
    first, later = run_id(NOON, random.Random(1)), run_id(NOON + 3600, random.Random(0))
    assert first < later
    assert first.startswith("20261122-")
    assert len(first) == 20


def test_two_runs_of_one_second_have_different_names(tmp_path: Path) -> None:
    class Stuck(random.Random):
        def choices(self, population, *, k):  # says everything twice
            self.said = getattr(self, "said", -1) + 1
            return [population[self.said // 2]] * k

    store = Store(home=tmp_path, now=lambda: NOON, rng=Stuck())
    names = []
    for _ in range(3):
        with store.create(graph="g", inputs={}) as journal:
            names.append(journal.header.id)
    assert len(set(names)) == 3


async def test_runs_are_listed_newest_first_with_how_they_stand(tmp_path: Path) -> None:
    seconds = count(int(NOON))
    store = Store(home=tmp_path, now=lambda: float(next(seconds)))
    with store.create(graph="first", inputs={"q": "Привет"}) as journal:
        journal.set_status("succeeded", output={"answer": "4"})
    with store.create(graph="second", inputs={}) as journal:
        journal.set_status("failed", error="no")
    running = store.create(graph="third", inputs={})
    listed = store.runs()
    assert [(one.graph, one.status, one.error) for one in listed] == [
        ("third", "running", ""),
        ("second", "failed", "no"),
        ("first", "succeeded", ""),
    ]
    assert (listed[2].inputs, listed[2].output, listed[2].created) == ({"q": "Привет"}, {"answer": "4"}, NOON)
    running.close()
    assert store.read(running.header.id).status == "killed"


def test_an_empty_home_has_no_runs(tmp_path: Path) -> None:
    assert Store(home=tmp_path / "nowhere").runs() == []


async def test_time_between_sessions_does_not_count(tmp_path: Path) -> None:
    now = [0.0]
    store = Store(home=tmp_path, clock=lambda: now[0])
    with store.create(graph="g", inputs={}) as journal:
        now[0] += 5
        await draw(bind(ScriptedModel(script=["a"]), scope=SCOPE, journal=journal), ask())
        now[0] += 2  # lost: the process died before it said so
    now[0] += 1000
    with store.open(journal.header.id) as again:
        assert again.elapsed == 5
        now[0] += 3
        again.set_status("failed")
    with store.open(journal.header.id) as again:
        assert again.elapsed == 8
        assert again.header.status == "running"


@pytest.mark.parametrize("run", ["", "../secrets", "a/b", ".hidden", "x" * 65, "20261122-120000-abcd", "a\nb"])
def test_a_run_that_does_not_exist_is_an_input_error(store: Store, run: str) -> None:
    with pytest.raises(InputError, match="there is no run"):
        store.open(run)
    with pytest.raises(InputError, match="there is no run"):
        store.read(run)


async def test_the_nearest_run_is_named(store: Store) -> None:
    run = await recorded(store)
    with pytest.raises(InputError, match=f"did you mean '{run}'"):
        store.read(run[:-1])


async def test_a_run_goes_on_in_one_place_at_a_time(store: Store) -> None:
    run = await recorded(store)
    first = store.open(run)
    with pytest.raises(StoreError, match=rf"run {run} is already being run \(by process {os.getpid()}\)"):
        store.open(run)
    assert store.read(run).status == "running"
    first.close()
    first.close()
    store.open(run).close()
    assert [path.name for path in store.folder.iterdir()] == [f"{run}.db"]


async def test_a_locked_database_is_one_sentence_and_earlier_results_stay(store: Store) -> None:
    run = await recorded(store)
    with store.open(run) as journal:
        other = sqlite3.connect(path_of(store, run), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        bound = bind(ScriptedModel(script=["new", "again"]), scope=SCOPE, journal=journal)
        assert (await draw(bound, ask())).recorded
        with pytest.raises(StoreError, match=rf"{run}.db: the file is locked by another process; wait until it ends"):
            await draw(bound, ask("new"))
        other.execute("ROLLBACK")
        other.close()
        assert (await draw(bound, ask("new"))).text == "again"


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/runs: a file stands where a folder is needed"):
        Store(home=tmp_path / "file").create(graph="g", inputs={})


async def test_a_read_only_folder_is_one_sentence_and_its_runs_can_still_be_read() -> None:
    with TemporaryDirectory() as home:
        store = Store(home=Path(home))
        run = await recorded(store)
        path_of(store, run).chmod(0o444)
        store.folder.chmod(0o555)
        store.home.chmod(0o755)
        script = f"""
            import os, pathlib
            from agentkit.errors import StoreError
            from agentkit.runtime.store import Store
            store = Store(home=pathlib.Path({home!r}))
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            print(store.read({run!r}).graph)
            for attempt in (lambda: store.open({run!r}), lambda: store.create(graph="g", inputs={{}})):
                try:
                    attempt()
                except StoreError as error:
                    print(error)
        """
        try:
            done = run_script(script)
        finally:
            store.folder.chmod(0o755)
    assert done.stderr == ""
    graph, opened, created = done.stdout.splitlines()
    assert graph == "g"
    assert opened.endswith(f"{run}.db: the file or its folder may not be written by you")
    assert created.endswith("runs: the file or its folder may not be written by you")


async def test_a_full_disk_is_one_sentence_and_earlier_results_stay(store: Store, tmp_path: Path) -> None:
    run = await recorded(store)
    script = f"""
        import asyncio, pathlib, resource
        from agentkit.errors import StoreError
        from agentkit.events import Scope
        from agentkit.runtime.sampling import draw_all
        from agentkit.runtime.stack import bind
        from agentkit.runtime.store import Store
        from agentkit.testing import ScriptedModel
        from agentkit.types import GenerateRequest, Message

        async def main():
            journal = Store(home=pathlib.Path({str(tmp_path)!r})).open({run!r})
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
            model = ScriptedModel(script=lambda request: "x" * 5000)
            bound = bind(model, scope=Scope(node="more"), journal=journal)
            seen = []
            try:
                async for sample in bound.generate(GenerateRequest(messages=(Message("user", "go"),), n=100)):
                    seen.append(sample)
            except StoreError as error:
                print(error)
            print(len(seen))

        asyncio.run(main())
    """
    done = run_script(script)
    assert done.stderr == ""
    sentence, seen = done.stdout.splitlines()
    assert "could not be written" in sentence or "disk is full" in sentence
    assert 0 < int(seen) < 100
    with store.open(run) as journal:
        assert journal.usage(Scope(node="more")).calls == int(seen)
        assert journal.usage(SCOPE).calls == 3
        assert journal.finished_node(SCOPE, "key") is not None


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sample", "not json"),
        ("sample", '{"text": 5}'),
        ("sample", '["__reduce__", "os.system"]'),
        (
            "sample",
            '{"lc": 1, "type": "constructor", "id": ["subprocess", "check_output"], "kwargs": {"args": ["true"]}}',
        ),
        ("sample", "[" * 100_000),
        ("sample", 12),
        ("usage", '{"calls": -100}'),
        ("usage", '{"usd": 1' + "0" * 400 + "}"),
        ("usage", b"\x80\x04cos\nsystem\n"),
    ],
)
async def test_a_tampered_row_runs_nothing_and_is_named(store: Store, column: str, value: object) -> None:
    run = await recorded(store)
    change(store, run, f"UPDATE calls SET {column} = ? WHERE seq = 2", value)
    with store.open(run) as journal:
        stream = bind(ScriptedModel(), scope=SCOPE, journal=journal).generate(ask(n=3))
        assert (await anext(stream)).text == "0"
        with pytest.raises(StoreError, match=rf"{run}.db: row 2 of calls cannot be read .*changed or damaged"):
            await anext(stream)


async def test_a_tampered_node_is_named(store: Store) -> None:
    run = await recorded(store)
    change(store, run, "UPDATE nodes SET outputs = '7'")
    with store.open(run) as journal, pytest.raises(StoreError, match="row 1 of nodes cannot be read"):
        journal.finished_node(SCOPE, "key")


async def test_a_run_of_a_newer_release_says_so(store: Store) -> None:
    run = await recorded(store)
    change(store, run, f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(StoreError, match=rf"written by a newer agentkit \(format {FORMAT + 1}.*update agentkit"):
        store.open(run)
    (listed,) = store.runs()
    assert (listed.id, listed.status) == (run, "unreadable")
    assert "newer agentkit" in listed.error


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a run of agentkit, or its process died while making it"),
        (b"hello, I am no database at all, whatever my name may say" * 100, "this is not a database"),
    ],
)
def test_a_file_that_is_no_run_is_named_and_hides_no_other(store: Store, content: bytes, sentence: str) -> None:
    store.create(graph="good", inputs={}).close()
    (store.folder / "stranger.db").write_bytes(content)
    for attempt in (store.open, store.read):
        with pytest.raises(StoreError, match=rf"stranger.db: .*{sentence}"):
            attempt("stranger")
    assert {one.status for one in store.runs()} == {"killed", "unreadable"}


def test_another_program_s_database_is_refused(store: Store) -> None:
    store.folder.mkdir(parents=True)
    connection = sqlite3.connect(store.folder / "other.db")
    connection.execute("CREATE TABLE meta (a)")
    connection.close()
    with pytest.raises(StoreError, match="not a run of agentkit"):
        store.open("other")


async def test_a_damaged_file_is_named(store: Store) -> None:
    run = await recorded(store, samples=40)
    content = bytearray(path_of(store, run).read_bytes())
    content[2048:] = b"\xff" * (len(content) - 2048)
    path_of(store, run).write_bytes(content)
    with pytest.raises(StoreError, match=rf"{run}.db: the file is damaged"):
        store.open(run)


def test_inputs_that_are_not_plain_data_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="the inputs of the run cannot be recorded"):
        store.create(graph="g", inputs={"a": object()})


async def test_a_finished_run_is_one_file_that_can_be_copied(store: Store, tmp_path: Path) -> None:
    run = await recorded(store)
    (tmp_path / "copy" / "runs").mkdir(parents=True)
    shutil.copy(path_of(store, run), tmp_path / "copy" / "runs")
    with Store(home=tmp_path / "copy").open(run) as journal:
        assert journal.usage().calls == 3


def test_durability_against_power_cuts_can_be_chosen(tmp_path: Path) -> None:
    with Store(home=tmp_path, durability="power").create(graph="g", inputs={}) as journal:
        assert journal._file._rows._connection.execute("PRAGMA synchronous").fetchall() == [(2,)]
    with Store(home=tmp_path).create(graph="g", inputs={}) as journal:
        assert journal._file._rows._connection.execute("PRAGMA synchronous").fetchall() == [(1,)]
        assert journal._file._rows._connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
