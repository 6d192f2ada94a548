"""How often goal_drift sees an agent that took up another matter: runs whose second half is another run's, beside whole ones.

AGENTKIT_DATA=FOLDER python evals/planning/trajectories/drift.py [--record]

From the middle on, the agent's steps are those of a run on another task of the same set, which is the hardest to tell.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

from data import agentrx, folder, tau

from agentkit.evaluators.planning.goal_drift import GoalDrift
from agentkit.statistics import auroc_interval, wilson
from agentkit.traces import Trace, read

RESULTS = Path(__file__).parents[2] / "results"


def main() -> None:
    """Prints the table; ``--record`` keeps it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--record", action="store_true", help="write evals/results/DATE-trajectories-drift.json")
    record = options.parse_args().record
    data = folder()
    logs = {"who&when": list(read((data / "who_and_when" / "algorithm-generated.jsonl").read_bytes()))}
    sets = {**logs, "tau airline": tau(data), "tau retail": agentrx(data)}
    found = {name: measure(name, traces) for name, traces in sets.items()}
    if record:
        now = f"{datetime.now(UTC):%Y-%m-%d}"
        told = {"date": now, "agentkit": version("agentkit"), "python": platform.python_version(), "sets": found}
        path = RESULTS / f"{now}-trajectories-drift.json"
        path.write_text(json.dumps(told, indent=1) + "\n")
        print(f"wrote {path.name}")


def measure(name: str, traces: Sequence[Trace]) -> dict[str, object]:
    """Detection of spliced runs, false alarms on whole ones, and the AUROC of the mean bearing."""
    judge, rng = GoalDrift(), Random(0)
    whole = [judge.judge(trace) for trace in traces]
    pairs = [spliced(trace, rng.choice([one for one in traces if one.task != trace.task])) for trace in traces]
    mixed = [judge.judge(trace) for trace, _ in pairs]
    labels = [False] * len(whole) + [True] * len(mixed)
    scores = [1 - (one.value or 0.0) for one in (*whole, *mixed)]
    area = auroc_interval(labels, scores, rng=Random(0))
    seen = [
        any((one.step or 0) >= place for one in score.findings) for score, (_, place) in zip(mixed, pairs, strict=True)
    ]
    hits, alarms = wilson(sum(seen), len(seen)), wilson(sum(bool(one.findings) for one in whole), len(whole))
    print(f"{name:12} {len(traces):4} runs   AUROC {area}   seen {hits}   false alarms {alarms}")
    return {"runs": len(traces), "AUROC": asdict(area), "seen": asdict(hits), "false alarms": asdict(alarms)}


def spliced(trace: Trace, other: Trace) -> tuple[Trace, int]:
    """The run with the second half of another, and the place where that begins; what users say stays out of the other half."""
    place = len(trace.steps) // 2
    rest = [step for step in other.steps[len(other.steps) // 2 :] if step.agent not in ("user", "system")]
    steps = (*trace.steps[:place], *(replace(step, metadata={}) for step in rest))
    return replace(trace, steps=steps), place


if __name__ == "__main__":
    main()
