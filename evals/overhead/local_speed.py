"""How fast the embedded model is on this machine: starting, reading, drawing, a vote, and letting go.

    python evals/overhead/local_speed.py [--rounds 5] [--out evals/results/DATE-local-speed.json]

Nothing else should run meanwhile: the load of the machine is part of the record.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import date
from importlib.metadata import version
from pathlib import Path

from agentkit import weights
from agentkit.models.local import Local
from agentkit.runtime.sampling import draw, draw_all
from agentkit.types import GenerateRequest, Message

START = """
import asyncio, time
from agentkit.models.local import Local
from agentkit.runtime.sampling import draw
from agentkit.types import GenerateRequest, Message
request = GenerateRequest(messages=(Message("user", "Hello."),), max_tokens=1)
started = time.perf_counter()
asyncio.run(draw(Local(), request))
print(time.perf_counter() - started)
"""
FILLER = "The warranty covers parts and labour for two years from the day of purchase, but not damage by water. "


def ask(text: str, **knobs: object) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), temperature=0.5, **knobs)


def story(turn: int) -> str:
    """A prompt that no earlier one begins like, and that is not answered in a few words."""
    return f"{turn} times: tell me a very long story about a town by the sea and all its people."


async def start(turn: int) -> float:
    """Seconds from nothing loaded to the first token, in a new process."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", START], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


async def timed(work: Awaitable[object]) -> tuple[float, object]:
    started = time.perf_counter()
    done = await work
    return time.perf_counter() - started, done


def measurements(model: Local) -> dict[str, Callable[[int], Awaitable[float]]]:
    async def reading(turn: int) -> float:
        seconds, sample = await timed(draw(model, ask(f"{turn}. {FILLER * 20}", max_tokens=1, seed=1)))
        return sample.usage.input_tokens / seconds

    async def drawing(turn: int, n: int) -> float:
        request = ask(story(turn), n=n, max_tokens=64, seed=turn)
        await draw(model, ask(story(turn), max_tokens=1))  # the prompt is read before the clock starts
        seconds, samples = await timed(draw_all(model, request))
        return sum(sample.usage.output_tokens for sample in samples) / seconds

    async def vote(turn: int) -> float:
        question = f"{turn}. {FILLER * 4}\nWhat does the warranty cover? Explain at length."
        return (await timed(draw_all(model, ask(question, n=8, max_tokens=40, seed=turn))))[0]

    async def cancelling(turn: int) -> float:
        async with aclosing(model.generate(ask(story(turn), n=4, max_tokens=1000, stream=True))) as stream:
            for _ in range(20):
                await anext(stream)
            closed = time.perf_counter()
        while model.busy():  # noqa: ASYNC110 - a thread of llama.cpp could set no event
            await asyncio.sleep(0.0005)
        return time.perf_counter() - closed

    return {
        "start_to_first_token_seconds": start,
        "reading_tokens_per_second": reading,
        "one_sample_tokens_per_second": lambda turn: drawing(turn, 1),
        "four_slots_tokens_per_second": lambda turn: drawing(turn, 4),
        "vote_of_8_by_40_tokens_seconds": vote,
        "cancelling_four_samples_seconds": cancelling,
    }


async def measure(rounds: int) -> dict[str, dict[str, float | list[float]]]:
    model = Local()
    await draw(model, ask("Hello.", max_tokens=1))
    found: dict[str, dict[str, float | list[float]]] = {}
    for name, one in measurements(model).items():
        values = [await one(turn + 1) for turn in range(rounds)]
        found[name] = {"median": statistics.median(values), "least": min(values), "most": max(values), "all": values}
        print(f"{name:36} {statistics.median(values):8.3f}   ({min(values):.3f} to {max(values):.3f})", flush=True)
    model.close()
    return found


def machine() -> dict[str, object]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    return {"processor": name, "cores": len(os.sched_getaffinity(0)), "system": platform.platform(terse=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / f"results/{date.today()}-local-speed.json"
    )
    parser.add_argument("--note", default="", help="what a reader has to know about this run")
    arguments = parser.parse_args()
    weights.ensure("smollm2", cache=weights.default_cache())
    load = os.getloadavg()[0]
    found = asyncio.run(measure(arguments.rounds))
    record = {
        "suite": "local-speed",
        "date": str(date.today()),
        "versions": {name: version(name) for name in ("agentkit", "xllamacpp")} | {"python": platform.python_version()},
        "weights": weights.entry("smollm2").requirement,
        "machine": machine(),
        "load_before": load,
        "load_after": os.getloadavg()[0],
        "options": {
            "slots": Local().slots,
            "context": Local().context,
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY"),
        },
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rounds": arguments.rounds,
        "note": arguments.note,
        "found": found,
    }
    arguments.out.write_text(json.dumps(record, indent=2) + "\n")
    print(
        f"memory {record['memory_mb']:.0f} MB, load {load:.1f} -> {record['load_after']:.1f}; written to {arguments.out}"
    )


if __name__ == "__main__":
    main()
