"""Runs graphs in processes of their own that die when told to: reads a trial a line on stdin, answers a line on stdout.

The modules are loaded once, before the fork, so that a hundred deaths take seconds. A trial is ``{home, graph, run, kill, at,
delay}``: ``kill`` is ``before`` or ``after`` the journal's commit number ``at``, ``time`` after ``delay`` seconds, or ``never``.
"""

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp  # noqa: F401 - loaded before the fork
import langgraph.graph  # noqa: F401

import agentkit
from agentkit import Graph, Kit
from agentkit.errors import GraphError
from agentkit.events import NodeFinished
from agentkit.runtime.rows import Rows
from agentkit.runtime.store import Store
from agentkit.types import ToolSpec


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A tool that leaves a line in the file ``tools`` of the trial's home for every time that it is really called."""

    @property
    def spec(self) -> ToolSpec:
        properties = {"what": {"type": "string"}}
        return ToolSpec(name="counted", description="Counts.", parameters={"type": "object", "properties": properties})

    async def call(self, arguments):
        note(arguments["what"])
        await asyncio.sleep(0.002)
        return len(arguments["what"])


def note(what: str) -> None:
    with Path(os.environ["TRIAL_HOME"], "tools").open("a") as file:
        file.write(f"{what}\n")


class Tools:
    @agentkit.hookimpl
    def register_tools(self, register):
        register("counted", Counted)


class Deadly:
    """Rows of a run whose process dies around commit number ``at``."""

    def __init__(self, rows: Rows, kill: str, at: int) -> None:
        self._rows, self._kill, self._at, self.commits = rows, kill, at, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def append(self, rows: list) -> int:
        self.commits += 1
        self._perhaps("before")
        seq = self._rows.append(rows)
        self._perhaps("after")
        return seq

    def _perhaps(self, when: str) -> None:
        if (self._kill, self._at) == (when, self.commits):
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, kw_only=True)
class DeadlyStore(Store):
    """Makes journals that kill."""

    kill: str = "never"
    at: int = 0

    def create(self, **settings):
        return self._armed(super().create(**settings))

    def open(self, run):
        return self._armed(super().open(run))

    def _armed(self, journal):
        rows = Deadly(journal._file._rows, self.kill, self.at)
        journal._file._rows = rows
        made.append(rows)
        return journal


made: list[Deadly] = []


warm: dict[str, Graph] = {}


def loaded(path: str) -> Graph:
    """The graph, compiled once for all children."""
    if path not in warm:
        warm[path] = Kit(plugins=[Tools()], installed=False).graph(path)
        assert warm[path]._engine
    return warm[path]


async def run(trial: dict) -> dict:
    home, graph = Path(trial["home"]), loaded(trial["graph"])
    home.mkdir(exist_ok=True)
    os.environ["TRIAL_HOME"] = str(home)
    object.__setattr__(graph, "store", DeadlyStore(home=home, kill=trial["kill"], at=trial["at"]))
    recorded = []

    def see(event):
        if isinstance(event, NodeFinished):
            recorded.append([event.scope.node, event.scope.visit, event.scope.path, event.recorded])

    inputs = {} if trial["run"] else {"question": "What is 3 + 4?"}
    answers = {"answers": trial["answers"]} if trial.get("answers") else {}  # to what a human node asks
    done = await graph.execute(inputs, resume=trial["run"] or None, emit=see, **answers)
    return {"output": dict(done.output), "calls": done.usage.calls, "nodes": recorded, "commits": made[0].commits}


def live(trial: dict, answer: int) -> None:
    try:
        result = asyncio.run(run(trial))
    except BaseException as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    os.write(answer, json.dumps(result).encode())
    os._exit(0)


def one(trial: dict) -> dict:
    reading, writing = os.pipe()
    try:
        loaded(trial["graph"])
    except GraphError as error:
        return {"killed": False, "refused": str(error)}
    child = os.fork()
    if not child:
        os.close(reading)
        live(trial, writing)
    os.close(writing)
    if trial["kill"] == "time":
        time.sleep(trial["delay"])
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, **(json.loads(text) if text and not killed else {})}


for line in sys.stdin:
    print(json.dumps(one(json.loads(line))), flush=True)
