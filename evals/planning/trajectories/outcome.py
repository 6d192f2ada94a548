"""Failure of a run, told from its trace alone: tau-bench, cross-validated by task, beside the repeated-call baseline.

AGENTKIT_DATA=FOLDER python evals/planning/trajectories/outcome.py [--record]

No feature knows a word of the domain, and neither the reward, the expected actions nor the hidden instruction is read.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from math import log1p
from pathlib import Path
from random import Random
from time import perf_counter

import numpy as np
from data import by_task, folder, rules, task_of, tau

from agentkit.evaluators.planning.tool_calls import ToolCalls
from agentkit.statistics import Interval, auroc, pass_hat_k
from agentkit.traces import Trace
from agentkit.types import Finding

RESULTS = Path(__file__).parents[2] / "results"
RIDGE = 3.0
FOLDS = 10
REFERENCE = {1: 0.420, 2: 0.273, 3: 0.220, 4: 0.200}
Rows = np.ndarray


def features(trace: Trace, found: Sequence[Finding]) -> tuple[float, float]:
    """Whether anything was found, and the length of the run: with 26 tasks more than two would be fitted to chance."""
    return float(bool(found)), log1p(len(trace.steps))


def main() -> None:
    """Prints the tables; ``--record`` keeps them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--record", action="store_true", help="write evals/results/DATE-trajectories-outcome.json")
    record = options.parse_args().record
    traces = tau(folder())
    failed = np.array([trace.outcome is False for trace in traces])
    print(f"{len(traces)} runs of {len({task_of(one) for one in traces})} tasks, {failed.sum()} failed\n")
    found: dict[str, object] = {"pass^k": reliability(traces)}
    start = perf_counter()
    plain = [ToolCalls().judge(trace).findings for trace in traces]
    told = [ToolCalls(rules=rules("airline")).judge(trace).findings for trace in traces]
    print(f"{1000 * (perf_counter() - start) / 2 / len(traces):.0f} ms a run\n\nby finding (95 % intervals by task):")
    found["by finding"] = by_finding(traces, failed, plain, told)
    found["orders"] = points(traces, failed, told)
    if record:
        keep(found)


def reliability(traces: list[Trace]) -> dict[str, float]:
    """pass^k over tasks, beside the reference's on all fifty tasks."""
    counts: dict[str, list[bool]] = {}
    for trace in traces:
        counts.setdefault(task_of(trace), []).append(trace.outcome is True)
    rows = {}
    for k in (1, 2, 3, 4):
        rows[str(k)] = _mean(pass_hat_k(len(one), sum(one), k) for one in counts.values())
        print(f"pass^{k}  {rows[str(k)]:.3f}   (reference, all 50 tasks: {REFERENCE[k]:.3f})")
    print()
    return rows


def by_finding(
    traces: list[Trace], failed: Rows, plain: Sequence[Sequence[Finding]], told: Sequence[Sequence[Finding]]
) -> dict[str, object]:
    """Each kind of finding as a prediction of failure by itself."""
    flags = {
        "repeated call (baseline)": [_any(one, "repeated_call") for one in plain],
        "refused call": [_any(one, "bad_arguments") for one in plain],
        "ungrounded argument": [_any(one, "ungrounded_argument") for one in plain],
        "contradiction": [_any(one, "result_contradicted") for one in plain],
        "rule broken": [_any(one, "constraint_violation") for one in told],
        "any finding, no rules": [float(bool(one)) for one in plain],
        "any finding, with rules": [float(bool(one)) for one in told],
    }
    return {name: show(name, traces, failed, np.array(flag) > 0) for name, flag in flags.items()}


def show(name: str, traces: list[Trace], failed: Rows, flag: Rows) -> dict[str, object]:
    """Precision and recall of a flag, printed with intervals."""
    kept = {}
    for label, statistic in (("precision", _precision), ("recall", _recall)):
        value = _with_interval(traces, lambda rows, of=statistic: of(failed[list(rows)], flag[list(rows)]))
        kept[label] = value
    print(f"  {name:26} {int(flag.sum()):3} flagged   {_shown(kept['precision'])}   recall {_shown(kept['recall'])}")
    return {"flagged": int(flag.sum()), **{key: value and asdict(value) for key, value in kept.items()}}


def fitted(traces: list[Trace], failed: Rows, table: Rows) -> Rows:
    """The probability of failure of each run, by a ridge logistic regression fitted on the runs of the tasks of other folds."""
    tasks = np.array([task_of(trace) for trace in traces])
    names = sorted(set(tasks))
    Random(0).shuffle(names)
    scores = np.zeros(len(traces))
    for fold in range(FOLDS):
        out = np.isin(tasks, names[fold::FOLDS])
        scores[out] = predict(fit(table[~out], failed[~out]), table[out])
    return scores


def fit(table: Rows, labels: Rows) -> tuple[Rows, Rows, Rows]:
    """Mean, spread and weights (the first is the constant), by Newton's method; the constant is not shrunk."""
    mean, spread = table.mean(0), table.std(0) + 1e-9
    inputs = np.column_stack([np.ones(len(table)), (table - mean) / spread])
    weights, shrink = np.zeros(inputs.shape[1]), RIDGE * np.eye(inputs.shape[1])
    shrink[0, 0] = 0
    for _ in range(30):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (labels - chance) - shrink @ weights
        weights = weights + np.linalg.solve((inputs.T * (chance * (1 - chance))) @ inputs + shrink, slope)
    return mean, spread, weights


def predict(model: tuple[Rows, Rows, Rows], table: Rows) -> Rows:
    """The probability of failure."""
    mean, spread, weights = model
    return 1 / (1 + np.exp(-(weights[0] + (table - mean) / spread @ weights[1:])))


def points(traces: list[Trace], failed: Rows, told: Sequence[Sequence[Finding]]) -> dict[str, object]:
    """AUROC of the orders, and precision and recall at chosen thresholds of the fitted one."""
    table = np.array([features(trace, one) for trace, one in zip(traces, told, strict=True)])
    scores = fitted(traces, failed, table)
    orders = {
        "flagged first, then longer": 100 * table[:, 0] + table[:, 1],
        "fitted on other tasks": scores,
        "longer first": table[:, 1],
        "flagged first": table[:, 0],
    }
    kept: dict[str, object] = {}
    print("\norders (the first is not fitted to anything):")
    for name, values in orders.items():
        interval = _with_interval(traces, lambda rows, of=values: _auroc(failed[list(rows)], of[list(rows)]))
        print(f"  {name:26} AUROC {_shown(interval)}")
        kept[f"AUROC {name}"] = interval and asdict(interval)
    print("\nfitted on other tasks:")
    for threshold in (0.5, 0.6, 0.7, 0.8):
        kept[f"p >= {threshold}"] = show(f"p >= {threshold}", traces, failed, scores >= threshold)
    print(f"  ({failed.mean():.3f} of the runs failed: the precision of flagging at random)")
    return kept


def keep(found: dict[str, object]) -> None:
    """The figures with date and versions."""
    now = f"{datetime.now(UTC):%Y-%m-%d}"
    told = {"date": now, "agentkit": version("agentkit"), "python": platform.python_version(), "set": "gpt-4o-airline"}
    path = RESULTS / f"{now}-trajectories-outcome.json"
    path.write_text(json.dumps({**told, **found}, indent=1) + "\n")
    print(f"wrote {path.name}")


def _with_interval(traces: list[Trace], statistic: Callable[[Iterable[int]], float | None]) -> Interval | None:
    return None if statistic(range(len(traces))) is None else by_task(traces, statistic)


def _auroc(labels: Rows, scores: Rows) -> float | None:
    return auroc([bool(one) for one in labels], list(scores)) if 0 < labels.sum() < len(labels) else None


def _precision(labels: Rows, flag: Rows) -> float | None:
    return float(labels[flag].mean()) if flag.any() else None


def _recall(labels: Rows, flag: Rows) -> float | None:
    return float(flag[labels].mean()) if labels.any() else None


def _any(found: Iterable[Finding], code: str) -> float:
    return float(any(one.code == code for one in found))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def _shown(interval: Interval | None) -> str:
    return "none" if interval is None else f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    main()
