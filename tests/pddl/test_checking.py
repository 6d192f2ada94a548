"""What a plan does: the first error, what it lacks, and what follows from it."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.pddl import Task, check, explain, load_task
from agentkit.pddl.grounding import Step

TASKS = Path(__file__).parent / "tasks"
SWAP = "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)\n(pick-up c)\n(stack c b)\n"
DELIVERY = "(load p1 t1 depot)\n(drive t1 depot shop)\n(unload p1 t1 shop)"


def test_a_plan_that_reaches_the_goal_is_valid_and_costs_its_length(swap: Task) -> None:
    verdict = explain(swap, SWAP)
    assert (verdict.valid, verdict.faults, verdict.cost, verdict.executed) == (True, (), 6.0, 6)
    assert check(swap, SWAP) == (True, None, None)


def test_a_step_without_its_preconditions_names_the_literals_it_lacks(swap: Task) -> None:
    (first, *_) = explain(swap, "(pick-up b)\n(stack b a)").faults
    assert (first.code, first.step, first.missing) == ("precondition_violated", 0, ("(clear b)",))
    assert first.evidence == "(clear b)"
    assert first.text == "(pick-up b)"
    assert first.hint == "(unstack a b) is possible here and makes (clear b) hold; more is needed before (pick-up b)"


def test_a_hint_names_the_step_that_makes_the_next_possible(swap: Task) -> None:
    (first, *_) = explain(swap, "(unstack a b)\n(pick-up b)").faults
    assert first.hint == "do (put-down a) before it"
    assert "(handempty) became false at step 1, (unstack a b)" in first.message


def test_a_goal_that_is_not_reached_names_what_is_missing(swap: Task) -> None:
    verdict = explain(swap, "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)")
    (only,) = verdict.faults
    assert (only.code, only.step, only.missing, verdict.executed) == ("goal_unmet", None, ("(on c b)",), 4)


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ("(grab a)", "unknown_action", "there is no action 'grab'"),
        ("(pickup a)", "unknown_action", "did you mean 'pick-up'?"),
        ("(stack a)", "bad_arguments", "stack takes 2 arguments (stack ?ob ?underob), not 1"),
        ("(pick-up c table)", "bad_arguments", "takes 1 argument"),
        ("(pick-up z)", "unknown_object", "there is no object 'z'"),
    ],
)
def test_a_step_that_means_nothing_says_why(swap: Task, step: str, code: str, words: str) -> None:
    (first, *_) = explain(swap, f"(unstack a b)\n{step}").faults
    assert (first.code, first.step) == (code, 1)
    assert words in first.message
    assert check(swap, f"(unstack a b)\n{step}") == (False, code, 1)


def test_an_object_of_the_wrong_type_is_a_bad_argument(deliver: Task) -> None:
    (first, *_) = explain(deliver, "(drive p1 depot shop)").faults
    assert (first.code, first.evidence) == ("bad_arguments", "p1 - parcel")
    assert "?v of drive must be a vehicle; p1 is a parcel" in first.message


@pytest.mark.parametrize("plan", ["", [], None, "Sorry."])
def test_a_plan_without_steps_is_empty(swap: Task, plan: object) -> None:
    assert [fault.code for fault in explain(swap, plan).faults] == ["empty_plan"]
    assert check(swap, plan).code == "empty_plan"


def test_no_step_is_needed_where_the_goal_holds_already() -> None:
    domain = (TASKS / "blocks.pddl").read_text()
    problem = (TASKS / "swap.pddl").read_text().replace("(and (on b a) (on c b))", "(on a b)")
    assert explain(load_task(domain, problem), "").valid


def test_later_errors_that_rest_on_an_earlier_one_are_its_consequences(swap: Task) -> None:
    faults = explain(swap, "(unstack a b)\n(stack b a)\n(pick-up b)\n(stack b a)").faults
    assert [(one.step, one.consequence_of) for one in faults if one.step is not None] == [(1, None), (3, 1)]


def test_an_error_that_has_nothing_to_do_with_an_earlier_one_is_its_own(deliver: Task) -> None:
    faults = explain(deliver, "(drive v1 depot shop)\n(load p1 t1 shop)").faults
    assert [(one.step, one.consequence_of) for one in faults[:2]] == [(0, None), (1, None)]


def test_costs_follow_the_metric(deliver: Task) -> None:
    verdict = explain(deliver, DELIVERY)
    assert verdict.valid
    assert verdict.cost == 8.0


def test_numbers_run_out(deliver: Task) -> None:
    (first, *_) = explain(deliver, "(drive t1 depot shop)\n(drive t1 shop depot)").faults
    assert first.step == 1
    assert first.missing == ("(>= (fuel t1) (distance shop depot)) where (fuel t1) is 4, (distance shop depot) is 6",)


def test_negation_and_equality_are_preconditions_too(deliver: Task) -> None:
    assert explain(deliver, "(drive v1 depot shop)").faults[0].missing == ("(not (broken v1))",)
    assert explain(deliver, "(drive t1 depot depot)").faults[0].missing == ("(not (= depot depot))",)


def test_conditional_effects_look_at_the_state_before(light: Task) -> None:
    assert explain(light, "(switch l1)\n(switch l2)\n(switch l2)\n(cut)").valid is False
    assert explain(light, "(switch l2)\n(switch l1)\n(cut)").valid
    assert "(imply" not in explain(light, "(switch l3)\n(switch l3)").faults[0].evidence


def test_an_action_that_adds_and_deletes_an_atom_leaves_it_true(swap: Task) -> None:
    """As PDDL 2.1 says: deletes come first. Stacking a block on itself is then possible once it is held and clear."""
    step = swap.step("stack", ("a", "a"))
    assert isinstance(step, Step)
    state, _ = step.applied(0, {})
    assert state >> swap.atoms.index("(clear a)") & 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 12))
def test_random_walks_are_valid_plans_for_where_they_end(seed: int, length: int) -> None:
    task = load_task((TASKS / "blocks.pddl").read_text(), (TASKS / "swap.pddl").read_text())
    rng, state, names = random.Random(seed), task.initial, []
    steps = list(task.moves.all())
    for _ in range(length):
        step = rng.choice([one for one in steps if one.condition.holds(state, {})])
        state, _ = step.applied(state, {})
        names.append(step.name)
    found = check(task, "\n".join(names))
    assert found.valid == task.goal.holds(state, {})
    assert found.code in (None, "goal_unmet")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["(unstack a b)", "(put-down a)", "(pick-up b)", "(stack b a)", "(fly a)", "(stack a)"]))
)
def test_the_quick_answer_and_the_long_one_agree(steps: list[str]) -> None:
    task = load_task((TASKS / "blocks.pddl").read_text(), (TASKS / "swap.pddl").read_text())
    quick, verdict = check(task, steps), explain(task, "\n".join(steps))
    assert quick.valid == verdict.valid
    if not quick.valid:
        assert (quick.code, quick.step) == (verdict.faults[0].code, verdict.faults[0].step)
    renamed = (TASKS / "blocks.pddl").read_text().replace("clear", "xq")
    other = load_task(renamed, (TASKS / "swap.pddl").read_text().replace("clear", "xq"))
    assert check(other, steps) == quick
