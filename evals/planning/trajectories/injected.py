"""Errors injected into recorded runs: is the injected step the first that tool_calls names, and are whole runs left alone?

AGENTKIT_DATA=FOLDER python evals/planning/trajectories/injected.py [--record] [--times 5]

The tools' schemas are inferred: what every call of a tool had is required. A run in which something is found as it is counts for
the false alarms alone, when it was solved, and is not spoilt further.
"""

from __future__ import annotations

import argparse
import json
import platform
import string
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

from data import agentrx, folder, tau

from agentkit.evaluators.planning.tool_calls import ToolCalls
from agentkit.statistics import wilson
from agentkit.traces import Step, Trace, calls
from agentkit.types import ToolSpec

RESULTS = Path(__file__).parents[2] / "results"
Spoil = Callable[[Trace, int, Random], tuple[Trace, int] | None]


def main() -> None:
    """Prints the table; ``--record`` keeps it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--record", action="store_true", help="write evals/results/DATE-trajectories-injected.json")
    options.add_argument("--times", type=int, default=5, help="errors of each kind a run")
    chosen = options.parse_args()
    data = folder()
    found = {}
    for name, traces in (("tau airline", tau(data)), ("tau retail", agentrx(data))):
        found[name] = measure(name, traces, chosen.times)
    if chosen.record:
        now = f"{datetime.now(UTC):%Y-%m-%d}"
        told = {"date": now, "agentkit": version("agentkit"), "python": platform.python_version(), "sets": found}
        path = RESULTS / f"{now}-trajectories-injected.json"
        path.write_text(json.dumps(told, indent=1) + "\n")
        print(f"wrote {path.name}")


def measure(name: str, traces: Sequence[Trace], times: int) -> dict[str, object]:
    """Of each kind of error, how often its step is the first that is found; and the alarms on solved runs."""
    tools, judge = inferred(traces), ToolCalls()
    traces = [replace(trace, tools=tools) for trace in traces]
    clean = [trace for trace in traces if not judge.judge(trace).findings]
    solved = [trace for trace in traces if trace.outcome]
    print(f"{name}: {len(traces)} runs, nothing found in {len(clean)}")
    kept: dict[str, object] = {}
    if solved:
        alarms = wilson(sum(bool(judge.judge(trace).findings) for trace in solved), len(solved))
        print(f"  alarms on solved runs          {alarms} of {len(solved)}")
        kept["alarms on solved runs"] = asdict(alarms)
    for kind, spoil in KINDS.items():
        rng = Random(kind)
        made = [one for trace in clean for _ in range(times) if (one := _spoilt(trace, spoil, rng)) is not None]
        right = sum(judge.judge(trace).metadata["first_error"] == step for trace, step in made)
        interval = wilson(right, len(made))
        print(f"  {kind:30} {interval} of {len(made)}")
        kept[kind] = {**asdict(interval), "errors": len(made)}
    return kept


def inferred(traces: Sequence[Trace]) -> tuple[ToolSpec, ...]:
    """The tools that were called, with the arguments they were called with; required is what no call went without."""
    seen: dict[str, list[set[str]]] = {}
    for trace in traces:
        for call in calls(trace):
            seen.setdefault(call.step.name, []).append(set(call.step.arguments or {}))
    return tuple(
        ToolSpec(
            name=name,
            description="",
            parameters={
                "type": "object",
                "properties": {key: {} for key in sorted(set().union(*given))},
                "required": sorted(set.intersection(*given)),
            },
        )
        for name, given in sorted(seen.items())
    )


def _spoilt(trace: Trace, spoil: Spoil, rng: Random) -> tuple[Trace, int] | None:
    """A call chosen at random and spoilt; None where a few choices have nothing to spoil."""
    places = [call.place for call in calls(trace) if call.answer_place == call.place + 1]
    for place in rng.sample(places, min(len(places), 6)):
        if (made := spoil(trace, place, rng)) is not None:
            return made
    return None


def _unknown(trace: Trace, place: int, rng: Random) -> tuple[Trace, int]:
    step = trace.steps[place]
    return _with(trace, place, replace(step, name=f"{step.name}_{rng.choice(['v2', 'all', 'now'])}")), place


def _missing(trace: Trace, place: int, rng: Random) -> tuple[Trace, int] | None:
    step = trace.steps[place]
    required = next(tool.parameters["required"] for tool in trace.tools if tool.name == step.name)
    if not required:
        return None
    gone = rng.choice(required)
    return _with(
        trace, place, replace(step, arguments={k: v for k, v in (step.arguments or {}).items() if k != gone})
    ), place


def _extra(trace: Trace, place: int, rng: Random) -> tuple[Trace, int]:
    step = trace.steps[place]
    return _with(
        trace, place, replace(step, arguments={**(step.arguments or {}), f"x_{rng.randrange(99)}": True})
    ), place


def _invented(trace: Trace, place: int, rng: Random) -> tuple[Trace, int] | None:
    """Another id of the same make: every digit and every letter next to one replaced at random."""
    step = trace.steps[place]
    ids = [
        k
        for k, v in (step.arguments or {}).items()
        if isinstance(v, str) and " " not in v and sum(map(str.isdigit, v)) > 1
    ]
    ids = [key for key in ids if "-" not in str((step.arguments or {})[key])]  # dates are judged more mildly
    if not ids:
        return None
    key = rng.choice(ids)
    old = str((step.arguments or {})[key])
    new = "".join(rng.choice(string.digits) if letter.isdigit() else letter for letter in old)
    return (
        (_with(trace, place, replace(step, arguments={**(step.arguments or {}), key: new})), place)
        if new != old
        else None
    )


def _repeated(trace: Trace, place: int, rng: Random) -> tuple[Trace, int]:
    pair = trace.steps[place : place + 2]
    again = (replace(pair[0], call="again"), replace(pair[1], call="again"))
    return replace(trace, steps=(*trace.steps[: place + 2], *again, *trace.steps[place + 2 :])), place + 2


def _broken(trace: Trace, place: int, rng: Random) -> tuple[Trace, int]:
    step = trace.steps[place]
    raw = json.dumps(step.arguments)[: -rng.randint(1, 2)]
    return _with(trace, place, replace(step, arguments=None, metadata={**step.metadata, "raw": raw})), place


def _with(trace: Trace, place: int, step: Step) -> Trace:
    return replace(trace, steps=(*trace.steps[:place], step, *trace.steps[place + 1 :]))


KINDS: dict[str, Spoil] = {
    "unknown tool": _unknown,
    "missing argument": _missing,
    "extra argument": _extra,
    "invented id": _invented,
    "repeated call": _repeated,
    "broken JSON": _broken,
}


if __name__ == "__main__":
    main()
