"""Whether there is a plan at all."""

from agentkit.pddl import Task, check, shortest_plan, solvability


def test_a_shortest_plan_is_a_valid_plan(swap: Task) -> None:
    plan = shortest_plan(swap)
    assert plan is not None
    assert check(swap, list(plan)).valid
    assert len(plan) == 6


def test_a_task_whose_every_state_was_visited_has_no_plan(circle: Task) -> None:
    assert solvability(circle) == "unsolvable"
    assert shortest_plan(circle) is None


def test_a_search_that_is_cut_off_does_not_know(swap: Task) -> None:
    assert solvability(swap, max_states=3) == "unknown"


def test_conditional_effects_and_quantifiers_are_searched_too(light: Task) -> None:
    plan = shortest_plan(light)
    assert plan is not None
    assert check(light, list(plan)).valid


def test_tasks_with_numbers_are_left_open(deliver: Task) -> None:
    assert solvability(deliver) == "unknown"
