"""Whether an answer and its documents are in a language, and the same one, that the checks can read."""

from __future__ import annotations

from collections.abc import Sequence, Set

from agentkit.text import language
from agentkit.types import Document

LANGUAGES = ("en", "ru")

_SHORT = 8  # words: a shorter answer may look like any language and is taken to be in that of its documents
_SAMPLE = 2000  # characters read at the beginning, in the middle and at the end of the documents


def answer_language(answer: str, spoken: Set[str]) -> str:
    """The language of ``answer``; for a short or unclear one that of its documents (``spoken``), if they can be read."""
    name = language(answer)
    if name in LANGUAGES or (name != "unknown" and len(answer.split()) >= _SHORT):
        return name
    alike = [one for one in LANGUAGES if one in spoken and (one == "ru") == _is_cyrillic(answer)]
    return alike[0] if alike else name


def unreadable(name: str, spoken: Set[str]) -> str:
    """Why an answer in language ``name`` cannot be checked against documents in ``spoken``; empty when it can."""
    if name not in LANGUAGES:
        return f"answers in this language ({name}) cannot be checked, only {' and '.join(LANGUAGES)}"
    others = spoken - {"unknown"}
    if others and name not in others:
        return f"the answer is in {name!r}, the documents in {', '.join(sorted(others))}: they cannot be compared"
    return ""


def spoken_in(documents: Sequence[Document]) -> frozenset[str]:
    """The languages of the documents, from samples of the first twenty; ``unknown`` may be among them."""
    found = set()
    for document in documents[:20]:
        middle = max(0, len(document.text) // 2 - _SAMPLE // 2)
        for start in {0, middle, max(0, len(document.text) - _SAMPLE)}:
            if sample := document.text[start : start + _SAMPLE].strip():
                found.add(language(sample))
    return frozenset(found)


def _is_cyrillic(text: str) -> bool:
    return any("\u0400" <= letter <= "\u04ff" for letter in text[:_SAMPLE])
