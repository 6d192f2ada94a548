"""How well ``plan_validity`` agrees with what PlanBench recorded, where it sees the first error, and how fast it is.

python evals/planning/plan_validity.py --data FOLDER [--output FILE]

Three parts: the verdict on every recorded plan against the recorded label (VAL's); the explanation of the plan-verification items
beside GPT-4's on the same items; the verdict in every round of the recorded validator loops.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from planbench import DOMAINS, STANDARD, PlanBench

from agentkit import pddl
from agentkit.evaluators.planning.plan_validity import VERSION
from agentkit.statistics import Interval, mean

_LITERAL = re.compile(r"\([^()]*\)")
_OBJECT = re.compile(r"(?:the )?(\w+) block|object (\w+)|holding (\w+)")
_PREDICATES = (
    (r"on top of", "on"),
    (r"on the table", "ontable"),
    (r"hand is .*empty", "handempty"),
    (r"holding", "holding"),
    (r"is clear", "clear"),
    (r"craves", "craves"),
    (r"harmony", "harmony"),
    (r"planet", "planet"),
    (r"province", "province"),
    (r"pain", "pain"),
)


def main() -> None:
    options = _arguments()
    bench = PlanBench.read(options.data)
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "evaluator": f"plan_validity {VERSION}",
        "versions": {"python": platform.python_version(), "agentkit": version("agentkit")},
        "plans": plans(bench),
        "verification": verification(bench),
        "backprompting": backprompting(bench),
    }
    _print(report)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def plans(bench: PlanBench) -> dict[str, Any]:
    """Agreement on labelled plans of the standard styles; the speed and the codes over all plans that have a task."""
    rows = [(bench.task(row["domain"], row["instance_id"]), row) for row in bench.rows("plan_generation")]
    known = [(task, row) for task, row in rows if task is not None]
    timed = _timed([(task, row["extracted_plan"]) for task, row in known])
    found, disagreements, codes = [], [], Counter[str]()
    for task, row in known:
        verdict = pddl.explain(task, row["extracted_plan"])
        codes[verdict.faults[0].code if verdict.faults else "valid"] += 1
        if _is_standard(row):
            agrees = verdict.valid == row["correct"]
            found.append((agrees, (row["domain"], row["instance_id"])))
            disagreements += [] if agrees else [_disagreement(row, verdict)]
    return {
        "recorded": len(rows),
        "without_task": len(rows) - len(known),
        "crashes": 0,
        "standard": len(found),
        "agree": sum(agrees for agrees, _ in found),
        "agreement": _shown(_share(found)),
        "disagreements": disagreements,
        "first_error": dict(codes.most_common()),
        **timed,
    }


def verification(bench: PlanBench) -> dict[str, Any]:
    """Valid or not, and the first unmet precondition or the unmet goals, against the recorded truth; GPT-4 on the same items."""
    found: dict[str, Any] = {}
    for name in (
        "blocksworld__gpt-4",
        "blocksworld_3__gpt-4",
        "mystery_blocksworld__gpt-4",
        "mystery_blocksworld_3__gpt-4",
    ):
        binary, explained, theirs = [], [], Counter[str]()
        for row in bench.rows("verification", f"{name}*"):
            task = bench.task(row["domain"], row["instance_id"])
            assert task is not None
            truth, verdict = row["parsed_ground_truth_plan"], pddl.explain(task, row["query"])
            binary.append(verdict.valid == truth["valid"])
            explained.append(binary[-1] and _explains(verdict, truth, row["ground_truth_plan"], task))
            theirs.update(binary=row["llm_correct_binary"], explained=row["llm_correct_w_expl"])
        found[name.removesuffix("__gpt-4")] = {
            "items": len(binary),
            "binary": _shown(_share([(one, place) for place, one in enumerate(binary)])),
            "explanation": _shown(_share([(one, place) for place, one in enumerate(explained)])),
            "gpt4_binary": round(theirs["binary"] / len(binary), 4),
            "gpt4_explanation": round(theirs["explained"] / len(binary), 4),
        }
    return found


def backprompting(bench: PlanBench) -> dict[str, Any]:
    """Rounds in which the verdict, and where VAL named it the first broken step with its literals, are the recorded ones."""
    found: dict[str, Any] = {}
    for row in bench.rows("backprompting"):
        counts = found.setdefault(row["file"], Counter(rounds=0, agree=0, located=0, location_agrees=0, without_task=0))
        task = bench.task(row["domain"], row["instance_id"])
        for attempt in row["attempts"]:
            recorded = (attempt["validator"] or {}).get("validation_info")
            if task is None or recorded is None:
                counts["without_task" if task is None else "without_verdict"] += 1
                continue
            verdict = pddl.explain(task, attempt["plan"])
            counts["rounds"] += 1
            counts["agree"] += verdict.valid == recorded["is_valid_plan"]
            if place := re.search(r"Time step: (\d+)", message := attempt["validator"]["validation_message"]):
                literals = set(_LITERAL.findall(message.partition("Unsatisfied Precondition:")[2]))
                counts["located"] += 1
                counts["location_agrees"] += _located(verdict, int(place[1]) - 1, literals)
    return {name: dict(counts) for name, counts in found.items()}


def _timed(pairs: Sequence[tuple[pddl.Task, Any]]) -> dict[str, float]:
    """Microseconds of one core a plan: the quick check with nothing remembered of any plan, again, and the full explanation."""
    timings = {}
    for name, check in (("check_us", pddl.check), ("check_again_us", pddl.check), ("explain_us", pddl.explain)):
        began = time.process_time()
        for task, plan in pairs:
            check(task, plan)
        timings[name] = round((time.process_time() - began) / len(pairs) * 1e6, 1)
    return timings


def _is_standard(row: dict[str, Any]) -> bool:
    labelled = row["correct"] is not None and row["extracted_plan"] is not None
    return labelled and row["domain"] in DOMAINS and row["style"] in STANDARD


def _disagreement(row: dict[str, Any], verdict: pddl.Verdict) -> dict[str, Any]:
    return {
        "id": row["id"],
        "recorded": row["correct"],
        "ours": verdict.valid,
        "plan": row["extracted_plan"],
        "reason": verdict.faults[0].message if verdict.faults else "every step can be taken and the goal is reached",
    }


def _explains(verdict: pddl.Verdict, truth: dict[str, Any], text: str, task: pddl.Task) -> bool:
    """Whether the first fault is of the recorded kind and lacks exactly the literals that the recorded sentences name."""
    if verdict.valid:
        return True
    first = verdict.faults[0]
    code = "precondition_violated" if "unmet_precondition" in truth else "goal_unmet"
    sentences = re.split(r"(?:unmet preconditions? (?:is|are)|unmet goal conditions?|goal conditions?):\s*", text)[-1]
    wanted = {_literal(one, task) for one in re.split(r",| and |\n", sentences) if one.strip(" .")}
    return first.code == code and set(first.missing) == wanted


def _literal(sentence: str, task: pddl.Task) -> str:
    """The literal of a sentence of PlanBench's prompts: ``the red block is clear`` is ``(clear a)``."""
    predicate = next((name for pattern, name in _PREDICATES if re.search(pattern, sentence)), sentence)
    words = [next(word for word in found if word) for found in _OBJECT.findall(sentence)]
    return f"({' '.join((predicate, *(task.names.resolved(word) or word for word in words)))})"


def _located(verdict: pddl.Verdict, step: int, literals: set[str]) -> bool:
    return bool(verdict.faults) and verdict.faults[0].step == step and set(verdict.faults[0].missing) == literals


def _share(found: Iterable[tuple[bool, Any]]) -> Interval:
    """A share with its interval, rows of one task resampled together."""
    values, clusters = zip(*found, strict=True)
    return mean([float(one) for one in values], rng=Random(0), clusters=clusters, resamples=500)


def _shown(interval: Interval) -> dict[str, float]:
    return {"value": round(interval.value, 6), "low": round(interval.low, 6), "high": round(interval.high, 6)}


def _print(report: dict[str, Any]) -> None:
    found = report["plans"]
    share = found["agreement"]
    print(f"{found['recorded']:,} recorded plans, {found['without_task']:,} without PDDL, {found['crashes']} crashes")
    print(
        f"standard styles: {found['agree']:,} of {found['standard']:,} agree = {share['value']:.4%} "
        f"[{share['low']:.4%}, {share['high']:.4%}]   (target 99.99 %, 90-line checker 99.99 %)"
    )
    for one in found["disagreements"]:
        print(f"  {one['id']}: recorded {one['recorded']}, ours {one['ours']}: {one['reason']}")
    print(
        f"microseconds a plan: {found['check_us']} first, {found['check_again_us']} again, {found['explain_us']} explained"
    )
    print(f"first error: {found['first_error']}")
    print(
        f"\n{'verification':24} {'items':>5} {'binary':>8} {'explained':>9} {'GPT-4 binary':>13} {'GPT-4 explained':>15}"
    )
    for name, one in report["verification"].items():
        print(
            f"{name:24} {one['items']:5} {one['binary']['value']:8.2%} {one['explanation']['value']:9.2%} "
            f"{one['gpt4_binary']:13.2%} {one['gpt4_explanation']:15.2%}"
        )
    print(f"\n{'validator loop':56} {'rounds':>6} {'agree':>6} {'located':>8} {'right':>6}")
    for name, one in report["backprompting"].items():
        print(f"{name:56} {one['rounds']:6} {one['agree']:6} {one['located']:8} {one['location_agrees']:6}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder planbench, with domains/, instances/, ...")
    parser.add_argument("--output", type=Path, help="where the report goes as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
