"""Numbered citations: each sentence of an answer pointed at the document that supports it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agentkit.errors import ConfigError
from agentkit.text import Span, language, rarity, sentences, words
from agentkit.types import Citation, Document, Finding

_MARKER = re.compile(r"(?P<space>[ \t]?)\[\d{1,3}(?:[ \t]*[,;–-][ \t]*\d{1,3})*\]")
_ENDS = " \t\n.!?…。！？"
_QUOTE = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """An answer with ``[1]`` after each supported sentence; ``sources[0]`` is what ``[1]`` stands for."""

    answer: str
    citations: tuple[Citation, ...]
    sources: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """The document (0-based) that a sentence rests on, and the passage in it."""

    document: int
    quote: str


@dataclass(frozen=True, kw_only=True)
class Cite:
    """Mark each sentence of an answer with the number of the document that supports it best.

    With findings of an evaluator its verdicts decide. Without, a sentence is supported when at least ``overlap`` of its
    words, weighed by rarity, and all its numbers stand in one document. Numbers count up in order of appearance; markers that the
    model wrote are taken out, since it may have invented them; a sentence without support gets none.
    """

    overlap: float = 0.6

    def __post_init__(self) -> None:
        if not 0 < self.overlap <= 1:
            raise ConfigError(f"overlap is {self.overlap}: the share of words lies above 0 and at most at 1")

    async def run(self, *, answer: str, documents: tuple[Document, ...], findings: tuple[Finding, ...] = ()) -> Cited:
        """The answer with numbered markers, the citations, and the sources in the order of their numbers."""
        return cite(answer, documents, findings, overlap=self.overlap)


def cite(
    answer: str, documents: Sequence[Document], findings: Sequence[Finding] = (), *, overlap: float = 0.6
) -> Cited:
    """The answer with its citations; see ``Cite``."""
    judged = [one for one in findings if one.start is not None and one.end is not None]
    find = _by_words(documents, overlap)
    page = _Page(documents)
    position = 0
    for span in sentences(answer):
        page.write(answer[position : span.start])
        sentence = page.unmarked(span.text)
        page.sentence(sentence, _by_verdict(judged, span) if judged else find(sentence))
        position = span.end
    page.write(answer[position:])
    return Cited(
        answer=page.text, citations=tuple(page.citations), sources=tuple(documents[one] for one in page.numbered)
    )


class _Page:
    """The answer as it is written out, and what was cited so far."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.text = ""
        self.citations: list[Citation] = []
        self.numbered: list[int] = []
        self._documents = documents

    def write(self, text: str) -> None:
        """What stands between sentences."""
        self.text += self.unmarked(text)

    def unmarked(self, text: str) -> str:
        """The text without the markers that the model wrote."""
        return _MARKER.sub(self._unless_quoted, text)

    def sentence(self, text: str, support: Support | None) -> None:
        """A sentence, with its number before the closing marks."""
        if support is None or not 0 <= support.document < len(self._documents):
            self.text += text
            return
        if support.document not in self.numbered:
            self.numbered.append(support.document)
        number = self.numbered.index(support.document) + 1
        end = len(text.rstrip(_ENDS))
        document = self._documents[support.document]
        self.citations.append(
            Citation(
                number=number,
                start=len(self.text),
                end=len(self.text) + end,
                document=support.document,
                source=document.source,
                title=document.title,
                quote=support.quote[:_QUOTE],
            )
        )
        self.text += f"{text[:end]} [{number}]{text[end:]}"

    def _unless_quoted(self, marker: re.Match[str]) -> str:
        """``values[1]`` is a marker unless a document has it just so."""
        before = re.search(r"\w+\Z", marker.string[max(0, marker.start() - 40) : marker.start()])
        if marker["space"] or not before:
            return ""
        quoted = before[0] + marker[0]
        return marker[0] if any(quoted in document.text for document in self._documents) else ""


def _by_verdict(findings: Sequence[Finding], span: Span) -> Support | None:
    """The evidence of the finding that calls most of the sentence supported, unless another finding objects to a part."""
    here = [(_shared(one, span), one) for one in findings if _shared(one, span) > 0]
    if not here or any(one.kind != "supported" for _, one in here):
        return None
    evidence = max(here, key=lambda pair: pair[0])[1].evidence
    return Support(evidence.document, evidence.text) if evidence else None


def _shared(finding: Finding, span: Span) -> int:
    """How many characters of the sentence the finding speaks of."""
    return min(finding.end or 0, span.end) - max(finding.start or 0, span.start)


def _by_words(documents: Sequence[Document], overlap: float) -> Callable[[str], Support | None]:
    """Support by the words that a sentence shares with a document; the earliest of equally good ones."""
    spoken = language(" ".join(document.text for document in documents)[:4000])
    known = [_terms(document.text, spoken) for document in documents]

    def find(sentence: str) -> Support | None:
        wanted = _terms(sentence, spoken)
        shares = [_share(wanted, terms) for terms in known]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        if best is None or shares[best] < overlap:
            return None
        return Support(best, _closest(wanted, documents[best].text, spoken))

    return find


def _share(wanted: Mapping[str, float], terms: Mapping[str, float]) -> float:
    """The part of ``wanted``, by weight, that is in ``terms``; 0 when a number is not."""
    if any(term[0].isdigit() and term not in terms for term in wanted):
        return 0.0
    return sum(weight for term, weight in wanted.items() if term in terms) / (sum(wanted.values()) or 1.0)


def _closest(wanted: Mapping[str, float], text: str, spoken: str) -> str:
    """The sentence of ``text`` that shares most with ``wanted``."""
    return max((span.text for span in sentences(text)), key=lambda one: _share(wanted, _terms(one, spoken)), default="")


def _terms(text: str, spoken: str) -> dict[str, float]:
    """Words and numbers by their stems, with their weights: the square of their rarity, so that little words hardly count."""
    return {word.stem: rarity(word.text) ** 2 for word in words(text, spoken) if word.kind != "punctuation"}
