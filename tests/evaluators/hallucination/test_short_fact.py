"""Correct, incorrect or not attempted."""

import pytest

from agentkit.evaluators.hallucination.short_fact import ShortFact
from agentkit.testing.conformance import check_evaluator
from agentkit.types import Record


async def test_it_keeps_the_contract_of_an_evaluator() -> None:
    await check_evaluator(ShortFact)
    await check_evaluator(ShortFact, record=Record(output="In Paris.", target="Paris"))


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("Paris", "Paris"),
        ("It is the city of Paris, in France.", "Paris"),
        ("The treaty was signed by Marie Curie.", "Marie Curie"),
        ("It opened in 1997.", 1997),
        ("The answer is 1,200.", "1200"),
        ("four", "4"),
        ("Столицей является Москва.", "Москва"),
        ("Это произошло в Москве.", "Москва"),
        ("I don't know much about it, but it is Paris.", "Paris"),
        ("Lyon", ["Paris", "Lyon"]),
    ],
)
async def test_an_answer_that_gives_the_fact_is_correct(answer: str, target: object) -> None:
    score = await ShortFact().evaluate(Record(output=answer, target=target))
    assert (score.label, score.value) == ("correct", 1.0)


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("Lyon", "Paris"),
        ("It is not Paris.", "Paris"),
        ("It is Paris or Lyon.", "Paris"),
        ("It opened in 1997 or 1998.", "1997"),
        ("Это не Москва.", "Москва"),
        ("Это Казань.", "Москва"),
        ("Parisian", "Paris"),
        ("24", "4"),
    ],
)
async def test_another_answer_a_denial_and_a_choice_are_incorrect(answer: str, target: object) -> None:
    score = await ShortFact().evaluate(Record(output=answer, target=target))
    assert (score.label, score.value) == ("incorrect", 0.0)
    assert [finding.text for finding in score.findings] == [answer]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I don't know.",
        "I’m not sure who that was.",
        "Sorry, I have no idea.",
        "I cannot recall the exact name.",
        "Unknown",
        "N/A",
        "Не знаю.",
        "К сожалению, я не помню.",
        "Мне это неизвестно.",
        "Затрудняюсь ответить.",
        "The documents do not mention this.",
    ],
)
async def test_an_abstention_is_neither(answer: str) -> None:
    score = await ShortFact().evaluate(Record(output=answer, target="Paris"))
    assert (score.label, score.status, score.value) == ("not_attempted", "unscored", None)
    assert score.reason


async def test_a_record_without_target_is_unscored() -> None:
    score = await ShortFact().evaluate(Record(output="Paris"))
    assert (score.status, score.label) == ("unscored", "")
