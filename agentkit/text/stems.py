"""The key under which a word's inflections meet: Snowball with PyStemmer, a light suffix rule without."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

_SNOWBALL = MappingProxyType(
    {
        "en": "english",
        "ru": "russian",
        "de": "german",
        "fr": "french",
        "es": "spanish",
        "it": "italian",
        "pt": "portuguese",
        "nl": "dutch",
        "sv": "swedish",
        "tr": "turkish",
        "ar": "arabic",
        "el": "greek",
    }
)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_STRESS = "\u0301"
_ENGLISH_SUFFIXES = (
    "ations",
    "ation",
    "ingly",
    "edly",
    "ments",
    "ment",
    "ness",
    "ings",
    "ing",
    "ies",
    "ied",
    "ed",
    "ly",
)
_RUSSIAN_SUFFIXES = """
    иями ями ами ием иям ией иях ях ах ов ев ей ой ый ий ая яя ое ее ые ие ия ии ию ого его ому ему ым им ых их ую юю ою ею
    ом ем ам ям ть ти ла ло ли ет ют ут ат ят ит ешь ишь ете ите лся лась лось лись тся ться а я о е ы и у ю ь
    """
_RUSSIAN = tuple(sorted(_RUSSIAN_SUFFIXES.split(), key=len, reverse=True))
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|-?(?:й|я|е|го|му|м|ми|х|ый|ой|ая|ое|ые|ых))\Z", re.I)
_DECADE = re.compile(r"(?<=0)(?:['’]?s|-?(?:е|х|ые|ых|ми|м))\Z", re.I)
_GROUPED = re.compile(r"\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+\Z")
_SPACES = re.compile(r"[ '’\u00a0\u202f]")


@lru_cache(maxsize=1 << 17)
def stem(word: str, language: str = "en") -> str:
    """The stem of ``word``, lower-case; the script decides where it contradicts ``language``.

    Forms that look the same meet: composed and decomposed letters, е and ё, words with and without stress marks.
    """
    plain = unicodedata.normalize("NFKC", word.replace(_STRESS, "")).casefold().replace("ё", "е").replace("’", "'")
    name = _language_of(plain, language)
    snowball = _snowball(name)
    try:
        stemmed: str = snowball.stemWord(plain) if snowball else light_stem(plain, name)
    except UnicodeEncodeError:  # half a surrogate pair is no letter of any word
        return plain
    return stemmed or plain


def number_key(text: str, language: str = "en") -> str:
    """A number without its dress: ``1,000`` and ``1000`` are ``1000``; ``3,50`` in Russian and ``3.5`` are ``3.5``.

    Ordinal endings fall away (``20th`` is ``20``); decades stay what they are (``1990s`` and ``1990-е``: ``1990s``).
    Dates, times and versions (several different marks) are kept as written.
    """
    plain = unicodedata.normalize("NFKC", text) if not text.isascii() else text
    if _DECADE.search(plain):
        return _DECADE.sub("s", plain)
    plain = _SPACES.sub("", _ORDINAL.sub("", plain))
    if ":" in plain or "/" in plain or "-" in plain:
        return plain
    return _trim(_with_point(plain, language))


def _with_point(plain: str, language: str) -> str:
    commas, points = plain.count(","), plain.count(".")
    if commas and points:
        return _mixed(plain)
    if commas + points == 0:
        return plain
    mark = "," if commas else "."
    if commas + points > 1:
        return plain.replace(mark, "") if _GROUPED.match(plain) else plain
    thousands = mark == "," and language == "en" and _GROUPED.match(plain)
    return plain.replace(mark, "" if thousands else ".")


def _mixed(plain: str) -> str:
    decimal = max(",.", key=plain.rfind)
    if plain.count(decimal) > 1:
        return plain
    return plain.replace("." if decimal == "," else ",", "").replace(decimal, ".")


def _trim(plain: str) -> str:
    whole, point, part = plain.partition(".")
    if not point or not part.isdigit():
        return plain
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _language_of(plain: str, language: str) -> str:
    cyrillic = bool(_CYRILLIC.search(plain))
    if cyrillic:
        return language if language in ("uk", "be", "bg", "sr") else "ru"
    return "en" if language in ("ru", "uk", "be", "bg", "sr", "unknown", "other") else language


@cache
def _snowball(name: str) -> Any:
    if name not in _SNOWBALL:
        return None
    try:
        import Stemmer
    except ImportError:
        return None
    return Stemmer.Stemmer(_SNOWBALL[name])


def light_stem(plain: str, name: str) -> str:
    """The stem of a lower-case word by a short list of endings (en, ru), for where PyStemmer is not installed."""
    if name == "ru":
        return _cut(plain, _RUSSIAN, keep=3)
    if name == "en":
        return _light_english(plain)
    return plain


def _light_english(plain: str) -> str:
    word = plain.removesuffix("'s").removesuffix("'")
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    word = _cut(word, _ENGLISH_SUFFIXES, keep=4)
    return word[:-1] if len(word) > 4 and word.endswith(("e", "y")) else word


def _cut(word: str, suffixes: tuple[str, ...], keep: int) -> str:
    for suffix in suffixes:
        if word.endswith(suffix) and len(word) - len(suffix) >= keep:
            return word[: -len(suffix)]
    return word
