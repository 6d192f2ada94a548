"""Every figure stands beside its count, its interval and what it leaves out."""

import json

import pytest

from agentkit import statistics
from agentkit.evaluation.report import Report, as_json, as_markdown
from agentkit.evaluation.row import Header, Row
from agentkit.types import Score, Usage

HEADER = Header(name="sums", evaluators={"match": "Match()", "style": "Style()"}, seed=3)


def row(name, match=1.0, style=0.5, **fields):
    scores = {"match": Score(value=match), "style": Score(value=style)}
    usage = Usage(calls=2, input_tokens=30, output_tokens=10)
    return Row(**{"id": name, "cluster": name, "scores": scores, "usage": usage, "seconds": 1.5, **fields})


def test_accuracy_is_a_share_with_wilsons_interval_and_means_are_bootstrapped():
    rows = [row(str(index), match=float(index % 4 > 0), style=index / 20) for index in range(20)]
    report = Report.of(HEADER, rows)
    assert report.metrics["accuracy"].interval == statistics.wilson(15, 20)
    style = report.metrics["style"].interval
    assert style.value == pytest.approx(0.475)
    assert style.low < style.value < style.high
    assert set(report.metrics) == {"accuracy", "match", "style"}


def test_what_could_not_be_scored_is_beside_the_mean_not_in_it():
    rows = [
        row("a", match=1.0),
        row("b", match=0.0),
        row("c", match=None),
        row("d", scores={}, error_type="TimeoutError", error="no result within 5 s"),
    ]
    metric = Report.of(HEADER, rows).metrics["accuracy"]
    assert metric.interval.value == 0.5
    assert (metric.scored, metric.unscored, metric.errors, metric.unscored_rate) == (2, 1, 1, 0.5)


def test_repeats_are_one_cluster_and_give_pass_rates():
    rows = [
        row(f"r{index}", match=float((index + repeat) % 2), repeat=repeat) for index in range(6) for repeat in range(2)
    ]
    rows += [row(f"s{index}", match=1.0, repeat=repeat) for index in range(2) for repeat in range(2)]
    report = Report.of(HEADER, rows)
    assert report.metrics["accuracy"].interval.n == 8
    assert report.metrics["accuracy"].interval.value == 10 / 16
    assert report.metrics["pass@2"].interval.value == 1.0
    assert report.metrics["pass^2"].interval.value == 2 / 8


def test_a_record_without_all_its_repeats_is_left_out_of_pass_rates():
    rows = [row("a", repeat=0), row("a", repeat=1), row("b", repeat=0), row("b", repeat=1, match=None)]
    metric = Report.of(HEADER, rows).metrics["pass^2"]
    assert (metric.scored, metric.unscored) == (1, 1)


def test_clustered_records_are_fewer_units():
    rows = [
        row(str(index), match=float(index < 10), cluster="first" if index < 10 else "second") for index in range(20)
    ]
    interval = Report.of(HEADER, rows).metrics["accuracy"].interval
    assert interval.n == 2
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_the_cost_of_a_right_answer_is_all_cost_over_right_answers():
    rows = [row("a", match=1.0), row("b", match=0.0), row("c", scores={}, error_type="ValueError", error="x")]
    cost = Report.of(HEADER, rows).cost
    assert (cost.task.calls, cost.calls_per_right, cost.tokens_per_right) == (6, 6, 120)
    assert Report.of(HEADER, rows[1:]).cost.tokens_per_right is None


def test_the_order_of_rows_does_not_change_the_report():
    rows = [row(str(index), style=index / 20, match=None if index % 7 else 1.0) for index in range(20)]
    assert Report.of(HEADER, rows) == Report.of(HEADER, rows[::-1])


@pytest.mark.parametrize(
    ("limit", "failed", "fails"),
    [
        (0.1, 1, False),
        (0.1, 2, True),
        (0, 0, False),
        (0, 1, True),
        (2, 2, False),
        (2, 3, True),
        (True, 0, False),
        (True, 1, True),
        (False, 10, False),
    ],
)
def test_errors_are_tolerated_up_to_a_share_or_a_count(limit, failed, fails):
    broken = [row(f"x{index}", scores={}, error_type="ValueError", error="bad") for index in range(failed)]
    fine = [row(str(index)) for index in range(10 - failed)]
    assert Report.of(HEADER, broken + fine).too_many_errors(limit) is fails


def test_the_report_reads_as_a_table():
    rows = [row("a"), row("b", match=0.0), row("c", scores={}, error_type="ValueError", error="bad")]
    assert str(Report.of(HEADER, rows, wanted=5)).splitlines() == [
        "sums: 3 records, 1 with errors, 2 still to do",
        "",
        "metric            value   95 % interval  scored  unscored  errors",
        "accuracy (match)  0.500  0.095 to 0.905       2         0       1",
        "style             0.500  0.500 to 0.500       2         0       1",
        "",
        "calls 6, tokens 120 (90 in, 30 out), task time 4.5 s",
        "a right answer: 6.0 calls, 120 tokens",
        "1 x ValueError: bad",
    ]


def test_money_and_judging_are_told_where_there_are_any():
    usage = Usage(calls=1, input_tokens=10, usd=0.25, unpriced_calls=0)
    judged = Score(value=1.0, usage=Usage(calls=2, input_tokens=5, unpriced_calls=2))
    report = Report.of(HEADER, [row("a", usage=usage, scores={"match": judged})])
    text = str(report)
    assert "0.25 USD" in text
    assert "a right answer: 1.0 calls, 10 tokens, 0.25 USD" in text
    assert "judging: calls 2, tokens 5, 2 calls without a known price" in text


def test_many_kinds_of_errors_are_counted_and_the_most_frequent_shown():
    rows = [row(str(index), scores={}, error_type="ValueError", error=str(min(index, 7))) for index in range(20)]
    lines = str(Report.of(HEADER, rows)).splitlines()
    assert "13 x ValueError: 7" in lines
    assert lines[-1] == "... and 3 other errors: see the rows"


def test_the_report_is_markdown_and_json_too():
    report = Report.of(HEADER, [row("a"), row("b", match=0.0)], path="out/results.jsonl")
    assert "| accuracy (match) | 0.500 | 0.095 to 0.905 | 2 | 0 | 0 |" in as_markdown(report)
    data = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert data["schema"] == "agentkit-report/v1"
    assert data["metrics"]["accuracy"]["interval"]["value"] == 0.5
    assert data["cost"]["task"]["calls"] == 4
    assert data["results"] == "out/results.jsonl"


def test_rows_that_took_another_attempt_are_told():
    assert str(Report.of(HEADER, [row("a"), row("b", attempt=2)])).startswith(
        "sums: 2 records, 1 run again after an error"
    )


def test_a_report_of_nothing_says_so():
    report = Report.of(HEADER, [], wanted=3)
    assert report.metrics["accuracy"].interval is None
    assert str(report).startswith("sums: 0 records, 3 still to do")
