"""Numbered citations."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.rag.cite import Cite, Cited, cite
from agentkit.types import Document, Evidence, Finding

SIZE = Document(text="The database may hold 281 terabytes. It is kept in one file.", source="limits.md", title="Limits")
LICENCE = Document(
    text="SQLite is in the public domain and needs no licence.", source="copyright.md", title="Copyright"
)
ARRAY = Document(text="Read the first element with values[0] and the next one with values[1].", source="code.md")


def finding(answer: str, part: str, kind: str, document: int | None = None) -> Finding:
    start = answer.index(part)
    evidence = None if document is None else Evidence(document=document, start=0, end=4, text="quoted")
    return Finding(code=kind, message="", kind=kind, start=start, end=start + len(part), evidence=evidence)


def test_each_supported_sentence_gets_the_number_of_its_document():
    cited = cite("It needs no licence. A database may hold 281 terabytes.", [SIZE, LICENCE])
    assert cited.answer == "It needs no licence [1]. A database may hold 281 terabytes [2]."
    assert cited.sources == (LICENCE, SIZE)
    assert [(one.number, one.document, one.source) for one in cited.citations] == [
        (1, 1, "copyright.md"),
        (2, 0, "limits.md"),
    ]
    assert [cited.answer[one.start : one.end] for one in cited.citations] == [
        "It needs no licence",
        "A database may hold 281 terabytes",
    ]
    assert cited.citations[1].quote == "The database may hold 281 terabytes."


def test_an_unsupported_sentence_gets_no_marker():
    assert cite("It was written on the moon by cheerful robots.", [SIZE, LICENCE]).answer == (
        "It was written on the moon by cheerful robots."
    )


def test_a_wrong_number_is_not_supported():
    assert cite("The database may hold 999 terabytes.", [SIZE]).citations == ()


def test_a_document_cited_twice_keeps_its_number():
    cited = cite("The database is kept in one file. It may hold 281 terabytes.", [LICENCE, SIZE])
    assert [one.number for one in cited.citations] == [1, 1]
    assert len(cited.sources) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "It needs no licence [7].",
        "It needs no licence. [7]",
        "It needs no licence[7].",
        "It needs no licence [1, 2].",
        "It needs no licence [1-3].",
        "It needs no licence [1][2].",
    ],
)
def test_markers_that_the_model_wrote_are_replaced(answer):
    assert cite(answer, [SIZE, LICENCE]).answer.strip() == "It needs no licence [1]."


def test_brackets_that_a_document_has_just_so_are_no_markers():
    assert cite("The next one is read with values[1].", [ARRAY]).answer == "The next one is read with values[1] [1]."
    assert cite("Call for zebras[1].", [ARRAY]).answer == "Call for zebras."


def test_the_verdicts_of_an_evaluator_decide():
    answer = "It needs no licence. A database may hold 281 terabytes. It floats."
    findings = (
        finding(answer, "It needs no licence.", "not_found"),
        finding(answer, "A database may hold 281 terabytes.", "supported", 1),
        finding(answer, "It floats.", "supported", 0),
    )
    cited = cite(answer, [SIZE, LICENCE], findings)
    assert cited.answer == "It needs no licence. A database may hold 281 terabytes [1]. It floats [2]."
    assert [one.quote for one in cited.citations] == ["quoted", "quoted"]


def test_a_finding_against_a_part_speaks_against_the_sentence():
    answer = "A database may hold 281 terabytes in two files."
    findings = (finding(answer, answer, "supported", 0), finding(answer, "two files", "contradicted", 0))
    assert cite(answer, [SIZE], findings).citations == ()


def test_evidence_in_a_document_that_is_not_there_is_no_citation():
    answer = "A database may hold 281 terabytes."
    for document in (5, -1):
        assert cite(answer, [SIZE], [finding(answer, answer, "supported", document)]).answer == answer


async def test_the_node_gives_what_the_function_gives():
    found = await Cite().run(answer="It needs no licence.", documents=(LICENCE,))
    assert found == cite("It needs no licence.", [LICENCE])
    assert isinstance(found, Cited)


def test_russian_words_are_compared_by_their_stems():
    document = Document(text="Лиса живёт в глубокой норе и охотится по ночам.")
    assert cite("Лисы живут в глубоких норах.", [document], overlap=0.7).answer == "Лисы живут в глубоких норах [1]."


def test_no_documents_no_citations():
    assert cite("It needs no licence [1].", []).answer == "It needs no licence."


@given(st.text(), st.lists(st.text(max_size=50), max_size=3))
def test_citations_point_into_the_answer_and_numbers_count_up(answer, texts):
    documents = [Document(text=text) for text in texts]
    cited = cite(answer, documents)
    assert list(dict.fromkeys(one.number for one in cited.citations)) == list(range(1, len(cited.sources) + 1))
    for one in cited.citations:
        assert 0 <= one.start < one.end <= len(cited.answer)
        assert cited.answer[one.end :].startswith(f" [{one.number}]")
        assert cited.sources[one.number - 1] == documents[one.document]


@given(st.lists(st.sampled_from(["It is small", "[1]", "[2,3]", ".", " ", "\n", "a[0]"])).map("".join))
def test_without_documents_no_marker_is_left(answer):
    assert not re.search(r"(?<!\w)\[\d", cite(answer, []).answer)


def test_a_long_answer_is_no_trouble():
    assert cite("It needs no licence. " * 2_000 + " " * 100_000 + "." * 100_000, [LICENCE]).sources == (LICENCE,)


@pytest.mark.parametrize("overlap", [0, 1.1])
def test_an_impossible_overlap_is_refused(overlap):
    with pytest.raises(ConfigError):
        Cite(overlap=overlap)
