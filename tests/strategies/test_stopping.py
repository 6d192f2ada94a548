from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.strategies import stopping
from agentkit.strategies.stopping import Beta, Certain, Esc, Fixed, Regret

COUNTS = st.lists(st.integers(1, 8), max_size=4)
RULES = st.sampled_from(stopping.RULES).map(stopping.rule)


def test_four_that_agree_are_enough_for_beta_and_three_are_not():
    assert stopping.lead_probability(4, 0) == Fraction(31, 32)
    assert stopping.lead_probability(3, 0) == Fraction(15, 16)
    assert Beta().done([4], 4, 40)
    assert not Beta().done([3], 3, 40)


@pytest.mark.parametrize(("counts", "probability"), [((3, 1, 1), 0.6977), ((5, 2, 1), 0.8180), ((6, 4, 3, 2), 0.6200)])
def test_the_dirichlet_integral_agrees_with_the_published_values(counts, probability):
    assert stopping.largest_probability(counts) == pytest.approx(probability, abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_against_one_answer_the_dirichlet_integral_is_the_exact_beta_sum(first, second):
    wanted = float(stopping.lead_probability(first, second))
    assert stopping.largest_probability((first, second)) == pytest.approx(wanted, abs=1e-8)


STOPS = [(10, (3, 4, 5)), (20, (4, 6, 7, 8)), (40, (4, 6, 8, 9))]


@pytest.mark.parametrize(("limit", "leaders"), STOPS)
def test_regret_stops_where_the_reference_does(limit, leaders):
    for second, leader in enumerate(leaders):
        assert Regret().done([leader, second], leader + second, limit)
        assert not Regret().done([leader - 1, second], leader - 1 + second, limit)


def test_regret_is_the_expected_share_by_which_another_answer_leads():
    theta = stopping.UNSEEN
    runner_up_next = 1 / (2 + theta)
    assert stopping.regret(1, 1, 2, 1) == pytest.approx(runner_up_next * 1 / (3 + theta))
    runner_up_twice = (1 * 2) / ((3 + theta) * (4 + theta))
    assert stopping.regret(2, 1, 3, 2) == pytest.approx(runner_up_twice * 1 / (5 + theta))


def test_certain_waits_for_the_last_vote_that_could_still_count():
    assert Certain().done([3, 1], 4, 6)
    assert not Certain().done([3, 2], 5, 7)
    assert not Certain().done([], 0, 5)


def test_certain_knows_that_a_tie_goes_to_the_answer_given_first():
    assert Certain().done([3, 1], 4, 6)
    assert not Certain().done([1, 3], 4, 6)


def test_esc_stops_at_the_end_of_a_window_of_equal_answers():
    assert Esc().done([5], 5, 40)
    assert not Esc().done([4], 4, 40)
    assert not Esc().done([3, 7], 10, 40, streak=4)
    assert Esc().done([3, 7], 10, 40, streak=5)
    assert not Esc().done([4, 7], 11, 40, streak=7)


def test_waves_are_the_fewest_agreeing_samples_that_could_satisfy_the_rule():
    assert Beta().wave([], 0, 40) == 4
    assert Beta().wave([2, 1], 3, 40) == 4
    assert Regret().wave([], 0, 40) == 4
    assert Certain().wave([], 0, 40) == 20
    assert Fixed().wave([3], 3, 40) == 37
    assert Esc().wave([2, 1], 3, 40, streak=1) == 7
    assert Beta().wave([4], 4, 40) == 0


def test_an_unknown_rule_is_named_with_the_nearest_one():
    with pytest.raises(ConfigError, match="did you mean 'regret'"):
        stopping.rule("regrets")
    with pytest.raises(ConfigError, match="between 0 and 1"):
        stopping.rule("beta", confidence=95)


def test_confidence_tunes_the_regret_rule_around_its_default():
    assert stopping.rule("regret", confidence=0.95).tolerance == pytest.approx(1 / 600)
    assert stopping.rule("paired", confidence=0.95).tolerance == pytest.approx(1 / 100)


def test_two_prompts_that_agree_are_enough_for_paired_and_four_votes_for_regret():
    assert stopping.Paired().done([2], 2, 20)
    assert not stopping.Paired().done([1], 1, 20)
    assert not stopping.Paired().done([2, 1], 3, 20)
    assert not stopping.Regret().done([3], 3, 20)


@settings(deadline=None)
@given(COUNTS, st.integers(0, 30))
def test_paired_never_draws_on_after_regret_has_stopped(counts, left):
    drawn = sum(counts)
    if stopping.Regret().done(counts, drawn, drawn + left):
        assert stopping.Paired().done(counts, drawn, drawn + left)


@settings(deadline=None)
@given(RULES, COUNTS, st.integers(0, 20))
def test_no_rule_draws_past_the_limit_or_asks_for_more_than_is_left(rule, counts, left):
    drawn = sum(counts)
    assert rule.done(counts, drawn, drawn)
    wave = rule.wave(counts, drawn, drawn + left)
    assert 0 <= wave <= left
    assert (wave == 0) == rule.done(counts, drawn, drawn + left)


@settings(deadline=None)
@given(
    st.sampled_from(["beta", "dirichlet", "regret", "paired", "certain"]).map(stopping.rule), COUNTS, st.integers(1, 20)
)
def test_a_further_vote_for_the_leader_never_undoes_a_stop(rule, counts, left):
    drawn = sum(counts)
    if not counts or not rule.done(counts, drawn, drawn + left):
        return
    leader = counts.index(max(counts))
    grown = [count + (place == leader) for place, count in enumerate(counts)]
    assert rule.done(grown, drawn + 1, drawn + left)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), max_size=12), st.integers(0, 6), st.randoms(use_true_random=False))
def test_when_votes_are_certain_no_continuation_changes_the_winner(given_votes, left, random):
    order = list(dict.fromkeys(given_votes))
    counts = [given_votes.count(one) for one in order]
    if not stopping.certain(counts, left):
        return
    winner = order[counts.index(max(counts))]
    more = given_votes + [random.randrange(4) for _ in range(left)]
    final = list(dict.fromkeys(more))
    assert max(final, key=more.count) == winner


@settings(deadline=None)
@given(COUNTS, st.integers(1, 20), st.permutations(range(4)))
def test_the_order_of_the_counts_matters_to_no_rule_but_certain(counts, left, order):
    drawn = sum(counts)
    shuffled = [counts[place] for place in order if place < len(counts)]
    for name in ("beta", "dirichlet", "regret", "paired", "fixed"):
        rule = stopping.rule(name)
        assert rule.done(counts, drawn, drawn + left) == rule.done(shuffled, drawn, drawn + left)
