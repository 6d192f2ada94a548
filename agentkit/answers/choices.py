"""Letters of a multiple-choice question: ``(B)``, ``B.``, ``option b``, ``Вариант А``."""

from __future__ import annotations

import re

_LETTER = "[A-JА-Д]"
_WHOLE = re.compile(rf"\(?\[?({_LETTER})[\])]?[.:)]?", re.IGNORECASE)
_LEADING = re.compile(rf"\(?({_LETTER})(?:\)|[.:](?=\s)|\s[-–—]\s)", re.IGNORECASE)
_NAMED = re.compile(rf"\b(?:option|choice|letter|вариант|буква)\s*:?\s*\(?({_LETTER})\b", re.IGNORECASE)
_BRACKETED = re.compile(rf"[(\[]({_LETTER})[)\]]", re.IGNORECASE)
_STANDING = re.compile(r"(?<![\w'’-])([B-HJ]|A(?!\s+[a-z]))(?![\w'’-])")
_CYRILLIC_TWINS = str.maketrans({"А": "A", "С": "C"})


def key(text: str) -> str | None:
    """The letter, upper case, when ``text`` is a letter with nothing but brackets and stops around it, else None."""
    found = _WHOLE.fullmatch(text.strip())
    return _upper(found[1]) if found else None


def find(text: str) -> str | None:
    """The letter that ``text`` chooses: the whole of it, its beginning, ``option B``, the last ``(B)``, the last lone capital."""
    text = text.strip()
    whole = key(text)
    if whole:
        return whole
    leading = _LEADING.match(text)
    if leading:
        return _upper(leading[1])
    for pattern in (_NAMED, _BRACKETED, _STANDING):
        letters = pattern.findall(text)
        if letters:
            return _upper(letters[-1])
    return None


def _upper(letter: str) -> str:
    return letter.upper().translate(_CYRILLIC_TWINS)
