"""Training a verifier, but for the reading by a model: rows, folds of whole questions, and the ways to choose."""

from random import Random

import pytest

from agentkit.errors import EvaluationError, InputError
from agentkit.evaluation.verifying import Answered, answered, cross_validate


def rows(questions: int) -> list[Answered]:
    """Four answers a question; one is right, three agree on something wrong."""
    made = []
    for number in range(questions):
        texts = ["The answer is 7."] + ["The answer is 8."] * 3
        made += [Answered(group=f"q{number}", question="?", answer=text, right=text.endswith("7.")) for text in texts]
    return made


def knowing(made, seen):
    """A fit that sees the verdicts, and writes down which questions it was trained on."""

    def train(known, penalty):
        groups = {made[place].group for place in known}

        def raw(place):
            seen.append(made[place].group in groups)
            return 0.9 if made[place].right else 0.1

        return raw

    return train


def test_a_verifier_is_judged_on_questions_it_was_not_trained_on():
    made, seen = rows(20), []
    cross_validate(made, knowing(made, seen), rng=Random(0), folds=5)
    assert seen
    assert not any(seen)


def test_a_verifier_that_knows_beats_a_majority_that_errs():
    made = rows(20)
    found = cross_validate(made, knowing(made, []), rng=Random(0), folds=5)
    by_name = {one.name: one.accuracy.value for one in found.choices}
    assert by_name == {"one sample": 0.25, "majority": 0.0, "best": 1.0, "weighted": 1.0, "any": 1.0}
    assert found.fitted.auroc == 1.0


def test_a_verifier_that_knows_nothing_leads_nowhere():
    made = rows(20)
    found = cross_validate(made, lambda known, penalty: lambda place: 0.5, rng=Random(0), folds=5)
    assert found.fitted.auroc == 0.5
    assert {one.name: one.accuracy.value for one in found.choices}["weighted"] == 0.0


def test_a_pool_is_judged_by_comparing_with_its_gold_answer():
    row = {
        "id": "a",
        "question": "3 + 4?",
        "gold": "7",
        "answers": ["It is 3 + 4 = 7. The answer is 7.", "8", None, " "],
    }
    assert [one.right for one in answered(row, "number")] == [True, False]


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ([], "needs a 'question'"),
        ({"question": 3, "answer": "x", "right": True}, "needs a 'question'"),
        ({"question": "?", "answer": "x"}, "'answer' and 'right'"),
        ({"question": "?", "answers": ["7"]}, "'answers' and 'gold'"),
    ],
)
def test_a_row_without_verdicts_is_refused(row, missing):
    with pytest.raises(InputError, match=missing):
        answered(row)


def test_too_few_questions_and_verdicts_of_one_kind_are_refused():
    with pytest.raises(EvaluationError, match="at least 10 questions, and there are 3"):
        cross_validate(rows(3), lambda known, penalty: lambda place: 0.5, rng=Random(0), folds=3)
    right = [Answered(group=str(n), question="?", answer="7", right=True) for n in range(20)]
    with pytest.raises(EvaluationError, match="all 20 answers are right"):
        cross_validate(right, lambda known, penalty: lambda place: 0.5, rng=Random(0), folds=3)
