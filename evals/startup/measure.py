"""How long `import agentkit` and `agentkit --help` take, beside other packages, in one run.

    python evals/startup/measure.py --peers VENV1/bin/python --peers VENV2/bin/python

Each run is a process of its own; the subjects take turns, so that a busy moment of the machine meets all of them alike.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random

from agentkit.statistics import Interval, median

HEAVY = (
    "langgraph",
    "langchain_core",
    "litellm",
    "chromadb",
    "torch",
    "pydantic",
    "yaml",
    "rich",
    "openai",
    "numpy",
    "asyncio",
)
IMPORTS = {
    "agentkit": "agentkit",
    "its_hub": "its_hub",
    "haystack": "haystack-ai",
    "langgraph.graph": "langgraph",
    "litellm": "litellm",
}
COMMANDS = {"agentkit": "agentkit", "crewai": "crewai", "llm": "llm", "inspect": "inspect-ai"}
TARGETS = {"import agentkit": 0.15, "agentkit --help": 0.25}

IMPORT = """
import sys, time
started, spent = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - started, time.process_time() - spent, *[name for name in {heavy} if name in sys.modules])
"""
# litellm would otherwise fetch a price list over the network while it is imported
ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


@dataclass(frozen=True)
class Subject:
    """Something to start: ``import module`` in ``python``, or the console script ``command`` beside it."""

    label: str
    distribution: str
    version: str
    python: str
    module: str = ""
    command: str = ""

    def run(self) -> tuple[float, float, list[str]]:
        """Seconds and CPU seconds of one start, and the heavy modules that an import loaded."""
        if self.module:
            code = IMPORT.format(module=self.module, heavy=HEAVY)
            printed = subprocess.run(
                [self.python, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
            )
            wall, cpu, *heavy = printed.stdout.splitlines()[-1].split()
            return float(wall), float(cpu), heavy
        started, spent = time.perf_counter(), children()
        subprocess.run([self.command, "--help"], capture_output=True, check=True, env=ENVIRONMENT)
        return time.perf_counter() - started, children() - spent, []


@dataclass(frozen=True)
class Result:
    """Median seconds of the wall clock and of the CPU, and the heavy modules loaded."""

    wall: Interval
    cpu: Interval
    heavy: list[str]


def children() -> float:
    """CPU seconds of the finished child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def installed(distribution: str, pythons: list[str]) -> tuple[str, str] | None:
    """The first interpreter that has the distribution, and its version there."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    for python in pythons:
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return python, found.stdout.strip()
    return None


def subjects(pythons: list[str]) -> tuple[list[Subject], list[str]]:
    """What can be measured here, and the labels of what is missing."""
    found, missing = [], []
    for module, distribution in IMPORTS.items():
        if place := installed(distribution, pythons):
            found.append(Subject(f"import {module}", distribution, place[1], place[0], module=module))
        else:
            missing.append(f"import {module}")
    for command, distribution in COMMANDS.items():
        place = installed(distribution, pythons)
        script = Path(place[0]).parent / command if place else None
        if place and script and script.exists():
            found.append(Subject(f"{command} --help", distribution, place[1], place[0], command=str(script)))
        else:
            missing.append(f"{command} --help")
    return found, missing


def measure(found: list[Subject], runs: int) -> dict[str, Result]:
    """The result of each subject; one run to warm up comes before those that count."""
    taken: dict[str, list[tuple[float, float, list[str]]]] = {subject.label: [] for subject in found}
    for turn in range(runs + 1):
        for subject in found:
            taken[subject.label].append(subject.run())
        print(f"round {turn} of {runs}", file=sys.stderr)
    return {label: result(rounds[1:]) for label, rounds in taken.items()}


def result(rounds: list[tuple[float, float, list[str]]]) -> Result:
    """The medians of some runs."""
    walls, cpus, heavy = zip(*rounds, strict=True)
    return Result(median(walls, rng=Random(0)), median(cpus, rng=Random(0)), heavy[0])


def show(found: list[Subject], missing: list[str], results: dict[str, Result]) -> None:
    """Print the table."""
    print(f"{'':22} {'version':10} {'seconds':>8}  {'95 % interval':14}  {'CPU s':>6}  heavy modules loaded")
    for subject in found:
        one = results[subject.label]
        bounds = f"{one.wall.low:.3f} to {one.wall.high:.3f}"
        line = f"{subject.label:22} {subject.version:10} {one.wall.value:8.3f}  {bounds}  {one.cpu.value:6.3f}"
        print(f"{line}  {' '.join(one.heavy)}{verdict(subject.label, one)}")
    for label in missing:
        print(f"{label:22} missing")


def verdict(label: str, one: Result) -> str:
    """Whether the target was met, where there is one."""
    if label not in TARGETS:
        return ""
    return f"target {TARGETS[label]} s: {'met' if one.wall.value <= TARGETS[label] else 'missed'}"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peers", action="append", default=[], metavar="PYTHON", help="an interpreter with peers installed"
    )
    parser.add_argument("--runs", type=int, default=9, help="counted runs of each (at least 7)")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "results" / f"{date.today()}-startup.json"
    )
    options = parser.parse_args()
    found, missing = subjects([sys.executable, *options.peers])
    results = measure(found, max(7, options.runs))
    show(found, missing, results)
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        print(f"the machine was busy (load {load:.1f} on {cores} cores): compare the rows, not the seconds")
    report = {
        "date": str(date.today()),
        "python": platform.python_version(),
        "cores": cores,
        "load": load,
        "missing": missing,
        "seconds": {
            one.label: {
                "distribution": one.distribution,
                "version": one.version,
                **asdict(results[one.label]),
                "target": TARGETS.get(one.label),
            }
            for one in found
        },
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
