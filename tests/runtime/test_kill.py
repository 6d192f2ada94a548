"""``kill -9`` at every step of a run: what was journaled is never asked for again, and the answer is the same."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentkit.runtime.store import Store

SAMPLES = 6

RUNNER = """
import asyncio, json, os, pathlib, signal, sys

from agentkit.events import Scope
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.calls import Calls
from agentkit.runtime.journal import Journal
from agentkit.runtime.sampling import draw, draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.types import Capabilities, GenerateRequest, Message, Sample, Usage

home, where, at, run = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
steps = 0


def perhaps_die(place):
    global steps
    if place == where:
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)


class Counting:
    name, capabilities, price = "counting", Capabilities(), None

    async def generate(self, request):
        for index in range(request.n):
            with open(home / "sent", "a") as sent:
                sent.write(f"{request.messages[-1].content}:{request.seed + index}\\n")
            perhaps_die("sent")
            await asyncio.sleep(0)
            yield Sample(text=f"answer {request.seed + index}", usage=Usage(calls=1), index=index)
            perhaps_die("seen")


class Watched(Calls):
    def record(self, claim, index, sample):
        perhaps_die("before commit")
        written = super().record(claim, index, sample)
        perhaps_die("after commit")
        return written


async def main():
    store = Store(home=home)
    journal = store.open(run) if run else store.create(graph="g", inputs={})
    journal.calls.__class__ = Watched
    ledger = Ledger(Budget(calls=100), spent=journal.usage())
    output = []
    for node in ("first", "second"):
        scope = Scope(run=journal.header.id, node=node)
        visit = journal.finished_node(scope, "key")
        if visit is None:
            bound = bind(Counting(), scope=scope, journal=journal, ledger=ledger)
            request = GenerateRequest(messages=(Message("user", node),), n=3, seed=10)
            drawn = await draw_all(bound, request)
            perhaps_die("before node")
            journal.finish_node(scope, "key", {"texts": [one.text for one in drawn]}, Usage(), 0.1)
            perhaps_die("after node")
            visit = journal.finished_node(scope, "key")
        output.append(visit.outputs["texts"])
    journal.set_status("succeeded", output={"texts": output})
    print(json.dumps({"output": output, "spent": ledger.spent.calls}))
    journal.close()


asyncio.run(main())
"""

EXPECTED = [["answer 10", "answer 11", "answer 12"]] * 2


def go(home: Path, where: str, at: int, run: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUNNER, str(home), where, str(at), run], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("where", "at", "billed_twice"),
    [
        ("sent", 1, 1),
        ("before commit", 5, 1),
        ("after commit", 1, 0),
        ("seen", 2, 0),
        ("before node", 1, 0),
        ("after node", 1, 0),
        ("after node", 2, 0),
    ],
)
def test_after_a_kill_only_the_call_in_flight_is_sent_again(
    tmp_path: Path, where: str, at: int, billed_twice: int
) -> None:
    killed = go(tmp_path, where, at)
    assert killed.returncode == -signal.SIGKILL
    (run,) = Store(home=tmp_path).runs()
    assert run.status == "killed"
    resumed = go(tmp_path, "nowhere", 0, run.id)
    assert resumed.stderr == ""
    assert json.loads(resumed.stdout) == {"output": EXPECTED, "spent": SAMPLES}
    sent = (tmp_path / "sent").read_text().split()
    assert len(sent) == SAMPLES + billed_twice
    assert len(set(sent)) == SAMPLES
    assert Store(home=tmp_path).read(run.id).output == {"texts": EXPECTED}


def test_killed_again_and_again_a_run_still_arrives(tmp_path: Path) -> None:
    go(tmp_path, "after commit", 1)
    (run,) = Store(home=tmp_path).runs()
    kills = 1
    while go(tmp_path, "after commit", 1, run.id).returncode:
        kills += 1
    assert kills == SAMPLES
    assert len((tmp_path / "sent").read_text().split()) == SAMPLES
    assert Store(home=tmp_path).read(run.id).output == {"texts": EXPECTED}
