"""The labelled sets: claims with their documents and whether people judged them supported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from corruptions import examples

from agentkit.types import Document


class Row(NamedTuple):
    """One judged answer; ``group`` marks rows that share a source or claim and are resampled together."""

    answer: str
    documents: tuple[Document, ...]
    supported: bool
    group: str
    rule: str = ""


def wice(data: Path) -> list[Row]:
    """Claims of Wikipedia against web pages (WiCE dev): supported against partially or not supported."""
    return [
        Row(row["claim"], _documents(" ".join(row["evidence"])), row["label"] == "supported", str(number))
        for number, row in enumerate(_lines(data / "wice/claim_dev.jsonl"))
    ]


def begin(data: Path) -> list[Row]:
    """Replies in a dialogue against the sentence they were given (BEGIN, Wizard of Wikipedia dev)."""
    return [
        Row(row["response"], _documents(row["knowledge"]), row["begin_label"] == "Fully attributable", row["knowledge"])
        for row in _lines(data / "begin/wow_dev.jsonl")
    ]


def scifact(data: Path) -> list[Row]:
    """Scientific claims against the abstracts they cite (SciFact train): supported against contradicted or neither."""
    return [row for row, _ in _scifact(data)]


def scifact_contradicted(data: Path) -> list[Row]:
    """The SciFact claims that are either supported or contradicted."""
    return [row for row, labels in _scifact(data) if labels]


def climate_fever(data: Path) -> list[Row]:
    """Claims on the climate against one sentence each (Climate-FEVER): supported against refuted or neither."""
    return [row for row, _ in _climate(data)]


def climate_contradicted(data: Path) -> list[Row]:
    """The Climate-FEVER pairs that are either supported or refuted."""
    return [row for row, label in _climate(data) if label != "NOT_ENOUGH_INFO"]


def qags_sentences(data: Path) -> list[Row]:
    """Sentences of summaries against their article (QAGS CNN/DailyMail)."""
    return [
        Row(one["sentence"], _documents(row["article"]), bool(one["supported"]), row["id"])
        for row in _lines(data / "qags/cnndm_test.jsonl")
        for one in row["sentences"]
    ]


def qags_summaries(data: Path) -> list[Row]:
    """Whole summaries against their article: no sentence unsupported (QAGS CNN/DailyMail)."""
    return [
        Row(
            " ".join(one["sentence"] for one in row["sentences"]),
            _documents(row["article"]),
            not row["hallucinated"],
            row["id"],
        )
        for row in _lines(data / "qags/cnndm_test.jsonl")
    ]


def corrupted(language: str) -> Callable[[Path], list[Row]]:
    """Sentences of XQuAD paragraphs, reworded or corrupted by rule (``corruptions.py``), with a fixed seed."""

    def rows(data: Path) -> list[Row]:
        paragraphs = [row["text"].lstrip("\ufeff") for row in _lines(data / f"xquad_retrieval/corpus_{language}.jsonl")]
        return [
            Row(one.claim, _documents(one.document), one.supported, one.document, one.rule)
            for one in examples(paragraphs, language, Random(20261122))
        ]

    return rows


def training(data: Path) -> list[Row]:
    """What may be trained on: WiCE claims, its sub-claims with and without their unsupported words, corruptions of its pages."""
    pages = list(dict.fromkeys(" ".join(row["evidence"]) for row in _lines(data / _TOKENS)))
    made = [
        Row(one.claim, _documents(one.document), one.supported, one.document, "corruption")
        for one in examples(pages, "en", Random(7))
    ]
    return [*wice(data), *_subclaims(data), *made]


SETS: dict[str, Callable[[Path], list[Row]]] = {
    "wice_claims": wice,
    "begin_wow": begin,
    "scifact_claims": scifact,
    "scifact_supported_or_contradicted": scifact_contradicted,
    "climate_fever_pairs": climate_fever,
    "climate_fever_supported_or_refuted": climate_contradicted,
    "qags_cnndm_sentences": qags_sentences,
    "qags_cnndm_summaries": qags_summaries,
    "corruptions_en": corrupted("en"),
    "corruptions_ru": corrupted("ru"),
}

_TOKENS = "wice/non_supported_tokens_train.jsonl"


def _subclaims(data: Path) -> Iterator[Row]:
    for row in _lines(data / _TOKENS):
        documents = _documents(" ".join(row["evidence"]))
        yield Row(row["claim"], documents, False, documents[0].text, "sub-claim")
        kept = [token for token, lost in zip(row["claim_tokens"], row["non_supported_spans"], strict=True) if not lost]
        if sum(map(str.isalnum, kept)) >= 3:
            yield Row(" ".join(kept), documents, True, documents[0].text, "sub-claim")


def _scifact(data: Path) -> Iterator[tuple[Row, set[str]]]:
    corpus = {row["_id"]: row for row in _lines(data / "scifact_claims/corpus_sentences.jsonl")}
    for row in _lines(data / "scifact_claims/claims_train.jsonl"):
        cited = [corpus[one] for one in row["cited_doc_ids"] if one in corpus]
        labels = {one["label"] for one in row["evidence"]}
        documents = _documents(*(f"{one['title']}. {' '.join(one['sentences'])}" for one in cited))
        yield Row(row["claim"], documents, labels == {"SUPPORT"}, row["id"]), labels


def _climate(data: Path) -> Iterator[tuple[Row, str]]:
    for row in _lines(data / "climate_fever/claims.jsonl"):
        for one in row["evidences"]:
            label = one["evidence_label"]
            yield Row(row["claim"], _documents(one["evidence"]), label == "SUPPORTS", row["claim_id"]), label


def _documents(*texts: str) -> tuple[Document, ...]:
    return tuple(Document(text=text) for text in texts)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
