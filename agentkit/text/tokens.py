"""Words, numbers and marks of a text, with their places and stems."""

from __future__ import annotations

import re
from functools import cache

from agentkit.text.detection import language as detect
from agentkit.text.spans import Word
from agentkit.text.stems import number_key, stem

_LETTER = r"[^\W\d_]"
_IN_WORD = r"[\w\u0300-\u036f]"
_URL = r"(?:https?://|www\.)[^\s<>\"'«»“”]*[^\s<>\"'«»“”.,;:!?)\]}]"
_EMAIL = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"  # bounded: no quadratic search in "a.a.a."
_HAN = r"[\u3040-\u30ff\u3400-\u9fff]"
_NUMBER = (
    r"\d{{1,3}}(?:[{spaces}]\d{{3}})+(?:[.,]\d+)?(?!\d)"
    r"|\d+(?:[.,:/]\d+)*(?:-\d\d-\d\d(?!\d))?"
)
_SPACED_GROUPS = frozenset(("ru", "uk", "be", "bg", "fr", "pl", "cs", "sv"))
_ENDING = r"(?:(?:st|nd|rd|th|['’]?s)(?!\w)|-(?:й|я|е|го|му|м|ми|х|ый|ой|ая|ое|ые|ых)(?!\w))?"
_WORD = rf"{_LETTER}{_IN_WORD}*(?:[-\u2010\u2011'’]{_IN_WORD}+)*"


def words(text: str, language: str | None = None) -> list[Word]:
    """Every word, number and mark of ``text`` in order: everything that is not white space is in exactly one of them.

    A number keeps its separators, decimals and ordinal ending (``1,000.5``, ``20th``, ``2020-01-15``, ``1990-х``); a
    hyphenated word, an address and an e-mail are one word each. Without ``language`` it is detected.
    """
    name = language or detect(text)
    found = []
    for match in _pattern(name).finditer(text):  # one flat loop: a source has thousands of words
        word, kind = match.group(), match.lastgroup
        if kind == "number":
            found.append(Word(match.start(), match.end(), word, number_key(word, name), "number"))
        elif kind == "mark":
            found.append(Word(match.start(), match.end(), word, word, "punctuation"))
        else:
            found.append(Word(match.start(), match.end(), word, stem(word, name), "word"))
    return found


@cache
def _pattern(language: str) -> re.Pattern[str]:
    # English groups digits by commas, so "in June 100 200-litre casks" must not become one number there.
    spaces = " \u00a0\u202f" if language in _SPACED_GROUPS else "\u00a0\u202f"
    number = _NUMBER.format(spaces=spaces)
    return re.compile(
        rf"(?P<address>{_URL}|{_EMAIL})|(?P<number>(?:{number}){_ENDING})|(?P<han>{_HAN})|(?P<word>{_WORD})|(?P<mark>\S)",
        re.I,
    )
