"""The promises of ``docs/explanation/promises.md``, counted at a provider on a loopback socket: P1 to P5, P8 and P10."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from agentkit import Kit
from agentkit.errors import BudgetExceededError, NodeError, StoreError
from agentkit.events import Event
from agentkit.graph import Graph
from agentkit.testing import Completion, FakeProvider, Refusal
from agentkit.types import Record

STEPS = """
schema: agentkit/v1
name: steps
inputs: {question: string, items: {type: list, default: []}}
outputs: {last: second.text, votes: first.votes}
models: {m: {use: openai_http, model: fake, base_url: "URL", concurrency: 8}}
nodes:
  first:
    use: strategy.self_consistency
    with: {samples: 5, stop: fixed}
    in: {question: inputs.question}
  second:
    use: model
    with: {prompt: "Say it again: {{answer}}"}
    in: {answer: first.answer}
"""
MAPPED = """
schema: agentkit/v1
name: mapped
inputs: {items: list}
outputs: {texts: each.text, failures: each.failures}
models: {m: {use: openai_http, model: fake, base_url: "URL", concurrency: 1000, MODEL}}
BUDGET
nodes:
  each:
    use: model
    with: {prompt: "{{item}}"}
    in: {item: inputs.items}
    map: {over: inputs.items, concurrency: 1000, on_error: skip}
    NODE
"""
ONE = """
schema: agentkit/v1
name: one
inputs: {item: string}
outputs: {answer: each.text}
models: {m: {use: openai_http, model: fake, base_url: "URL", concurrency: 1000, MODEL}}
BUDGET
nodes:
  each:
    use: model
    with: {prompt: "{{item}}"}
    in: {item: inputs.item}
"""

RUN = "import sys; from agentkit import Kit; Kit(home=sys.argv[1]).graph(sys.argv[2]).run_sync(question='q')"


def written(folder: Path, provider: FakeProvider, text: str, **parts: str) -> Path:
    path = folder / "graph.yaml"
    for word, part in {"URL": provider.base_url, **parts}.items():
        text = text.replace(word, part)
    path.write_text(text)
    return path


def made(folder: Path, provider: FakeProvider, text: str, **parts: str) -> Graph:
    return Kit(home=folder, installed=False).graph(written(folder, provider, text, **parts))


def asked(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def hangs_after(count: int) -> Callable[[dict[str, Any]], Completion]:
    """Answers ``count`` requests, and never ends the others."""
    left = iter(range(count))

    def reply(body: dict[str, Any]) -> Completion:
        return Completion(
            text="The answer is 7.", fault=None if next(left, None) is not None else "hang_before_headers"
        )

    return reply


async def killed(folder: Path, provider: FakeProvider, path: Path, *, answered: int, received: int) -> str:
    """The id of a run whose process was killed once its ``received`` requests had arrived and ``answered`` were kept."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, str(folder), str(path))
    await provider.until(lambda seen: (seen.completed, seen.received) == (answered, received), seconds=60)
    runs = Kit(home=folder, installed=False).runs
    while True:
        with runs.look(runs.list()[0].id) as journal:
            if sum(1 for _ in journal.calls.drawn()) == answered:
                break
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    return runs.list()[0].id


async def test_p1_after_a_kill_only_what_was_in_flight_is_sent_again(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: replies(body)) as provider:
        replies = hangs_after(3)
        path = written(tmp_path, provider, STEPS)
        run = await killed(tmp_path, provider, path, answered=3, received=5)
        replies = hangs_after(100)
        done = await Kit(home=tmp_path, installed=False).runs.resume(run)
        assert done.output["last"] == "The answer is 7."
        assert provider.received == 5 + 2 + 1  # the first session's, the two in flight, and the second node's


async def test_p2_a_prompt_edited_before_the_resume_is_asked_again_and_nothing_else(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: replies(body)) as provider:
        replies = hangs_after(5)
        path = written(tmp_path, provider, STEPS)
        run = await killed(tmp_path, provider, path, answered=5, received=6)
        path.write_text(path.read_text().replace("Say it again", "Say it loudly"))
        replies = hangs_after(100)
        await Kit(home=tmp_path, installed=False).runs.resume(run)
        sent = [asked(call.body).partition(":")[0] for call in provider.calls[6:]]
        assert sent == ["Say it loudly"]


@pytest.mark.parametrize("way", ["cancelled", "timed out", "out of time", "another item failed"])
async def test_p3_what_is_no_longer_wanted_is_closed_at_the_provider(way: str, tmp_path: Path) -> None:
    def reply(body: dict[str, Any]) -> Completion | Refusal:
        bad = asked(body) == "bad"
        return Refusal(status=400, delay=0.1) if bad else Completion(text="slow", fault="hang_mid_stream")

    async with FakeProvider(reply) as provider:
        parts = {"MODEL": "timeout: 60", "BUDGET": "", "NODE": ""}
        parts |= {"timed out": {"NODE": "timeout: 1"}, "out of time": {"BUDGET": "budget: {seconds: 1}"}}.get(way, {})
        text, items = MAPPED, ["a", "b", "c"]
        if way == "another item failed":
            text, items = text.replace("on_error: skip", "on_error: fail"), [*items, "bad"]
        task = asyncio.create_task(made(tmp_path, provider, text, **parts).run(items=items))
        await provider.until(lambda seen: seen.received > 0)
        if way == "cancelled":
            task.cancel()
        with pytest.raises((asyncio.CancelledError, NodeError, BudgetExceededError)):
            await task
        await provider.until(lambda seen: seen.aborted > 0 and seen.aborted + seen.completed == seen.received)


async def test_p3_votes_that_an_early_stop_no_longer_needs_are_closed(tmp_path: Path) -> None:
    async with FakeProvider(hangs_after(6)) as provider:
        text = STEPS.replace("samples: 5, stop: fixed", "samples: 11, ahead: 4, stop: certain").replace(": 8}", ": 99}")
        task = asyncio.create_task(made(tmp_path, provider, text).run(question="q"))
        await provider.until(lambda seen: (seen.completed, seen.aborted) == (6, 4), seconds=20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_p4_of_a_thousand_calls_at_once_under_a_budget_of_a_hundred_a_hundred_are_sent(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Completion(text="yes", delay=0.05)) as provider:
        parts = {"MODEL": "retry: {attempts: 3, first_delay: 0}", "BUDGET": "budget: {calls: 100}"}
        shared = made(tmp_path, provider, ONE, **parts).to_langgraph().compile()
        runs = [shared.ainvoke({"inputs": {"item": f"item {number}"}}) for number in range(1000)]
        ended = Counter(type(one).__name__ for one in await asyncio.gather(*runs, return_exceptions=True))
        assert ended == {"dict": 100, "BudgetExceededError": 900}
        assert provider.received == 100


async def test_p4_calls_under_way_when_the_budget_ends_are_finished_and_kept(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Completion(text="yes", delay=0.05)) as provider:
        parts = {"MODEL": "timeout: 60", "BUDGET": "budget: {calls: 100, on_exhausted: best_so_far}", "NODE": ""}
        run = await made(tmp_path, provider, MAPPED, **parts).run(items=[f"item {number}" for number in range(1000)])
        assert (provider.received, provider.completed) == (100, 100)
        assert [text for text in run.output["texts"] if text] == ["yes"] * 100


async def test_p4_retries_and_resumes_count_against_the_same_budget(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Refusal(status=503, retry_after=0)) as provider:
        parts = {"MODEL": "retry: {attempts: 3, first_delay: 0}", "BUDGET": "budget: {calls: 10}", "NODE": ""}
        graph = made(tmp_path, provider, MAPPED.replace("concurrency: 1000", "concurrency: 1"), **parts)
        with pytest.raises(BudgetExceededError):
            await graph.run(items=[f"item {number}" for number in range(8)])
        assert provider.received == 10
        runs = Kit(home=tmp_path, installed=False).runs
        with pytest.raises(BudgetExceededError):
            await runs.resume(runs.list()[0].id)
        assert provider.received == 10


def misbehaving(number: int) -> Completion | Refusal:
    """One in a hundred is refused, one hangs, one is no JSON."""
    faults: dict[int, Completion | Refusal] = {
        17: Refusal(status=400),
        43: Completion(text="never", fault="hang_mid_stream"),
        71: Completion(text="junk", fault="bad_json"),
    }
    return faults.get(number % 100, Completion(text=f"The answer is {number}."))


async def test_p5_one_item_in_a_hundred_that_fails_hangs_or_talks_junk_ends_no_run(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: misbehaving(int(asked(body)))) as provider:
        parts = {"MODEL": "timeout: 4, retry: {attempts: 0}", "BUDGET": "", "NODE": ""}
        text = MAPPED.replace("concurrency: 1000", "concurrency: 16")  # so that only what hangs runs out of time
        run = await made(tmp_path, provider, text, **parts).run(items=[str(number) for number in range(200)])
        assert run.status == "succeeded"
        assert sorted(one["item"] for one in run.output["failures"]) == [17, 43, 71, 117, 143, 171]
        assert [place for place, text in enumerate(run.output["texts"]) if text is None] == [17, 43, 71, 117, 143, 171]


async def test_p5_one_record_in_a_hundred_that_fails_hangs_or_talks_junk_ends_no_evaluation(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: misbehaving(int(asked(body)))) as provider:
        graph = made(tmp_path, provider, ONE, MODEL="timeout: 60, retry: {attempts: 0}", BUDGET="")
        records = [Record(id=f"r{number}", input=f"{number}", target=f"{number}") for number in range(200)]
        settings = {"inputs": {"item": "input"}, "timeout": 4.0, "concurrency": 16}
        report = await Kit(home=tmp_path, installed=False).evaluate(graph, dataset=records, **settings)
        failed = Counter(row.error_type for row in report.rows if row.error)
        assert sorted(row.id for row in report.rows) == sorted(one.id for one in records)
        assert failed.total() == 6
        metric = report.metrics["answer_match"]
        assert (metric.scored, metric.errors, metric.interval.value) == (194, 6, 1.0)


def told(events: list[Event]) -> bytes:
    """Events as bytes, without the run's name and the time that things took."""
    rows = []
    for one in events:
        data = asdict(one)
        data["scope"].pop("run")
        for timed in (data, data.get("usage") or {}, data.get("total") or {}):
            timed.pop("seconds", None)
        rows.append([type(one).__name__, data])
    return json.dumps(rows, sort_keys=True, default=str).encode()


async def test_p8_a_replay_is_the_same_to_the_byte_with_no_network(tmp_path: Path) -> None:
    live: list[Event] = []
    replays: list[list[Event]] = []
    async with FakeProvider(lambda body: f"The answer is {body.get('seed', 0) % 3}.") as provider:
        graph = made(tmp_path, provider, STEPS)
        first = await graph.execute({"question": "q"}, record=tmp_path / "tape.jsonl", emit=live.append)
        received = provider.received
    for _ in range(2):
        replays.append([])
        again = await graph.execute({"question": "q"}, replay=tmp_path / "tape.jsonl", emit=replays[-1].append)
        assert json.dumps(again.output) == json.dumps(first.output)
    assert told(replays[0]) == told(replays[1])
    assert provider.received == received


FULL = """
import resource, sys
from agentkit import Kit
from agentkit.errors import StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (45_000, 45_000))
try:
    Kit(home=sys.argv[1]).graph(sys.argv[2]).run_sync(items=[str(number) for number in range(40)])
except StoreError as error:
    print(error)
"""


async def test_p10_a_disk_that_fills_up_is_one_sentence_and_what_was_paid_for_is_kept(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: "word " * 200) as provider:
        text = MAPPED.replace("concurrency: 1000", "concurrency: 1")
        path = written(tmp_path, provider, text, MODEL="timeout: 60", BUDGET="", NODE="")
        command = [sys.executable, "-c", FULL, str(tmp_path), str(path)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 1
        assert "could not be written" in done.stdout or "disk is full" in done.stdout
        first = provider.received
        assert 0 < first < 40
        runs = Kit(home=tmp_path, installed=False).runs
        run = await runs.resume(runs.list()[0].id)
        assert run.output["failures"] == []
        assert provider.received <= 40 + 1  # the call whose response found no room is sent again


async def test_p10_a_second_writer_is_refused_in_one_sentence_and_sends_nothing(tmp_path: Path) -> None:
    async with FakeProvider(hangs_after(3)) as provider:
        path = written(tmp_path, provider, STEPS)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, str(tmp_path), str(path))
        await provider.until(lambda seen: (seen.completed, seen.received) == (3, 5), seconds=60)
        runs = Kit(home=tmp_path, installed=False).runs
        with pytest.raises(StoreError, match="already being run"):
            await runs.resume(runs.list()[0].id)
        assert provider.received == 5
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
