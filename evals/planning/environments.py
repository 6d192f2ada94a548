"""Is every environment solved by its solver, is a legal run never flagged, and is each planted error found at its step?

python evals/planning/environments.py [--seeds 1000] [--jobs 2] [--only NAME] [--output FILE]

For every environment and seed: the solution is played (any finding is a false alarm), and so is, for each kind of error, the
solution with that error at a step drawn among those where it is one. Found means: the first finding is at that step. A random
walk of legal moves is played too, where an environment lists them.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from agentkit import Kit
from agentkit.protocols import Environment
from agentkit.statistics import wilson

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("running_sum", {}),
    ("tower_of_hanoi", {"strict": True}),
    ("blocksworld", {"names": "obfuscated", "unsolvable": 0.3, "strict": True}),
    ("logistics", {"strict": True}),
    ("river_crossing", {"strict": True}),
    ("scan", {}),
    ("letters_and_lists", {"puzzle": "letters"}),
    ("letters_and_lists", {"puzzle": "reversal"}),
    ("letters_and_lists", {"puzzle": "dyck"}),
    ("letters_and_lists", {"puzzle": "shuffled"}),
    ("retail", {"wishes": 3, "forbidden": 0.4}),
    ("vending", {}),
    ("game24", {"strict": True}),
    ("tower_of_hanoi", {"discs": 6, "begin_with": "scattered"}),
    ("blocksworld", {"blocks": 5}),
    ("logistics", {"packages": 3, "names": "obfuscated"}),
    ("river_crossing", {"couples": 5, "boat": 3}),
    ("scan", {"clauses": 4, "new_word": True}),
    ("running_sum", {"turns": 100, "keys": 2, "digits": 3}),
    ("game24", {}),
    ("retail", {"wishes": 4, "vague": True, "forbidden": 0.5}),
    ("vending", {"days": 100, "products": 6, "noise": 0.8}),
]
WALK = 30
ROUNDS = 6
"""A kind that is an error in few of the episodes is looked for in up to so many times the seeds."""

GOAL = 0.99

Counts = dict[str, Counter[str]]


def main() -> None:
    options = _arguments()
    chosen = [one for one in SETTINGS if options.only in (None, one[0])]
    print(f"{'environment':46} {'seeds':>6} {'solved':>21} {'false alarms':>21} {'errors found where planted':>26}")
    found = _earlier(options.output)
    for name, settings in chosen:
        if not any(
            (one["environment"], one["options"], one["seeds"]) == (name, settings, options.seeds) for one in found
        ):
            found.append(measure(name, settings, options.seeds, options.jobs))
            _write(options.output, found)
    missed = [
        (one["environment"], kind) for one in found for kind, share in one["found"].items() if share["value"] < GOAL
    ]
    print(f"\nkinds below {GOAL:.0%}: {missed or 'none'}")


def _earlier(path: Path | None) -> list[dict[str, Any]]:
    """What an interrupted run of today has measured already."""
    if path is None or not path.exists():
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = report["environments"] if report["date"] == _today() else []
    return found


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _write(path: Path | None, found: list[dict[str, Any]]) -> None:
    if path is None:
        return
    report = {
        "date": _today(),
        "what": "environments: solvers, false alarms, planted errors found at their step",
        "versions": {"python": platform.python_version(), "agentkit": version("agentkit")},
        "goal": {"found": GOAL, "false_alarms": 0, "solved": 1.0},
        "environments": found,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def measure(name: str, options: Mapping[str, Any], seeds: int, jobs: int) -> dict[str, Any]:
    """The figures of one environment in one setting, printed as soon as they are there."""
    began = time.monotonic()
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        counts = _added(pool.map(partial(_part, name, options, None), _parts(0, seeds, jobs)))
        for round_ in range(1, ROUNDS):
            rare = [kind for kind, one in counts.items() if kind != "runs" and 0 < one["planted"] < seeds]
            if rare:
                more = pool.map(partial(_part, name, options, rare), _parts(round_ * seeds, (round_ + 1) * seeds, jobs))
                counts = _added([counts, *more])
    runs = counts["runs"]
    alarms = runs["flagged"] + runs["walks flagged"]
    kinds = {
        kind: _share(one["found"], one["planted"]) for kind, one in counts.items() if kind != "runs" and one["planted"]
    }
    report = {
        "environment": name,
        "options": dict(options),
        "seeds": seeds,
        "steps": round(runs["steps"] / seeds, 1),
        "solved": _share(runs["solved"], seeds),
        "false_alarms": {"runs": seeds + runs["walks"], **_share(alarms, seeds + runs["walks"])},
        "found": kinds,
        "never_applicable": sorted(kind for kind, one in counts.items() if kind != "runs" and not one["planted"]),
        "seconds": round(time.monotonic() - began, 1),
    }
    _print(report)
    return report


def _parts(first: int, end: int, jobs: int) -> list[range]:
    return [range(start, end, 4 * jobs) for start in range(first, first + 4 * jobs)]


def _part(name: str, options: Mapping[str, Any], rare: list[str] | None, seeds: Iterable[int]) -> Counts:
    """All counts over the seeds; of the kinds in ``rare`` only, where more of those are wanted."""
    environment = Kit(installed=False).environment(name, **options)
    counts: Counts = defaultdict(Counter)
    for seed in seeds:
        rng = Random(f"suite/{seed}")
        if rare is None:
            _play_solution(environment, seed, counts["runs"])
            _play_legal(environment, seed, rng, counts["runs"])
        for kind in environment.errors if rare is None else rare:
            _play_planted(environment, seed, kind, rng, counts[kind])
    return dict(counts)


def _play_solution(environment: Environment, seed: int, counts: Counter[str]) -> None:
    episode, actions = environment.start(seed), environment.solve(seed)
    outcomes = [episode.step(action) for action in actions]
    counts["steps"] += len(actions)
    counts["solved"] += outcomes[-1].success is True
    counts["flagged"] += any(one.code for one in outcomes)


def _play_legal(environment: Environment, seed: int, rng: Random, counts: Counter[str]) -> None:
    """A legal walk; that it wastes steps (where that is forbidden) or ends at the wrong number is no false alarm."""
    episode = environment.start(seed)
    if not episode.legal():
        return
    counts["walks"] += 1
    for _ in range(WALK):
        legal = episode.legal()
        if not legal:
            break
        if episode.step(rng.choice(legal)).code not in ("", "wasted_step", "goal_unmet"):
            counts["walks flagged"] += 1
            break


def _play_planted(environment: Environment, seed: int, kind: str, rng: Random, counts: Counter[str]) -> None:
    steps = list(range(len(environment.solve(seed))))
    rng.shuffle(steps)
    for step in steps:
        actions = environment.inject(seed, kind, step)
        if actions is None:
            continue
        episode = environment.start(seed)
        first = next((place for place, action in enumerate(actions) if episode.step(action).code), None)
        counts["planted"] += 1
        counts["found"] += first == step
        return


def _added(parts: Iterable[Counts]) -> Counts:
    total: Counts = defaultdict(Counter)
    for part in parts:
        for key, counts in part.items():
            total[key].update(counts)
    return total


def _share(count: int, total: int) -> dict[str, float]:
    one = wilson(count, total)
    return {"n": total, "value": round(one.value, 5), "low": round(one.low, 5), "high": round(one.high, 5)}


def _print(report: dict[str, Any]) -> None:
    options = " ".join(f"{key}={value}" for key, value in report["options"].items())
    worst = min(report["found"].items(), key=lambda one: (one[1]["value"], one[1]["low"]))
    planted = sum(one["n"] for one in report["found"].values())
    print(
        f"{report['environment'] + ' ' + options:46.46} {report['seeds']:6} {_shown(report['solved']):>21} "
        f"{_shown(report['false_alarms']):>21} {planted:7,} planted, worst kind {worst[0]} {_shown(worst[1])} "
        f"({report['seconds']:.0f} s)",
        flush=True,
    )


def _shown(share: dict[str, float]) -> str:
    return f"{share['value']:.3f} [{share['low']:.3f}, {share['high']:.3f}]"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000, help="episodes of each environment")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", help="one environment by name")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
