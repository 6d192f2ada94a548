"""Declining to answer, and saying that the sources are silent."""

import pytest

from agentkit.evaluators.hallucination.refusal import is_refusal


@pytest.mark.parametrize(
    "sentence",
    [
        "I don't know.",
        "I’m sorry, but I can’t help with that.",
        "Unfortunately, the provided documents do not mention the price.",
        "The answer is not found in the sources.",
        "There is no information about this in the provided context.",
        "Not found in the sources.",
        "The question cannot be answered from the text.",
        "Я не знаю.",
        "К сожалению, я не могу ответить на этот вопрос.",
        "В предоставленных документах нет информации о цене.",
        "В тексте об этом не говорится.",
        "Источники не содержат ответа.",
        "Ответ не найден в источниках.",
    ],
)
def test_declining_is_recognised(sentence: str) -> None:
    assert is_refusal(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I don't know many people who like it, but it sells well.",
        "The warranty does not cover water damage.",
        "The document was signed in 1997.",
        "He could not find the treasure.",
        "Она не знала о войне.",
        "В документе 1997 года указана цена.",
    ],
)
def test_a_statement_with_a_negation_is_no_refusal(sentence: str) -> None:
    assert not is_refusal(sentence)
