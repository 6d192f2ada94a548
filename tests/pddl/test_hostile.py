"""Whatever comes in, there is an answer: no crash, no endless work."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import PDDLError
from agentkit.pddl import Task, check, explain, load_task, read_plan

PIECES = [
    "(",
    ")",
    "a",
    "b",
    "unstack",
    "(unstack a b)",
    "[PLAN]",
    "```",
    "\n",
    " ",
    "1.",
    "- ",
    "{",
    '"',
    "[",
    "]",
    ",",
    "\x00",
    "\ud800",
    "İ",
    "no plan",
    "red",
    ":",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_some_plan(text: str) -> None:
    task = load_task(*_tiny())
    quick, verdict = check(task, text), explain(task, text)
    assert quick.valid == verdict.valid


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6) | st.just("action"), inner),
        max_leaves=12,
    )
)
def test_any_data_is_some_plan(plan: object) -> None:
    task = load_task(*_tiny())
    assert check(task, plan).valid == explain(task, plan).valid


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["(", ")", "define", "domain", "d", ":action", ":types", "-", "?x", "either", "=", "1", ":init", "and", " "]
        ),
        max_size=40,
    ).map(" ".join)
)
def test_any_text_is_a_domain_or_an_error(text: str) -> None:
    with contextlib.suppress(PDDLError):
        load_task(text, text)


@pytest.mark.parametrize(
    "plan",
    [
        "(" * 100_000,
        "(unstack a b)" * 20_000,
        "a" * 1_000_000,
        "(a " * 50_000,
        "stack " * 100_000,
        "- " * 100_000,
        "1." * 100_000,
        "```\n" * 50_000,
        "[" * 100_000,
        "(unstack" + " a" * 100_000 + ")",
    ],
)
def test_long_plans_are_bounded(swap: Task, plan: str) -> None:
    assert not check(swap, plan).valid
    assert len(explain(swap, plan, max_faults=5).faults) <= 5


def test_deep_and_large_domains_are_refused() -> None:
    with pytest.raises(PDDLError, match="nested more than"):
        load_task("(" * 200, "")
    with pytest.raises(PDDLError, match="characters"):
        load_task(" " * 4_000_001, "")


def test_quantifiers_that_explode_are_refused() -> None:
    names = " ".join(f"o{number}" for number in range(200))
    domain = "(define (domain d) (:predicates (p ?x ?y ?z)))"
    goal = "(forall (?x ?y ?z) (p ?x ?y ?z))"
    with pytest.raises(PDDLError, match="spells out to more than"):
        load_task(domain, f"(define (problem q) (:domain d) (:objects {names}) (:init) (:goal {goal}))")


def test_types_that_go_in_circles_are_only_types() -> None:
    domain = "(define (domain d) (:types a - b b - a) (:predicates (p ?x - a)) (:action go :parameters (?x - b) :effect (p ?x)))"
    task = load_task(domain, "(define (problem q) (:domain d) (:objects o - a) (:init) (:goal (p o)))")
    assert check(task, "(go o)").valid


def test_no_number_is_infinite() -> None:
    domain = "(define (domain d) (:functions (n)) (:predicates (p)) (:action go :effect (scale-up (n) 1e300)))"
    task = load_task(domain, "(define (problem q) (:domain d) (:init (= (n) 1e300)) (:goal (> (n) 5)))")
    assert check(task, "(go)\n(go)\n(go)").code in (None, "goal_unmet")
    assert read_plan("(go)", task).steps


def _tiny() -> tuple[str, str]:
    action = "(:action unstack :parameters (?x ?y) :precondition (on ?x ?y) :effect (not (on ?x ?y)))"
    domain = f"(define (domain d) (:predicates (on ?x ?y)) {action})"
    return domain, "(define (problem q) (:domain d) (:objects a b) (:init (on a b)) (:goal (not (on a b))))"
