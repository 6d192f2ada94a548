"""Replay recorded pools of sampled answers under every stopping rule, on raw and on canonical answers.

    python evals/test_time_compute/replay_pools.py --data FOLDER [--orders 40] [--save FILE]

FOLDER holds ``answer_pools/*.jsonl.gz``: {"id", "gold", "answers": [...]} a line. For every pool with five samples or more a
question: accuracy with its 95 % interval, mean samples, the share saved, the loss against the vote over all samples, and the
samples of each rule as a ratio to those of Beta .95; at the end the geometric mean of that ratio over the pools, and the
same for samples of two prompts that take turns, wherever two pools are of one model and one task.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import re
from datetime import date
from importlib.metadata import version
from itertools import combinations
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
    "paired": stopping.Paired(),
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
    pairs = {
        " + ".join(pair): turns(options.data, pair, options.orders) for pair in combinations(pools, 2) if kin(*pair)
    }
    if options.save:
        figures = {"orders": options.orders, **versions(), "ratio_to_beta": ratios, "pools": pools, "pairs": pairs}
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


def kin(one: str, other: str) -> bool:
    """Whether two pools are of one model and one task, so that only prompt and temperature differ."""
    first, second = (re.match(r".*_(?:date|gsm)_", name) for name in (one, other))
    return first is not None and second is not None and first[0] == second[0]


def turns(data: Path, pair: tuple[str, str], orders: int) -> dict[str, dict[str, Any]]:
    """The rules on samples of two prompts in turns, as many as the smaller pool has, beside each prompt alone."""
    by_id = [{str(row["id"]): row for row in load(data / "answer_pools" / f"{name}.jsonl.gz")} for name in pair]
    least = min(max(len(row.get("answers", [])) for row in rows.values()) for rows in by_id)
    first, second = [
        {
            name: [None if one is None else str(one) for one in row.get("answers", [])[:least]]
            for name, row in rows.items()
        }
        for rows in by_id
    ]
    kind: Kind = "number" if "gsm" in pair[0] else "auto"
    gold = {name: str(row["gold"]) for name, row in by_id[0].items()}
    asked = [name for name in first if name in second]
    mixed = [
        pooled(name, first[name] + second[name], gold[name], kind, parts=(len(first[name]), len(second[name])))
        for name in asked
    ]
    found = table(mixed, orders)
    for name, one in zip(pair, (first, second), strict=True):
        alone = table([pooled(place, one[place], gold[place], kind) for place in asked], orders)
        found |= {f"{rule}, {name} alone": alone[rule] for rule in ("full", "regret", "beta")}
    show(" and ".join(pair), {"canonical": found})
    return found


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
        width = max(map(len, rules))
        for rule, row in rules.items():
            low, high = row["accuracy_95"]
            print(
                f"  {rule:<{width}} {row['accuracy']:6.2f} [{low:5.1f}, {high:5.1f}]  loss {row['loss']:+.3f}  "
                f"samples {row['mean_samples']:6.2f}  saved {100 * row['saving']:3.0f} %  to beta {row['ratio_to_beta']:.3f}"
            )


def geometric(values: list[float]) -> float:
    return round(exp(fmean(map(log, values))), 4)


def versions() -> dict[str, str]:
    return {"date": date.today().isoformat(), "agentkit": version("agentkit"), "python": platform.python_version()}


if __name__ == "__main__":
    main()
