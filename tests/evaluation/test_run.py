"""No record is lost, none counted twice, and nothing that goes wrong in one ends the others."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError, EvaluationError, InputError, StoreError
from agentkit.evaluation import Outcome, evaluate, read_results
from agentkit.evaluation.results import NAME
from agentkit.evaluation.trial import Trial
from agentkit.events import EvaluationStarted, RecordEvaluated
from agentkit.types import Document, Record, Score, Usage


async def test_every_record_gets_one_row_and_the_report_adds_them_up(ten, doubling, equal):
    report = await evaluate(doubling, ten, [equal])
    assert sorted(doubling.calls) == sorted(record.id for record in ten)
    assert [row.id for row in report.rows] == sorted(record.id for record in ten)
    assert report.metrics["accuracy"].interval.value == 0.8
    assert report.metrics["equal"].scored == 10


class QuitsError(BaseException):
    """Not an Exception: what a careless library might raise."""


def raising(error):
    async def task():
        raise error

    return task


def returning(output):
    async def task():
        return output

    return task


async def hang():
    await asyncio.sleep(3600)


async def cancel_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


KNOT = {}
KNOT["answer"] = KNOT

HOSTILE = {
    "raises": (raising(RuntimeError("boom sk-abcdefghijklmnop1234")), "RuntimeError"),
    "exits": (raising(SystemExit(3)), "SystemExit"),
    "quits": (raising(QuitsError()), "QuitsError"),
    "hangs": (hang, "TimeoutError"),
    "cancels itself": (cancel_itself, "CancelledError"),
    "says cancelled": (raising(asyncio.CancelledError()), "CancelledError"),
    "runs out of memory": (raising(MemoryError()), "MemoryError"),
    "returns a knot": (returning(KNOT), "RecursionError"),
    "returns nothing": (returning(None), "EvaluationError"),
    "returns junk": (returning({"answer": object()}), "EvaluationError"),
    "returns nan": (returning({"answer": float("nan")}), "EvaluationError"),
    "returns bytes": (returning({"answer": b"4"}), "EvaluationError"),
    "returns odd keys": (returning({"answer": {4: 4}}), "EvaluationError"),
    "spends and fails": (returning(Outcome(usage=Usage(calls=3), error=ValueError("late"))), "ValueError"),
}


async def hostile(record):
    """Goes wrong in another way for every record."""
    return await HOSTILE[record.id][0]() if record.id in HOSTILE else {"answer": record.target}


async def test_whatever_goes_wrong_in_a_record_becomes_its_row(tmp_path, equal):
    records = [Record(id=name, input="?", target="4") for name in (*HOSTILE, "fine", "fine too")]
    report = await evaluate(hostile, records, [equal], timeout=0.2, concurrency=3, folder=tmp_path)
    rows = {row.id: row for row in report.rows}
    assert {name: rows[name].error_type for name in HOSTILE} == {name: error for name, (_, error) in HOSTILE.items()}
    assert all(rows[name].error for name in HOSTILE)
    assert rows["fine"].scores["equal"].value == rows["fine too"].scores["equal"].value == 1.0
    assert report.metrics["accuracy"].scored == 2
    assert report.metrics["accuracy"].errors == len(HOSTILE)
    assert rows["spends and fails"].usage.calls == 3
    assert rows["hangs"].error == "no result within 0.2 s"
    assert "sk-abcdef" not in (tmp_path / NAME).read_text()
    assert sorted(row.id for row in read_results(tmp_path).rows) == sorted(rows)


async def test_a_hang_that_refuses_to_be_cancelled_is_left_behind():
    released = asyncio.Event()

    async def stubborn(record):
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return {"answer": 1}

    trial = Trial(task=stubborn, evaluators={}, clock=time.monotonic, timeout=0.05, grace=0.05)
    row = await trial(Record(id="a", input=1), 0)
    released.set()
    assert row.error_type == "TimeoutError"


class Bad:
    """An evaluator that fails in the way that the record's input says."""

    async def evaluate(self, record):
        match record.input:
            case "raises":
                raise MemoryError("no room")
            case "hangs":
                await asyncio.sleep(3600)
            case "not a score":
                return 1.0
            case "too high":
                return Score(value=1.5)
            case "nan":
                return Score(value=float("nan"))
            case "junk":
                return Score(value=1.0, metadata={"x": object()})
            case "passes":
                return Score(value=None, status="unscored", reason="no target")


async def test_a_failing_evaluator_costs_its_score_and_nothing_else(equal):
    names = ["raises", "hangs", "not a score", "too high", "nan", "junk", "passes"]

    async def echo(record):
        return {"answer": record.target}

    records = [Record(id=name, input=name, target=1) for name in names]
    report = await evaluate(echo, records, {"bad": Bad(), "equal": equal}, timeout=0.2)
    rows = {row.id: row for row in report.rows}
    assert {name: rows[name].scores["bad"].status for name in names} == {
        **dict.fromkeys(names, "error"),
        "passes": "unscored",
    }
    assert all(row.scores["equal"].value == 1.0 and not row.error_type for row in report.rows)
    assert rows["raises"].scores["bad"].reason == "MemoryError: no room"
    bad = report.metrics["bad"]
    assert (bad.interval, bad.scored, bad.unscored, bad.errors, bad.unscored_rate) == (None, 0, 1, 6, 1.0)


async def test_a_keyboard_interrupt_still_stops(equal):
    async def interrupted(record):
        raise KeyboardInterrupt

    def run():
        asyncio.run(evaluate(interrupted, [Record(id="a", input=1)], [equal]))

    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(run)


@pytest.mark.parametrize(
    ("outputs", "setting", "judged"),
    [
        ({"answer": 1, "other": 2}, "", 1),
        ({"only": 3}, "", 3),
        ({"a": 1, "b": 2}, "", {"a": 1, "b": 2}),
        ({"answer": 1, "other": 2}, "other", 2),
        ("bare text", "", "bare text"),
    ],
)
async def test_the_judged_output_is_the_named_one_or_the_obvious_one(outputs, setting, judged):
    seen = []

    class Look:
        async def evaluate(self, record):
            seen.append(record.output)
            return Score(value=1.0)

    async def task(record):
        return outputs

    await evaluate(task, [Record(id="a", input=1)], [Look()], output=setting)
    assert seen == [judged]


async def test_an_output_that_is_not_there_is_an_error_that_helps(equal, doubling):
    report = await evaluate(doubling, [Record(id="a", input=1)], [equal], output="anwser")
    assert report.rows[0].error == "there is no output 'anwser' to judge; did you mean 'answer'?"


async def test_evaluators_see_the_documents_that_the_task_found():
    seen = []

    class Look:
        async def evaluate(self, record):
            seen.append(record.documents)
            return Score(value=1.0)

    found = (Document(text="found"),)

    async def task(record):
        return {"answer": "x", "documents": found if record.id == "a" else ["no documents"]}

    own = (Document(text="own"),)
    records = [Record(id=name, input=1, documents=own) for name in ("a", "b")]
    await evaluate(task, records, [Look()], concurrency=1)
    assert seen == [found, own]


async def test_each_repeat_has_its_own_seed_and_the_same_in_every_run(ten, equal):
    async def seeds(**settings):
        seen = {}

        async def task(record, *, seed):
            seen.setdefault(record.id, []).append(seed)
            return {"answer": 0}

        await evaluate(task, ten, [equal], repeats=3, **settings)
        return seen

    first = await seeds()
    assert len({seed for found in first.values() for seed in found}) == 30
    assert await seeds(concurrency=1) == first
    assert await seeds(seed=1) != first


async def test_at_most_the_allowed_records_are_in_flight(equal):
    running = most = 0

    async def task(record):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return {"answer": 1}

    await evaluate(task, [Record(id=str(index), input=1) for index in range(50)], [equal], concurrency=4)
    assert most == 4


async def test_events_tell_of_every_row(ten, doubling, equal):
    events = []
    await evaluate(doubling, ten, [equal], name="sums", emit=events.append)
    assert events[0] == EvaluationStarted(name="sums", total=10, done=0)
    told = [event for event in events if isinstance(event, RecordEvaluated)]
    assert {event.record for event in told} == {record.id for record in ten}


async def test_a_rerun_only_does_what_is_missing(tmp_path, ten, doubling, equal):
    await evaluate(doubling, ten, [equal], folder=tmp_path, limit=4)
    doubling.calls.clear()
    events = []
    report = await evaluate(doubling, ten, [equal], folder=tmp_path, emit=events.append)
    assert sorted(doubling.calls) == [f"r{index}" for index in range(4, 10)]
    assert events[0].done == 4
    assert len(report.rows) == 10
    doubling.calls.clear()
    assert (await evaluate(doubling, ten, [equal], folder=tmp_path)).metrics == report.metrics
    assert doubling.calls == []


async def test_results_of_something_else_are_refused_in_a_sentence(tmp_path, ten, doubling, equal):
    await evaluate(doubling, ten, [equal], folder=tmp_path)
    changed = [replace(ten[0], target=-1), *ten[1:]]
    with pytest.raises(EvaluationError, match=r"another evaluation \(its dataset changed\); use --fresh"):
        await evaluate(doubling, changed, [equal], folder=tmp_path)
    doubling.identity = "tripling"
    with pytest.raises(EvaluationError, match="its task changed"):
        await evaluate(doubling, ten, [equal], folder=tmp_path)
    doubling.identity = "doubling"
    with pytest.raises(EvaluationError, match="its dataset, evaluators, seed changed"):
        await evaluate(doubling, changed, {"other": equal}, folder=tmp_path, seed=3)
    assert len(read_results(tmp_path).rows) == 10


async def test_a_fresh_start_keeps_the_old_results_aside(tmp_path, ten, doubling, equal):
    await evaluate(doubling, ten, [equal], folder=tmp_path)
    before = (tmp_path / NAME).read_bytes()
    report = await evaluate(doubling, ten[:2], [equal], folder=tmp_path, fresh=True)
    assert len(report.rows) == 2
    assert (tmp_path / "results-1.jsonl").read_bytes() == before


async def test_failed_rows_can_be_run_again(tmp_path, ten, equal):
    broken = {"r3", "r7"}
    calls = Counter()

    async def task(record):
        calls[record.id] += 1
        if record.id in broken:
            raise ConnectionError("down")
        return {"answer": record.target}

    first = await evaluate(task, ten, [equal], folder=tmp_path)
    assert {row.id for row in first.failed} == broken
    await evaluate(task, ten, [equal], folder=tmp_path)
    assert set(calls.values()) == {1}
    broken.clear()
    second = await evaluate(task, ten, [equal], folder=tmp_path, retry_errors=True)
    assert not second.failed
    assert {row.id: row.attempt for row in second.rows if row.attempt > 1} == {"r3": 2, "r7": 2}
    assert calls == {**{record.id: 1 for record in ten}, "r3": 2, "r7": 2}
    assert (await evaluate(task, ten, [equal], folder=tmp_path)).rows == second.rows
    assert len((tmp_path / NAME).read_text().splitlines()) == 1 + 10 + 2


async def test_attempts_are_counted_over_interruptions(tmp_path, ten, equal):
    async def fails(record):
        raise ConnectionError("down")

    async def recovers(record):
        return {"answer": record.target}

    def stop(event):
        if isinstance(event, RecordEvaluated):
            job.cancel()

    fails.identity = recovers.identity = "one task"
    await evaluate(fails, ten, [equal], folder=tmp_path)
    again = evaluate(recovers, ten, [equal], folder=tmp_path, retry_errors=True, emit=stop, concurrency=1)
    job = asyncio.ensure_future(again)
    with pytest.raises(asyncio.CancelledError):
        await job
    report = await evaluate(recovers, ten, [equal], folder=tmp_path, retry_errors=True)
    assert [row.attempt for row in report.rows] == [2] * 10
    assert not report.failed


async def test_a_function_described_by_an_address_can_be_resumed(tmp_path, ten, doubling):
    class Odd:
        async def evaluate(self, record):
            return Score(value=1.0)

    await evaluate(doubling, ten, [Odd()], folder=tmp_path)
    assert len((await evaluate(doubling, ten, [Odd()], folder=tmp_path)).rows) == 10


async def test_two_evaluators_of_one_class_keep_their_scores_apart(ten, doubling, equal):
    report = await evaluate(doubling, ten, [equal, equal])
    assert set(report.metrics) == {"accuracy", "equal", "equal_2"}


@pytest.mark.parametrize("settings", [{"repeats": 0}, {"concurrency": 0}])
async def test_settings_without_sense_are_refused(ten, doubling, equal, settings):
    with pytest.raises(ConfigError, match="must be at least 1, not 0"):
        await evaluate(doubling, ten, [equal], **settings)


async def test_records_that_share_an_id_are_refused_before_anything_runs(doubling, equal):
    with pytest.raises(InputError, match="same id"):
        await evaluate(doubling, [Record(id="a", input=1), Record(id="a", input=2)], [equal])
    assert doubling.calls == []


async def test_what_can_be_neither_called_nor_run_is_refused(ten, equal):
    with pytest.raises(ConfigError, match="cannot evaluate int"):
        await evaluate(3, ten, [equal])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stops=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 80)), max_size=4),
    concurrency=st.integers(1, 5),
    repeats=st.integers(1, 2),
)
async def test_no_row_is_lost_or_doubled_over_cancellations_and_torn_lines(
    tmp_path_factory, ten, equal, stops, concurrency, repeats
):
    folder = tmp_path_factory.mktemp("run")
    finished = Counter()

    async def task(record):
        await asyncio.sleep(0)
        if record.id == "r2":
            raise RuntimeError("always")
        return {"answer": record.target}

    async def run(stop_after):
        seen = count(1)

        def watch(event):
            if isinstance(event, RecordEvaluated):
                finished[event.record, event.repeat] += 1
                if next(seen) == stop_after:
                    job.cancel()

        job = asyncio.ensure_future(
            evaluate(task, ten, [equal], folder=folder, emit=watch, concurrency=concurrency, repeats=repeats)
        )
        return await job

    for stop_after, torn in stops:
        with suppress(asyncio.CancelledError):
            await run(stop_after)
        file = folder / NAME
        lines = file.read_bytes().splitlines(keepends=True)
        if torn and len(lines) > 1:
            last = json.loads(lines[-1])
            finished[last["id"], last["repeat"]] -= 1
            file.write_bytes(b"".join(lines[:-1]) + lines[-1][: min(torn, len(lines[-1]) - 1)])
    report = await run(None)
    wanted = {(record.id, repeat) for record in ten for repeat in range(repeats)}
    assert [row.key for row in report.rows] == sorted(wanted)
    assert [row.key for row in sorted(read_results(folder).rows, key=lambda row: row.key)] == sorted(wanted)
    assert set(finished.values()) == {1}


SCRIPT = """
    import asyncio, sys
    from agentkit.evaluation import evaluate
    from agentkit.types import Record, Score

    class Equal:
        async def evaluate(self, record):
            return Score(value=float(record.output == record.target))

    async def double(record):
        await asyncio.sleep(0.004)
        print(record.id, flush=True)
        return {"answer": record.input * 2}

    records = [Record(id=f"r{index}", input=index, target=index * 2) for index in range(120)]
    asyncio.run(evaluate(double, records, [Equal()], folder=sys.argv[1], concurrency=3))
"""


def test_killing_the_process_loses_no_finished_row(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)]
    asked = []
    for kill_after in (10, 45, None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for done, line in enumerate(process.stdout, start=1):
            asked.append(line.strip())
            if done == kill_after:
                os.kill(process.pid, signal.SIGKILL)
        process.stdout.close()
        assert process.wait() == (0 if kill_after is None else -signal.SIGKILL)
    results = read_results(tmp_path)
    assert sorted(row.id for row in results.rows) == sorted(f"r{index}" for index in range(120))
    assert len(asked) - 120 <= 2 * 3  # again only what was in flight at a kill


async def test_an_interrupted_record_is_not_recorded_as_failed(tmp_path, ten, equal):
    started = asyncio.Event()

    async def task(record):
        started.set()
        await asyncio.sleep(3600)

    job = asyncio.ensure_future(evaluate(task, ten, [equal], folder=tmp_path))
    await started.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert read_results(tmp_path).rows == ()


async def test_records_are_pulled_by_workers_not_spread_as_tasks(equal):
    most = 0

    async def task(record):
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))
        return {"answer": record.target}

    await evaluate(task, [Record(id=str(index), input=1) for index in range(500)], [equal], concurrency=8)
    assert most <= 2 * 8 + 1  # a worker and its record each, and this test


async def test_a_trial_measures_with_the_clock_it_is_given(equal, doubling):
    ticks = count()
    row = await Trial(task=doubling, evaluators={"equal": equal}, clock=lambda: float(next(ticks)))(
        Record(id="a", input=1, target=2), 0
    )
    assert row.seconds == 1.0
    assert row.scores["equal"].seconds == 1.0


async def test_results_that_cannot_be_written_are_one_named_error(tmp_path, ten, doubling, equal):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError, match="results cannot be written to"):
        await evaluate(doubling, ten, [equal], folder=blocked)
    assert doubling.calls == []
