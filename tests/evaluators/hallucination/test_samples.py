"""Judging an answer by other samples for the same question, without documents."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.hallucination.self_check import SelfCheck
from agentkit.evaluators.hallucination.semantic_entropy import SemanticEntropy
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_evaluator
from agentkit.types import Record

RIVER = (
    "The river Ouse rises in Leeds and is 120 km long.",
    "The Ouse rises in Leeds; it is 120 km long.",
    "Rising in Leeds, the river Ouse is 120 km long.",
)


def record(*samples: object, answer: object = None, question: str = "") -> Record:
    return Record(input=question, output=answer, metadata={"samples": list(samples)})


@pytest.mark.parametrize("make", [SelfCheck, SemanticEntropy])
async def test_both_keep_the_contract_of_an_evaluator(make: type) -> None:
    await check_evaluator(make)
    await check_evaluator(make, record=record("4", "four", "5", answer="The answer is 4."))


async def test_answers_agree_by_what_they_say_not_by_how_they_are_written() -> None:
    score = await SelfCheck().evaluate(record("4", "four", "The answer is 4.", "5", answer="So the answer is 4"))
    assert score.value == 0.75
    assert score.label == "consistent"


async def test_a_sample_that_could_not_be_parsed_agrees_with_nothing() -> None:
    score = await SelfCheck().evaluate(record("4", None, None, None, answer="4"))
    assert score.value == 0.25
    assert [finding.text for finding in score.findings] == ["4"]


async def test_without_an_answer_the_vote_is_judged() -> None:
    score = await SelfCheck().evaluate(record("5", "4", "4"))
    assert score.metadata["answer"] == "4"
    assert score.value == pytest.approx(2 / 3)


async def test_a_sentence_that_no_sample_confirms_is_found_where_it_stands() -> None:
    answer = "The river Ouse rises in Leeds. King Harold drowned there during winter festivities."
    score = await SelfCheck().evaluate(record(*RIVER, answer=answer))
    (finding,) = score.findings
    assert answer[finding.start : finding.end] == finding.text == answer[31:]
    assert score.metadata["method"] == "words"


async def test_russian_samples_are_compared_by_their_stems() -> None:
    samples = ["Центр открыли в Казани ещё весной прошлого года.", "Весной прошлого года в Казани открыли новый центр."]
    score = await SelfCheck(method="words").evaluate(record(*samples, answer="В Казани весной открыт центр."))
    assert score.label == "consistent"


async def test_a_model_is_asked_of_each_sentence_and_sample() -> None:
    with ScriptedModel(script=["yes", "No.", "yes", "perhaps"]) as model:
        judge = SelfCheck(model=model, max_asked=2)
        score = await judge.evaluate(record(*RIVER, answer="The Ouse rises in Leeds. It is 120 km long."))
    assert score.value == 0.75
    assert score.metadata["unread"] == 1
    (bounds,) = judge.bounds()
    assert bounds.most == 40
    assert len(model.requests) <= bounds.most


async def test_entropy_is_that_of_the_meanings() -> None:
    score = await SemanticEntropy(kind="number").evaluate(record("4", "four", "5", "5.0"))
    assert score.metadata["entropy"] == pytest.approx(math.log(2))
    assert score.metadata["clusters"] == [[0, 1], [2, 3]]
    assert score.value == pytest.approx(0.5)


async def test_likely_samples_weigh_more() -> None:
    samples = [{"text": "4", "logprob": math.log(0.9)}, {"text": "5", "logprobs": [math.log(0.1)]}]
    score = await SemanticEntropy().evaluate(record(*samples))
    assert score.metadata["entropy"] == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))
    same = await SemanticEntropy(weights="count").evaluate(record(*samples))
    assert same.value == pytest.approx(0)


async def test_likelihoods_that_are_not_there_are_told() -> None:
    score = await SemanticEntropy(weights="likelihood").evaluate(record("4", {"text": "4", "logprob": math.nan}))
    assert score.value is None
    assert "log-probabilities" in score.reason


async def test_meanings_meet_only_when_each_follows_from_the_other() -> None:
    samples = ["It is in Leeds.", "It is in Leeds, England.", "Leeds is where it stands."]
    with ScriptedModel(script=["yes", "no", "yes", "yes"]) as model:
        judge = SemanticEntropy(model=model)
        score = await judge.evaluate(record(*samples, question="Where is it?"))
    assert score.metadata["clusters"] == [[0, 2], [1]]
    assert len(model.requests) <= (judge.bounds()[0].most or 0)
    assert "Where is it?" in model.requests[0].messages[0].content


async def test_equal_samples_cost_no_question() -> None:
    with ScriptedModel() as model:
        score = await SemanticEntropy(model=model).evaluate(record(*["The same."] * 5))
    assert score.value == 1


@pytest.mark.parametrize("make", [SelfCheck, SemanticEntropy])
@pytest.mark.parametrize("samples", [[], ["4"], ["", " "], [None, None]])
async def test_what_cannot_be_compared_is_unscored_with_a_reason(make: type, samples: list[object]) -> None:
    score = await make().evaluate(record(*samples))
    assert score.status == "unscored"
    assert score.reason


@given(st.lists(st.sampled_from(["4", "5", "four", "4.0", "x", None]), min_size=2, max_size=12))
def test_scores_do_not_depend_on_the_order_of_samples(samples: list[str | None]) -> None:
    from agentkit import run_sync

    for judge in (SelfCheck(method="answer"), SemanticEntropy()):
        one = run_sync(judge.evaluate(record(*samples)))
        two = run_sync(judge.evaluate(record(*reversed(samples))))
        assert (one.value or 0) == pytest.approx(two.value or 0)
        assert one.status == two.status


@pytest.mark.parametrize("row", [[], {}, {"samples": "4"}])
def test_a_row_without_samples_is_told(row: object) -> None:
    with pytest.raises(InputError):
        SelfCheck().parse(row)


def test_a_row_keeps_its_samples_and_answer() -> None:
    read = SemanticEntropy().parse({"samples": ["a", "b"], "answer": "a", "question": "?"})
    assert (read.output, read.input, read.metadata["samples"]) == ("a", "?", ["a", "b"])


@pytest.mark.parametrize("options", [{"threshold": 0}, {"max_samples": 0}, {"max_asked": 0}])
@pytest.mark.parametrize("make", [SelfCheck, SemanticEntropy])
def test_options_out_of_bounds_are_refused(make: type, options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        make(**options)
