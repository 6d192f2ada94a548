"""How far samples agree with an answer: by the final answers they come to, and by the words they share."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from agentkit import answers
from agentkit.answers import Convention, Kind
from agentkit.evaluators.hallucination.claims import is_content
from agentkit.text import Span, language, sentences, words

_FEW_WORDS = 8  # a text of at most so many is an answer by itself


class Terms(NamedTuple):
    """The content stems of a text and the pairs of stems that stand side by side."""

    stems: Set[str]
    pairs: Set[tuple[str, str]]


def terms(text: str) -> Terms:
    """What of a text is compared; function words and punctuation are not."""
    stems = [word.stem for word in words(text, language(text)) if is_content(word)]
    return Terms(frozenset(stems), frozenset(pairwise(stems)))


def overlap(said: Terms, there: Terms) -> float:
    """How much of ``said`` stands in ``there``: the mean of the shares of its stems and of its pairs; 1 where it says nothing."""
    shares = [
        len(part & other) / len(part)
        for part, other in ((said.stems, there.stems), (said.pairs, there.pairs))
        if part
    ]  # fmt: skip
    return sum(shares) / len(shares) if shares else 1.0


def final_answers(texts: Sequence[str | None], kind: Kind, convention: Convention) -> list[str | None]:
    """The final answer that each text comes to, None for an abstention."""
    return [None if text is None else answers.extract(text, kind, convention=convention) for text in texts]


def are_answers(texts: Sequence[str | None]) -> bool:
    """Whether most of the texts are short, or state a final answer: then the answers are compared, not the wording."""
    held = [text for text in texts if text is not None]
    short = sum(len(text.split()) <= _FEW_WORDS or answers.extract(text, stated=True) is not None for text in held)
    return 2 * short > len(held)


def medoid(texts: Sequence[Terms]) -> int:
    """The text that the others agree with most; the earliest of equals."""
    return max(range(len(texts)), key=lambda one: (sum(overlap(texts[one], other) for other in texts), -one))


def statements(text: str, limit: int) -> list[Span]:
    """The first ``limit`` sentences that say something."""
    return [span for span in sentences(text) if terms(span.text).stems][:limit]
