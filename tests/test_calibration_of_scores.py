"""Rising maps, and thresholds whose promise holds beyond the rows they were chosen on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.calibration import fewest_rows, sure_from
from agentkit.statistics import at, monotone_map

rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=120)


@given(rows, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_never_means_a_lower_probability(
    pairs: list[tuple[float, bool]], one: float, two: float
) -> None:
    knots = monotone_map([score for score, _ in pairs], [label for _, label in pairs])
    low, high = sorted((one, two))
    assert 0 <= at(knots, low) <= at(knots, high) + 1e-12 <= 1 + 1e-9


def test_a_map_finds_the_frequencies() -> None:
    rng = Random(1)
    scores = [rng.random() for _ in range(4000)]
    knots = monotone_map(scores, [rng.random() < score**2 for score in scores])
    for score in (0.2, 0.5, 0.8):
        assert at(knots, score) == pytest.approx(score**2, abs=0.06)


def test_the_promise_fails_no_more_often_than_it_says() -> None:
    rng, broken, runs = Random(2), 0, 400
    for _ in range(runs):
        scores = [rng.random() for _ in range(150)]
        found = sure_from(scores, [rng.random() < 0.3 * (1 - score) for score in scores], error=0.1, confidence=0.8)
        if found is not None:
            low = max(0.0, found)
            broken += 0.3 * (1 - (1 + low) / 2) > 0.1  # the mean error above a threshold, exactly
    assert broken / runs <= 0.2


def test_rows_without_a_mistake_are_all_accepted_and_fewer_prove_nothing() -> None:
    need = fewest_rows(0.05, 0.95)
    assert need == 59
    assert sure_from([0.5] * need, [False] * need, error=0.05) == float("-inf")
    assert sure_from([0.5] * (need - 1), [False] * (need - 1), error=0.05) is None


def test_shares_outside_zero_and_one_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sure_from([0.5], [False], error=0.0)
