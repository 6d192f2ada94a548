"""Verdicts as findings: the claim itself, and the words in it that are not supported, each with its evidence and a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentkit.evaluators.hallucination.alignment import Alignment
from agentkit.evaluators.hallucination.claims import Claim
from agentkit.evaluators.hallucination.edits import Edit
from agentkit.evaluators.hallucination.evidence import Evidence, Match
from agentkit.evaluators.hallucination.source import Source
from agentkit.evaluators.hallucination.verdict import Kind
from agentkit.text import Word
from agentkit.types import Evidence as Passage
from agentkit.types import Finding

_SAID = {
    "negation": "the answer and the source differ in a negation",
    "number": "the source has another number here",
    "name": "the source has another name here",
    "opposite": "the source says the opposite",
    "splice": "two statements of the source are joined as if they were one",
}
_CLAIM = {
    "supported": "the documents say so",
    "contradicted": "the documents say otherwise",
    "not_found": "the documents do not say so",
}


def claim_finding(answer: str, claim: Claim, kind: Kind, chance: float, source: Source, evidence: Evidence) -> Finding:
    """The verdict on a claim: code ``claim``, the verdict as ``kind``, the best sentence of the documents as evidence."""
    return Finding(
        code="claim",
        kind=kind,
        message=_CLAIM[kind],
        start=claim.start,
        end=claim.end,
        text=answer[claim.start : claim.end],
        evidence=_sentence(source, evidence),
        confidence=chance if kind == "supported" else 1 - chance,
    )


def word_findings(
    answer: str, chance: float, source: Source, evidence: Evidence, alignment: Alignment, edits: Sequence[Edit]
) -> list[Finding]:
    """The unsupported words of a claim: what was changed (``contradicted``) and what the evidence lacks (``not_found``)."""
    found = [_edit_finding(answer, edit, 1 - chance, source, alignment.words) for edit in edits]
    taken = [(one.start or 0, one.end or 0) for one in found]
    for start, end in _lost(answer, evidence.matches):
        if not any(left < end and start < right for left, right in taken):
            found.append(
                Finding(
                    code="words_not_found",
                    kind="not_found",
                    message=f"{answer[start:end]!r} is not in the documents",
                    start=start,
                    end=end,
                    text=answer[start:end],
                    evidence=_sentence(source, evidence),
                    confidence=1 - chance,
                )
            )
    return sorted(found, key=lambda one: one.start or 0)


def _edit_finding(answer: str, edit: Edit, confidence: float, source: Source, words: Sequence[Word]) -> Finding:
    start, end = words[edit.first].start, words[edit.last].end
    passage = _tokens(source, max(edit.start - 1, 0), min(edit.end + 1, len(source.tokens)))
    return Finding(
        code=f"{edit.kind}_differs" if edit.kind != "splice" else "splice",
        kind="not_found" if edit.kind == "splice" else "contradicted",
        message=f"{_SAID[edit.kind]}: {passage.text!r}",
        start=start,
        end=end,
        text=answer[start:end],
        evidence=passage,
        confidence=confidence,
    )


def _lost(answer: str, matches: Sequence[Match]) -> Iterator[tuple[int, int]]:
    """Runs of content words that the evidence lacks, function words between them included."""
    run: list[Word] = []
    for match in matches:
        if not match.nearby:
            run.append(match.word)
        elif run:
            yield run[0].start, run[-1].end
            run = []
    if run:
        yield run[0].start, run[-1].end


def _sentence(source: Source, evidence: Evidence) -> Passage | None:
    if not evidence.window:
        return None
    best = source.sentences[evidence.window[0]]
    text = source.documents[best.document].text[best.start : best.end]
    return Passage(document=best.document, start=best.start, end=best.end, text=text)


def _tokens(source: Source, first: int, last: int) -> Passage:
    home = source.sentences[source.sentence_of[min(max(first, 0) + (last - first) // 2, len(source.tokens) - 1)]]
    first, last = max(first, home.first), min(last, home.last)
    start, end = source.tokens[first].start, source.tokens[max(first, last - 1)].end
    return Passage(document=home.document, start=start, end=end, text=source.documents[home.document].text[start:end])
