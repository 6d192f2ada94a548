"""The crash matrix: ``kill -9`` at every commit of the journal and at random times, requests counted at the provider.

A graph joins by its file in ``graphs/``; one with a node kind that this version does not have is skipped. A run that was
killed and resumed must give the output of one that was not, and send again only what was in flight when it died.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agentkit.runtime.store import Store
from agentkit.testing import Completion, FakeProvider
from agentkit.types import ToolCall

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

GRAPHS = sorted(Path(__file__).parent.glob("graphs/*.yaml"))
RANDOM_TIMES = 6  # kills a graph at a random moment
MOST = 40  # kill points around commits a graph, spread evenly
ANSWERS = {"human": {"review": "It is."}}  # by graph
RESULTS: dict[str, Any] = {}


def reply(body: dict[str, Any]) -> Completion:
    """The same to the same request, whatever was asked before it."""
    if body.get("tools") and (turns := sum(one["role"] == "assistant" for one in body["messages"])) < 3:
        words = [f"{turns}{side}" for side in "ab"]
        calls = [ToolCall(id=word, name="counted", arguments=json.dumps({"what": word})) for word in words]
        return Completion(tool_calls=tuple(calls), delay=0.004)
    asked = json.dumps([body["messages"], body.get("seed")], sort_keys=True)
    number = int.from_bytes(hashlib.sha256(asked.encode()).digest()[:4], "big")
    text = body["messages"][-1]["content"].lower()
    if "sure" in text and "impossible" in text:
        answer = ("sure", "likely", "impossible")[number % 3]
    elif "next step" in text or "thought" in text:
        answer = f"1. add {number % 97}\n2. take {number // 97 % 97}"
    else:
        answer = f"The answer is {number % 5}."
    return Completion(text=answer, delay=0.004)


class Zygote:
    """The process that the trials are forked from."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("zygote.py")
        self._process = subprocess.Popen([sys.executable, script], stdin=-1, stdout=-1, text=True)

    def run(self, **trial: Any) -> dict[str, Any]:
        answers = ANSWERS.get(Path(trial["graph"]).stem)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"run": "", "kill": "never", "at": 0, "delay": 0.0, "answers": answers, **trial}),
            file=self._process.stdin,
            flush=True,
        )
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in found, found
        return found

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    found = Zygote()
    yield found
    found.close()


@pytest.fixture(scope="module", autouse=True)
def numbers() -> Iterator[None]:
    """Prints the totals, and writes them to the file that CHAOS_RESULTS names."""
    yield
    rows = list(RESULTS.values())
    if not rows:
        return
    total = {
        key: sum(row[key] for row in rows)
        for key in ("kill_points", "kills", "requests", "sent_again", "in_flight", "tools_again")
    }
    report = {"date": date.today().isoformat(), "total": total, "graphs": RESULTS}
    print(f"\n{json.dumps(report, indent=2)}")
    if path := os.environ.get("CHAOS_RESULTS"):
        Path(path).write_text(json.dumps(report, indent=2) + "\n")


def kill_points(commits: int, seconds: float, rng: random.Random) -> list[dict[str, Any]]:
    around = [{"kill": kill, "at": at} for at in range(1, commits + 1) for kill in ("before", "after")]
    step = max(1, -(-len(around) // MOST))
    times = [{"kill": "time", "delay": rng.uniform(0.0, seconds)} for _ in range(RANDOM_TIMES)]
    return around[:: step if step > 1 else 1] + times


def settled(provider: FakeProvider) -> int:
    """Requests received, once those of a dead process have all been read."""
    time.sleep(0.02)
    return provider.received


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_killed_anywhere_a_run_ends_as_if_nothing_had_happened(path: Path, zygote: Zygote, tmp_path: Path) -> None:
    with FakeProvider(reply) as provider:
        graph = tmp_path / path.name
        graph.write_text(path.read_text().replace("BASE_URL", provider.base_url))
        refused = zygote.run(home=str(tmp_path / "first"), graph=str(graph)).get("refused", "")
        if "not available in this version" in refused:
            pytest.skip(refused)
        assert not refused
        began, before = time.monotonic(), provider.received
        whole = zygote.run(home=str(tmp_path / "whole"), graph=str(graph))
        seconds, requests = time.monotonic() - began, provider.received - before
        points = kill_points(whole["commits"], seconds, random.Random(path.stem))
        row = {
            "kill_points": len(points),
            "kills": 0,
            "requests": requests,
            "sent_again": 0,
            "in_flight": 0,
            "most_again": 0,
            "tools_again": 0,
        }
        for number, point in enumerate(points):
            again, in_flight = trial(zygote, provider, graph, tmp_path / str(number), point, whole, requests, row)
            assert again <= in_flight, point
            row["sent_again"] += again
            row["in_flight"] += in_flight
            row["most_again"] = max(row["most_again"], again)
    RESULTS[path.stem] = row


def trial(
    zygote: Zygote,
    provider: FakeProvider,
    graph: Path,
    home: Path,
    point: dict[str, Any],
    whole: dict[str, Any],
    requests: int,
    row: dict[str, Any],
) -> tuple[int, int]:
    """Kill a run at a point and resume it: how many requests were sent again, and how many were in flight at its death."""
    before = provider.received
    first = zygote.run(home=str(home), graph=str(graph), **point)
    sent = settled(provider) - before
    runs = [one for one in Store(home=home).runs() if one.status != "unreadable"]
    if not first["killed"]:
        assert point["kill"] == "time", point
        assert first["output"] == whole["output"]
        return 0, 0
    row["kills"] += 1
    finished, committed = recorded(home, runs[0].id) if runs else (set(), 0)
    tools = len(tools_called(home)) - sum("tool:" in path for _, _, path in finished)
    second = zygote.run(home=str(home), graph=str(graph), run=runs[0].id if runs else "")
    assert second["output"] == whole["output"], point
    assert second["calls"] == whole["calls"], point
    ran = {tuple(place) for *place, was_recorded in second["nodes"] if not was_recorded}
    assert not ran & finished, point
    tools_again = len(tools_called(home)) - len({*tools_called(home)})
    assert tools_again <= tools, point
    row["tools_again"] += tools_again
    return settled(provider) - before - requests, sent - committed


def tools_called(home: Path) -> list[str]:
    """The calls of tools that were really made."""
    return (home / "tools").read_text().split() if (home / "tools").exists() else []


def recorded(home: Path, run: str) -> tuple[set[tuple[str, int, str]], int]:
    """The visits that had finished, and how many samples were committed."""
    with Store(home=home).look(run) as journal:
        visits = {(one.scope.node, one.scope.visit, one.scope.path) for one in journal.visits()}
        return visits, sum(1 for _ in journal.calls.drawn())


def test_killed_again_and_again_a_run_arrives(zygote: Zygote, tmp_path: Path) -> None:
    rng = random.Random(22)
    with FakeProvider(reply) as provider:
        graph = tmp_path / "branches.yaml"
        graph.write_text((GRAPHS[0].parent / "branches.yaml").read_text().replace("BASE_URL", provider.base_url))
        whole = zygote.run(home=str(tmp_path / "whole"), graph=str(graph))
        requests, home, kills, run = provider.received, tmp_path / "killed", 0, ""
        found = zygote.run(home=str(home), graph=str(graph), kill="before", at=1)
        while found["killed"]:
            kills += 1
            run = Store(home=home).runs()[0].id
            found = zygote.run(home=str(home), graph=str(graph), run=run, kill=rng.choice(("before", "after")), at=2)
            assert kills < 50
        assert found["output"] == whole["output"]
        assert kills > 2
        assert provider.received - requests <= requests + 5 * kills  # at most the calls in flight at each death


def test_there_are_a_hundred_kill_points() -> None:
    assert sum(row["kill_points"] for row in RESULTS.values()) >= 100
