"""Domains and problems: what is supported, and errors with their place."""

from pathlib import Path

import pytest

from agentkit.errors import InputError, PDDLError
from agentkit.pddl import explain, load_task, parse_domain, parse_problem

TASKS = Path(__file__).parent / "tasks"
BLOCKS = (TASKS / "blocks.pddl").read_text()
SWAP = (TASKS / "swap.pddl").read_text()


def test_a_domain_gives_its_types_predicates_and_actions() -> None:
    domain = parse_domain((TASKS / "delivery.pddl").read_text())
    assert domain.name == "delivery"
    assert domain.ancestors["truck"] == {"truck", "vehicle", "object"}
    assert [one.kinds for one in domain.actions["load"].parameters] == [("parcel",), ("truck", "van"), ("place",)]
    assert domain.constants == {"depot": ("place",)}
    problem = parse_problem((TASKS / "deliver.pddl").read_text(), domain)
    assert problem.objects["t1"] == ("truck",)
    assert not problem.maximise


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "expected one (define ...)"),
        ("(define (domain d)", 1, 1, "never closed"),
        ("(define (domain d)))", 1, 20, "closes nothing"),
        ("(define (problem d))", 1, 9, "expected (domain NAME)"),
        ("(define (domain d) (:derived (p) (q)))", 1, 20, "derived predicates (:derived) are not supported"),
        ("(define (domain d)\n (:durative-action a))", 2, 2, "durative actions"),
        ("(define (domain d) (:predicates (p))\n (:action a :effect (q)))", 2, 21, "the predicate 'q' is not declared"),
        ("(define (domain d) (:predicates (p ?x))\n (:action a :effect (p)))", 2, 21, "p takes 1 argument, not 0"),
        (
            "(define (domain d) (:predicates (p ?x)) (:action a :effect (p ?y)))",
            1,
            63,
            "the variable ?y is not known here",
        ),
        ("(define (domain d) (:predicates (p ?x - blok)))", 1, 36, "the type 'blok' of ?x is not declared"),
        ("(define (domain d) (:action a :efect ()))", 1, 31, "did you mean ':effect'?"),
        (
            "(define (domain d) (:predicates (p)) (:action a :effect (or (p) (p))))",
            1,
            57,
            "(or ...) is not supported in an effect",
        ),
        ("(define (domain d) (:action a) (:action a))", 1, 32, "defined twice"),
    ],
)
def test_errors_of_a_domain_have_line_and_column(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(PDDLError) as error:
        parse_domain(text)
    assert words in str(error.value)
    assert (error.value.line, error.value.column) == (line, column)
    assert isinstance(error.value, InputError)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("(on b a)", "(on b z)"), "the object z is not known here"),
        (("(:goal (and (on b a) (on c b)))", ""), "a problem needs one goal"),
        (("(clear a)", "(claer a)"), "did you mean 'clear'?"),
        (("a b c)\n", "a b c - blok)\n"), "the type 'blok' of a is not declared"),
        (("(handempty)", "(at 5 (handempty))"), "timed initial literals are not supported"),
    ],
)
def test_errors_of_a_problem_say_what_is_wrong(change: tuple[str, str], words: str) -> None:
    with pytest.raises(PDDLError, match=r"line \d+, column \d+") as error:
        load_task(BLOCKS, SWAP.replace(*change))
    assert words in str(error.value)


def test_case_and_comments_do_not_matter() -> None:
    loud = "\n".join(f"{line} ; (:derived" for line in BLOCKS.upper().splitlines())
    assert parse_domain(loud) == parse_domain(BLOCKS)


def test_types_may_be_glued_to_their_dash() -> None:
    domain = parse_domain("(define (domain d) (:types t) (:predicates (p ?x -t ?y - t ?z)))")
    assert [one.kinds for one in domain.predicates["p"]] == [("t",), ("t",), ("object",)]


def test_nothing_is_spent_before_the_plan_begins() -> None:
    domain = """(define (domain d) (:functions (total-cost)) (:predicates (p))
      (:action go :effect (and (p) (increase (total-cost) 3))))"""
    problem = "(define (problem q) (:domain d) (:init) (:goal (p)) (:metric minimize (total-cost)))"
    assert explain(load_task(domain, problem), "(go)\n(go)").cost == 6.0


def test_a_task_is_read_once() -> None:
    assert load_task(BLOCKS, SWAP) is load_task(BLOCKS, SWAP)
