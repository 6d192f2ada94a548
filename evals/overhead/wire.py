"""What a call costs its client: CPU milliseconds and calls a second against a server on loopback that answers at once.

    python evals/overhead/wire.py --peers VENV/bin/python

The server and every subject have a process of their own. The subjects take turns, round by round, so that a busy moment of the
machine meets all alike; ratios are taken round by round. The server's CPU time is not counted. A subject whose library neither
this Python nor that of ``--peers`` has is printed as missing.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from wire_subjects import SUBJECTS

from agentkit.statistics import median

HERE = Path(__file__).parent
BARE, STACK_MS, LITELLM, OPENAI = 3.0, 0.6, 5.0, 2.0
"""Targets: ``openai_http`` at most so many times aiohttp; the whole stack at most so many milliseconds, and so many times
cheaper than litellm and than the openai SDK."""


@dataclass
class Subject:
    """One way of asking, in its process."""

    process: "subprocess.Popen[str]"
    version: str
    python: str
    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def turn(self, calls: int, *, count: bool) -> None:
        """``calls`` calls; what they took is kept if they ``count``."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        took = json.loads(self.process.stdout.readline())
        if count:
            self.cpu.append(took["cpu"] / calls * 1000)
            self.rate.append(calls / took["wall"])


def started(command: list[Any], undo: ExitStack) -> "subprocess.Popen[str]":
    """A process that ends with its standard input."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    undo.callback(process.wait)
    assert process.stdin
    undo.callback(process.stdin.close)
    return process


def opened(name: str, url: str, concurrency: int, pythons: list[str], undo: ExitStack) -> Subject | None:
    """The subject in the first of ``pythons`` that has its library."""
    for python in pythons:
        process = started([python, HERE / "wire_subjects.py", url, str(concurrency), name], undo)
        assert process.stdout
        said = json.loads(process.stdout.readline())
        if "version" in said:
            return Subject(process, said["version"], python)
    return None


def measured(rounds: int, calls: int, concurrency: int, pythons: list[str]) -> dict[str, Subject]:
    """Every subject that can be had, after ``rounds`` rounds and one to warm up."""
    with ExitStack() as undo:
        server = started([sys.executable, HERE / "wire_server.py"], undo)
        assert server.stdout
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        found = {name: opened(name, url, concurrency, pythons, undo) for name in SUBJECTS}
        subjects = {name: one for name, one in found.items() if one is not None}
        for number in range(rounds + 1):
            for one in subjects.values():
                one.turn(calls, count=number > 0)
        return subjects


def over(ours: Subject, theirs: Subject) -> dict[str, Any]:
    """How many times the CPU of ``theirs`` ours takes, with a 95 % interval."""
    return figure([a / b for a, b in zip(ours.cpu, theirs.cpu, strict=True)])


def figure(values: list[float]) -> dict[str, Any]:
    """A median with its 95 % interval."""
    one = median(values, rng=Random(0))
    return {"median": round(one.value, 4), "95": [round(one.low, 4), round(one.high, 4)]}


def report(subjects: dict[str, Subject]) -> dict[str, Any]:
    """Milliseconds and calls a second, ratios like for like, and whether the targets are met."""
    rows: dict[str, dict[str, Any]] = {}
    for name, one in subjects.items():
        reference = subjects[f"aiohttp, {name.rpartition(', ')[2]}"]
        rows[name] = {
            "cpu_ms_a_call": figure(one.cpu),
            "calls_a_second": figure(one.rate),
            "over_aiohttp": over(one, reference),
            "version": one.version,
        }
    return {"subjects": rows, "missing": [name for name in SUBJECTS if name not in rows], "targets": targets(subjects)}


def targets(subjects: dict[str, Subject]) -> dict[str, bool]:
    """Whether each target is met, for whole and for streamed answers."""
    met: dict[str, bool] = {}
    for way in ("whole", "streamed"):
        bare, stack = subjects[f"openai_http, {way}"], subjects[f"budget + journal + events, {way}"]
        met[f"{way}: openai_http <= {BARE:g} x aiohttp"] = over(bare, subjects[f"aiohttp, {way}"])["median"] <= BARE
        met[f"{way}: the whole stack <= {STACK_MS} ms"] = figure(stack.cpu)["median"] <= STACK_MS
        for name, times in (("litellm", LITELLM), ("openai SDK", OPENAI)):
            if peer := subjects.get(f"{name}, {way}"):
                met[f"{way}: the whole stack {times:g} times cheaper than {name}"] = (
                    over(peer, stack)["median"] >= times
                )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="rounds, after one to warm up")
    parser.add_argument("--calls", type=int, default=640, help="calls of each subject a round")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON", help="another environment's Python")
    parser.add_argument("--out", type=Path, default=HERE.parent / "results" / f"{date.today()}-wire.json")
    options = parser.parse_args()
    pythons = [sys.executable, *options.peers]
    subjects = measured(options.rounds, options.calls, options.concurrency, pythons)
    result = {
        "date": str(date.today()),
        "rounds": options.rounds,
        "calls_a_round": options.calls,
        "concurrency": options.concurrency,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        **report(subjects),
    }
    for name, row in result["subjects"].items():
        cpu, rate, times = row["cpu_ms_a_call"], row["calls_a_second"], row["over_aiohttp"]
        low, high = cpu["95"]
        spent = f"{cpu['median']:6.3f} ms [{low:.3f}, {high:.3f}]"
        print(f"{name:36} {spent}  {rate['median']:6.0f} calls/s  {times['median']:5.2f} x")
    for name in result["missing"]:
        print(f"{name:36} missing")
    for target, met in result["targets"].items():
        print(f"{'met' if met else 'MISSED':7} {target}")
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
