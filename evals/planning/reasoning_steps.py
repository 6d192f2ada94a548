"""How often ``reasoning_steps`` names the first wrong step, on recorded chains and on the same chains in other words.

python evals/planning/reasoning_steps.py --data FOLDER [--output FILE] [--seeds N] [--half A|B]

``FOLDER`` holds ``bigbench_mistake/`` (Apache-2.0) and ``openai_gsm8k/`` (MIT). Exact: the same step as the label, or none
where the label says none. F1 is that of ProcessBench: the harmonic mean of the accuracies on wrong and on right chains. An
unparsed chain counts as missed. The checkers were made looking at half A of the rows (by a hash of the id); half B was
looked at rarely.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from rewrite import rewrite
from rewrite_second import rewrite_second
from rewrite_third import rewrite_third
from surface import resurface

from agentkit.evaluators.planning.reasoning.chain import Chain, Reading
from agentkit.evaluators.planning.reasoning_steps import VERSION, ReasoningSteps
from agentkit.statistics import Interval, quantile, wilson

TASKS = ("dyck_languages", "logical_deduction", "multistep_arithmetic", "tracking_shuffled_objects", "word_sorting")
GPT_4 = 52.87  # overall, direct, step by step: Tyen et al. 2023, arXiv 2311.08516
Rewriter = Callable[[str, Sequence[str], Random], list[str]]
_REWRITERS: dict[str, Rewriter] = {
    "rewritten": rewrite, "rewritten_second": rewrite_second, "rewritten_third": rewrite_third, "resurfaced": resurface,
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A row, what was found in it, and the milliseconds it took."""

    row: dict[str, Any]
    reading: Reading
    milliseconds: float

    @property
    def exact(self) -> bool:
        return not self.reading.obstacle and self.reading.first_error == self.row["mistake_index"]

    @property
    def near(self) -> bool:
        found, label = self.reading.first_error, self.row["mistake_index"]
        return self.exact or (found is not None and label is not None and abs(found - label) <= 1)


def main() -> None:
    options = _arguments()
    rows = [row for task in TASKS for row in _rows(options.data, task) if options.half in ("", half(row["id"]))]
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "evaluator": f"reasoning_steps {VERSION}",
        "versions": {"python": platform.python_version(), "agentkit": version("agentkit")},
        "anchor": {"GPT-4, exact, overall": GPT_4, "source": "arXiv 2311.08516"},
        "half": options.half or "both",
    }
    original = [judge(row, row["steps"], named=True) for row in rows]
    report["original"] = table("as recorded", original)
    report["unnamed"] = table("as recorded, task not named", [judge(row, row["steps"], named=False) for row in rows])
    for name, rewriter in _REWRITERS.items():
        report[name] = table(f"{name}, {options.seeds} seeds", reworded(rows, rewriter, options.seeds))
    report["halves"] = {name: _accuracy([one for one in original if half(one.row["id"]) == name]) for name in "AB"}
    report["baselines"] = baselines(rows)
    report["milliseconds"] = timing(original)
    report["gsm8k"] = gsm8k(options.data)
    report["labels"] = labels(original)
    _tell(report)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def half(name: str) -> str:
    """A or B, by a hash of the row's id."""
    return "AB"[hashlib.sha256(name.encode()).digest()[0] % 2]


def judge(row: dict[str, Any], steps: Sequence[str], *, named: bool = True) -> Judged:
    chain = Chain(task=row["task"] if named else "", question=row["input"], steps=tuple(steps))
    began = time.process_time()
    reading = ReasoningSteps().check(chain)
    return Judged(row, reading, (time.process_time() - began) * 1000)


def reworded(rows: Sequence[dict[str, Any]], rewriter: Rewriter, seeds: int) -> list[Judged]:
    """Every row in the words of every seed."""
    return [
        judge(row, rewriter(row["task"], row["steps"], Random(f"{row['id']}/{seed}")))
        for row in rows
        for seed in range(seeds)
    ]


def table(title: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures of each task and of all, printed and returned."""
    print(f"\n{title}\n{'task':28}{'chains':>7}  {'exact':24}{'within 1':>9}{'F1':>7}{'unparsed':>10}")
    found = {task: _figures([one for one in judged if one.row["task"] == task]) for task in TASKS}
    found["all"] = _figures(judged)
    for name, one in found.items():
        print(
            f"{name:28}{one['chains']:7}  {_shown(one['exact']):24}{one['within_1']:9.3f}{one['f1']:7.3f}{one['unparsed']:10.3f}"
        )
    return found


def baselines(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Exact on the same rows: one step at random, always the step at the median relative position, always none."""
    positions = [row["mistake_index"] / len(row["steps"]) for row in rows if row["mistake_index"] is not None]
    middle = median(positions)
    at_median = [int(middle * len(row["steps"])) == row["mistake_index"] for row in rows]
    random = [1 / len(row["steps"]) if row["mistake_index"] is not None else 0.0 for row in rows]
    none = [row["mistake_index"] is None for row in rows]
    return {name: sum(values) / len(rows) for name, values in
            (("random_step", random), ("median_position", at_median), ("always_none", none))}  # fmt: skip


def timing(judged: Sequence[Judged]) -> dict[str, float]:
    ordered = sorted(one.milliseconds for one in judged)
    return {
        "median": round(quantile(ordered, 0.5), 2),
        "p99": round(quantile(ordered, 0.99), 2),
        "worst": round(ordered[-1], 2),
    }


def gsm8k(folder: Path) -> dict[str, Any]:
    """Recorded solutions and the gold ones: how many with a right final answer are flagged, how many wrong ones are."""
    counts: Counter[tuple[str, bool]] = Counter()
    flagged: list[dict[str, Any]] = []
    with gzip.open(folder / "openai_gsm8k" / "example_model_solutions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            solutions = [
                (str(value["is_correct"]), value["solution"]) for value in row.values() if isinstance(value, dict)
            ]
            for kind, text in [*solutions, ("gold", row["ground_truth"])]:
                steps = tuple(line for line in text.splitlines() if line.strip())
                reading = ReasoningSteps().check(Chain(question=row["question"], steps=steps))
                counts[kind, reading.first_error is not None] += 1
                if reading.first_error is not None and kind != "False":
                    flagged.append({"kind": kind, "evidence": reading.flaws[0].evidence})
    names = {"True": "right_answer_flagged", "gold": "gold_flagged", "False": "wrong_answer_flagged"}
    rates = {
        name: _interval(wilson(counts[kind, True], counts[kind, True] + counts[kind, False]))
        for kind, name in names.items()
    }
    return {**rates, "flagged_though_right": flagged}


def labels(judged: Sequence[Judged]) -> dict[str, list[dict[str, Any]]]:
    """Disagreements by what can be said of the label.

    ``proved_late``: it says "no mistake", or names a step behind one that states a falsehood (the evidence is the proof).
    ``replays_right``: the step it names was replayed and states nothing false, in a family where replay decides.
    ``not_proved``: the rest.
    """
    found: dict[str, list[dict[str, Any]]] = {"proved_late": [], "replays_right": [], "not_proved": []}
    for one in judged:
        label, ours = one.row["mistake_index"], one.reading.first_error
        if one.exact:
            continue
        proof = next((flaw.evidence for flaw in one.reading.flaws if flaw.step == ours and not flaw.minor), "")
        late = ours is not None and (label is None or ours < label)
        replayed = one.reading.family in ("arithmetic", "stacks", "swaps", "sorting") and label in one.reading.checked
        kind = "proved_late" if late and proof else "replays_right" if replayed else "not_proved"
        found[kind].append({"id": one.row["id"], "label": label, "found": ours, "evidence": proof,
                            "answer_right": one.row["answer"] == one.row["target"]})  # fmt: skip
    return found


def _figures(judged: Sequence[Judged]) -> dict[str, Any]:
    wrong = [one for one in judged if one.row["mistake_index"] is not None]
    right = [one for one in judged if one.row["mistake_index"] is None]
    on_wrong, on_right = (sum(one.exact for one in part) / len(part) if part else 0.0 for part in (wrong, right))
    return {
        "chains": len(judged),
        "exact": _accuracy(judged),
        "exact_on_wrong": round(on_wrong, 4),
        "exact_on_right": round(on_right, 4),
        "within_1": round(sum(one.near for one in judged) / len(judged), 4),
        "f1": round(2 * on_wrong * on_right / (on_wrong + on_right), 4) if on_wrong + on_right else 0.0,
        "unparsed": round(sum(bool(one.reading.obstacle) for one in judged) / len(judged), 4),
    }


def _accuracy(judged: Sequence[Judged]) -> dict[str, float]:
    return _interval(wilson(sum(one.exact for one in judged), len(judged))) if judged else {}


def _interval(interval: Interval) -> dict[str, float]:
    return {
        "value": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "n": interval.n,
    }


def _shown(one: dict[str, float]) -> str:
    return f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"


def _tell(report: dict[str, Any]) -> None:
    print(f"\nGPT-4, exact, overall: {GPT_4 / 100:.3f} (arXiv 2311.08516)")
    for name, value in report["baselines"].items():
        print(f"{name}: {value:.3f}")
    for name, one in report["halves"].items():
        print(f"half {name}: {_shown(one)}" if one else f"half {name}: no rows")
    print("milliseconds a chain:", report["milliseconds"])
    for name in ("right_answer_flagged", "gold_flagged", "wrong_answer_flagged"):
        print(f"GSM8K {name}: {_shown(report['gsm8k'][name])} of {report['gsm8k'][name]['n']}")
    print({kind: len(found) for kind, found in report["labels"].items()}, "disagreements with labels")


def _rows(folder: Path, task: str) -> list[dict[str, Any]]:
    with (folder / "bigbench_mistake" / f"{task}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with bigbench_mistake/ and openai_gsm8k/")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    parser.add_argument("--seeds", type=int, default=3, help="rewordings a chain")
    parser.add_argument("--half", choices=("", "A", "B"), default="", help="only this half of the rows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
