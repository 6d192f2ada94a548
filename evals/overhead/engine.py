"""What the engine costs: CPU milliseconds and bytes a node of graphs of trivial nodes, beside langgraph and other engines.

    python evals/overhead/engine.py --peers VENV/bin/python

In a process the subjects take turns, round by round, so that a busy moment of the machine meets all alike; a ratio is the median
over the rounds. Peers that are not installed here are run by the Python of ``--peers``; what none has is printed as missing.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from subjects import SUBJECTS

from agentkit.statistics import median

HERE = Path(__file__).parent
PLAIN = "langgraph"
RATIO, JOURNAL_RATIO, JOURNAL_MS, BYTES = 1.3, 0.6 / 0.21, 0.6, 0.25
"""Targets: CPU without persistence and with the journal over plain langgraph's on the same graph, the journal's milliseconds a
node, and bytes over the SQLite saver's (sync). The 0.6 ms were set where plain langgraph took 0.21; the ratio holds anywhere."""


def turn(python: str, names: list[str], nodes: int, rounds: int) -> dict[str, dict[str, Any]]:
    """One process of one Python, in which the subjects that it has take turns."""
    command = [python, HERE / "subjects.py", str(nodes), str(rounds), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr}")
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(nodes: int, rounds: int, turns: int, pythons: list[str]) -> dict[str, dict[str, Any]]:
    """The figures of every subject over all turns, each beside plain langgraph in the same process."""
    found: dict[str, dict[str, Any]] = {}
    names = {python: list(SUBJECTS) for python in pythons}
    for _ in range(turns):
        for place, python in enumerate(pythons):
            rows = turn(python, names[python], nodes, rounds)
            names[python] = list(rows)
            for name, row in rows.items():
                reference = rows.get(f"{PLAIN}, forks" if ", forks" in name else PLAIN, {}).get("spent", [])
                if place and found.get(name, {}).get("place", place) != place:
                    continue
                kept = found.setdefault(name, {**row, "place": place, "spent": [], "reference": []})
                kept["spent"] += row["spent"]
                kept["reference"] += reference
    return found


def report(found: dict[str, dict[str, Any]], nodes: int) -> dict[str, Any]:
    """Milliseconds a node with an interval, bytes a run, versions and whether the targets are met."""
    rows: dict[str, dict[str, Any]] = {}
    for name, row in found.items():
        cost = median([spent / nodes * 1000 for spent in row["spent"]], rng=Random(0))
        rows[name] = {
            "ms_a_node": round(cost.value, 4),
            "ms_a_node_95": [round(cost.low, 4), round(cost.high, 4)],
            "bytes_a_run": row["bytes"],
            "version": row["version"],
        }
        if row["reference"]:
            ratios = [ours / plain for ours, plain in zip(row["spent"], row["reference"], strict=True)]
            ratio = median(ratios, rng=Random(0))
            rows[name]["over_langgraph"] = round(ratio.value, 3)
            rows[name]["over_langgraph_95"] = [round(ratio.low, 3), round(ratio.high, 3)]
    return {"subjects": rows, "missing": [name for name in SUBJECTS if name not in rows], "targets": targets(rows)}


def targets(rows: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Whether each target is met, on the chain and on the graph of forks."""
    met: dict[str, bool] = {}
    for graph, mark in (("chain", ""), ("forks", ", forks")):
        plain, kept = rows[f"agentkit{mark}"], rows[f"agentkit{mark}, journal"]
        saver = rows.get(f"{PLAIN}{mark}, SQLite sync")
        met |= {
            f"{graph}: agentkit <= {RATIO} x langgraph": plain["over_langgraph"] <= RATIO,
            f"{graph}: with the journal <= {JOURNAL_RATIO:.2f} x langgraph": kept["over_langgraph"] <= JOURNAL_RATIO,
            f"{graph}: with the journal <= {JOURNAL_MS} ms a node": kept["ms_a_node"] <= JOURNAL_MS,
        }
        if saver:
            met[f"{graph}: bytes <= {BYTES} x langgraph's SQLite saver"] = (
                kept["bytes_a_run"] <= BYTES * saver["bytes_a_run"]
            )
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10, help="runs a process, after one to warm up")
    parser.add_argument("--turns", type=int, default=3, help="processes")
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON", help="another environment's Python")
    parser.add_argument("--out", type=Path, default=HERE.parent / "results" / f"{date.today()}-engine-overhead.json")
    options = parser.parse_args()
    found = measured(options.nodes, options.rounds, options.turns, [sys.executable, *options.peers])
    result = {
        "date": str(date.today()),
        "nodes": options.nodes,
        "runs": options.rounds * options.turns,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        **report(found, options.nodes),
    }
    for name, row in result["subjects"].items():
        print(
            f"{name:30} {row['ms_a_node']:.3f} ms a node  {row.get('over_langgraph', 0):5.2f} x  {row['bytes_a_run']:>9,} bytes"
        )
    for name in result["missing"]:
        print(f"{name:30} missing")
    for target, met in result["targets"].items():
        print(f"{'met' if met else 'MISSED':7} {target}")
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
