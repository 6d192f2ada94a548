"""The evaluator ``citations``: do the sources that an answer cites exist, and do they say so?"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.calibrated import calibrated
from agentkit.evaluators.hallucination.claims import claims
from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.evaluators.hallucination.output import text_of
from agentkit.evaluators.hallucination.references import MARK, Library, Reference, numbers, references
from agentkit.evaluators.hallucination.refusal import is_refusal
from agentkit.text import language, sentences
from agentkit.types import Document, Evidence, Finding, Record, Score

VERSION = "1.0"
_LEAD = re.compile(rf"\A(?:{MARK.pattern}\s*)+")
_NAMES = {"url": "web address", "doi": "DOI", "arxiv": "arXiv number", "isbn": "ISBN"}


@dataclass(slots=True)
class _Cited:
    """A sentence of the answer, ``[start, end)``, with the marks that belong to it; ``claim`` ends before them."""

    start: int
    end: int
    claim: str
    marks: list[tuple[int, int, list[int]]] = field(default_factory=list)


@dataclass(slots=True)
class _Tally:
    """What was looked at and found: of every item whether it is sound."""

    sound: list[bool] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    claims: int = 0
    cited: int = 0


@dataclass(frozen=True, kw_only=True)
class Citations:
    """Checks what ``record.output`` cites: ``[2]`` is the second of ``record.documents``; addresses and ids must be among them.

    Findings, with offsets into the original answer: ``invented_reference`` (no such document), ``invented_url`` and
    ``invented_id`` (a DOI, arXiv number or ISBN that no document holds), ``malformed_url`` and ``malformed_id`` (it cannot
    exist), ``citation_unsupported`` (the cited documents do not say so, or say otherwise: ``kind``), ``wrong_reference`` (another
    document says so, which ``evidence`` shows) and, unless ``missing`` is off, ``citation_missing``. The score is the share of
    sentences and references that are sound; ``label`` is ``sound``, ``flawed`` or ``refusal``. A sentence is supported as
    ``groundedness`` with this ``threshold`` says. English and Russian; without a model. ``max_sentences`` and as many
    references of a long answer are checked.
    ``calibration`` is a file of ``agentkit calibrate``: the score becomes a probability by your own labels.
    """

    threshold: float = 0.5
    missing: bool = True
    max_sentences: int = 200
    calibration: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"citations: threshold must be between 0 and 1, not {self.threshold}")
        if self.max_sentences < 1:
            raise ConfigError(f"citations: max_sentences must be at least 1, not {self.max_sentences}")

    async def evaluate(self, record: Record) -> Score:
        """The score of the answer; without answer, documents, or anything to cite, it is unscored with a reason."""
        began = time.perf_counter()
        score = calibrated(self.check(text_of(record.output), record.documents), self.calibration)
        return replace(score, seconds=time.perf_counter() - began)

    def check(self, answer: str, documents: Sequence[Document]) -> Score:
        """``evaluate`` for plain values; ``seconds`` stays 0."""
        if not answer.strip():
            return _unscored("the answer is empty")
        tally = _Tally()
        library = Library(documents)
        found = references(answer, self.max_sentences)
        for reference in found:
            _look_up(answer, reference, library, tally)
        read = _sentences(_without(answer, found))
        if not any(document.text.strip() for document in documents):
            return replace(_unscored("there are no documents to look the references up in"), findings=_ordered(tally))
        judge = Groundedness(threshold=self.threshold)
        for one in read[: self.max_sentences]:
            self._sentence(answer, one, documents, judge, tally)
        if not tally.sound:
            declined = any(is_refusal(one.claim) for one in read)
            reason = "the answer declines to answer" if declined else "the answer cites nothing and claims nothing"
            return replace(_unscored(reason), label="refusal" if declined else "")
        return self._scored(tally, cut=len(read) > self.max_sentences)

    def _scored(self, tally: _Tally, *, cut: bool) -> Score:
        return Score(
            value=sum(tally.sound) / len(tally.sound),
            label="sound" if all(tally.sound) else "flawed",
            findings=_ordered(tally),
            reason=f"only the first {self.max_sentences} sentences were checked" if cut else "",
            evaluator="citations",
            version=VERSION,
            metadata={"claims": tally.claims, "cited": tally.cited},
        )

    def _sentence(
        self, answer: str, one: _Cited, documents: Sequence[Document], judge: Groundedness, tally: _Tally
    ) -> None:
        named: list[int] = []
        for start, end, places in one.marks:
            there = [place for place in places if 1 <= place <= len(documents)]
            named += [place for place in there if place not in named]
            if len(there) < len(places):
                tally.findings.append(_invented_mark(answer, start, end, len(documents)))
                tally.sound.append(False)
        if is_refusal(one.claim) or next(claims(one.claim, language(one.claim)), None) is None:
            return
        tally.claims += 1
        if named:
            tally.cited += 1
            self._supported(answer, one, [place - 1 for place in named], documents, judge, tally)
        elif not one.marks and self.missing:
            message = "this claim cites no source"
            tally.findings.append(_at(answer, one, "citation_missing", "missing", message))
            tally.sound.append(False)

    def _supported(
        self,
        answer: str,
        one: _Cited,
        places: Sequence[int],
        documents: Sequence[Document],
        judge: Groundedness,
        tally: _Tally,
    ) -> None:
        score = judge.check(one.claim, [documents[place] for place in places])
        if score.status != "scored":
            return
        tally.sound.append(score.label == "supported")
        if score.label != "supported":
            finding = _unsupported(answer, one, score, places)
            if shown := _elsewhere(one, places, documents, judge):
                message = f"not the cited document but document {shown.document + 1} says so"
                finding = _at(answer, one, "wrong_reference", "misplaced", message, evidence=shown)
            tally.findings.append(finding)


def _elsewhere(
    one: _Cited, places: Sequence[int], documents: Sequence[Document], judge: Groundedness
) -> Evidence | None:
    """The passage of a document that is not cited and supports the claim."""
    score = judge.check(one.claim, documents)
    shown = next((finding.evidence for finding in score.findings if finding.evidence), None)
    return shown if score.label == "supported" and shown and shown.document not in places else None


def _unsupported(answer: str, one: _Cited, score: Score, places: Sequence[int]) -> Finding:
    kind = "contradicted" if score.label == "contradicted" else "not_found"
    message = f"the cited source {'says otherwise' if kind == 'contradicted' else 'does not say so'}"
    shown = next((found.evidence for found in score.findings if found.kind != "supported" and found.evidence), None)
    evidence = replace(shown, document=places[shown.document]) if shown else None
    finding = _at(answer, one, "citation_unsupported", kind, message, evidence=evidence)
    return replace(finding, confidence=1 - (score.value or 0.0))


def _look_up(answer: str, reference: Reference, library: Library, tally: _Tally) -> None:
    family, name = "url" if reference.kind == "url" else "id", _NAMES[reference.kind]
    place = _Cited(reference.start, reference.end, "")
    if reference.wrong:
        message = f"this {name} cannot exist: {reference.wrong}"
        tally.findings.append(_at(answer, place, f"malformed_{family}", "malformed", message))
    elif library.documents and not library.holds(reference):
        tally.findings.append(_at(answer, place, f"invented_{family}", "invented", f"no document holds this {name}"))
    else:
        tally.sound += [True] * bool(library.documents)
        return
    tally.sound.append(False)


def _without(answer: str, found: Sequence[Reference]) -> str:
    """The answer with its references blanked: an address is no part of what is claimed."""
    parts, place = [], 0
    for one in found:
        parts += [answer[place : one.start], " " * (one.end - one.start)]
        place = one.end
    return "".join((*parts, answer[place:]))


def _sentences(answer: str) -> list[_Cited]:
    """The sentences with their marks; one that opens a sentence or stands by itself belongs to the sentence before it."""
    read: list[_Cited] = []
    for span in sentences(answer):
        marks = [
            (span.start + one.start(), span.start + one.end(), numbers(one[1])) for one in MARK.finditer(span.text)
        ]
        lead = len(span.text) - len(_LEAD.sub("", span.text)) if read else 0
        if read:
            read[-1].marks += [mark for mark in marks if mark[0] < span.start + lead]
            marks = [mark for mark in marks if mark[0] >= span.start + lead]
        claim = span.text[lead:]
        if read and not any(letter.isalnum() for letter in MARK.sub("", claim)):
            read[-1].marks += marks
        else:
            read.append(_Cited(span.start + lead, span.end, claim, marks))
    return read


def _invented_mark(answer: str, start: int, end: int, count: int) -> Finding:
    message = f"there is no such document: the answer was given {count}"
    return _at(answer, _Cited(start, end, ""), "invented_reference", "invented", message)


def _at(answer: str, one: _Cited, code: str, kind: str, message: str, *, evidence: Evidence | None = None) -> Finding:
    text = answer[one.start : one.end]
    return Finding(code=code, kind=kind, message=message, start=one.start, end=one.end, text=text, evidence=evidence)


def _ordered(tally: _Tally) -> tuple[Finding, ...]:
    return tuple(sorted(tally.findings, key=lambda one: (one.start or 0, one.end or 0, one.code)))


def _unscored(reason: str) -> Score:
    return Score(value=None, status="unscored", reason=reason, evaluator="citations", version=VERSION)
