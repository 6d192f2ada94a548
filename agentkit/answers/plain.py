"""Plain text: the key under which two wordings of one short answer meet."""

from __future__ import annotations

import re
import unicodedata

_MARKUP = re.compile(r"\*\*|__|`+")
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\S)")
_EDGES = " \t\r\n.,;:!?\"'«»“”‘’„*_`"
_YES = {"yes", "true", "correct", "да", "верно", "правда", "истина"}
_NO = {"no", "false", "incorrect", "нет", "неверно", "ложь"}


def tidy(text: str) -> str:
    """``text`` without Markdown emphasis, invisible characters, odd spaces and the punctuation around it."""
    text = "".join(
        one for one in _MARKUP.sub("", text) if unicodedata.category(one) not in {"Cf", "Cc"} or one in "\n\t"
    )
    text = re.sub(r"\s+", " ", text).rstrip(_EDGES)
    return re.sub(r"^[\s.,;:!?\"'«»“”‘’„*_`]+(?<!\.(?=\d))", "", text)


def key(text: str) -> str:
    """``text`` in one case, without articles and punctuation at the ends of words: ``The Eiffel Tower.`` and ``eiffel tower``."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    words = (_bare(word.strip(_EDGES)) for word in text.split())
    joined = " ".join(word for word in words if word)
    return _ARTICLE.sub("", joined) or text.strip()


def _bare(word: str) -> str:
    """``word`` without brackets around it or left open: ``(leap`` is ``leap``, ``f(x)`` stays."""
    enclosed = word[:1] in ("(", "[") and word[-1:] in (")", "]") and word[1:-1].isalnum()
    uneven = word.count("(") + word.count("[") != word.count(")") + word.count("]")
    return word.strip("()[]").strip(_EDGES) if enclosed or uneven else word


def yes_no(text: str) -> str | None:
    """``yes`` or ``no`` when ``text`` is a word that says so (English or Russian), else None."""
    word = text.casefold().strip(_EDGES)
    if word in _YES:
        return "yes"
    return "no" if word in _NO else None


def find_yes_no(text: str) -> str | None:
    """The word of ``text`` that says yes or no: the first word if it does, else the last that does."""
    words: list[str] = re.findall(r"[^\W\d_]+", text)
    spoken = [word for word in words if yes_no(word)]
    if not spoken:
        return None
    return words[0] if yes_no(words[0]) else spoken[-1]
