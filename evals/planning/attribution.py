"""Which step and which agent made a run fail: how often the evidence alone names them, beside guesses and prompted models.

python evals/planning/attribution.py --data FOLDER [--repeats 20] [--verdicts FILE ...] [--output FILE]

The algorithm part of Who&When is cross-validated: ten folds by question, weights fitted on nine, ``--repeats`` times with other
folds. The shipped weights are fitted on all of it, so they are measured on the sets they have not seen: AgentRx, and the
hand-crafted part where the folder has it. Intervals are 95 % and resample questions.

A judge is measured from its verdicts, which the command line writes, and goes on writing where it was stopped:

agentkit evaluate failure_attribution -i FOLDER/who_and_when/algorithm-generated.jsonl -o verdicts.jsonl \\
    --option model=BACKEND/NAME --option method=all_at_once --option votes=3
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from fit_attribution import PENALTY, choice, example, fit
from whowhen import Labelled, agentrx, who_and_when

from agentkit.evaluators.planning.attribution.features import measure
from agentkit.evaluators.planning.attribution.log import Log, bare, read, trace_of
from agentkit.evaluators.planning.attribution.weights import SET, WEIGHTS
from agentkit.evaluators.planning.failure_attribution import VERSION
from agentkit.statistics import Interval, mean

FOLDS = 10
FIGURES = ("agent", "step", "within_1", "top_5")
PROMPTED: Mapping[str, Mapping[str, float]] = {
    "algorithm": {"agent": 0.5433, "step": 0.2551},
    "hand-crafted": {"agent": 0.5517, "step": 0.0877},
}
"""The best prompted model of Who&When's own table, for each figure another protocol (arXiv 2505.00212)."""

Order = Callable[[Log, int], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A labelled run and its log."""

    row: Labelled
    log: Log

    def scored(self, order: Sequence[int]) -> dict[str, float]:
        """What an order of suspicion gets right."""
        first = order[0]
        return {
            "agent": float(self._named(first) == bare(self.row.agent).casefold()),
            "step": float(first == self.row.step),
            "within_1": float(abs(first - self.row.step) <= 1),
            "top_5": float(self.row.step in order[:5]),
        }

    def by_chance(self) -> dict[str, float]:
        """What a step drawn at random gets right on average."""
        every = [self.scored([step]) for step in range(len(self.log.turns))]
        found = {name: sum(one[name] for one in every) / len(every) for name in FIGURES}
        return {**found, "top_5": min(1.0, 5 / len(every))}

    def _named(self, step: int) -> str:
        return self.log.turns[step].agent.casefold()


def main() -> None:
    options = _arguments()
    cases = [_case(row) for row in who_and_when(options.data)]
    sets = {"algorithm": cases, "agentrx": [_case(row) for row in agentrx(options.data)]}
    if (options.data / "who_and_when" / "hand-crafted.jsonl").is_file():
        sets["hand-crafted"] = [_case(row) for row in who_and_when(options.data, "hand-crafted")]
    parts = {
        name: _algorithm(cases, options.repeats) if name == "algorithm" else _unseen(one, cases)
        for name, one in sets.items()
    }
    for file in options.verdicts:
        for name, one in sets.items():
            parts[name]["rows"].update(_judged(one, file))
    for name, part in parts.items():
        _show(name, part)
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "evaluator": f"failure_attribution {VERSION}",
        "versions": {"python": platform.python_version(), "agentkit": version("agentkit")},
        "penalty": PENALTY,
        "folds": FOLDS,
        "repeats": options.repeats,
        "prompted": PROMPTED,
        "parts": parts,
    }
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _algorithm(cases: Sequence[Case], repeats: int) -> dict[str, Any]:
    """Cross-validated; the figure of a log is its mean over the repeats, so the interval is over questions."""
    runs = [cross_validated(cases, cases, seed) for seed in range(repeats)]
    other = [_renamed(case) for case in cases]
    moved = [cross_validated(cases, other, seed) for seed in range(repeats)]
    spread = [sum(one["step"] for one in run) / len(cases) for run in runs]
    return {
        **_counts(cases),
        "step_over_repeats": {"lowest": round(min(spread), 4), "highest": round(max(spread), 4)},
        "rows": {
            "evidence (cross-validated)": _summary(cases, _averaged(runs)),
            "the same, agents renamed": _summary(cases, _averaged(moved)),
            **_baselines(cases, cases),
        },
    }


def _averaged(runs: Sequence[Sequence[Mapping[str, float]]]) -> list[dict[str, float]]:
    return [{name: sum(run[at][name] for run in runs) / len(runs) for name in FIGURES} for at in range(len(runs[0]))]


def _renamed(case: Case) -> Case:
    """The same log with names that tell nothing, and no roles."""
    names = {turn.agent: f"agent_{place}" for place, turn in enumerate(case.log.turns)}
    history = [{"agent": names[turn.agent], "content": turn.text} for turn in case.log.turns]
    agent = names.get(bare(case.row.agent), case.row.agent)
    return _case(replace(case.row, history=history, agent=agent))


def _unseen(cases: Sequence[Case], trained: Sequence[Case]) -> dict[str, Any]:
    """With the shipped weights, on logs that they were not fitted on."""
    ours = [case.scored(choice(measure(case.log), WEIGHTS)) for case in cases]
    return {
        **_counts(cases),
        "rows": {"evidence (shipped weights)": _summary(cases, ours), **_baselines(cases, trained)},
    }


def _judged(cases: Sequence[Case], file: Path) -> dict[str, Any]:
    """The figures of recorded verdicts on a set, under the file's name; nothing when they are on another one."""
    verdicts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    named = {one["id"]: one for one in verdicts if one.get("status") == "scored"}
    if not any(case.row.id in named for case in cases):
        return {}
    wrong = dict.fromkeys(FIGURES, 0.0)
    scores = [
        case.scored([one["step"] for one in named[case.row.id]["candidates"]]) if case.row.id in named else wrong
        for case in cases
    ]
    return {file.stem: _summary(cases, scores)}


def cross_validated(cases: Sequence[Case], tests: Sequence[Case], seed: int) -> list[dict[str, float]]:
    """What is got right of each of ``tests`` by weights fitted on the folds of ``cases`` that its question is not in."""
    groups = sorted({case.row.group for case in cases})
    Random(seed).shuffle(groups)
    fold = {group: place % FOLDS for place, group in enumerate(groups)}
    examples = [example(case.row) for case in cases]
    asked = examples if tests is cases else [example(case.row) for case in tests]
    found: list[dict[str, float]] = [{} for _ in cases]
    for number in range(FOLDS):
        train = [one for one, case in zip(examples, cases, strict=True) if fold[case.row.group] != number]
        weights = {**fit(train), **SET}
        for place, case in enumerate(tests):
            if fold[case.row.group] == number:
                found[place] = case.scored(choice(asked[place][0], weights))
    return found


def _baselines(cases: Sequence[Case], trained: Sequence[Case]) -> dict[str, Any]:
    middle = median(case.row.step / max(1, len(case.log.turns) - 1) for case in trained)
    orders: Mapping[str, Order] = {
        "always step 1": lambda log, size: _from(1, size),
        "first non-zero exit": lambda log, size: _from(_first(log, ("failed",)), size),
        "first failure or empty output": lambda log, size: _from(_first(log, ("failed", "empty")), size),
        f"relative position {middle:.2f}": lambda log, size: _from(round(middle * (size - 1)), size),
    }
    found = {"random step": _summary(cases, [case.by_chance() for case in cases])}
    for name, order in orders.items():
        found[name] = _summary(cases, [case.scored(order(case.log, len(case.log.turns))) for case in cases])
    return found


def _from(step: int, size: int) -> list[int]:
    """That step, then those around it."""
    first = min(step, size - 1)
    return sorted(range(size), key=lambda one: (abs(one - first), one))


def _first(log: Log, outcomes: Sequence[str]) -> int:
    """The step whose code first came to one of ``outcomes``, and step 1 where none did."""
    return next((turn.index for turn in log.turns if turn.runs and turn.outcome in outcomes), 1)


def _summary(cases: Sequence[Case], scores: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    groups = [case.row.group for case in cases]
    return {name: _plain(mean([one[name] for one in scores], rng=Random(0), clusters=groups)) for name in FIGURES}


def _plain(interval: Interval) -> dict[str, float]:
    return {"value": round(interval.value, 4), "low": round(interval.low, 4), "high": round(interval.high, 4)}


def _counts(cases: Sequence[Case]) -> dict[str, Any]:
    agents: dict[str, int] = defaultdict(int)
    for case in cases:
        agents[str(len({turn.agent for turn in case.log.turns}))] += 1
    sizes = sorted(len(case.log.turns) for case in cases)
    return {
        "logs": len(cases),
        "questions": len({case.row.group for case in cases}),
        "steps": {"least": sizes[0], "median": median(sizes), "most": sizes[-1]},
        "agents": dict(sorted(agents.items())),
    }


def _show(name: str, part: Mapping[str, Any]) -> None:
    print(f"\n{name}: {part['logs']} logs of {part['steps']['least']} to {part['steps']['most']} steps")
    print(f"{'':30}" + "".join(f"{figure:24}" for figure in FIGURES))
    for row, figures in part["rows"].items():
        shown = [figures[one] for one in FIGURES]
        print(f"{row:30}" + "".join(f"{x['value']:.3f} [{x['low']:.3f}, {x['high']:.3f}]    " for x in shown))
    if name in PROMPTED:
        told = [f"{PROMPTED[name][one]:.3f}" if one in PROMPTED[name] else "" for one in FIGURES]
        print(f"{'best prompted model':30}" + "".join(f"{one:24}" for one in told))
    if "step_over_repeats" in part:
        print(f"step over the repeats: {part['step_over_repeats']['lowest']} to {part['step_over_repeats']['highest']}")


def _case(row: Labelled) -> Case:
    return Case(row=row, log=read(trace_of(row.question, row.history)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with who_and_when/ and agentrx/")
    parser.add_argument("--repeats", type=int, default=20, help="how often the folds are drawn anew")
    parser.add_argument("--verdicts", type=Path, nargs="*", default=[], help="what 'agentkit evaluate' wrote of a set")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
