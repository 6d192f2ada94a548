"""Verdicts on answers, with places and reasons."""

from dataclasses import replace

import pytest

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.types import Document, Record, Score

ENGLISH = (
    "The warranty covers parts and labour for two years from the date of purchase. It does not cover damage caused by water. "
    "Prices rose by 12 % in March. The service centre in Leeds opened in 1997 and employs 1,200 people. The river is 5 km long."
)
RUSSIAN = (
    "Гарантия распространяется на детали и работу в течение двух лет со дня покупки. Она не покрывает повреждения водой. "
    "Сервисный центр в Казани открылся в 1997 году, в нём работает 1 200 человек. Цены в марте выросли на 12 %."
)


def check(answer: str, text: str = ENGLISH, **options: object) -> Score:
    return Groundedness(**options).check(answer, (Document(text=text),))


def kinds(score: Score) -> list[str]:
    return [finding.kind for finding in score.findings if finding.code == "claim"]


def words_of(score: Score, kind: str) -> list[str]:
    return [finding.text for finding in score.findings if finding.code != "claim" and finding.kind == kind]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The warranty covers parts for two years.", ENGLISH),
        ("According to the text, the centre in Leeds employs 1200 people [1].", ENGLISH),
        ("The river is 5 kilometres long.", ENGLISH),
        ("Гарантия на детали и работу действует 2 года со дня покупки.", RUSSIAN),
        ("В сервисном центре в Казани работает 1200 человек.", RUSSIAN),
    ],
)
def test_what_the_documents_say_is_supported(answer: str, text: str) -> None:
    score = check(answer, text)
    assert score.label == "supported"
    assert kinds(score) == ["supported"]


@pytest.mark.parametrize(
    ("answer", "text", "words"),
    [
        ("The service centre in Leeds opened in 1998.", ENGLISH, "1998"),
        ("The service centre in York opened in 1997.", ENGLISH, "York"),
        ("It does cover damage caused by water.", ENGLISH, "does cover"),
        ("Prices fell by 12 % in March.", ENGLISH, "fell"),
        ("The river is 5 miles long.", ENGLISH, "5"),
        ("Сервисный центр в Казани открылся в 1989 году.", RUSSIAN, "1989"),
        ("Сервисный центр в Москве открылся в 1997 году.", RUSSIAN, "Москве"),
        ("Она покрывает повреждения водой.", RUSSIAN, "Она покрывает"),
        ("Цены в марте упали на 12 %.", RUSSIAN, "упали"),
    ],
)
def test_what_the_documents_deny_is_contradicted_word_by_word(answer: str, text: str, words: str) -> None:
    score = check(answer, text)
    assert score.label == "contradicted"
    assert score.value is not None
    assert score.value < 0.5
    assert words in words_of(score, "contradicted")


def test_what_the_documents_do_not_mention_is_not_found() -> None:
    score = check("The chairman resigned after the scandal.")
    assert score.label == "unsupported"
    assert kinds(score) == ["not_found"]
    assert words_of(score, "not_found") == ["chairman resigned after the scandal"]


def test_a_mixed_answer_is_partially_supported() -> None:
    score = check("The river is 5 km long. The chairman resigned after the scandal.")
    assert score.label == "partially_supported"
    assert kinds(score) == ["supported", "not_found"]


def test_evidence_points_into_the_document_it_names() -> None:
    documents = (Document(text="Nothing of note happened there."), Document(text=ENGLISH))
    score = Groundedness().check("The service centre in Leeds opened in 1998.", documents)
    for finding in score.findings:
        assert finding.evidence is not None
        assert finding.evidence.document == 1
        assert ENGLISH[finding.evidence.start : finding.evidence.end] == finding.evidence.text
    assert "1997" in next(one for one in score.findings if one.code == "number_differs").message


@pytest.mark.parametrize(
    ("answer", "text", "reason"),
    [
        ("", ENGLISH, "the answer is empty"),
        (" \n", ENGLISH, "the answer is empty"),
        ("The river is long.", "", "no documents"),
        ("It is. So there.", ENGLISH, "no claim"),
        ("Die Garantie gilt für zwei Jahre und ist nicht übertragbar auf andere.", ENGLISH, "(de) cannot be checked"),
        ("The warranty covers parts for two years.", RUSSIAN, "they cannot be compared"),
    ],
)
def test_what_cannot_be_judged_is_unscored_with_a_reason(answer: str, text: str, reason: str) -> None:
    score = check(answer, text)
    assert (score.status, score.value) == ("unscored", None)
    assert reason in score.reason


def test_a_refusal_is_a_label_of_its_own() -> None:
    score = check("I'm sorry, but I cannot answer that. The documents do not mention it.")
    assert (score.status, score.label, score.value) == ("unscored", "refusal", None)
    assert [finding.kind for finding in score.findings] == ["refusal", "refusal"]


def test_a_refusal_beside_claims_leaves_the_claims_to_be_checked() -> None:
    score = check("The river is 5 km long. The documents do not mention its depth.")
    assert score.label == "supported"
    assert [finding.kind for finding in score.findings] == ["supported", "refusal"]


async def test_a_record_gets_the_same_verdict_with_its_time() -> None:
    record = Record(output="The river is 5 km long.", documents=(Document(text=ENGLISH),))
    score = await Groundedness().evaluate(record)
    assert score.seconds > 0
    assert replace(score, seconds=0.0) == check("The river is 5 km long.")
    assert (score.evaluator, score.version) == ("groundedness", "2.0")


def test_the_threshold_decides_what_counts_as_supported() -> None:
    answer = "The warranty lasts for two years after purchase."
    chance = check(answer).findings[0].confidence
    assert check(answer, threshold=0.01).label == "supported"
    assert check(answer, threshold=0.999).label != "supported"
    assert 0 < chance < 1


def test_only_the_first_claims_of_a_long_answer_are_checked() -> None:
    score = check("The river is 5 km long. " * 5, max_claims=3)
    assert len(kinds(score)) == 3
    assert score.reason == "only the first 3 claims were checked"


@pytest.mark.parametrize("options", [{"threshold": 0.0}, {"threshold": 1.5}, {"max_evidence": 0}, {"max_claims": -1}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="groundedness: "):
        Groundedness(**options)


def test_a_more_copied_answer_scores_higher() -> None:
    ordered = [
        "Whales sing to their calves at night.",
        "The warranty of the whales is for calves.",
        "The warranty covers parts for two years.",
        "The warranty covers parts and labour for two years from the date of purchase.",
    ]
    values = [check(answer).value for answer in ordered]
    assert values == sorted(values, key=lambda value: value or 0)


def test_findings_do_not_depend_on_what_was_checked_before() -> None:
    first = check("The river is 5 km long.")
    check("Что угодно другое в другом месте.", RUSSIAN)
    assert check("The river is 5 km long.") == first
