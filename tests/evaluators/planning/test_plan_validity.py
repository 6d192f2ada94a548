"""The evaluator of plans: rows in, verdicts out."""

import json
from pathlib import Path

import pytest

from agentkit.cli import main
from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.plan_validity import PlanValidity
from agentkit.testing.conformance import check_evaluator
from agentkit.types import JSON, Record

TASKS = Path(__file__).parents[2] / "pddl" / "tasks"
BLOCKS, SWAP, CIRCLE = ((TASKS / f"{name}.pddl").read_text() for name in ("blocks", "swap", "circle"))
GOOD = "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)\n(pick-up c)\n(stack c b)"


def row(plan: JSON, **more: JSON) -> dict[str, JSON]:
    return {"domain_pddl": BLOCKS, "problem_pddl": SWAP, "plan": plan, **more}


def judged(plan: JSON, **more: JSON) -> dict[str, JSON]:
    judge = PlanValidity()
    return judge.render(judge.check(judge.parse(row(plan, **more))))


async def test_it_keeps_the_contract_of_an_evaluator() -> None:
    record = Record(output=GOOD, metadata={"domain_pddl": BLOCKS, "problem_pddl": SWAP})
    await check_evaluator(PlanValidity, record=record)


def test_a_valid_plan_is_valid_without_findings() -> None:
    line = judged(GOOD, reference_plan=GOOD, task="swap", model="m")
    assert (line["valid"], line["findings"], line["score"], line["first_error"]) == (True, [], 1.0, None)
    assert (line["cost"], line["best_cost"], line["optimality"]) == (6.0, 6.0, 1.0)
    assert (line["task"], line["model"], line["steps"]) == ("swap", "m", 6)


def test_a_detour_is_valid_and_not_optimal() -> None:
    line = judged("(unstack a b)\n(stack a b)\n" + GOOD, reference_cost=6)
    assert line["valid"]
    assert line["optimality"] == 0.75


def test_the_first_finding_says_where_and_what_is_missing() -> None:
    line = judged("(unstack a b)\n(pick-up b)")
    assert line["valid"] is False
    first = line["findings"][0]
    assert (first["code"], first["step"], first["evidence"], first["first"]) == (
        "precondition_violated",
        1,
        "(handempty)",
        True,
    )
    assert first["hint"] == "do (put-down a) before it"
    assert line["first_error"] == 1


def test_a_plan_for_an_impossible_task_should_have_said_so() -> None:
    line = judged(GOOD, problem_pddl=CIRCLE)
    assert [one["code"] for one in line["findings"]] == ["goal_unmet", "unsolvable_not_recognised"]


def test_saying_that_there_is_no_plan_is_right_only_where_there_is_none() -> None:
    assert judged("No plan exists.", problem_pddl=CIRCLE)["valid"] is True
    line = judged("No plan exists.")
    assert line["valid"] is False
    assert "there is one" in line["findings"][0]["reason"]
    assert judged(None, problem_pddl=CIRCLE)["valid"] is False


def test_what_a_search_cannot_decide_is_not_scored() -> None:
    judge = PlanValidity(max_states=2)
    line = judge.render(judge.check(judge.parse(row("unsolvable"))))
    assert (line["valid"], line["status"]) == (None, "unscored")


def test_a_domain_with_an_error_is_told_with_its_place() -> None:
    line = judged(GOOD, domain_pddl="(define (domain d)\n (:derived (p) (q)))")
    assert (line["valid"], line["status"]) == (None, "unscored")
    assert line["reason"] == "line 2, column 2: derived predicates (:derived) are not supported"


def test_rows_of_another_form_are_refused() -> None:
    with pytest.raises(InputError, match="the row has no plan and no domain_pddl"):
        PlanValidity().parse({"problem_pddl": SWAP})
    with pytest.raises(InputError, match="must be a JSON object"):
        PlanValidity().parse(7)
    assert PlanValidity(domain=BLOCKS, problem=SWAP).parse({"plan": GOOD}).output == GOOD


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_findings must be at least 1"):
        PlanValidity(max_findings=0)


def test_the_command_keeps_the_row_form_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows = [row(GOOD, id="good"), row("(pick-up b)", id="bad"), {"id": "torn"}]
    source.write_text("".join(json.dumps(one) + "\n" for one in rows))
    for _ in range(2):
        with pytest.raises(SystemExit) as stop:
            main(["evaluate", "plan_validity", "--input", str(source), "--output", str(target), "-q"])
        assert stop.value.code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(one["id"], one.get("valid"), one["status"]) for one in lines] == [
        ("good", True, "scored"),
        ("bad", False, "scored"),
        ("torn", None, "error"),
    ]
    assert lines[1]["findings"][0].keys() >= {"code", "step", "evidence"}
