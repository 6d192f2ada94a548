"""What votes hold: the event loop, with 2,000 of them at once, and memory, over 100,000 one after another.

    python evals/overhead/votes.py

The model is scripted and thinks for a while (lognormal, seeded), so what holds the loop is our own work: two answers for
every question, nine to one. Each part has a process of its own. How long the loop is held is told in two ways: every callback of
the loop is timed, collections of garbage included, in CPU time (a busy machine stops us in mid-step) and by the clock; and a
monitor that wakes every millisecond says how late it was. Memory is what is resident after every tenth of the votes. Both are
measured with Python's collector as it comes, and with small collections, those of the oldest generation put off
(``gc.set_threshold(300, 3, 100_000)``).
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import time
from asyncio import events
from collections.abc import Awaitable
from datetime import date
from math import log
from pathlib import Path
from random import Random
from typing import Any

from agentkit.protocols import SampleStream
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.types import Capabilities, GenerateRequest, Sample, Usage

HELD_MS, GROWN_MB = 5.0, 2.0
"""Targets: the most CPU time of one callback, and the most memory held after all votes beyond that after half of them."""

WAYS = {"as Python comes": (700, 10, 10), "small and young": (300, 3, 100_000)}


class Thinking:
    """Answers 7 nine times in ten, else 8, after ``seconds`` in the median."""

    name = "thinking"
    capabilities = Capabilities(seed=True)

    def __init__(self, seconds: float) -> None:
        self._seconds, self._rng = seconds, Random(0)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        delay = self._rng.lognormvariate(log(self._seconds), 0.5) if self._seconds else 0
        await asyncio.sleep(delay)
        said = "7" if self._rng.random() < 0.9 else "8"
        yield Sample(text=f"He had 3 and got 4. The answer is {said}.", usage=Usage(calls=1, output_tokens=11), index=0)


def held(votes: int, samples: int) -> dict[str, float]:
    """The longest callbacks of the loop, and how late a monitor woke, while ``votes`` votes go on at once."""
    spans: list[tuple[float, float, float]] = []
    collecting = {"since": 0.0, "spent": 0.0}
    run = events.Handle._run

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            collecting["since"] = time.perf_counter()
        else:
            collecting["spent"] += time.perf_counter() - collecting["since"]

    def timed(handle: events.Handle) -> None:
        collecting["spent"] = 0.0
        started, worked = time.perf_counter(), time.thread_time()
        run(handle)
        worked = time.thread_time() - worked
        spans.append((worked, time.perf_counter() - started, collecting["spent"]))

    lags: list[float] = []

    async def monitor() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - before - 0.001)

    async def all_at_once() -> None:
        model, strategy = Thinking(0.5), SelfConsistency(samples=samples)
        await strategy.solve("How many?", model=model)
        watching = asyncio.ensure_future(monitor())
        spans.clear()
        tasks = []
        for one in range(votes):
            tasks.append(asyncio.ensure_future(strategy.solve(f"How many are {one}?", model=model)))
            if one % 50 == 0:
                await asyncio.sleep(0)  # or making them would be the longest step
        await asyncio.gather(*tasks)
        watching.cancel()

    gc.callbacks.append(collected)
    events.Handle._run = timed  # type: ignore[method-assign]
    asyncio.run(all_at_once())
    spans.sort()
    lags.sort()
    return {
        "longest_callback_cpu_ms": 1000 * spans[-1][0],
        "of_it_collecting_ms": 1000 * spans[-1][2],
        "longest_callback_wall_ms": 1000 * max(wall for _, wall, _ in spans),
        "callbacks": len(spans),
        "callbacks_over_target": sum(worked > HELD_MS / 1000 for worked, _, _ in spans),
        "longest_lag_ms": 1000 * lags[-1],
        "median_lag_ms": 1000 * lags[len(lags) // 2],
    }


def memory() -> float:
    """Megabytes that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def kept(votes: int, samples: int) -> dict[str, Any]:
    """Resident memory after every tenth of ``votes`` votes, 100 at a time."""

    async def some(count: int, first: int) -> None:
        model, strategy = Thinking(0), SelfConsistency(samples=samples)

        async def one(number: int) -> None:
            for place in range(number, count, 100):
                await strategy.solve(f"How many are {first + place}?", model=model)

        await gathered([one(number) for number in range(100)])

    found = []
    for tenth in range(10):
        asyncio.run(some(votes // 10, tenth * votes // 10))
        found.append(memory())
    return {"resident_mb": found, "grown_mb": found[-1] - found[4]}


async def gathered(work: list[Awaitable[None]]) -> None:
    await asyncio.gather(*work)


def measured(part: str, way: str, votes: int, samples: int) -> dict[str, Any]:
    """One part in a process of its own."""
    command = [sys.executable, __file__, "--part", part, "--way", way, "--votes", str(votes), "--samples", str(samples)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=2_000)
    parser.add_argument("--in-all", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=20, help="the limit of each vote")
    parser.add_argument("--rounds", type=int, default=3, help="how often the loop is watched")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--votes", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent.parent / "results" / f"{date.today()}-votes.json"
    )
    options = parser.parse_args()
    if options.part:
        gc.set_threshold(*WAYS[options.way])
        print(json.dumps({"held": held, "kept": kept}[options.part](options.votes, options.samples)))
        return
    ways, met = {}, {}
    for way in WAYS:
        rounds = [measured("held", way, options.at_once, options.samples) for _ in range(options.rounds)]
        memory_row = measured("kept", way, options.in_all, options.samples)
        ways[way] = {"rounds": rounds, "memory": memory_row}
        print(way)
        for row in rounds:
            print("  " + "  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        print("  MB after every tenth: " + ", ".join(f"{value:.1f}" for value in memory_row["resident_mb"]), flush=True)
        met[f"{way}: no callback over {HELD_MS:g} ms"] = (
            max(row["longest_callback_cpu_ms"] for row in rounds) <= HELD_MS
        )
        met[f"{way}: at most {GROWN_MB:g} MB more after all votes than after half"] = memory_row["grown_mb"] <= GROWN_MB
    for target, one in met.items():
        print(f"{'met' if one else 'MISSED':7} {target}")
    result = {
        "date": str(date.today()),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "votes_at_once": options.at_once,
        "votes_in_all": options.in_all,
        "samples": options.samples,
        "ways": ways,
        "targets": met,
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
