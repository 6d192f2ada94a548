"""The many ways in which a plan is written."""

import json

import pytest

from agentkit.pddl import Task, check, load_task, read_plan

STEPS = [("unstack", ("a", "b")), ("put-down", ("a",)), ("pick-up", ("b",)), ("stack", ("b", "a"))]
FORMS = {
    "pddl": "(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)",
    "capitals": "(UNSTACK A B)\n(PUT-DOWN A)\n(Pick-Up B)\n(STACK B A)\n; cost = 4 (unit cost)",
    "one line": "(unstack a b) (put-down a) (pick-up b) (stack b a)",
    "time stamps": "0: (unstack a b) [1]\n1: (put-down a) [1]\n2: (pick-up b) [1]\n3: (stack b a) [1]",
    "calls": "unstack(a, b)\nput-down(a)\npick-up(b)\nstack(b, a)",
    "numbered": "1. (unstack a b)\n2. (put-down a)\n3. (pick-up b)\n4. (stack b a)",
    "bullets": "- unstack a b\n- put-down a\n- pick-up b\n- stack b a",
    "fence": "My plan first frees b:\n```pddl\n(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)\n```\nGood luck!",
    "prose around": "Sure! The goal needs (on b a).\n\n(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)\n\nThis works.",
    "sentences": (
        "[PLAN]\nunstack the red block from on top of the blue block\nput down the red block\npick up the blue block\n"
        "stack the blue block on top of the red block\n[PLAN END]\n\n[STATEMENT]\nstack the red block on top of"
    ),
    "colours in brackets": "(unstack red blue)\n(put-down red)\n(pick-up blue)\n(stack blue red)",
    "nouns": "(unstack object a object b)\n(put-down block a)\n(pick-up object b)\n(stack object b object a)",
    "steps": "Step 1: unstack block a from block b.\nStep 2: put down block a.\nStep 3: pick up block b.\nStep 4: stack b on a.",
    "russian numbering": "Шаг 1: (unstack a b)\nШаг 2: (put-down a)\nШаг 3: (pick-up b)\nШаг 4: (stack b a)",
    "gerunds": "1) Unstacking A from B\n2) Putting down A\n3) Picking up B\n4) Stacking B on A",
    "thinking": "<think>(put-down b)\nis wrong</think>\n(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)",
    "state and plan": "Now:\n(on a b)\n(clear a)\nPlan:\n(unstack a b)\n(put-down a)\n(pick-up b)\n(stack b a)",
    "json": json.dumps(["(unstack a b)", "(put-down a)", "(pick-up b)", "(stack b a)"]),
    "json objects": json.dumps({"plan": [{"action": name, "args": list(arguments)} for name, arguments in STEPS]}),
    "json lists": json.dumps([[name, *arguments] for name, arguments in STEPS]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_the_same_steps(swap: Task, form: str) -> None:
    plan = read_plan(FORMS[form], swap)
    read = [swap.step(one.name, one.arguments) for one in plan.steps]
    assert [getattr(one, "name", one) for one in read] == [f"({' '.join((name, *rest))})" for name, rest in STEPS]
    assert check(swap, FORMS[form]).code == "goal_unmet"


def test_lists_hold_texts_lists_or_objects(swap: Task) -> None:
    for plan in (
        FORMS["pddl"].splitlines(),
        [[name, *rest] for name, rest in STEPS],
        [{"name": n, "arguments": r} for n, r in STEPS],
    ):
        assert [(one.name, one.arguments) for one in read_plan(plan, swap).steps] == STEPS


@pytest.mark.parametrize(
    "text",
    [
        "No plan exists.",
        "The problem is unsolvable",
        "[PLAN]\nunsolvable\n[PLAN END]",
        "(unsolvable)",
        "It is impossible.",
        "План не существует",
        "This goal cannot be achieved because the blocks form a cycle.",
        "Задача неразрешима.",
        "no solution",
    ],
)
def test_an_answer_that_there_is_no_plan_is_understood(swap: Task, text: str) -> None:
    plan = read_plan(text, swap)
    assert (plan.answer, plan.steps) == ("no plan", ())


def test_what_is_neither_plan_nor_refusal_is_nothing(swap: Task) -> None:
    assert read_plan("I like turtles.", swap).answer == "nothing"
    assert read_plan(None, swap).answer == "nothing"
    assert read_plan(7, swap).answer == "nothing"


def test_a_step_of_a_list_that_nobody_understands_is_an_unknown_action(swap: Task) -> None:
    assert check(swap, "1. unstack a from b\n2. ponder the meaning of it\n3. put down a") == (
        False,
        "unknown_action",
        1,
    )


@pytest.mark.parametrize("step", ["put down block z", "put down the magenta block", "put down block_9"])
def test_an_object_that_a_sentence_names_and_nobody_knows_is_unknown(swap: Task, step: str) -> None:
    assert check(swap, f"unstack a from b\n{step}") == (False, "unknown_object", 1)


def test_brackets_that_hold_something_else_than_a_name_stay_wrong(swap: Task) -> None:
    assert check(swap, "(1. unstack a b)").code == "unknown_action"


def test_numbered_things_go_by_their_long_names() -> None:
    domain = """(define (domain l) (:predicates (truck ?t) (plane ?a) (at ?x ?y) (in ?x ?y))
      (:action load-truck :parameters (?p ?t ?l) :precondition (and (truck ?t) (at ?t ?l) (at ?p ?l)) :effect (in ?p ?t))
      (:action load-plane :parameters (?p ?a ?l) :precondition (and (plane ?a) (at ?a ?l) (at ?p ?l)) :effect (in ?p ?a)))"""
    problem = """(define (problem q) (:domain l) (:objects p0 t1 a2 l0-1)
      (:init (truck t1) (plane a2) (at p0 l0-1) (at t1 l0-1) (at a2 l0-1)) (:goal (in p0 a2)))"""
    task = load_task(domain, problem)
    assert check(task, "load package_0 into airplane_2 at location_0_1").valid
    assert check(task, "load package_0 into truck_1 at location_0_1").code == "goal_unmet"
