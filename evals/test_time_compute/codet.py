"""CodeT on recorded CodeGen-16B samples: pass@1 when generated tests, run in the sandbox, choose the program.

    python evals/test_time_compute/codet.py --data FOLDER --marks FILE [--tasks N] [--minutes M] [--save FILE]

FOLDER holds ``codet_humaneval/`` (microsoft/CodeT, MIT): HumanEval problems, 100 programs and 100 replies with tests each. Of
every reply the first five tests count, as in the paper (arXiv 2207.10397). FILE keeps what each finished task came to, a JSON
line a task, so that an interrupted run goes on where it stopped; after M minutes no further task is begun. Tasks come in a
seeded order, so those done by then are a random sample.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import platform
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from agentkit.statistics import mean, paired_difference
from agentkit.strategies.generated_tests import asserts, groups, run
from agentkit.tools.python_sandbox import PythonSandbox

TESTS_A_REPLY = 5
PAPER = {"pass@1": 29.7, "codet": 36.7}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds codet_humaneval/")
    parser.add_argument("--marks", type=Path, required=True, help="where finished tasks are kept")
    parser.add_argument("--tasks", type=int, help="how many, in a seeded order; all by default")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no task after so long")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    tasks = list(load(options.data / "codet_humaneval"))
    chosen = Random(0).sample(tasks, len(tasks))[: options.tasks]
    done = {row["id"]: row for row in lines(options.marks)} if options.marks.exists() else {}
    asyncio.run(work([one for one in chosen if one["id"] not in done], options.marks, options.minutes))
    rows = {row["id"]: row for row in lines(options.marks)}
    figures = summary([rows[one["id"]] for one in chosen if one["id"] in rows], len(tasks))
    print(json.dumps(figures, indent=1))
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as rows:
        yield from map(json.loads, rows)


def load(folder: Path) -> Iterator[dict[str, Any]]:
    programs = {row["task_id"]: row["samples"] for row in lines(folder / "codegen16b_solutions_n100.jsonl.gz")}
    replies = {row["task_id"]: row["samples"] for row in lines(folder / "codegen16b_tests_n100.jsonl.gz")}
    for row in lines(folder / "problems.jsonl.gz"):
        entry = row["entry_point"]
        found = [asserts("assert " + one.lstrip(), most=TESTS_A_REPLY, calls=entry) for one in replies[row["task_id"]]]
        yield {
            "id": row["task_id"],
            "candidates": [row["prompt"] + one for one in programs[row["task_id"]]],
            "tests": list(dict.fromkeys(test for tests in found for test in tests)),
            "gold": f"{row['test']}\ncheck({entry})\n",
        }


async def work(tasks: list[dict[str, Any]], marks: Path, minutes: float) -> None:
    """Two tasks at a time; each is written down as soon as it is done."""
    waiting = iter(tasks)
    end = time.monotonic() + 60 * minutes
    with marks.open("a", encoding="utf-8") as out:

        async def worker() -> None:
            for task in waiting:
                if time.monotonic() > end:
                    return
                row = await judged(task)
                out.write(json.dumps(row) + "\n")
                out.flush()

        await asyncio.gather(worker(), worker())


async def judged(task: dict[str, Any]) -> dict[str, Any]:
    """Group by the generated tests; the gold test is run afterwards and chooses nothing."""
    started = time.monotonic()
    sandbox = PythonSandbox(enabled=True, seconds=20, megabytes=1024)
    best = groups(await run(sandbox, task["candidates"], task["tests"]))[0]
    right = [all(marks) for marks in await run(sandbox, task["candidates"], [task["gold"]], seconds=2.0)]
    return {
        "id": task["id"],
        "tests": len(task["tests"]),
        "one": fmean(right),
        "codet": fmean(right[place] for place in best.members),
        "first": float(right[best.members[0]]),
        "any": float(any(right)),
        "seconds": round(time.monotonic() - started, 1),
    }


def summary(rows: list[dict[str, Any]], total: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"date": date.today().isoformat(), "agentkit": version("agentkit")}
    figures |= {"python": platform.python_version(), "tasks": len(rows), "of": total, "paper": PAPER}
    for name in ("one", "codet", "any"):
        found = mean([row[name] for row in rows], rng=Random(0), resamples=2000)
        figures[name] = percent(found)
    gain = paired_difference(
        [row["one"] for row in rows], [row["codet"] for row in rows], rng=Random(0), resamples=2000
    )
    return figures | {"gain": percent(gain), "seconds": round(sum(row["seconds"] for row in rows), 1)}


def percent(found: Any) -> dict[str, float]:
    return {name: round(100 * getattr(found, name), 2) for name in ("value", "low", "high")}


if __name__ == "__main__":
    main()
