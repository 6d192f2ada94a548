"""Do the sources of an answer exist, and do they say so?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.citations import Citations
from agentkit.evaluators.hallucination.references import references
from agentkit.testing.conformance import check_evaluator
from agentkit.types import Document, Score

LEEDS = Document(
    text="The service centre in Leeds opened in 1997 and employs 1,200 people. See https://www.example.org/leeds/ and "
    "doi:10.1000/xyz123, arXiv:2203.11171, ISBN 978-0-306-40615-7.",
    source="https://example.org/about",
)
RIVER = Document(text="The river Ouse is 120 km long. Its water is clean enough for otters.")
KAZAN = Document(text="Сервисный центр в Казани открылся в 1997 году. В нём работает 1 200 человек.")


def check(answer: str, *documents: Document, **options: object) -> Score:
    return Citations(**options).check(answer, documents or (LEEDS, RIVER))


def codes(score: Score) -> list[str]:
    return [finding.code for finding in score.findings]


async def test_it_keeps_the_contract_of_an_evaluator() -> None:
    await check_evaluator(Citations)


@pytest.mark.parametrize(
    "answer",
    [
        "The service centre in Leeds opened in 1997 [1]. The river Ouse is 120 km long [2].",
        "The service centre in Leeds opened in 1997. [1] The river Ouse is 120 km long. [2]",
        "The service centre in Leeds opened in 1997 [1, 2].",
        "The service centre in Leeds opened in 1997 [1] (https://example.org/leeds).",
    ],
)
def test_what_the_cited_sources_say_is_sound(answer: str) -> None:
    score = check(answer)
    assert (score.label, score.value, score.findings) == ("sound", 1.0, ())


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ("The centre in Leeds opened in 1997 [7].", "invented_reference", "[7]"),
        ("The service centre in Leeds opened in 1998 [1].", "citation_unsupported", None),
        ("The service centre in Leeds opened in 1997 [2].", "wrong_reference", None),
        ("The service centre in Leeds opened in 1997.", "citation_missing", None),
        (
            "The service centre in Leeds opened in 1997 [1], https://example.org/york.",
            "invented_url",
            "https://example.org/york",
        ),
        (
            "The service centre in Leeds opened in 1997 [1], https://example/leeds.",
            "malformed_url",
            "https://example/leeds",
        ),
        ("The service centre in Leeds opened in 1997 [1], doi:10.1000/abc.", "invented_id", "doi:10.1000/abc"),
        ("The service centre in Leeds opened in 1997 [1], arXiv:2213.11171.", "malformed_id", "arXiv:2213.11171"),
        (
            "The service centre in Leeds opened in 1997 [1], ISBN 978-0-306-40615-8.",
            "malformed_id",
            "ISBN 978-0-306-40615-8",
        ),
    ],
)
def test_each_fault_is_found_where_it_stands(answer: str, code: str, text: str | None) -> None:
    score = check(answer)
    assert code in codes(score)
    finding = next(one for one in score.findings if one.code == code)
    assert answer[finding.start : finding.end] == finding.text == (text or answer)
    assert score.label == "flawed"


@pytest.mark.parametrize(
    "known", ["https://example.org/leeds", "doi:10.1000/XYZ123", "arXiv:2203.11171v2", "ISBN 9780306406157"]
)
def test_a_reference_is_known_however_it_is_spelled(known: str) -> None:
    assert codes(check(f"The service centre in Leeds opened in 1997 [1], {known}.")) == []


def test_an_address_is_not_known_because_a_longer_one_is() -> None:
    answer = "The service centre in Leeds opened in 1997 [1], https://example.org/lee."
    assert codes(check(answer)) == ["invented_url"]


def test_russian_answers_are_checked_alike() -> None:
    good, bad = (
        "Сервисный центр в Казани открылся в 1997 году [1].",
        "Сервисный центр в Казани открылся в 1989 году [1].",
    )
    assert check(good, KAZAN).label == "sound"
    (finding,) = check(bad, KAZAN).findings
    assert (finding.code, finding.kind) == ("citation_unsupported", "contradicted")
    assert finding.evidence is not None
    assert finding.evidence.text in KAZAN.text


def test_the_wrong_source_is_told_with_the_right_one() -> None:
    (finding,) = check("The river Ouse is 120 km long [1].").findings
    assert finding.evidence is not None
    assert finding.evidence.document == 1
    assert finding.message == "not the cited document but document 2 says so"


def test_missing_citations_may_be_passed_over() -> None:
    answer = "The service centre in Leeds opened in 1997. The river Ouse is 120 km long [2]."
    assert codes(check(answer, missing=False)) == []


def test_without_documents_only_what_cannot_exist_is_told() -> None:
    score = Citations().check("See https://example/x and https://example.org/y [1].", ())
    assert score.status == "unscored"
    assert codes(score) == ["malformed_url"]


def test_a_refusal_cites_nothing_and_is_no_fault() -> None:
    score = check("I could not find this in the documents.")
    assert (score.status, score.label) == ("unscored", "refusal")


@given(st.text(alphabet="[]()1290-,;. htps:/aé.org arXiv", max_size=80))
def test_references_have_places_in_the_text(text: str) -> None:
    for one in references(text, 50):
        assert 0 <= one.start < one.end <= len(text)


@pytest.mark.parametrize("options", [{"threshold": 1}, {"max_sentences": 0}])
def test_options_out_of_bounds_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Citations(**options)
