"""How far the recorded models of PlanBench get before their first impossible step, and how the hazard changes with the step.

python evals/planning/horizon.py --data FOLDER [--output FILE] [--resamples N] [--svg FILE]

A run fails at the first step that cannot be taken; one whose every step can is censored at its end, whether or not it reaches the
goal. Tables for blocksworld (zero shot), where the reference has figures on all instances, and for the mystery names.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from planbench import DOMAINS, PlanBench

from agentkit import pddl
from agentkit.evaluation.curves import survival_svg
from agentkit.evaluation.horizon import Horizon, as_json, measure, table
from agentkit.statistics import Interval, Lifetime, pass_hat_k_interval, propagation

REFERENCE = {
    "o1-preview_chat": (0.003, 247.0),
    "claude-3-opus": (0.036, 18.8),
    "llama-3.1-405b_aws": (0.046, 14.6),
    "claude-3.5-sonnet_aws": (0.053, 12.8),
    "gpt-4-turbo_chat": (0.067, 9.9),
    "o1-mini_chat": (0.074, 9.1),
    "llama3-70b-8192_groq": (0.081, 8.2),
    "gpt-4o_chat": (0.123, 5.3),
    "gemini-1.5-pro": (0.149, 4.3),
}
"""Hazard a step and the step of 50 % survival at a constant hazard: blocksworld zero shot, all 600 instances."""
SETS = {
    "blocksworld_zero_shot": (("blocksworld", "blocksworld_3"), "task_1_plan_generation_zero_shot"),
    "mystery_zero_shot": (("mystery_blocksworld", "mystery_blocksworld_3"), "task_1_plan_generation_zero_shot"),
    "blocksworld_one_shot": (("blocksworld", "blocksworld_3"), "task_1_plan_generation"),
    "all": (tuple(sorted(DOMAINS)), ""),
}


def main() -> None:
    options = _arguments()
    bench = PlanBench.read(options.data)
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "agentkit": version("agentkit")},
        "resamples": options.resamples,
        "sets": {},
    }
    for name, (domains, style) in SETS.items():
        runs, spread = _runs(bench, domains, style)
        horizons = [
            measure(model, found, resamples=options.resamples) for model, found in sorted(runs.items()) if found
        ]
        print(f"{name}\n{table(horizons)}\n")
        report["sets"][name] = {"models": [as_json(one) for one in horizons], "propagation": _propagation(spread)}
        if name == "blocksworld_zero_shot":
            report["reference"] = _beside(horizons)
            if options.svg:
                options.svg.write_text(survival_svg(horizons), encoding="utf-8")
    report["reliability"] = _reliability(bench)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _runs(
    bench: PlanBench, domains: Sequence[str], style: str
) -> tuple[dict[str, list[Lifetime]], list[tuple[int, int, str]]]:
    """Lifetimes by model; for each run with later errors how many there are, how many follow from an earlier one, its task."""
    runs: dict[str, list[Lifetime]] = defaultdict(list)
    spread = []
    for row in bench.rows("plan_generation"):
        wanted = row["domain"] in domains and (not style or row["style"] == style)
        task = bench.task(row["domain"], row["instance_id"]) if wanted else None
        if task is None:
            continue
        verdict = pddl.explain(task, row["extracted_plan"], max_faults=1000)
        name = f"{row['domain']}/{row['instance_id']}"
        broken = [fault for fault in verdict.faults if fault.step is not None]
        if verdict.steps:
            runs[row["model"]].append(Lifetime(verdict.executed + bool(broken), bool(broken), name))
        if len(broken) > 1:
            spread.append((sum(one.consequence_of is not None for one in broken[1:]), len(broken) - 1, name))
    return runs, spread


def _propagation(spread: Sequence[tuple[int, int, str]]) -> dict[str, Any]:
    caused, later, tasks = zip(*spread, strict=True)
    found = propagation(caused, later, rng=Random(0), tasks=tasks, resamples=200)
    print(f"errors after the first that follow from an earlier one: {found} (tasks: {found.n:,})\n")
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4), "tasks": found.n}


def _beside(horizons: Sequence[Horizon]) -> list[dict[str, Any]]:
    """Our figures on these instances beside the reference's on all; ``within``: the reference lies in our interval."""
    rows = []
    for one in horizons:
        if one.name in REFERENCE:
            rate, half = REFERENCE[one.name]
            within = one.rate.low <= rate + 0.0005 and rate - 0.0005 <= one.rate.high
            rows.append(
                {"model": one.name, "rate": round(one.rate.value, 4), "reference": rate, "h50": half, "within": within}
            )
    print(
        f"hazard a step within our interval of the reference's: {sum(row['within'] for row in rows)} of {len(rows)}\n"
    )
    return rows


def _reliability(bench: PlanBench) -> dict[str, Any]:
    """pass^2 of the models with two blocksworld styles on one task: zero shot and one shot as two tries."""
    tries: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    styles = (SETS["blocksworld_zero_shot"][1], SETS["blocksworld_one_shot"][1])
    for row in bench.rows("plan_generation", "blocksworld*"):
        task = bench.task(row["domain"], row["instance_id"])
        if task is not None and row["style"] in styles:
            name = f"{row['domain']}/{row['instance_id']}"
            tries[row["model"]][name].append(pddl.check(task, row["extracted_plan"]).valid)
    found: dict[str, Interval] = {
        model: pass_hat_k_interval(dict(tasks), 2, rng=Random(0), resamples=200)
        for model, tasks in sorted(tries.items())
        if any(len(one) >= 2 for one in tasks.values())
    }
    print("pass^2 over zero shot and one shot: " + "; ".join(f"{model} {one}" for model, one in found.items()))
    return {
        model: {"value": round(one.value, 4), "low": round(one.low, 4), "high": round(one.high, 4)}
        for model, one in found.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder planbench, with domains/, instances/, ...")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--svg", type=Path, help="where the survival curves of blocksworld go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
