"""The evaluator ``groundedness``: are the claims of an answer supported by its documents?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.alignment import align
from agentkit.evaluators.hallucination.calibrated import calibrated
from agentkit.evaluators.hallucination.claims import Claim, claims
from agentkit.evaluators.hallucination.edits import find_edits
from agentkit.evaluators.hallucination.evidence import find_evidence
from agentkit.evaluators.hallucination.features import measure
from agentkit.evaluators.hallucination.findings import claim_finding, word_findings
from agentkit.evaluators.hallucination.likeness import Reader, reader
from agentkit.evaluators.hallucination.output import text_of
from agentkit.evaluators.hallucination.refusal import is_refusal
from agentkit.evaluators.hallucination.source import Source
from agentkit.evaluators.hallucination.tongue import answer_language, unreadable
from agentkit.evaluators.hallucination.verdict import (
    CURVE,
    CURVE_WITH_LIKENESS,
    Kind,
    judge,
    pooled,
    probability,
    support,
)
from agentkit.registry import provided
from agentkit.types import Document, Finding, Record, Score

VERSION = "2.0"
Encoding = Literal["auto", "minilm", "none"]
_LONG = 50  # sentences of a source from which words alone rank as well, and the encoder only costs time
_COPIED = 0.4  # share of copied word triples from which a joint between two sentences is worth telling


class Checked(NamedTuple):
    """A claim's verdict, its support (see ``verdict.support``), its length in words and its findings."""

    kind: Kind
    support: float
    length: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Groundedness:
    """Checks each claim of ``record.output`` against ``record.documents``, without a chat model: same input, same verdict.

    ``encoder`` is a sentence encoder of 21 MB that sees what English texts say in other words: ``auto`` uses it where the extra
    ``chroma`` is installed and its weights are in the cache or can be fetched, and the documents have up to fifty sentences;
    ``minilm`` insists on it and ``none`` goes by the words alone. ``metadata["encoder"]`` says what was used.

    ``threshold`` is the probability from which a claim counts as supported, ``max_evidence`` the sentences of the documents
    that a claim may rest on, ``max_claims`` how many claims of a long answer are checked. English and Russian; anything else
    is unscored. The score is the calibrated probability that the answer is supported; ``label`` is ``supported``,
    ``partially_supported``, ``unsupported``, ``contradicted`` or ``refusal``. Findings with code ``claim`` give the verdict on
    each claim, the others its unsupported words; all have offsets into the original answer.
    ``calibration`` is a file of ``agentkit calibrate``: the score becomes a probability by your own labels.
    """

    threshold: float = 0.5
    max_evidence: int = 3
    max_claims: int = 1000
    calibration: Path | None = None
    encoder: Encoding = "auto"
    cache: Path | None = provided("cache")

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"groundedness: threshold must be between 0 and 1, not {self.threshold}")
        for name in ("max_evidence", "max_claims"):
            if getattr(self, name) < 1:
                raise ConfigError(f"groundedness: {name} must be at least 1, not {getattr(self, name)}")

    async def evaluate(self, record: Record) -> Score:
        """The score of the answer; without answer, documents or claims, or in another language, it is unscored with a reason."""
        began = time.perf_counter()
        score = calibrated(self.check(text_of(record.output), record.documents), self.calibration)
        return replace(score, seconds=time.perf_counter() - began)

    def check(self, answer: str, documents: Sequence[Document]) -> Score:
        """``evaluate`` for plain values; ``seconds`` stays 0."""
        if not answer.strip():
            return _unscored("the answer is empty")
        source = source_of(documents)
        name = answer_language(answer, source.languages)
        found = list(islice(claims(answer, name), self.max_claims + 1))
        declined = [claim for claim in found if is_refusal(claim.text)]
        if reason := _obstacle(found, declined, name, source):
            label = "refusal" if declined else ""
            return _unscored(reason, label=label, findings=_refusals(answer, declined))
        return self._scored(answer, found, declined, source, name)

    def _scored(
        self, answer: str, found: Sequence[Claim], declined: Sequence[Claim], source: Source, name: str
    ) -> Score:
        passed = [claim for claim in found[: self.max_claims] if claim not in declined]
        reads = self._reader(name, source)
        checked = [self.assess(answer, claim, source, reads) for claim in passed]
        findings = [finding for one in checked for finding in one.findings] + _refusals(answer, declined)
        return Score(
            value=probability(pooled([one.support for one in checked], [one.length for one in checked]), _curve(reads)),
            label=_label([one.kind for one in checked]),
            findings=tuple(sorted(findings, key=lambda one: (one.start or 0, -(one.end or 0)))),
            reason=f"only the first {self.max_claims} claims were checked" if len(found) > self.max_claims else "",
            evaluator="groundedness",
            version=VERSION,
            metadata={"claims": len(checked), "language": name, "encoder": "none" if reads is None else "minilm"},
        )

    def _reader(self, name: str, source: Source) -> Reader | None:
        """What sees likeness in a language; raises for an encoder that is insisted on and cannot be had."""
        long = self.encoder == "auto" and len(source.sentences) > _LONG
        if self.encoder == "none" or name != "en" or long:
            return None
        found = reader(self.cache)
        if isinstance(found, Reader):
            return found
        if self.encoder == "minilm":
            raise ConfigError(f"groundedness: {found}")
        return None

    def assess(self, answer: str, claim: Claim, source: Source, reads: Reader | None = None) -> Checked:
        """The verdict on one claim of ``answer`` against a source that has been read."""
        evidence = find_evidence(claim, source, limit=self.max_evidence)
        alignment = align(claim, source, evidence)
        edits = find_edits(claim, alignment, source)
        features = measure(claim, source, evidence, alignment, edits)
        shown = [source.said(one) for one in evidence.nearby]
        likeness = None if reads is None else reads.compare(claim.text, shown)
        level = support(features, len(source.sentences), likeness)
        chance = probability(level, _curve(reads))
        kind = judge(features, chance, self.threshold)
        findings = [claim_finding(answer, claim, kind, chance, source, evidence)]
        if kind != "supported":
            told = [edit for edit in edits if edit.kind != "splice" or features.copied >= _COPIED]
            findings += word_findings(answer, chance, source, evidence, alignment, told)
        return Checked(kind, level, len(claim.words), tuple(findings))


def _curve(reads: Reader | None) -> Sequence[tuple[float, float]]:
    return CURVE if reads is None else CURVE_WITH_LIKENESS


def source_of(documents: Sequence[Document]) -> Source:
    """The documents, read; read once for all the answers that rest on the same ones (a batch, a repair loop)."""
    return _source(tuple(document.text for document in documents))


@lru_cache(maxsize=4)
def _source(texts: tuple[str, ...]) -> Source:
    return Source([Document(text=text) for text in texts])


def _label(kinds: Sequence[Kind]) -> str:
    if "contradicted" in kinds:
        return "contradicted"
    if "not_found" not in kinds:
        return "supported"
    return "partially_supported" if "supported" in kinds else "unsupported"


def _obstacle(found: Sequence[Claim], declined: Sequence[Claim], name: str, source: Source) -> str:
    """Why there is nothing to score; empty when there is."""
    if found and len(declined) == len(found):
        return "the answer declines to answer"
    if not source.sentences:
        return "there are no documents to check the answer against"
    return unreadable(name, source.languages) or ("" if found else "the answer makes no claim")


def _refusals(answer: str, declined: Sequence[Claim]) -> list[Finding]:
    return [
        Finding(
            code="refusal",
            kind="refusal",
            message="the answer declines, or says that the documents do not tell",
            start=claim.start,
            end=claim.end,
            text=answer[claim.start : claim.end],
        )
        for claim in declined
    ]


def _unscored(reason: str, *, label: str = "", findings: Sequence[Finding] = ()) -> Score:
    return Score(
        value=None,
        status="unscored",
        label=label,
        reason=reason,
        findings=tuple(findings),
        evaluator="groundedness",
        version=VERSION,
    )
