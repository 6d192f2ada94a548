"""Survival, horizon, hazard and repeats against worked examples, known laws and invariants."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import statistics
from agentkit.statistics import Lifetime

RUNS = st.lists(st.builds(Lifetime, st.integers(0, 12), st.booleans(), st.integers(0, 4)), min_size=1, max_size=40)


def drawn(shape: float, scale: float, *, runs: int, end: int, seed: int = 1) -> list[Lifetime]:
    rng = Random(seed)
    times = [math.ceil(scale * (-math.log(rng.random())) ** (1 / shape)) for _ in range(runs)]
    return [Lifetime(min(time, end), time <= end, place) for place, time in enumerate(times)]


def test_kaplan_meier_gives_the_worked_example():
    """Failures at 1, 2, 2; one run censored after 2 and one after 3 steps: 4/5, then of 4 two fail."""
    runs = [Lifetime(1, True), Lifetime(2, True), Lifetime(2, True), Lifetime(2, False), Lifetime(3, False)]
    curve = statistics.kaplan_meier(runs)
    assert curve.survival == pytest.approx((0.8, 0.4, 0.4))
    assert curve.at_risk == (5, 4, 1)
    assert curve.hazard == pytest.approx((0.2, 0.5, 0.0))
    assert (curve.horizon(0.5), curve.horizon(0.8), curve.horizon(0.3)) == (2, 1, math.inf)


@given(RUNS)
def test_survival_never_rises_and_stays_a_share(runs):
    curve = statistics.kaplan_meier(runs)
    assert all(0 <= one <= 1 for one in curve.survival)
    assert list(curve.survival) == sorted(curve.survival, reverse=True)
    assert sum(curve.failures) == sum(run.failed for run in runs if run.steps)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=30))
def test_without_censoring_survival_is_the_share_still_going(steps):
    curve = statistics.kaplan_meier([Lifetime(one, True) for one in steps])
    for step, share in enumerate(curve.survival, 1):
        assert share == pytest.approx(sum(one > step for one in steps) / len(steps))


@pytest.mark.parametrize(("shape", "scale"), [(1.0, 10.0), (2.0, 8.0), (0.6, 20.0)])
def test_the_weibull_law_is_found_again(shape, scale):
    law = statistics.weibull(drawn(shape, scale, runs=4000, end=15))
    assert law.shape == pytest.approx(shape, rel=0.06)
    assert law.scale == pytest.approx(scale, rel=0.06)
    assert law.horizon(0.5) == pytest.approx(scale * math.log(2) ** (1 / shape), rel=0.06)
    assert (law.p_value < 0.001) == (shape != 1.0)


def test_a_law_needs_a_failure():
    with pytest.raises(ValueError, match="needs a failure"):
        statistics.weibull([Lifetime(3, False)])


def test_a_constant_hazard_has_the_horizon_of_halving():
    runs = [Lifetime(5, place < 30) for place in range(60)]
    assert statistics.hazard_rate(runs) == 0.1
    assert statistics.constant_horizon(0.1) == pytest.approx(6.58, abs=0.01)
    assert statistics.constant_horizon(0.0) == math.inf
    with pytest.raises(ValueError, match="no steps"):
        statistics.hazard_rate([Lifetime(0, False)])


def test_runs_of_one_task_make_the_interval_wider():
    alike = [Lifetime(4, task % 2 == 0, task) for task in range(10) for _ in range(10)]
    apart = [Lifetime(run.steps, run.failed) for run in alike]
    together = statistics.bootstrap(alike, statistics.hazard_rate, rng=Random(0), resamples=300)
    alone = statistics.bootstrap(apart, statistics.hazard_rate, rng=Random(0), resamples=300)
    assert (together.n, alone.n) == (10, 100)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_horizon_beyond_the_data_is_infinite_in_its_interval():
    runs = [Lifetime(4, place % 10 == 0, place) for place in range(50)]
    interval = statistics.bootstrap(
        runs, lambda one: statistics.kaplan_meier(one).horizon(), rng=Random(0), resamples=50
    )
    assert (interval.value, interval.high) == (math.inf, math.inf)
    with pytest.raises(ValueError, match="no runs"):
        statistics.bootstrap([], statistics.hazard_rate, rng=Random(0))


@settings(max_examples=30, deadline=None)
@given(RUNS, st.integers(0, 1000))
def test_the_same_seed_gives_the_same_interval(runs, seed):
    def curve(some):
        return statistics.kaplan_meier(some).horizon(0.8)

    first, second = (statistics.bootstrap(runs, curve, rng=Random(seed), resamples=20) for _ in range(2))
    assert first == second
    assert first.low <= first.high


def test_errors_that_breed_errors_show_as_a_difference():
    after, without = [True] * 30 + [False] * 10, [True] * 10 + [False] * 30
    found = statistics.self_conditioning(after, without, rng=Random(0), resamples=300)
    assert found.value == 0.5
    assert 0.2 < found.low < found.value < found.high < 0.8
    tasks = [place % 8 for place in range(40)]
    paired = statistics.self_conditioning(
        after, without, rng=Random(0), tasks_after_errors=tasks, tasks_without=tasks, resamples=100
    )
    assert paired.n == 8
    with pytest.raises(ValueError, match="compares"):
        statistics.self_conditioning([], without, rng=Random(0))


def test_propagation_is_a_share_of_later_errors():
    found = statistics.propagation([2, 0, 3], [4, 0, 3], rng=Random(0), tasks=["a", "b", "a"], resamples=50)
    assert found.value == pytest.approx(5 / 7)
    assert found.n == 1


def test_pass_at_k_and_pass_hat_k_resample_tasks():
    outcomes = {"a": [True] * 4, "b": [False] * 4, "c": [True, False, False, False], "d": [True]}
    at = statistics.pass_at_k_interval(outcomes, 2, rng=Random(0), resamples=200)
    hat = statistics.pass_hat_k_interval(outcomes, 2, rng=Random(0), resamples=200)
    assert (at.value, at.n) == (pytest.approx((1 + 0 + 0.5) / 3), 3)
    assert hat.value == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="tried 5 times"):
        statistics.pass_at_k_interval(outcomes, 5, rng=Random(0))
