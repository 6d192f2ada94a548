"""``kill -9`` around a question: it is asked under the same name, its answer is kept, and no call is paid for twice."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = """
import asyncio, json, os, pathlib, signal, sys

from agentkit import Kit
from agentkit.runtime.runfile import RunFile
from agentkit.types import Capabilities, Sample, Usage

home, where, at, run = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
answers = json.loads(sys.argv[5])
commits = 0


def perhaps_die(place):
    if place == where and commits == at:
        os.kill(os.getpid(), signal.SIGKILL)


class Counting:
    name, capabilities, price = "counting", Capabilities(), None

    async def generate(self, request):
        with open(home / "sent", "a") as sent:
            sent.write(request.messages[-1].content + "\\n")
        yield Sample(text=f"<{request.messages[-1].content}>", usage=Usage(calls=1))


append = RunFile.append


def watched(self, rows):
    global commits
    commits += 1
    perhaps_die("before")
    row = append(self, rows)
    perhaps_die("after")
    return row


RunFile.append = watched
graph = Kit(home=home, installed=False).graph(home / "graph.yaml", models={"small": Counting()})
found = graph.run_sync(resume=run or None, answers=answers)
told = {"status": found.status, "output": found.output, "open": [one.id for one in found.pending], "commits": commits}
print(json.dumps(told))
"""

GRAPH = """
schema: agentkit/v1
name: asked
outputs: {end: last.text, side: side.text}
models: {small: local/none}
nodes:
  first: {use: model, with: {prompt: first}}
  side: {use: model, with: {prompt: side}}
  ask: {use: human, with: {ask: "Go on?", choices: [yes, no]}}
  last: {use: model, with: {prompt: "last {{said}}"}, in: {said: ask.answer}}
edges: [first -> ask -> last, first -> side]
"""

WHOLE = {"end": "<last yes>", "side": "<side>"}


def go(home: Path, where: str, at: int, run: str = "", **answers: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUNNER, str(home), where, str(at), run, json.dumps(answers)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def only_run(home: Path) -> str:
    (path,) = (home / "runs").glob("*.db")
    return path.stem


@pytest.mark.parametrize(("where", "at"), [("before", 2), ("after", 2), ("before", 4), ("after", 5)])
def test_killed_before_or_while_it_asks_a_run_asks_the_same_question(tmp_path: Path, where: str, at: int) -> None:
    (tmp_path / "graph.yaml").write_text(GRAPH)
    assert go(tmp_path, where, at).returncode == -signal.SIGKILL
    run = only_run(tmp_path)
    resumed = go(tmp_path, "never", 0, run)
    assert resumed.stderr == ""
    asked = json.loads(resumed.stdout)
    assert (asked["status"], asked["open"]) == ("interrupted", ["ask"])
    end = json.loads(go(tmp_path, "never", 0, run, ask="yes").stdout)
    assert (end["status"], end["output"]) == ("succeeded", WHOLE)
    sent = (tmp_path / "sent").read_text().split("\n")[:-1]
    assert sorted(set(sent)) == ["first", "last yes", "side"]
    assert len(sent) <= 3 + (where == "before")


@pytest.mark.parametrize(
    ("where", "at", "kept"), [("before", 1, False), ("after", 1, True), ("after", 2, True), ("after", 3, True)]
)
def test_killed_after_the_answer_was_committed_it_is_not_asked_for_again(
    tmp_path: Path, where: str, at: int, kept: bool
) -> None:
    (tmp_path / "graph.yaml").write_text(GRAPH)
    first = go(tmp_path, "never", 0)
    assert json.loads(first.stdout)["open"] == ["ask"]
    run = only_run(tmp_path)
    assert go(tmp_path, where, at, run, ask="yes").returncode == -signal.SIGKILL
    resumed = json.loads(go(tmp_path, "never", 0, run).stdout)
    assert (resumed["status"], resumed["open"]) == (("succeeded", []) if kept else ("interrupted", ["ask"]))
    end = json.loads(go(tmp_path, "never", 0, run, ask="yes").stdout)
    assert end["output"] == WHOLE
    sent = (tmp_path / "sent").read_text().split("\n")[:-1]
    assert sorted(sent) == ["first", "last yes", "side"]
