"""A hard budget of samples over many questions: the allocator beside Beta, on all recorded pools mixed.

    python evals/test_time_compute/allocate.py --data FOLDER [--orders 40] [--save FILE]

FOLDER holds ``answer_pools/*.jsonl.gz``. Every question of every pool with five samples or more is put in one queue, with a
budget of so many samples a question for all of them together. Beside the allocator: Beta .95 and ``regret`` drawn
for all questions in turn until the budget is spent (a hard budget too), the same number for every question, and Beta with
its knob chosen so that it spends the budget on average: a coin decides between its two nearest settings, as the knob
itself only has steps. That last one needs the whole pool beforehand and has no hard budget.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any

from replay_pools import load, read, versions

from agentkit.statistics import paired_difference
from agentkit.strategies.allocation import measure_allocation
from agentkit.strategies.pools import Outcome, Pooled, measure
from agentkit.strategies.stopping import Beta, Fixed, Regret, Rule

BUDGETS = (2.0, 3.0, 4.0, 5.0)
KNOBS = (0.5, 0.7, 0.76, 0.88, 0.9, 0.94, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds answer_pools/")
    parser.add_argument("--orders", type=int, default=40, help="random orders of each question's samples")
    parser.add_argument("--save", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    questions = mixed(options.data)
    full = measure(questions, Fixed(), "full", orders=options.orders)
    knobs = [measure(questions, Beta(confidence=one), f"beta {one}", orders=options.orders) for one in KNOBS]
    budgets = {f"{one:g}": compare(questions, one, knobs, options.orders) for one in BUDGETS}
    figures = {"questions": len(questions), "orders": options.orders, **versions()}
    figures |= {"full": row(full, full), "budgets": budgets}
    show(figures)
    if options.save:
        options.save.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def mixed(data: Path) -> list[Pooled]:
    questions = []
    for path in sorted((data / "answer_pools").glob("*.jsonl.gz")):
        rows = [{"answers": [], **one} for one in load(path)]
        if median(len(one["answers"]) for one in rows) >= 5:
            name = path.name.removesuffix(".jsonl.gz")
            for one in read(rows, name):
                if one.labels:
                    questions.append(Pooled(id=f"{name}/{one.id}", labels=one.labels, right=one.right))
    Random(0).shuffle(questions)
    return questions


def compare(questions: list[Pooled], budget: float, knobs: list[Outcome], orders: int) -> dict[str, Any]:
    ours = measure_allocation(questions, budget, orders=orders)
    others = [
        measure_allocation(questions, budget, "allocator, weight of the unseen learned", learn=True, orders=orders),
        in_turn(questions, Beta(), "beta .95, in turn", budget, orders),
        in_turn(questions, Regret(), "regret, in turn", budget, orders),
        in_turn(questions, Fixed(), "the same for each", budget, orders),
        coin(knobs, budget),
    ]
    return {one.rule: row(one, ours) for one in (ours, *others)}


def in_turn(questions: list[Pooled], rule: Rule, name: str, budget: float, orders: int) -> Outcome:
    """A sample for each question that the rule is not done with, round after round, until the budget is spent."""
    chances = [Random(f"0/{one.id}") for one in questions]
    runs = []
    for _ in range(orders):
        drawn = [rng.sample(one.labels, len(one.labels)) for rng, one in zip(chances, questions, strict=True)]
        runs.append(rounds(drawn, rule, int(budget * len(questions) + 1e-9)))
    columns = list(zip(*runs, strict=True))
    right = [
        fmean(won is not None and won == one.right for won, _ in seen)
        for one, seen in zip(questions, columns, strict=True)
    ]
    return Outcome(rule=name, right=tuple(right), drawn=tuple(fmean(count for _, count in seen) for seen in columns))


def rounds(questions: list[list[int | None]], rule: Rule, budget: int) -> list[tuple[int | None, int]]:
    counts: list[dict[int, int]] = [{} for _ in questions]
    drawn = [0] * len(questions)
    live = list(range(len(questions)))
    while budget and live:
        turn, live = live[:budget], []
        budget -= len(turn)
        for place in turn:
            label = questions[place][drawn[place]]
            drawn[place] += 1
            if label is not None:
                counts[place][label] = counts[place].get(label, 0) + 1
            if not rule.done(list(counts[place].values()), drawn[place], len(questions[place])):
                live.append(place)
    return [(max(votes, key=votes.__getitem__, default=None), n) for votes, n in zip(counts, drawn, strict=True)]


def coin(knobs: list[Outcome], budget: float) -> Outcome:
    """Between the two settings that spend a little less and a little more, a coin such that the mean is the budget."""
    below = max((one for one in knobs if fmean(one.drawn) <= budget), key=lambda one: fmean(one.drawn))
    above = min((one for one in knobs if fmean(one.drawn) > budget), key=lambda one: fmean(one.drawn))
    low, high = fmean(below.drawn), fmean(above.drawn)
    share = (budget - low) / (high - low)
    blend = [tuple((1 - share) * a + share * b for a, b in zip(*pair, strict=True))
             for pair in ((below.right, above.right), (below.drawn, above.drawn))]  # fmt: skip
    return Outcome(rule="beta, knob and coin", right=blend[0], drawn=blend[1])


def row(one: Outcome, ours: Outcome) -> dict[str, Any]:
    accuracy = one.accuracy()
    ahead = paired_difference(one.right, ours.right, rng=Random(0), resamples=1000)
    return {
        "accuracy": round(100 * accuracy.value, 2),
        "accuracy_95": [round(100 * accuracy.low, 2), round(100 * accuracy.high, 2)],
        "mean_samples": round(fmean(one.drawn), 3),
        "allocator_ahead_by": round(100 * ahead.value, 2),
        "allocator_ahead_by_95": [round(100 * ahead.low, 2), round(100 * ahead.high, 2)],
    }


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['questions']} questions; the full vote: {figures['full']['accuracy']:.2f}")
    for budget, rows in figures["budgets"].items():
        print(f"{budget} samples a question")
        for name, one in rows.items():
            low, high = one["allocator_ahead_by_95"]
            print(
                f"  {name:<40} {one['accuracy']:6.2f} in {one['mean_samples']:.2f}   "
                f"the allocator is ahead by {one['allocator_ahead_by']:+.2f} [{low:+.2f}, {high:+.2f}]"
            )


if __name__ == "__main__":
    main()
