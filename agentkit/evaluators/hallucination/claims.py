"""The claims of an answer: its sentences, and the parts of a sentence that stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agentkit.evaluators.hallucination.vocabulary import function_word
from agentkit.text import Span, Word, sentences, words

_PART = re.compile(r";\s+")
_MARK = re.compile(r"\s?\[\d{1,3}(?:\s?,\s?\d{1,3})*\]")
_ATTRIBUTION = re.compile(
    r"\s*(?:according to (?:the |this )?(?:text|passage|document|documents|article|source|sources|context)\s*[\d,]*,"
    r"|(?:the |this )?(?:text|passage|document|article|source|context) (?:says|states|mentions|notes|explains|reports) that"
    r"|it is (?:stated|said|noted|mentioned|reported) that|as (?:described|stated|noted|mentioned),"
    r"|согласно (?:этому )?(?:тексту|отрывку|документу|документам|источнику|источникам|статье|контексту),"
    r"|в (?:тексте|отрывке|документе|статье|источнике) (?:говорится|указано|сказано|отмечается|сообщается), что"
    r"|(?:указано|сказано|отмечается|сообщается), что|как (?:описано|указано|сказано|отмечено),)",
    re.I,
)
_SHORTEST = 4  # content words: a shorter part leans on its neighbour
_LONGEST = 600  # characters: a longer "sentence" is no sentence and is checked in pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Characters ``[start, end)`` of the answer that assert something.

    ``words`` have offsets into the answer; citation marks and a leading "according to the text" are not among them.
    """

    start: int
    end: int
    text: str
    words: tuple[Word, ...]

    @property
    def content(self) -> list[Word]:
        """The words that carry a topic: neither punctuation nor function words."""
        return [word for word in self.words if is_content(word)]


def is_content(word: Word) -> bool:
    """Whether a word carries a topic of its own; numbers do."""
    return word.kind == "number" or (word.kind == "word" and not function_word(word.text))


def claims(answer: str, language: str) -> Iterator[Claim]:
    """The claims of ``answer`` in order; sentences without any content word assert nothing and are left out.

    A sentence is split at semicolons where every part has at least four content words.
    """
    for span in sentences(answer):
        for start, end in _parts(span, language):
            claim = _claim(answer, start, end, language)
            if claim.content:
                yield claim


def _claim(answer: str, start: int, end: int, language: str) -> Claim:
    text = answer[start:end]
    plain = _MARK.sub(_blank, text)
    if lead := _ATTRIBUTION.match(plain):
        plain = _blank(lead) + plain[lead.end() :]
    shifted = tuple(
        Word(word.start + start, word.end + start, word.text, word.stem, word.kind) for word in words(plain, language)
    )
    return Claim(start=start, end=end, text=text, words=shifted)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _parts(span: Span, language: str) -> Iterator[tuple[int, int]]:
    if len(span.text) > _LONGEST:
        yield from _pieces(span)
        return
    bounds = [0, *(found.end() for found in _PART.finditer(span.text)), len(span.text)]
    parts = list(pairwise(bounds))
    if len(parts) == 1 or not all(_stands_alone(span.text[start:end], language) for start, end in parts):
        parts = [(0, len(span.text))]
    for start, end in parts:
        yield span.start + start, span.start + start + len(span.text[start:end].rstrip())


def _pieces(span: Span) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(span.text):
        end = min(len(span.text), start + _LONGEST)
        space = span.text.rfind(" ", start + _LONGEST // 2, end) if end < len(span.text) else -1
        end = space if space > 0 else end
        yield span.start + start, span.start + end
        start = end


def _stands_alone(part: str, language: str) -> bool:
    return sum(map(is_content, words(part, language))) >= _SHORTEST
