"""The failing steps of AgentRx (tau-retail) that the checks find, and whether they name the class, beside chance.

AGENTKIT_DATA=FOLDER python evals/planning/trajectories/steps.py [--record]

Labels count from 0 here. A label of a user's turn, of the system or of an unsupported wish is none of the agent's errors.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from data import agentrx, folder, rules

from agentkit.evaluators.planning.goal_drift import GoalDrift
from agentkit.evaluators.planning.redundancy import Redundancy
from agentkit.evaluators.planning.repeated_state import RepeatedState
from agentkit.evaluators.planning.tool_calls import ToolCalls
from agentkit.statistics import wilson
from agentkit.traces import Trace
from agentkit.types import Score

RESULTS = Path(__file__).parents[2] / "results"
CLASSES = {
    "bad_arguments": "Invalid Invocation",
    "unknown_action": "Invalid Invocation",
    "ungrounded_argument": "Invention of New Information",
    "result_contradicted": "Misinterpretation of Tool Output",
    "constraint_violation": "Instruction Adherence Failure",
    "plan_execution_mismatch": "Instruction Adherence Failure",
    "goal_drift": "Intent Plan Misalignment",
}
NOT_THE_AGENTS = ("System Failure", "Intent Not Supported", "Underspecified User Intent")


def main() -> None:
    """Prints the tables; ``--record`` keeps them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--record", action="store_true", help="write evals/results/DATE-trajectories-steps.json")
    record = options.parse_args().record
    traces = agentrx(folder())
    judges = {
        "tool_calls, no rules": [ToolCalls().judge(one) for one in traces],
        "tool_calls, with rules": [ToolCalls(rules=rules("retail")).judge(one) for one in traces],
        "redundancy": [Redundancy().judge(one) for one in traces],
        "repeated_state": [RepeatedState().judge(one) for one in traces],
        "goal_drift": [GoalDrift().judge(one) for one in traces],
    }
    print(
        f"{len(traces)} failed runs, {sum(len(_labels(one)) for one in traces)} failing steps of the agent labelled\n"
    )
    found = {name: located(name, traces, scores) for name, scores in judges.items()}
    print()
    chosen = judges["tool_calls, with rules"]
    told = {"by evaluator": found, "by code": by_code(traces, chosen), "by class": by_class(traces, chosen)}
    if record:
        now = f"{datetime.now(UTC):%Y-%m-%d}"
        head = {
            "date": now,
            "agentkit": version("agentkit"),
            "python": platform.python_version(),
            "set": "agentrx tau-retail",
        }
        path = RESULTS / f"{now}-trajectories-steps.json"
        path.write_text(json.dumps({**head, **told}, indent=1) + "\n")
        print(f"wrote {path.name}")


def located(name: str, traces: Sequence[Trace], scores: Sequence[Score]) -> dict[str, object]:
    """How many labelled steps are among those found, of the runs how often the first found is labelled, beside chance."""
    hits = named = first = runs = flagged = 0
    chance = 0.0
    for trace, score in zip(traces, scores, strict=True):
        labels, steps = _labels(trace), {one.step for one in score.findings}
        agents = [place for place, step in enumerate(trace.steps) if step.agent == "assistant"]
        hits += len(labels & steps)
        named += len(labels)
        flagged += len(steps)
        chance += len(labels) * len(steps) / max(len(agents), 1)
        if steps and labels:
            runs += 1
            first += min(one for one in steps if one is not None) in labels
    recall = wilson(hits, named)
    precision = wilson(hits, flagged) if flagged else None
    print(f"{name:24} labelled steps found {hits:2}/{named} = {recall} (chance {chance:.1f})", end="")
    print(f"   flagged {flagged}, of which labelled {precision or 'none'}   first of {runs} runs right: {first}")
    return {
        "found": hits,
        "labelled": named,
        "chance": chance,
        "flagged": flagged,
        "first_right": first,
        "first_of": runs,
    }


def by_code(traces: Sequence[Trace], scores: Sequence[Score]) -> dict[str, dict[str, int]]:
    """Findings by code: at a labelled step, and there of the labelled class."""
    counts: dict[str, Counter[str]] = {}
    for trace, score in zip(traces, scores, strict=True):
        classes = _classes(trace)
        for finding in score.findings:
            row = counts.setdefault(f"{finding.code} {finding.kind}", Counter())
            row["findings"] += 1
            row["labelled"] += finding.step in classes
            row["class right"] += CLASSES.get(finding.code) in classes.get(finding.step or 0, ())
    print(f"{'finding (with rules)':46} findings  at a labelled step  of its class")
    for name, row in sorted(counts.items()):
        print(f"{name:46} {row['findings']:8}  {row['labelled']:18}  {row['class right']:12}")
    print()
    return {name: dict(row) for name, row in sorted(counts.items())}


def by_class(traces: Sequence[Trace], scores: Sequence[Score]) -> dict[str, dict[str, int]]:
    """Labelled failures by class: how many have a finding at their step."""
    counts: dict[str, Counter[str]] = {}
    for trace, score in zip(traces, scores, strict=True):
        steps = {one.step for one in score.findings}
        for step, classes in _classes(trace).items():
            for one in classes:
                counts.setdefault(one, Counter()).update(labelled=1, found=int(step in steps))
    print(f"{'labelled class':46} labelled  found at its step")
    for name, row in sorted(counts.items()):
        print(f"{name:46} {row['labelled']:8}  {row['found']:17}")
    return {name: dict(row) for name, row in sorted(counts.items())}


def _classes(trace: Trace) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for one in trace.metadata["failures"]:
        found.setdefault(one["step"], set()).add(one["failure_category"].replace("Instruction/Plan", "Instruction"))
    return found


def _labels(trace: Trace) -> set[int]:
    return {step for step, classes in _classes(trace).items() if not classes <= set(NOT_THE_AGENTS)}


if __name__ == "__main__":
    main()
