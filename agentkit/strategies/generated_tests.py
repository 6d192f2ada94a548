"""Programs against tests that a model wrote: find the tests in its replies, run all against all, group by what passes.

The run is one or more programs for a Python sandbox; here is only their text and the reading of what they report. A program
under test shares a process with what reports on it, so a hostile one could claim to pass; it cannot leave the sandbox.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from agentkit.errors import ToolError
from agentkit.protocols import Tool

_TOGETHER = 8
"""Candidates in one process of the sandbox; when one takes the process down, the others go on in another."""

_FENCE = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_ASSERT = re.compile(r"^[ \t]*assert\b", re.MULTILINE)

_HARNESS = """
import json, os, signal, sys

given = json.loads(DATA)

class Late(BaseException):
    pass

class Nowhere:
    def write(self, text):
        return len(text)
    def flush(self):
        pass

def late(*_):
    raise Late

signal.signal(signal.SIGPROF, late)
report = os.dup(1)
sys.stdout = sys.stderr = Nowhere()

def run(code, world, seconds):
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        exec(code, world)
        return "1"
    except Late:
        return "late"
    except BaseException:
        return "0"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)

def judge(candidate):
    world = {"__name__": "candidate"}
    if run(candidate, world, 1.0) != "1":
        return "0" * len(tests)
    marks, slow = "", 0
    for test in tests:
        mark = "0" if slow >= 3 else run(test, world, given["seconds"])
        slow += mark == "late"
        marks += "1" if mark == "1" else "0"
    return marks

def compiled(test):
    try:
        return compile(test, "test", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "raise AssertionError"

tests = [compiled(test) for test in given["tests"]]
for place, candidate in enumerate(given["candidates"]):
    os.write(report, (str(place) + " " + judge(candidate) + "\\n").encode())
os._exit(0)
"""


class Group(NamedTuple):
    """Candidates that pass the very same tests; ``score`` is their number times that of the tests."""

    members: tuple[int, ...]
    passed: int

    @property
    def score(self) -> int:
        """Agreement on both sides, as in the paper."""
        return len(self.members) * self.passed


def program(reply: str) -> str:
    """The program in a model's reply: its longest fenced block, else the whole of it."""
    return max(_FENCE.findall(reply), key=len, default=reply)


def asserts(reply: str, *, most: int | None = None, calls: str = "") -> tuple[str, ...]:
    """The first ``most`` complete ``assert`` statements of a reply, written alike; with ``calls`` those that call it."""
    starts = [found.start() for found in _ASSERT.finditer(reply)]
    pieces = [reply[start:end].strip() for start, end in pairwise([*starts, len(reply)])]
    found = [one for piece in pieces if (one := _statement(piece, calls)) is not None]
    return tuple(dict.fromkeys(found[:most]))


def _statement(piece: str, calls: str) -> str | None:
    for text in (piece, piece.splitlines()[0]):
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if len(body) == 1 and isinstance(body[0], ast.Assert) and _calls(body[0], calls):
            return ast.unparse(body[0])
    return None


def _calls(statement: ast.Assert, name: str) -> bool:
    made = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return any(not name or (isinstance(one, ast.Name) and one.id == name) for one in made)


def groups(passed: Sequence[Sequence[bool]]) -> tuple[Group, ...]:
    """The candidates grouped by the exact set of tests they pass, best score first, the earliest first among equals."""
    members: dict[tuple[bool, ...], list[int]] = {}
    for place, marks in enumerate(passed):
        members.setdefault(tuple(marks), []).append(place)
    found = [Group(tuple(places), sum(marks)) for marks, places in members.items()]
    return tuple(sorted(found, key=lambda group: (-group.score, group.members[0])))


async def run(
    sandbox: Tool, candidates: Sequence[str], tests: Sequence[str], *, seconds: float = 0.1
) -> tuple[tuple[bool, ...], ...]:
    """Which of ``tests`` each candidate passes, each given ``seconds`` of CPU; after three late ones the rest count as failed.

    A candidate that takes the process down (memory, time, exit) passes none. Raises ``ToolError`` where nothing can be run.
    """
    marks: dict[str, tuple[bool, ...]] = {}
    waiting = list(dict.fromkeys(candidates))
    while waiting:
        turn = waiting[:_TOGETHER]
        done = await _turn(sandbox, turn, tests, seconds)
        if len(done) < len(turn):
            done.append((False,) * len(tests))
        marks.update(zip(turn, done, strict=False))
        waiting = waiting[len(done) :]
    return tuple(marks[one] for one in candidates)


async def _turn(
    sandbox: Tool, candidates: Sequence[str], tests: Sequence[str], seconds: float
) -> list[tuple[bool, ...]]:
    """The marks of the candidates up to the first that brought the process down."""
    data = json.dumps({"candidates": list(candidates), "tests": list(tests), "seconds": seconds})
    result = await sandbox.call({"code": f"DATA = {data!r}\n{_HARNESS}"})
    if not isinstance(result, dict):
        raise ToolError(f"{sandbox.spec.name} returned no report of the tests")
    lines = [line.split(" ") for line in str(result.get("output", "")).splitlines()]
    done = []
    for place, line in enumerate(lines):
        if line[0] != str(place) or len(line) != 2 or len(line[1]) != len(tests):
            break
        done.append(tuple(mark == "1" for mark in line[1]))
    return done[: len(candidates)]
