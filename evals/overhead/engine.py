"""What the engine costs: CPU milliseconds and bytes a node of a chain of trivial nodes, beside langgraph and other engines.

    python evals/overhead/engine.py --peers VENV/bin/python

Every turn of a subject is a process of its own, and the subjects take turns, so that a busy moment of the machine meets all of
them alike. Peers that are not installed here are run by the Python of ``--peers``; what neither has is printed as missing.
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
RATIO, JOURNAL_RATIO, BYTES = 1.3, 0.6 / 0.21, 0.25
"""Targets: CPU without persistence and with the journal over plain langgraph's, and bytes over its SQLite saver's (sync).

The journal's 0.6 ms a node were set where plain langgraph took 0.21 ms; as a ratio they hold on any machine.
"""


def turn(name: str, nodes: int, rounds: int, pythons: list[str]) -> dict[str, Any] | None:
    """One process of one subject; None when no Python has what it needs."""
    for python in pythons:
        done = subprocess.run(
            [python, HERE / "subjects.py", name, str(nodes), str(rounds)], capture_output=True, text=True, timeout=300
        )
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return found
        if "ModuleNotFoundError" not in done.stderr and "PackageNotFoundError" not in done.stderr:
            raise SystemExit(f"{name}: {done.stderr}")
    return None


def measured(nodes: int, rounds: int, turns: int, pythons: list[str]) -> dict[str, dict[str, Any]]:
    """The figures of every subject, over all of its turns."""
    found: dict[str, dict[str, Any]] = {}
    for _ in range(turns):
        for name in SUBJECTS:
            if one := turn(name, nodes, rounds, pythons):
                row = found.setdefault(name, {**one, "spent": []})
                row["spent"] += one["spent"]
    return found


def report(found: dict[str, dict[str, Any]], nodes: int) -> dict[str, Any]:
    """Milliseconds a node with an interval, bytes a run, versions and whether the targets are met."""
    rows = {}
    for name, row in found.items():
        cost = median([spent / nodes * 1000 for spent in row["spent"]], rng=Random(0))
        rows[name] = {
            "ms_a_node": round(cost.value, 4),
            "ms_a_node_95": [round(cost.low, 4), round(cost.high, 4)],
            "bytes_a_run": row["bytes"],
            "version": f"{row['package']} {row['version']}",
        }
    plain, saver = rows.get("langgraph"), rows.get("langgraph, SQLite sync")
    if plain:
        for row in rows.values():
            row["over_langgraph"] = round(row["ms_a_node"] / plain["ms_a_node"], 2)
    targets: dict[str, bool] = {}
    if plain:
        targets[f"agentkit <= {RATIO} x langgraph"] = rows["agentkit"]["over_langgraph"] <= RATIO
        targets[f"with the journal <= {JOURNAL_RATIO:.2f} x langgraph"] = (
            rows["agentkit, journal"]["over_langgraph"] <= JOURNAL_RATIO
        )
    if saver:
        targets["bytes <= a quarter of langgraph's SQLite saver"] = (
            rows["agentkit, journal"]["bytes_a_run"] <= BYTES * saver["bytes_a_run"]
        )
    return {"subjects": rows, "missing": [name for name in SUBJECTS if name not in rows], "targets": targets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10, help="runs a process, after one to warm up")
    parser.add_argument("--turns", type=int, default=3, help="processes a subject")
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
            f"{name:26} {row['ms_a_node']:.3f} ms a node  {row.get('over_langgraph', 0):5.2f} x  {row['bytes_a_run']:>9,} bytes"
        )
    for name in result["missing"]:
        print(f"{name:26} missing")
    for target, met in result["targets"].items():
        print(f"{'met' if met else 'MISSED':7} {target}")
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
