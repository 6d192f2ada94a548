from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.strategies import stopping
from agentkit.strategies.pools import Pooled, cheapest, measure, pooled, replay

LABELS = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=16)


def test_answers_are_extracted_and_sorted_into_classes():
    question = pooled("q", ["So he has 7 apples.", None, "8", "Answer: 7.0"], "7")
    assert question == Pooled(id="q", labels=(0, None, 1, 0), right=0)


def test_a_gold_answer_that_nobody_gave_is_never_reached():
    assert pooled("q", ["8", "9"], "7").right is None


def test_without_gold_the_full_vote_is_the_mark():
    assert pooled("q", ["8", "9", "9"], None).right == 1


def test_a_replay_stops_where_the_rule_does():
    assert replay((0, 0, 0, 0, 1, 1, 1), stopping.Beta()) == (0, 4)
    assert replay((1, 0, 0), stopping.Fixed()) == (0, 3)
    assert replay((None, None), stopping.Regret()) == (None, 2)
    assert replay((), stopping.Fixed()) == (None, 0)


@settings(deadline=None)
@given(LABELS)
def test_certain_answers_as_the_full_vote_does(labels):
    assert replay(labels, stopping.Certain())[0] == replay(labels, stopping.Fixed())[0]


PARTS = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=8), min_size=2, max_size=3)


@given(PARTS.filter(any), st.randoms(use_true_random=False))
def test_prompts_take_turns_for_as_many_samples_as_the_largest_pool_has(parts, rng):
    labels = tuple((place, one) for place, deck in enumerate(parts) for one in deck)
    drawn = Pooled(id="q", labels=labels, right=None, parts=tuple(map(len, parts))).shuffled(rng)
    assert len(drawn) == max(map(len, parts))
    assert all(drawn.count(one) <= labels.count(one) for one in drawn)
    rounds = min(map(len, parts))
    for turn in range(0, min(rounds, len(drawn) // len(parts)) * len(parts), len(parts)):
        assert {place for place, _ in drawn[turn : turn + len(parts)]} == set(range(len(parts)))


def test_the_cheapest_rule_within_the_tolerance_is_recommended():
    questions = [Pooled(id=str(place), labels=(0,) * 18 + (1, 1), right=0) for place in range(5)]
    full, beta, regret = (
        measure(questions, stopping.rule(name), name, orders=5) for name in ("fixed", "beta", "regret")
    )
    assert fmean(full.right) == 1
    assert full.saving(full) == 0
    assert beta.saving(full) > 0.5
    assert cheapest([full, beta, regret], full, tolerance=0.5) in (beta, regret)


def test_orders_are_the_same_for_every_rule_and_every_run():
    questions = [Pooled(id="q", labels=(0, 1, 0, 1, 1, 0, 2, 0), right=0)]
    assert measure(questions, stopping.Beta(), "beta") == measure(questions, stopping.Beta(), "beta")
    assert measure(questions, stopping.Fixed(), "full").right == pytest.approx((1.0,))
