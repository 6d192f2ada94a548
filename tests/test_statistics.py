"""Intervals, tests and calibration against published values, brute force and invariants."""

from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit import statistics

FAST = 200


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_intervals_that_newcombe_printed(successes, trials, low, high):
    interval = statistics.wilson(successes, trials)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_stays_in_bounds_and_mirrors(case):
    successes, trials = case
    interval, mirror = statistics.wilson(successes, trials), statistics.wilson(trials - successes, trials)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirror.high)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_what_is_no_proportion(successes, trials):
    with pytest.raises(ValueError, match="not a proportion"):
        statistics.wilson(successes, trials)


def test_the_bootstrapped_mean_agrees_with_the_normal_interval_on_many_values():
    rng = Random(1)
    values = [rng.gauss(3, 2) for _ in range(400)]
    interval = statistics.mean(values, rng=Random(0))
    half = 1.96 * 2 / 400**0.5
    assert interval.value == pytest.approx(sum(values) / 400)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.15)


def test_the_same_seed_gives_the_same_interval():
    values = [0.1, 0.9, 0.4, 0.7]
    assert statistics.mean(values, rng=Random(5)) == statistics.mean(values, rng=Random(5))


def test_clustering_repeats_of_one_record_does_not_narrow_the_interval():
    once = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]
    tenfold = [value for value in once for _ in range(10)]
    clusters = [record for record in range(8) for _ in range(10)]
    honest = statistics.mean(tenfold, rng=Random(0), clusters=clusters)
    naive = statistics.mean(tenfold, rng=Random(0))
    assert honest.n == 8
    assert honest.high - honest.low == pytest.approx(
        (lambda one: one.high - one.low)(statistics.mean(once, rng=Random(0)))
    )
    assert naive.high - naive.low < 0.5 * (honest.high - honest.low)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 99))
def test_a_bootstrapped_mean_lies_between_the_extremes(values, seed):
    interval = statistics.mean(values, rng=Random(seed), resamples=20)
    slack = 1e-6
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack


def test_the_mean_of_no_values_is_refused():
    with pytest.raises(ValueError, match="no values"):
        statistics.mean([], rng=Random(0))


def test_pairing_removes_the_spread_that_records_share():
    rng = Random(3)
    before = [rng.random() for _ in range(200)]
    after = [value + 0.05 for value in before]
    interval = statistics.paired_difference(before, after, rng=Random(0), resamples=FAST)
    assert interval.low == pytest.approx(0.05)
    assert interval.high == pytest.approx(0.05)


def test_paired_values_must_be_of_one_length():
    with pytest.raises(ValueError, match="zip"):
        statistics.paired_difference([1.0], [1.0, 2.0], rng=Random(0))


@pytest.mark.parametrize(
    ("only_before", "only_after", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 0.0625),
        (1, 9, 0.021484375),
        (10, 25, 0.01667384780012071),
    ],  # scipy.stats.binomtest
)
def test_mcnemar_is_the_exact_binomial_test(only_before, only_after, p):
    assert statistics.mcnemar(only_before, only_after) == pytest.approx(p, rel=1e-4)
    assert statistics.mcnemar(only_after, only_before) == statistics.mcnemar(only_before, only_after)


def test_mcnemar_survives_thousands_of_disagreements():
    assert 0 < statistics.mcnemar(2000, 2100) < 1


def test_holm_adjusts_as_in_the_textbook():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p_values):
    adjusted = statistics.holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert all(adjusted[a] <= adjusted[b] for a, b in pairwise(order))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=25))
def test_auroc_is_the_share_of_pairs_ranked_rightly(pairs):
    labels, scores = [label for label, _ in pairs], [float(score) for _, score in pairs]
    if len(set(labels)) < 2:
        with pytest.raises(ValueError, match="both classes"):
            statistics.auroc(labels, scores)
        return
    wins = [(a > b) + (a == b) / 2 for (one, a), (two, b) in ((x, y) for x in pairs for y in pairs) if one and not two]
    assert statistics.auroc(labels, scores) == pytest.approx(sum(wins) / len(wins))


def test_auroc_comes_with_an_interval_around_it():
    rng = Random(2)
    labels = [index % 3 == 0 for index in range(150)]
    scores = [rng.gauss(1.0 if label else 0.0, 1) for label in labels]
    interval = statistics.auroc_interval(labels, scores, rng=Random(0), resamples=FAST)
    assert interval.low < interval.value < interval.high
    assert interval.low < 0.76 < interval.high  # the true value for two unit normals one apart


def test_a_constant_guess_of_the_base_rate_is_calibrated_and_not_sharp():
    correct = [index % 4 != 0 for index in range(100)]
    assert statistics.ece([0.75] * 100, correct) == pytest.approx(0)
    assert statistics.brier([0.75] * 100, correct) == pytest.approx(0.1875)


@pytest.mark.parametrize("binning", ["equal_mass", "equal_width"])
def test_ece_measures_overconfidence(binning):
    confidences = [0.95] * 10 + [0.55] * 10
    correct = [True] * 7 + [False] * 3 + [True] * 5 + [False] * 5
    assert statistics.ece(confidences, correct, binning=binning) == pytest.approx((0.25 * 10 + 0.05 * 10) / 20)


def test_calibration_of_nothing_is_refused():
    for measure in (statistics.ece, statistics.brier):
        with pytest.raises(ValueError, match="no records"):
            measure([], [])


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_rates_count_the_subsets_of_tries(case):
    tries, correct, k = case
    subsets = list(combinations([True] * correct + [False] * (tries - correct), k))
    assert statistics.pass_at_k(tries, correct, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))
    assert statistics.pass_hat_k(tries, correct, k) == pytest.approx(sum(map(all, subsets)) / len(subsets))


def test_pass_rates_refuse_more_tries_than_were_made():
    with pytest.raises(ValueError, match="says nothing"):
        statistics.pass_at_k(3, 1, 4)


def test_the_median_interpolates_and_brackets_itself():
    interval = statistics.median([4.0, 1.0, 3.0, 2.0], rng=Random(0), resamples=FAST)
    assert interval.value == 2.5
    assert 1.0 <= interval.low <= 2.5 <= interval.high <= 4.0
    with pytest.raises(ValueError, match="no values"):
        statistics.median([], rng=Random(0))


def test_an_interval_reads_as_a_figure_with_its_bounds():
    assert str(statistics.wilson(8, 10)) == "0.800 [0.490, 0.943]"
