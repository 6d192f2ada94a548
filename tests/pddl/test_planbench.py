"""Plans and verdicts that PlanBench recorded, where the data are at hand (AGENTKIT_PLANBENCH names their folder)."""

import gzip
import json
import os
from pathlib import Path

import pytest

from agentkit.pddl import check, explain, load_task

FOLDER = Path(os.environ.get("AGENTKIT_PLANBENCH", Path(__file__).parents[3] / "shared" / "data" / "planbench"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded runs of PlanBench are not here")


def rows(part: str, name: str) -> list[dict]:
    with gzip.open(FOLDER / part / f"{name}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def tasks(domain: str) -> dict:
    text = (FOLDER / "domains" / f"{domain}.pddl").read_text()
    lines = map(json.loads, (FOLDER / "instances" / f"{domain}.jsonl").read_text().splitlines())
    return {row["instance_id"]: load_task(text, row["problem_pddl"]) for row in lines}


def test_recorded_plans_get_the_recorded_verdict() -> None:
    known = tasks("logistics")
    wrong = [
        row["id"]
        for row in rows("plan_generation", "logistics")
        if row["extracted_plan"] is not None
        and check(known[row["instance_id"]], row["extracted_plan"]).valid != row["correct"]
    ]
    assert wrong == []


def test_plans_told_in_sentences_are_judged_from_the_prompt_itself() -> None:
    known = tasks("blocksworld_3")
    for row in rows("verification", "blocksworld_3__gpt-4_chat__task_3_plan_verification"):
        verdict, truth = explain(known[row["instance_id"]], row["query"]), row["parsed_ground_truth_plan"]
        assert verdict.valid == truth["valid"]
        if not verdict.valid:
            wanted = truth.get("unmet_goal") or truth["unmet_precondition"]["predicate"]
            missing = ["_".join(one.strip("()").split()) for one in verdict.faults[0].missing]
            assert sorted(missing) == sorted(wanted)
