"""Promises counted on the wire: cancelling closes connections, retries are sent as often as stated, budgets are not exceeded."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from agentkit import Kit
from agentkit.errors import BudgetExceededError, NodeError
from agentkit.graph import Graph
from agentkit.testing import Completion, FakeProvider, Refusal

VOTE = """
schema: agentkit/v1
name: wire
inputs: {{question: string}}
outputs: {{answer: solve.answer}}
models: {{m: {{use: openai_http, model: fake, base_url: "{url}", {model}}}}}
{budget}
nodes:
  solve:
    use: strategy.self_consistency
    with: {{samples: {samples}, stop: fixed}}
    in: {{question: inputs.question}}
    {policy}
"""


def graph_at(provider: FakeProvider, folder: Path, **parts: Any) -> Graph:
    settings = {"model": "concurrency: 8", "budget": "", "samples": 4, "policy": "", **parts}
    (folder / "wire.yaml").write_text(VOTE.format(url=provider.base_url, **settings))
    return Kit(home=folder).graph(folder / "wire.yaml")


async def test_closing_the_stream_closes_every_connection(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Completion(text="never", fault="hang_mid_stream")) as provider:
        graph = graph_at(provider, tmp_path)
        async with aclosing(graph.stream({"question": "q"})) as events:
            async for _ in events:
                await provider.until(lambda seen: seen.received == 4)
                break
        await provider.until(lambda seen: seen.aborted == 4)
        assert provider.completed == 0


async def test_requests_on_the_wire_are_one_and_the_stated_attempts(tmp_path: Path) -> None:
    async with FakeProvider([Refusal(status=503, retry_after=0)] * 4) as provider:
        graph = graph_at(provider, tmp_path, samples=1, policy="retry: {attempts: 3, first_delay: 0}")
        with pytest.raises(NodeError):
            await graph.run(question="q")
        assert provider.received == 4


async def test_a_request_that_is_wrong_is_sent_once(tmp_path: Path) -> None:
    async with FakeProvider([Refusal(status=400)]) as provider:
        graph = graph_at(provider, tmp_path, samples=1, policy="retry: {attempts: 3, first_delay: 0}")
        with pytest.raises(NodeError):
            await graph.run(question="q")
        assert provider.received == 1


async def test_a_budget_of_calls_holds_on_the_wire(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Completion(text="The answer is 7.")) as provider:
        graph = graph_at(provider, tmp_path, samples=20, budget="budget: {calls: 5}")
        try:
            run = await graph.run(question="q")
            assert run.usage.calls == 5
        except BudgetExceededError:
            pass
        assert provider.received == 5


INTERRUPTED = """
import sys
from dataclasses import replace
from agentkit import Kit
from agentkit.events import RunFinished

def heard(event):
    if isinstance(event, RunFinished):
        print(event.status, flush=True)

graph = Kit(home=sys.argv[1]).graph(sys.argv[1] + "/wire.yaml")
replace(graph, listeners=(heard,)).run_sync(question="q")
"""


async def test_ctrl_c_ends_a_run_at_once_and_leaves_nothing_open(tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Completion(text="never", fault="hang_before_headers")) as provider:
        graph_at(provider, tmp_path)
        command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        await provider.until(lambda seen: seen.received == 4, seconds=60)
        process.send_signal(signal.SIGINT)
        await provider.until(lambda seen: seen.aborted == 4)
        out, _ = await process.communicate()
        assert out.decode().strip() == "cancelled"
        assert process.returncode != 0
