"""Fit the weights of failure attribution, and print the table that ``attribution/weights.py`` holds.

python evals/planning/fit_attribution.py --data FOLDER [--penalty 2]

Conditional logistic regression: the chance that step k of a log is the decisive one is the softmax of its weighted features
over the steps of that log. Newton's method on the log-likelihood with a ridge penalty; plain Python, no library.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from whowhen import Labelled, who_and_when

from agentkit.evaluators.planning.attribution.features import NAMES, Features, measure
from agentkit.evaluators.planning.attribution.log import read, trace_of
from agentkit.evaluators.planning.attribution.ranking import chances, score
from agentkit.evaluators.planning.attribution.weights import SET

PENALTY = 2.0
FITTED_NAMES = tuple(name for name in NAMES if name not in SET)
_STEPS = 50
_SMALL = 1e-7

Example = tuple[Sequence[Features], int]


def example(row: Labelled) -> Example:
    """The features of a log's steps, and which is the labelled one."""
    return measure(read(trace_of(row.question, row.history))), row.step


def fit(
    examples: Sequence[Example], *, penalty: float = PENALTY, names: Sequence[str] = FITTED_NAMES
) -> dict[str, float]:
    """The weights of ``names`` with the greatest penalised likelihood; it is concave, so there is one answer."""
    rows = [([[one.get(name, 0.0) for name in names] for one in steps], label) for steps, label in examples]
    weights = [0.0] * len(names)
    for _ in range(_STEPS):
        gradient = [-penalty * one for one in weights]
        curvature = [[penalty * (a == b) for b in range(len(names))] for a in range(len(names))]
        for steps, label in rows:
            _add(steps, label, weights, gradient, curvature)
        move = _solved(curvature, gradient)
        weights = [old + new for old, new in zip(weights, move, strict=True)]
        if max(map(abs, move)) < _SMALL:
            break
    return dict(zip(names, weights, strict=True))


def choice(steps: Sequence[Features], weights: Mapping[str, float]) -> list[int]:
    """The steps, the likeliest first."""
    scores = [score(one, weights) for one in steps]
    return sorted(range(len(scores)), key=lambda step: (-scores[step], step))


def _add(
    steps: Sequence[Sequence[float]],
    label: int,
    weights: Sequence[float],
    gradient: list[float],
    curvature: list[list[float]],
) -> None:
    """Add one log's part of the gradient and of the (negated) second derivative."""
    odds = chances([sum(w * x for w, x in zip(weights, step, strict=True)) for step in steps])
    size = len(weights)
    means = [sum(p * step[a] for p, step in zip(odds, steps, strict=True)) for a in range(size)]
    for a in range(size):
        gradient[a] += steps[label][a] - means[a]
    for p, step in zip(odds, steps, strict=True):
        apart = [step[a] - means[a] for a in range(size)]
        for a in range(size):
            if apart[a]:
                share = p * apart[a]
                row = curvature[a]
                for b in range(size):
                    row[b] += share * apart[b]


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """The solution of a positive definite system by Cholesky's method."""
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for a in range(size):
        for b in range(a + 1):
            rest = matrix[a][b] - sum(lower[a][k] * lower[b][k] for k in range(b))
            lower[a][b] = rest**0.5 if a == b else rest / lower[b][b]
    middle: list[float] = []
    for a in range(size):
        middle.append((right[a] - sum(lower[a][k] * middle[k] for k in range(a))) / lower[a][a])
    found = [0.0] * size
    for a in reversed(range(size)):
        found[a] = (middle[a] - sum(lower[k][a] * found[k] for k in range(a + 1, size))) / lower[a][a]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with who_and_when/")
    parser.add_argument("--penalty", type=float, default=PENALTY)
    options = parser.parse_args()
    examples = [example(row) for row in who_and_when(options.data)]
    for name, weight in sorted(fit(examples, penalty=options.penalty).items(), key=lambda one: -abs(one[1])):
        held = sum(1 for steps, _ in examples for step in steps if step.get(name))
        labelled = sum(1 for steps, label in examples if steps[label].get(name))
        print(f'        "{name}": {weight:.2f},  # {held} steps, {labelled} of them labelled')


if __name__ == "__main__":
    main()
