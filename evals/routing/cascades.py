"""Cascades calibrated on some recorded rows and measured on others: is the promised loss kept, and what is saved?

    python evals/routing/cascades.py --data FOLDER [--save FILE]

FOLDER holds ``cascades/*.jsonl.gz``, see README.md.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from agentkit.cli.cascades import figures, read
from agentkit.errors import EvaluationError
from agentkit.evaluation.cascade import Answers, calibrate, measure, naive
from agentkit.statistics import wilson

PAIRS = {
    "llama": [
        ("llama3.2-3b", "llama3.1-405b"),
        ("llama3.1-8b", "llama3.1-70b"),
        ("llama3.1-8b", "llama3.1-405b"),
        ("llama3.1-70b", "llama3.1-405b"),
    ],
    "qwen_oai": [
        ("gpt-4o-mini", "gpt-4o"),
        ("qwen2.5-32b-coder-instruct", "qwen2.5-72b-instruct"),
        ("qwen2.5-72b-instruct", "gpt-4o"),
    ],
}
LOSSES = (0.01, 0.02, 0.03, 0.05)
CERTAINTY = 0.9
SPLITS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds cascades/")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    folder = options.data / "cascades"
    held_out = list(on_test_files(folder))
    halves = list(on_halves(folder))
    for rule in ("calibrated", "naive"):
        kept = [one[rule]["loss"][0] <= one["promise"] for one in held_out]
        print(f"{rule}: the promise was kept on {sum(kept)} of {len(kept)} (pair, promise) of the test files")
        broken = sum(one[rule]["broken"] for one in halves)
        tries = sum(one["splits"] for one in halves)
        print(f"{rule}: it was broken on {wilson(broken, tries)} of the random halves (allowed: {1 - CERTAINTY:.2f})")
    if options.save:
        stamp = {"date": str(date.today()), "agentkit": version("agentkit"), "python": platform.python_version()}
        saved = {**stamp, "certainty": CERTAINTY, "test_files": held_out, "halves": halves}
        options.save.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")


def on_test_files(folder: Path) -> Iterator[dict[str, Any]]:
    """Every pair and promise of the sets that have a test file: thresholds from train, loss and saving on test."""
    print(f"{'set':12} {'cheap -> strong':46} promise  rule        loss on test (95 %)       saving")
    for name, pair, train in pairs(folder):
        test = folder / f"{name}_test.jsonl.gz"
        if not test.is_file():
            continue
        rows = list(read(test))
        for promise in LOSSES:
            found = {rule: tried(rows, pair, thresholds) for rule, thresholds in tuned(train, pair, promise)}
            for rule, one in found.items():
                loss, saving = one["loss"], one["saving"]
                bounds = f"{loss[0]:+.3f} [{loss[1]:+.3f}, {loss[2]:+.3f}]"
                broken = "" if loss[0] <= promise else "  BROKEN"
                print(
                    f"{name[:12]:12} {' -> '.join(pair):46} {promise:.2f}     {rule:11} {bounds} {saving[0]:+7.1%}{broken}"
                )
            yield {"set": name, "pair": pair, "promise": promise, **found}


def on_halves(folder: Path) -> Iterator[dict[str, Any]]:
    """How often the promise is broken when thresholds from one half of a train file meet the other half."""
    for name, pair, train in pairs(folder):
        for promise in LOSSES[1:]:
            rng, broken, saving = Random(f"{name}/{pair}/{promise}"), {"calibrated": 0, "naive": 0}, {}
            for _ in range(SPLITS):
                mixed = rng.sample(train, len(train))
                half = len(mixed) // 2
                for rule, thresholds in tuned(mixed[:half], pair, promise):
                    lost, saved = quick(mixed[half:], pair, thresholds)
                    broken[rule] += lost > promise
                    saving[rule] = saving.get(rule, 0.0) + saved / SPLITS
            rules = {rule: {"broken": broken[rule], "saving": round(saving[rule], 4)} for rule in broken}
            yield {"set": name, "pair": pair, "promise": promise, "splits": SPLITS, **rules}


def pairs(folder: Path) -> Iterator[tuple[str, tuple[str, str], list[Answers]]]:
    for path in sorted(folder.glob("*_train.jsonl.gz")):
        name = path.name.removesuffix("_train.jsonl.gz")
        family = next(one for one in PAIRS if name.endswith(one))
        train = list(read(path))
        for pair in PAIRS[family]:
            yield name, pair, train


def tuned(
    rows: Sequence[Answers], pair: tuple[str, str], promise: float
) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    try:
        thresholds = calibrate(rows, pair, loss=promise, confidence=CERTAINTY)
    except EvaluationError:  # too few rows for any promise
        thresholds = (None,)
    pays = quick(rows, pair, thresholds)[1] > 0
    yield "calibrated", thresholds if pays else ()
    yield "naive", naive(rows, pair, loss=promise)


def tried(rows: Sequence[Answers], pair: tuple[str, str], thresholds: tuple[float | None, ...]) -> dict[str, Any]:
    """The figures on ``rows``; no thresholds at all mean that the strong model is asked alone."""
    return figures(measure(rows, pair if thresholds else pair[1:], thresholds))


def quick(rows: Sequence[Answers], pair: tuple[str, str], thresholds: tuple[float | None, ...]) -> tuple[float, float]:
    """(loss, saving) without intervals."""
    cheap, strong = pair
    if not thresholds:
        return 0.0, 0.0
    accepted = [row for row in rows if thresholds[0] is not None and row[cheap].confidence >= thresholds[0]]
    lost = sum(int(row[strong].correct) - int(row[cheap].correct) for row in accepted)
    alone = sum(row[strong].usd for row in rows)
    spent = sum(row[cheap].usd for row in rows) + alone - sum(row[strong].usd for row in accepted)
    return lost / len(rows), 1 - spent / alone


if __name__ == "__main__":
    main()
