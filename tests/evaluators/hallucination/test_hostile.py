"""Whatever comes in, a verdict or a reason comes out."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.types import Document, Score

TEXT = "The centre in Leeds opened in 1997. It employs 1,200 people. Центр открылся в 1997 году."
PIECES = [
    "The centre", " opened", " in ", "1997", "1,200", ".", "!", "\x00", "\u202e", "\ufeff", "\ud800", "<b>", "</script>",
    "не ", "not ", "Центр", "　", "𝕏", "e\u0301", "[1]", "\n- ", "\n# ",
    "```\n", "；", "NaN", "½", "﷽", "%s", "{x}", "'", ";", "|",
]  # fmt: skip


def sound(score: Score, answer: str, documents: tuple[Document, ...]) -> bool:
    if score.status != "scored":
        return score.status == "unscored" and score.value is None and bool(score.reason)
    assert score.value is not None
    assert math.isfinite(score.value)
    assert 0 <= score.value <= 1
    for finding in score.findings:
        assert finding.start is not None
        assert answer[finding.start : finding.end] == finding.text != ""
        assert 0 <= finding.confidence <= 1
        if place := finding.evidence:
            assert documents[place.document].text[place.start : place.end] == place.text
    return True


@pytest.mark.parametrize(("encoder", "inputs"), [("none", 1000), ("auto", 150)])
def test_a_thousand_hostile_inputs_end_scored_or_unscored_with_a_reason(encoder: str, inputs: int) -> None:
    random, judge = Random(0), Groundedness(encoder=encoder)
    for _ in range(inputs):
        answer = "".join(random.choices(PIECES, k=random.randrange(12)))
        texts = ("".join(random.choices(PIECES, k=random.randrange(25))) for _ in range(random.randrange(3)))
        documents = tuple(Document(text=text) for text in texts)
        assert sound(judge.check(answer, documents), answer, documents)


@settings(deadline=None)
@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_unicode_ends_in_a_verdict(answer: str, texts: list[str]) -> None:
    documents = tuple(Document(text=text) for text in texts)
    assert sound(Groundedness().check(answer, documents), answer, documents)


@pytest.mark.parametrize(
    "answer",
    [
        "a" * 1_000_000,
        "The centre opened in 1997. " * 40_000,
        "word " * 200_000,
        "<div>" * 200_000,
        "\x00" * 1_000_000,
        "1,2 " * 250_000,
        "не " * 300_000,
    ],
    ids=lambda answer: repr(answer[:6]),
)
def test_a_megabyte_is_judged_by_its_beginning(answer: str) -> None:
    documents = (Document(text=TEXT),)
    assert sound(Groundedness(max_claims=50).check(answer, documents), answer, documents)


def test_an_answer_equal_to_its_source_is_supported() -> None:
    text = "The centre in Leeds opened in 1997. It employs 1,200 people."
    score = Groundedness().check(text, (Document(text=text),))
    assert score.label == "supported"


def test_a_source_of_one_repeated_word_is_read_in_linear_time() -> None:
    documents = (Document(text="centre " * 100_000),)
    answer = "The centre opened in the centre of the centre in 1997."
    assert sound(Groundedness().check(answer, documents), answer, documents)
