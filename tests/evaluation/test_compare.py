"""Two evaluations are compared record by record, never mean by mean."""

import json
from pathlib import Path

import pytest

from agentkit import statistics
from agentkit.errors import EvaluationError
from agentkit.evaluation.compare import as_json, compare
from agentkit.evaluation.results import Results
from agentkit.evaluation.row import Header, Row
from agentkit.types import Score, Usage


def results(values, *, evaluator="match", name="a", calls=1, **fields):
    rows = [
        Row(
            id=f"r{index}",
            cluster=f"r{index}",
            repeat=repeat,
            input=index,
            scores={evaluator: Score(value=one)},
            usage=Usage(calls=calls, input_tokens=10),
            **fields,
        )
        for index, value in enumerate(values)
        for repeat, one in enumerate(value if isinstance(value, list) else [value])
    ]
    return Results(Header(evaluators={evaluator: "x"}), tuple(rows), Path(name) / "results.jsonl")


def test_the_difference_is_paired_and_tested_exactly():
    before = results([1.0] * 30 + [0.0] * 30)
    after = results([1.0] * 28 + [0.0] * 2 + [1.0] * 14 + [0.0] * 16, name="b", calls=4)
    comparison = compare(before, after)
    (found,) = comparison.differences
    assert (found.before, found.after, found.records) == (0.5, 0.7, 60)
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.low > 0
    assert (found.only_before, found.only_after) == (2, 14)
    assert found.p == statistics.mcnemar(2, 14)
    assert (comparison.spent[0].calls, comparison.spent[1].calls) == (60, 240)
    assert "match: better" in str(comparison)
    assert "calls 60 -> 240" in str(comparison)
    assert "match: worse" in str(compare(after, before))


def test_equal_results_show_no_difference():
    one = results([1.0, 0.0, 1.0])
    assert "match: no difference that 3 records can show" in str(compare(one, one))
    assert compare(one, one).differences[0].p == 1.0


def test_records_of_only_one_side_are_left_out_and_counted():
    comparison = compare(results([1.0] * 5), results([1.0] * 8, name="b"))
    assert (comparison.left_out, comparison.differences[0].records) == (3, 5)
    assert "3 records are only in one of the two" in str(comparison)


def test_unscored_records_are_left_out_of_the_pairs():
    comparison = compare(results([1.0, None, 1.0]), results([0.0, 1.0, None], name="b"))
    assert comparison.differences[0].records == 1


def test_repeats_are_averaged_and_not_tested_as_single_answers():
    comparison = compare(results([[1.0, 0.0], [1.0, 1.0]]), results([[1.0, 1.0], [1.0, 1.0]], name="b"))
    (found,) = comparison.differences
    assert (found.before, found.after, found.p) == (0.75, 1.0, None)


def test_p_values_are_adjusted_for_the_number_of_evaluators():
    def two(values):
        one = results(values)
        rows = tuple(
            Row(id=row.id, cluster=row.id, input=row.input, scores={**row.scores, "again": row.scores["match"]})
            for row in one.rows
        )
        return Results(Header(evaluators={"match": "x", "again": "x"}), rows, one.path)

    comparison = compare(two([0.0] * 6 + [1.0]), two([1.0] * 7))
    assert [found.p for found in comparison.differences] == [2 * statistics.mcnemar(0, 6)] * 2


def test_what_cannot_be_compared_is_refused_in_a_sentence():
    one = results([1.0])
    with pytest.raises(EvaluationError, match=r"judged by match.*judged by other"):
        compare(one, results([1.0], evaluator="other"))
    with pytest.raises(EvaluationError, match="no scored record in common"):
        compare(one, results([None], name="b"))
    with pytest.raises(EvaluationError, match="record 'r0' is not the same in both"):
        compare(one, results([1.0], target="else"))


def test_a_comparison_is_data_too():
    data = json.loads(json.dumps(as_json(compare(results([1.0]), results([0.0], name="b"))), allow_nan=False))
    assert data["schema"] == "agentkit-comparison/v1"
    assert data["differences"][0]["difference"]["value"] == -1.0
