"""Confidence from log-probabilities, as pure functions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.strategies.confidence import Groups, bar, confidence, consensus, token_confidence
from agentkit.types import TokenLogprob

VALUES = st.lists(st.floats(0.01, 20), min_size=1, max_size=40)


def tokens(values):
    return [TokenLogprob(token="x", logprob=-0.1, top=(("x", -value), ("y", -value))) for value in values]


def test_a_token_is_as_sure_as_its_alternatives_are_unlikely():
    assert token_confidence(TokenLogprob(token="a", logprob=-0.5, top=(("a", -0.5), ("b", -3.5)))) == 2
    assert token_confidence(TokenLogprob(token="a", logprob=-0.5)) == 0.5


@given(VALUES, st.integers(1, 12))
def test_groups_kept_up_as_tokens_come_are_those_of_the_whole(values, window):
    groups = Groups(window)
    for token in tokens(values):
        groups.add([token])
    whole = [sum(values[end - window : end]) / window for end in range(window, len(values) + 1)]
    assert groups.means == pytest.approx(whole)
    assert groups.lowest == (pytest.approx(min(whole)) if whole else None)


@given(VALUES, st.integers(1, 12))
def test_the_lowest_group_is_no_surer_than_the_bottom_tenth_nor_that_than_the_surest_token(values, window):
    drawn = tokens(values)
    lowest, bottom, tail, mean = (
        confidence(drawn, measure, window=window) for measure in ("lowest", "bottom", "tail", "mean")
    )
    assert lowest <= bottom + 1e-9
    assert lowest <= tail + 1e-9
    assert max(bottom, tail, mean) <= max(values) + 1e-9


def test_the_other_measures_are_what_they_say():
    drawn = tokens([1, 2, 3, 4])
    assert confidence(drawn, "mean", window=2) == 2.5
    assert confidence(drawn, "tail", window=2) == 3.5
    assert confidence(drawn, "logprob", window=2) == pytest.approx(math.exp(-0.1))
    assert confidence([], "mean", window=2) is None


@given(VALUES, st.floats(0.01, 1))
def test_at_least_the_share_that_is_kept_reaches_the_bar(values, keep):
    reached = sum(value >= bar(values, keep) - 1e-9 for value in values)
    assert reached >= math.floor(keep * (len(values) - 1)) + 1 or reached == len(values)


def test_a_bar_is_a_percentile():
    assert bar([1, 2, 3, 4, 5], 1.0) == 1
    assert bar([1, 2, 3, 4, 5], 0.5) == 3
    assert bar([1, 2], 0.25) == pytest.approx(1.75)


def test_consensus_is_the_leaders_share():
    assert consensus([3.0, 1.0]) == 0.75
    assert consensus([]) == 0.0
    assert consensus([0.0]) == 0.0
