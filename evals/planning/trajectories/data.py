"""The recorded runs that the judges of trajectories are measured on, as traces with the policy that the agent was given."""

from __future__ import annotations

import gzip
import os
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from agentkit.statistics import LEVEL, Interval
from agentkit.traces import Trace, read
from agentkit.types import JSON
from agentkit.yaml_reader import read as read_yaml

RULES = Path(__file__).parent / "rules"
RESAMPLES = 2_000


def folder() -> Path:
    """The folder of recorded data; ends the program where it is not told."""
    named = os.environ.get("AGENTKIT_DATA", "")
    if not named or not Path(named).is_dir():
        sys.exit("AGENTKIT_DATA must name the folder that holds tau_bench/ and agentrx/")
    return Path(named)


def tau(data: Path, name: str = "gpt-4o-airline") -> list[Trace]:
    """Runs of tau-bench: 4 trials a task, solved or not."""
    policy = (data / "tau_bench" / f"{name.rpartition('-')[2]}_policy.md").read_text()
    found = read(gzip.decompress((data / "tau_bench" / f"{name}.jsonl.gz").read_bytes()))
    return [replace(trace, policy=policy) for trace in found]


def agentrx(data: Path, name: str = "tau_retail_failed_labelled") -> list[Trace]:
    """Failed runs of AgentRx with every failing step labelled, from 0."""
    policy = (data / "agentrx" / "retail_policy.md").read_text()
    return [replace(trace, policy=policy) for trace in read((data / "agentrx" / f"{name}.jsonl").read_bytes())]


def rules(domain: str) -> list[JSON]:
    """The rules written from a domain's policy."""
    path = RULES / f"{domain}.yaml"
    found: list[JSON] = read_yaml(path.read_bytes(), file=str(path)).data["rules"]
    return found


def task_of(trace: Trace) -> str:
    """The task of a run: its trials are no independent draws."""
    return str(trace.metadata["task_id"])


def by_task(traces: list[Trace], statistic, *, seed: int = 0, level: float = LEVEL) -> Interval:  # noqa: ANN001
    """``statistic(indices)`` with its percentile interval from resampling whole tasks; draws where it is None are left out."""
    groups: dict[str, list[int]] = {}
    for place, trace in enumerate(traces):
        groups.setdefault(task_of(trace), []).append(place)
    rng, names = Random(seed), list(groups)
    draws = []
    for _ in range(RESAMPLES):
        drawn = [place for name in rng.choices(names, k=len(names)) for place in groups[name]]
        if (value := statistic(drawn)) is not None:
            draws.append(value)
    draws.sort()
    low, high = (draws[round((len(draws) - 1) * share)] for share in ((1 - level) / 2, (1 + level) / 2))
    return Interval(value=statistic(range(len(traces))), low=low, high=high, n=len(names))
