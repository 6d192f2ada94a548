"""What an answer claims."""

from hypothesis import given
from hypothesis import strategies as st

from agentkit.evaluators.hallucination.claims import claims


def texts(answer: str, language: str = "en") -> list[str]:
    return [claim.text for claim in claims(answer, language)]


def test_each_sentence_with_content_is_a_claim() -> None:
    assert texts("Well, it is. The centre opened in 1997. Yes.") == ["Well, it is.", "The centre opened in 1997."]


def test_a_semicolon_parts_claims_that_stand_alone() -> None:
    long = "The centre in Leeds opened in 1997; the office in York employs forty people."
    assert texts(long) == [
        "The centre in Leeds opened in 1997;",
        "the office in York employs forty people.",
    ]
    assert texts("Open daily; free.") == ["Open daily; free."]


def test_citation_marks_and_attributions_are_no_words_of_the_claim() -> None:
    (claim,) = claims("According to the text, parts are covered [1, 2].", "en")
    assert [word.text for word in claim.content] == ["parts", "covered"]
    (claim,) = claims("Согласно тексту, детали покрыты [3].", "ru")
    assert [word.text for word in claim.content] == ["детали", "покрыты"]


def test_a_sentence_without_end_is_checked_in_pieces() -> None:
    pieces = list(claims("word " * 1000, "en"))
    assert len(pieces) > 5
    assert all(len(piece.text) <= 600 for piece in pieces)


@given(st.text())
def test_claims_have_offsets_into_the_answer(answer: str) -> None:
    for claim in claims(answer, "en"):
        assert answer[claim.start : claim.end] == claim.text
        assert all(answer[word.start : word.end] == word.text for word in claim.words)
