"""Reciprocal rank fusion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.rag.fuse import reciprocal_rank

RANKING = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_each_ranking_gives_its_weight_over_k_plus_rank():
    assert reciprocal_rank([["a", "b"], ["b"]], [1.0, 0.5]) == [
        ("b", pytest.approx(1 / 62 + 0.5 / 61)),
        ("a", pytest.approx(1 / 61)),
    ]


def test_ties_go_to_the_earlier_ranking():
    assert [key for key, _ in reciprocal_rank([["a", "b"], ["b", "a"]], [1, 1])] == ["a", "b"]


def test_a_repeated_entry_counts_once():
    assert reciprocal_rank([["a", "a", "b"]], [1]) == [("a", 1 / 61), ("b", 1 / 62)]


@given(RANKING)
def test_one_ranking_alone_keeps_its_order(ranking):
    assert [key for key, _ in reciprocal_rank([ranking], [1.0])] == ranking


@given(RANKING, RANKING)
def test_everything_ranked_is_there_once_and_scores_fall(left, right):
    fused = reciprocal_rank([left, right], [0.5, 0.5])
    assert sorted(key for key, _ in fused) == sorted({*left, *right})
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(RANKING, RANKING)
def test_a_weight_of_nothing_leaves_the_order_of_the_other(left, right):
    fused = [key for key, _ in reciprocal_rank([left, right], [1.0, 0.0])]
    assert fused[: len(left)] == left
