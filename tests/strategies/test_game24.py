from fractions import Fraction

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from agentkit.errors import InputError
from agentkit.strategies.game24 import Game24, makes_24
from agentkit.types import Problem

GAME = Game24()


def states(state, reply):
    return [step.state for step in GAME.steps(state, reply)]


def test_operations_on_numbers_that_are_left_are_read():
    reply = "4 + 5 = 9 (left: 6 9 10)\n2. 10 - 4 = 6 (left: 5 6 6)\n- 6 × 10 = 60\nno idea\n7 + 7 = 14"
    assert states("4 5 6 10", reply) == ["6 9 10", "5 6 6", "4 5 60"]


def test_wrong_arithmetic_is_set_right_and_rounding_is_undone():
    (step,) = GAME.steps("6 10", "10 / 6 = 1.7 (left: 1.7)")
    assert (step.text, step.state, step.final) == ("10 / 6 = 5/3 (left: 5/3)", "5/3", True)
    assert states("5/3 9", "1.67 + 9 = 10.67") == ["32/3"]
    assert states("5/3 9", "9 / (5/3) = 27/5") == ["5.4"]


def test_a_number_cannot_be_used_twice_nor_anything_divided_by_zero():
    assert states("4 6", "4 + 4 = 8") == []
    assert states("0 6", "6 / 0 = 0") == []
    assert states("-1 6", "6 + -1 = 5\n6 - (-1) = 7") == ["5", "7"]


def test_a_path_becomes_one_expression_over_the_numbers_given():
    path = ["10 - 4 = 6 (left: 5 6 6)", "5 * 6 = 30 (left: 6 30)", "30 - 6 = 24 (left: 24)"]
    answer = GAME.answer(Problem.of("4 5 6 10"), path)
    assert answer == "(5 * (10 - 4)) - 6" or answer == "(5 * 6) - (10 - 4)"
    assert makes_24(answer, [Fraction(one) for one in (4, 5, 6, 10)])


def test_a_path_that_does_not_make_24_has_no_answer():
    assert GAME.answer(Problem.of("4 5 6 10"), ["4 + 5 = 9 (left: 6 9 10)"]) is None


def test_the_checker_wants_every_number_once():
    numbers = [Fraction(one) for one in (3, 3, 8, 8)]
    assert makes_24("8 / (3 - 8 / 3) = 24", numbers)
    assert not makes_24("8 * 3", numbers)
    assert not makes_24("3 * 8 + 3 - 8 / 8 - 2", numbers)
    assert not makes_24("there is none", numbers)


def test_the_target_among_the_numbers_of_a_sentence_is_left_out():
    assert GAME.start(Problem.of("Make 24 of 10, 4, 6 and 5")) == "4 5 6 10"
    with pytest.raises(InputError, match="such as '4 5 6 10'"):
        GAME.start(Problem.of("Make something"))


@settings(deadline=None)
@forall(st.lists(st.integers(1, 13), min_size=2, max_size=4), st.data())
def test_any_path_of_legal_operations_uses_every_number_once(numbers, data):
    problem = Problem.of(" ".join(map(str, numbers)))
    state, path = GAME.start(problem), []
    while len(state.split()) > 1:
        left, right = data.draw(st.permutations(state.split()))[:2]
        sign = data.draw(st.sampled_from("+-*"))
        (step,) = GAME.steps(state, f"({left}) {sign} ({right}) = ?")
        path.append(step.text)
        state = step.state
    answer = GAME.answer(problem, path)
    assert (answer is not None) == (state == "24")
