from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.strategies.allocation import Allocator, allocate, index, measure_allocation, newness
from agentkit.strategies.pools import Pooled
from agentkit.strategies.stopping import UNSEEN, regret

LABELS = st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=8)


def test_a_question_without_votes_comes_first_and_one_that_is_decided_last():
    assert index(0, 0, 0, 10) == inf
    assert index(3, 0, 3, 3) == 0
    assert index(1, 0, 1, 0) == 0


def test_the_index_is_the_best_regret_saved_a_draw():
    assert index(2, 1, 3, 5) == max(regret(2, 1, 3, h) / h for h in range(2, 6))


def test_a_disputed_question_is_worth_more_than_an_agreed_one():
    worths = [index(2, 2, 4, 16), index(3, 1, 4, 16), index(4, 0, 4, 16)]
    assert all(more > less for more, less in pairwise(worths))


def test_samples_go_to_the_question_in_dispute():
    agreed, disputed = [0] * 9, [0, 1, 0, 1, 1, 1, 0, 1, 1]
    (first, drawn), (second, more) = allocate([agreed, disputed], 9)
    assert (first, second) == (0, 1)
    assert drawn < more
    assert drawn + more == 9


@given(st.lists(LABELS, max_size=6), st.integers(0, 40), st.booleans())
def test_no_more_is_ever_spent_than_the_budget(questions, budget, learn):
    results = allocate(questions, budget, learn=learn)
    assert sum(drawn for _, drawn in results) <= budget
    assert all(drawn <= len(labels) for labels, (_, drawn) in zip(questions, results, strict=True))


@given(st.lists(LABELS, min_size=1, max_size=6))
def test_with_budget_enough_no_answer_has_fewer_votes_than_that_of_the_full_vote(questions):
    for labels, (won, _) in zip(questions, allocate(questions, 1000), strict=True):
        most = max((labels.count(label) for label in labels if label is not None), default=0)
        assert (labels.count(won) == most) if most else won is None


def test_every_question_is_asked_once_before_any_is_asked_twice():
    assert [drawn for _, drawn in allocate([[0, 1, 2, 3]] * 5, 5)] == [1] * 5


def test_a_question_is_not_offered_again_before_its_sample_is_in():
    purse = Allocator(limits=[5, 5], budget=10)
    assert {purse.take(), purse.take()} == {0, 1}
    assert purse.take() is None
    purse.settle(0, [1])
    assert purse.take() == 0


def test_nothing_is_drawn_below_the_price():
    results = allocate([[0] * 20], 20, price=0.01)
    assert results[0][1] < 6


def test_the_weight_of_unseen_answers_is_learned_from_how_often_they_turn_up():
    assert newness([]) == UNSEEN
    assert newness([[1], []]) == UNSEEN
    assert newness([[5], [6]]) < newness([[4, 1], [5, 1]]) < newness([[1, 1, 2], [1, 1, 1]])


def test_learning_changes_no_answer_that_the_full_vote_gives():
    questions = [[place % 3, 0, 1, 0, 0] for place in range(40)]
    assert [won for won, _ in allocate(questions, 1000, learn=True)] == [won for won, _ in allocate(questions, 1000)]


def test_a_negative_budget_is_a_mistake():
    with pytest.raises(ConfigError, match="from 0 on"):
        Allocator(limits=[1], budget=-1)


def test_it_is_measured_like_a_rule():
    questions = [Pooled(id=str(n), labels=(0, 0, 1, 0, None), right=0) for n in range(10)]
    outcome = measure_allocation(questions, 3.0, orders=5)
    assert sum(outcome.drawn) <= 30
    assert outcome.accuracy().value > 0.7
    assert outcome == measure_allocation(questions, 3.0, orders=5)
