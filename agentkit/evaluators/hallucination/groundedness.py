"""The evaluator ``groundedness``: are the claims of an answer supported by its documents?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.alignment import align
from agentkit.evaluators.hallucination.claims import Claim, claims
from agentkit.evaluators.hallucination.edits import find_edits
from agentkit.evaluators.hallucination.evidence import find_evidence
from agentkit.evaluators.hallucination.features import measure
from agentkit.evaluators.hallucination.findings import claim_finding, word_findings
from agentkit.evaluators.hallucination.refusal import is_refusal
from agentkit.evaluators.hallucination.source import Source
from agentkit.evaluators.hallucination.tongue import answer_language, unreadable
from agentkit.evaluators.hallucination.verdict import Kind, judge, pooled, probability, support
from agentkit.types import Document, Finding, Record, Score

VERSION = "1.0"


class _Checked(NamedTuple):
    kind: Kind
    support: float
    length: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Groundedness:
    """Checks each claim of ``record.output`` against ``record.documents``, without a model: same input, same verdict.

    ``threshold`` is the probability from which a claim counts as supported, ``max_evidence`` the sentences of the documents
    that a claim may rest on, ``max_claims`` how many claims of a long answer are checked. English and Russian; anything else
    is unscored. The score is the calibrated probability that the answer is supported; ``label`` is ``supported``,
    ``partially_supported``, ``unsupported``, ``contradicted`` or ``refusal``. Findings with code ``claim`` give the verdict on
    each claim, the others its unsupported words; all have offsets into the original answer.
    """

    threshold: float = 0.5
    max_evidence: int = 3
    max_claims: int = 1000

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"groundedness: threshold must be between 0 and 1, not {self.threshold}")
        for name in ("max_evidence", "max_claims"):
            if getattr(self, name) < 1:
                raise ConfigError(f"groundedness: {name} must be at least 1, not {getattr(self, name)}")

    async def evaluate(self, record: Record) -> Score:
        """The score of the answer; without answer, documents or claims, or in another language, it is unscored with a reason."""
        began = time.perf_counter()
        score = self.check(_text(record.output), record.documents)
        return replace(score, seconds=time.perf_counter() - began)

    def check(self, answer: str, documents: Sequence[Document]) -> Score:
        """``evaluate`` for plain values; ``seconds`` stays 0."""
        if not answer.strip():
            return _unscored("the answer is empty")
        name = answer_language(answer, documents)
        found = list(islice(claims(answer, name), self.max_claims + 1))
        declined = [claim for claim in found if is_refusal(claim.text)]
        if found and len(declined) == len(found):
            return _unscored("the answer declines to answer", label="refusal", findings=_refusals(answer, declined))
        if not any(document.text.strip() for document in documents):
            return _unscored("there are no documents to check the answer against")
        if reason := unreadable(name, documents):
            return _unscored(reason)
        if not found:
            return _unscored("the answer makes no claim")
        refusals = _refusals(answer, declined)
        rest = [claim for claim in found[: self.max_claims] if claim not in declined]
        score = self._scored(answer, rest, documents)
        return replace(
            score,
            findings=tuple(sorted((*score.findings, *refusals), key=lambda one: (one.start or 0, -(one.end or 0)))),
            reason=f"only the first {self.max_claims} claims were checked" if len(found) > self.max_claims else "",
            metadata={"claims": len(rest), "language": name},
        )

    def _scored(self, answer: str, found: Sequence[Claim], documents: Sequence[Document]) -> Score:
        source = _source(tuple(document.text for document in documents))
        checked = [self._check(answer, claim, source) for claim in found]
        return Score(
            value=probability(pooled([one.support for one in checked], [one.length for one in checked])),
            label=_label([one.kind for one in checked]),
            findings=tuple(finding for one in checked for finding in one.findings),
            evaluator="groundedness",
            version=VERSION,
        )

    def _check(self, answer: str, claim: Claim, source: Source) -> _Checked:
        evidence = find_evidence(claim, source, limit=self.max_evidence)
        alignment = align(claim, source, evidence)
        edits = find_edits(claim, alignment, source)
        features = measure(claim, source, evidence, alignment, edits)
        level = support(features, len(source.sentences))
        chance = probability(level)
        kind = judge(features, chance, self.threshold)
        findings = [claim_finding(answer, claim, kind, chance, source, evidence)]
        if kind != "supported":
            findings += word_findings(answer, chance, source, evidence, alignment, edits)
        return _Checked(kind, level, len(claim.words), tuple(findings))


@lru_cache(maxsize=4)
def _source(texts: tuple[str, ...]) -> Source:
    """Read once for all the answers that rest on the same documents (a batch, a repair loop)."""
    return Source([Document(text=text) for text in texts])


def _label(kinds: Sequence[Kind]) -> str:
    if "contradicted" in kinds:
        return "contradicted"
    if "not_found" not in kinds:
        return "supported"
    return "partially_supported" if "supported" in kinds else "unsupported"


def _refusals(answer: str, declined: Sequence[Claim]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code="refusal",
            kind="refusal",
            message="the answer declines, or says that the documents do not tell",
            start=claim.start,
            end=claim.end,
            text=answer[claim.start : claim.end],
        )
        for claim in declined
    )


def _text(output: object) -> str:
    return output if isinstance(output, str) else "" if output is None else str(output)


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
