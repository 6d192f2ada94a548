"""A scripted planner and an exact validator in its loop."""

from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.errors import BudgetExceededError, ConfigError, InputError, ServerError
from agentkit.strategies.validated_plan import ValidatedPlan
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_strategy
from agentkit.types import Message, Problem

TASKS = Path(__file__).parents[1] / "pddl" / "tasks"
BLOCKS, SWAP, CIRCLE = ((TASKS / f"{name}.pddl").read_text() for name in ("blocks", "swap", "circle"))
GOOD = "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)\n(pick-up c)\n(stack c b)"
GRAPH = Path(__file__).parents[2] / "graphs" / "plan.yaml"


def planner(**options: object) -> ValidatedPlan:
    return ValidatedPlan(domain=BLOCKS, problem=SWAP, **options)


async def test_it_keeps_the_contract_of_a_strategy() -> None:
    await check_strategy(planner, answer=lambda request: GOOD)
    await check_strategy(planner, answer=lambda request: "(pick-up b)")


async def test_a_plan_that_works_is_taken_at_once() -> None:
    with ScriptedModel(script=[GOOD]) as model:
        solution = await planner().solve("Plan!", model=model)
    assert (solution.answer, solution.stopped, solution.confidence) == (GOOD, "solved", 1.0)
    assert model.requests[0].messages[-1].content.startswith("Plan!\n\nWrite a plan")


async def test_the_first_error_is_told_and_the_plan_goes_on_from_there() -> None:
    script = ["(unstack a b)\n(put-down a)\n(stack b a)", "(pick-up b)\n(stack b a)\n(pick-up c)\n(stack c b)"]
    with ScriptedModel(script=script) as model:
        solution = await planner().solve("Plan!", model=model)
    told = model.requests[1].messages[-1].content
    assert "step 3, (stack b a): (holding b) does not hold" in told
    assert "Hint: do (pick-up b) before it." in told
    assert "(unstack a b)\n(put-down a)\nAfter them this is true:" in told
    assert "(ontable a)" in told
    assert (solution.answer, solution.stopped, solution.metadata["rounds"]) == (GOOD, "solved", 1)
    assert [(thought.value, thought.kept) for thought in solution.tree] == [(pytest.approx(1 / 3), False), (1.0, True)]


async def test_a_whole_plan_is_understood_where_only_the_rest_was_asked_for() -> None:
    with ScriptedModel(script=["(unstack a b)", GOOD]) as model:
        assert (await planner().solve("Plan!", model=model)).answer == GOOD


async def test_a_round_without_gain_asks_for_the_whole_plan_again() -> None:
    with ScriptedModel(script=["(unstack a b)\n(fly a)", "(fly b)", GOOD]) as model:
        solution = await planner().solve("Plan!", model=model)
    assert "Write the whole plan again" in model.requests[2].messages[-1].content
    assert solution.stopped == "solved"


async def test_the_best_plan_so_far_is_the_answer_when_rounds_end() -> None:
    script = ["(unstack a b)\n(put-down a)\n(fly a)", "nonsense", "(fly)"]
    with ScriptedModel(script=script) as model:
        solution = await planner(rounds=2, replan="whole").solve("Plan!", model=model)
    assert (solution.stopped, solution.confidence) == ("full", 0.0)
    assert solution.answer == "(unstack a b)\n(put-down a)\n(fly a)"
    assert (solution.metadata["code"], solution.metadata["step"]) == ("unknown_action", 2)


@pytest.mark.parametrize("failure", [ServerError("on fire"), BudgetExceededError("spent", resource="calls")])
async def test_a_round_that_fails_leaves_the_best_plan(failure: Exception) -> None:
    solution = await planner().solve("Plan!", model=ScriptedModel(script=["(unstack a b)", failure]))
    assert solution.answer == "(unstack a b)"
    assert solution.stopped == ("budget" if isinstance(failure, BudgetExceededError) else "full")


async def test_no_plan_is_accepted_only_where_there_is_none() -> None:
    circle = ValidatedPlan(domain=BLOCKS, problem=CIRCLE)
    with ScriptedModel(script=["There is no plan."]) as model:
        solution = await circle.solve("Plan!", model=model)
    assert (solution.answer, solution.stopped) == ("no plan", "solved")
    with ScriptedModel(script=["There is no plan.", GOOD]) as model:
        assert (await planner().solve("Plan!", model=model)).answer == GOOD
    assert "look for a plan" in model.requests[1].messages[-1].content


async def test_the_task_may_stand_in_the_question_or_beside_it() -> None:
    question = f"Here is my problem.\n{BLOCKS} ; (a comment\nand\n{SWAP}\nThank you."
    with ScriptedModel(script=[GOOD]) as model:
        assert (await ValidatedPlan().solve(question, model=model)).confidence == 1.0
    beside = {"domain_pddl": BLOCKS, "problem_pddl": SWAP}
    problem = Problem(question="Plan!", messages=(Message("user", "Plan!"),), metadata=beside)
    with ScriptedModel(script=[GOOD]) as model:
        assert (await ValidatedPlan().solve(problem, model=model)).confidence == 1.0
    with pytest.raises(InputError, match="needs a planning task"):
        await ValidatedPlan().solve("What is 3 + 4?", model=ScriptedModel(script=[]))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="rounds must be at least 0"):
        planner(rounds=-1)


async def test_the_shipped_graph_plans_and_checks(tmp_path: Path) -> None:
    script = ["(pick-up b)", "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)"]
    with ScriptedModel(script=script) as model:
        run = await Kit(home=tmp_path).graph(GRAPH, models={"planner": model}).run()
    assert run.output["label"] == "valid"
    assert run.output["plan"].splitlines()[-1] == "(stack b a)"
    assert run.output["findings"] == []
