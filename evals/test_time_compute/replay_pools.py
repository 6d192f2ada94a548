"""Replay recorded pools of sampled answers under every stopping rule, on raw and on canonical answers.

    python evals/test_time_compute/replay_pools.py --data FOLDER [--orders 40] [--save FILE]

FOLDER holds ``answer_pools/*.jsonl.gz``: {"id", "gold", "answers": [...]} a line. For every pool with five samples or more a
question: accuracy with its 95 % interval, mean samples, the share saved, the loss against the vote over all samples, and the
samples of each rule as a ratio to those of Beta .95; at the end the geometric mean of that ratio over the pools.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
from datetime import date
from importlib.metadata import version
from math import exp, log
from pathlib import Path
from statistics import fmean, median
from typing import Any

from agentkit.answers import Kind
from agentkit.strategies import stopping
from agentkit.strategies.pools import Outcome, Pooled, measure, pooled

RULES: dict[str, stopping.Rule] = {
    "full": stopping.Fixed(),
    "certain": stopping.Certain(),
    "regret": stopping.Regret(),
    "beta": stopping.Beta(),
    "dirichlet": stopping.Dirichlet(),
    "esc": stopping.Esc(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds answer_pools/")
    parser.add_argument("--orders", type=int, default=40, help="random orders of each question's samples")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    pools = {}
    for path in sorted((options.data / "answer_pools").glob("*.jsonl.gz")):
        rows = [{"answers": [], **row} for row in load(path)]
        if median(len(row["answers"]) for row in rows) >= 5:
            name = path.name.removesuffix(".jsonl.gz")
            pools[name] = {
                "raw": table(raw(rows), options.orders),
                "canonical": table(read(rows, name), options.orders),
            }
            show(name, pools[name])
    ratios = {rule: geometric([pool["canonical"][rule]["ratio_to_beta"] for pool in pools.values()]) for rule in RULES}
    print("samples as a ratio to Beta .95, geometric mean over the pools (canonical answers):")
    print("  " + ", ".join(f"{rule} {ratio:.3f}" for rule, ratio in ratios.items()))
    if options.save:
        figures = {"orders": options.orders, **versions(), "ratio_to_beta": ratios, "pools": pools}
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def raw(rows: list[dict[str, Any]]) -> list[Pooled]:
    """Answers compared as they were written (numbers by value)."""
    questions = []
    for row in rows:
        classes = {one: place for place, one in reversed(list(enumerate(row["answers"]))) if one is not None}
        labels = tuple(classes.get(one) for one in row["answers"])
        questions.append(Pooled(id=str(row["id"]), labels=labels, right=classes.get(row["gold"])))
    return questions


def read(rows: list[dict[str, Any]], name: str) -> list[Pooled]:
    """Answers extracted from what was written, and compared by canonical key."""
    kind: Kind = "number" if "gsm" in name else "auto"
    texts = [[None if one is None else str(one) for one in row["answers"]] for row in rows]
    return [pooled(str(row["id"]), answers, str(row["gold"]), kind) for row, answers in zip(rows, texts, strict=True)]


def table(questions: list[Pooled], orders: int) -> dict[str, dict[str, Any]]:
    outcomes = {name: measure(questions, rule, name, orders=orders) for name, rule in RULES.items()}
    return {name: figures(one, outcomes["full"], outcomes["beta"]) for name, one in outcomes.items()}


def figures(one: Outcome, full: Outcome, beta: Outcome) -> dict[str, Any]:
    accuracy, loss = one.accuracy(), one.loss(full)
    return {
        "accuracy": round(100 * accuracy.value, 2),
        "accuracy_95": [round(100 * accuracy.low, 2), round(100 * accuracy.high, 2)],
        "loss": round(100 * loss.value, 3),
        "loss_95": [round(100 * loss.low, 3), round(100 * loss.high, 3)],
        "mean_samples": round(fmean(one.drawn), 3),
        "saving": round(one.saving(full), 4),
        "ratio_to_beta": round(fmean(one.drawn) / fmean(beta.drawn), 4),
    }


def show(name: str, pool: dict[str, dict[str, dict[str, Any]]]) -> None:
    for answers, rules in pool.items():
        print(f"{name} ({answers} answers)")
        for rule, row in rules.items():
            low, high = row["accuracy_95"]
            print(
                f"  {rule:<10} {row['accuracy']:6.2f} [{low:5.1f}, {high:5.1f}]  loss {row['loss']:+.3f}  "
                f"samples {row['mean_samples']:6.2f}  saved {100 * row['saving']:3.0f} %  to beta {row['ratio_to_beta']:.3f}"
            )


def geometric(values: list[float]) -> float:
    return round(exp(fmean(map(log, values))), 4)


def versions() -> dict[str, str]:
    return {"date": date.today().isoformat(), "agentkit": version("agentkit"), "python": platform.python_version()}


if __name__ == "__main__":
    main()
