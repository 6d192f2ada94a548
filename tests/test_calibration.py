"""Thresholds that keep a promise."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.calibration import Case, evidence, rows_needed, safe_threshold


def drawn(rng: Random, n: int) -> list[Case]:
    """Rows of a model that is wrong the more often the less sure it is: 20 % at confidence 0, never at 1."""
    cases = []
    for _ in range(n):
        confidence = rng.random()
        lost = rng.random() < 0.2 * (1 - confidence)
        cases.append(Case(confidence, int(lost) - int(not lost and rng.random() < 0.01)))
    return cases


def true_loss(threshold: float) -> float:
    """The mean loss of accepting at ``threshold``: the integral of 0.2(1-c) - 0.01(1 - 0.2(1-c)) over c above it."""
    share = 1 - threshold
    return 0.2 * share**2 / 2 - 0.01 * (share - 0.2 * share**2 / 2)


def test_the_promise_holds_as_often_as_stated() -> None:
    rng, broken = Random(7), 0
    for _ in range(300):
        threshold = safe_threshold(drawn(rng, 400), loss=0.03, confidence=0.9)
        broken += threshold is not None and true_loss(threshold) > 0.03
    assert broken <= 0.1 * 300


def test_more_rows_allow_a_lower_threshold() -> None:
    few, many = drawn(Random(1), 300), drawn(Random(1), 20_000)
    cautious, bold = (safe_threshold(cases, loss=0.03) for cases in (few, many))
    assert cautious is not None
    assert bold is not None
    assert bold < cautious
    assert true_loss(bold) <= 0.03


def test_where_nothing_is_ever_lost_everything_is_accepted() -> None:
    assert safe_threshold([Case(0.1, 0)] * 600, loss=0.01) == 0.0


def test_too_few_rows_promise_nothing() -> None:
    fewest = rows_needed(0.01)
    assert 299 <= fewest <= 500
    assert safe_threshold([Case(1.0, 0)] * fewest, loss=0.01) is not None
    assert safe_threshold([Case(1.0, 0)] * (fewest // 2), loss=0.01) is None


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 300),
    st.floats(0.001, 0.5),
)
def test_a_loss_weakens_the_evidence_and_a_gain_strengthens_it(worse: int, better: int, even: int, loss: float) -> None:
    n = worse + better + even + 1
    assert (
        evidence(worse + 1, better, n, loss) <= evidence(worse, better, n, loss) <= evidence(worse, better + 1, n, loss)
    )


@given(st.integers(1, 40), st.floats(0.01, 0.3))
def test_the_bet_is_fair_when_the_loss_is_just_what_it_says(n: int, loss: float) -> None:
    """The mean winnings over all outcomes of n rows that lose 1 with probability ``loss`` are at most what was staked."""
    from math import comb

    mean = sum(comb(n, k) * loss**k * (1 - loss) ** (n - k) * evidence(k, 0, n, loss) for k in range(n + 1))
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize("wrong", [{"loss": 0}, {"loss": 1.5}, {"loss": 0.1, "confidence": 1}])
def test_impossible_promises_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        safe_threshold([Case(0.5, 0)], **wrong)


def test_a_case_is_a_confidence_and_a_loss() -> None:
    with pytest.raises(ValueError, match="a case has"):
        safe_threshold([Case(2.0, 0)], loss=0.1)
