"""Fit the step from support to probability (``verdict.CURVE``) on what may be trained on.

python evals/hallucination/fit.py --data FOLDER

Isotonic regression (pool adjacent violators) over bins of equal weight, both classes and the three kinds of rows weighted alike;
printed with the calibration error of five folds, each told by the others. The ranking of answers hardly depends on it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from random import Random

from sets import Row, training

from agentkit.evaluators.hallucination.claims import claims
from agentkit.evaluators.hallucination.groundedness import Groundedness, source_of
from agentkit.evaluators.hallucination.likeness import Reader, reader
from agentkit.evaluators.hallucination.verdict import pooled
from agentkit.statistics import ece

Point = tuple[float, bool, float]
Curve = list[tuple[float, float]]

BINS = 12
LOWEST = (-4.0, 0.001)
HIGHEST, HIGHEST_WITH_LIKENESS = (1.5, 0.999), (3.2, 0.999)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", action="store_true", help="fit CURVE_WITH_LIKENESS")
    options = parser.parse_args()
    found = reader(None) if options.encoder else None
    if isinstance(found, str):
        raise SystemExit(found)
    points = weighted(training(options.data), found)
    end = HIGHEST_WITH_LIKENESS if found else HIGHEST
    print(f"{len(points)} rows\n{'CURVE_WITH_LIKENESS' if found else 'CURVE'} = (")
    print(*(f"    ({support:.3f}, {chance:.3f})," for support, chance in curve(points, end)), ")", sep="\n")
    order = list(range(len(points)))
    Random(0).shuffle(order)
    told, true = [], []
    for fold in range(5):
        line = curve([points[one] for place, one in enumerate(order) if place % 5 != fold], end)
        for one in (one for place, one in enumerate(order) if place % 5 == fold):
            told.append(_read(line, points[one][0]))
            true.append(points[one][1])
    print(f"calibration error on held-out folds: {ece(told, true):.3f}")


def weighted(rows: Sequence[Row], reads: Reader | None) -> list[Point]:
    """(support, supported, weight) of every row that can be scored."""
    judge = Groundedness()
    found = []
    for row in rows:
        checked = [
            judge.assess(row.answer, one, source_of(row.documents), reads)
            for one in islice(claims(row.answer, "en"), 99)
        ]
        if checked:
            found.append((row, pooled([one.support for one in checked], [one.length for one in checked])))
    counts = Counter((row.rule, row.supported) for row, _ in found)
    return [(support, row.supported, 100 / counts[row.rule, row.supported]) for row, support in found]


def curve(points: Sequence[Point], end: tuple[float, float]) -> Curve:
    """A rising curve through the mean support and share of supported rows of each bin, from ``LOWEST`` to ``end``."""
    ordered = sorted(points)
    share = sum(weight for _, _, weight in ordered) / BINS
    bins: list[list[float]] = []  # weight, weighted support, weighted labels
    for support, label, weight in ordered:
        if not bins or bins[-1][0] >= share:
            bins.append([0.0, 0.0, 0.0])
        bins[-1][0] += weight
        bins[-1][1] += weight * support
        bins[-1][2] += weight * label
    pooled_bins: list[list[float]] = []
    for one in bins:
        pooled_bins.append(one)
        while (
            len(pooled_bins) > 1 and pooled_bins[-2][2] / pooled_bins[-2][0] >= pooled_bins[-1][2] / pooled_bins[-1][0]
        ):
            last = pooled_bins.pop()
            pooled_bins[-1] = [left + right for left, right in zip(pooled_bins[-1], last, strict=True)]
    inner = [(support / weight, min(0.99, max(0.01, labels / weight))) for weight, support, labels in pooled_bins]
    return [LOWEST, *inner, end]


def _read(line: Curve, support: float) -> float:
    for (left, low), (right, high) in pairwise(line):
        if support <= right:
            return low + (high - low) * max(0.0, support - left) / (right - left)
    return line[-1][1]


if __name__ == "__main__":
    main()
