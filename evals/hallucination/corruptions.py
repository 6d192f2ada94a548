"""Labelled claims made from true paragraphs by rule: faithful rewordings, and corruptions that the paragraph does not support.

Every function is pure: chance comes in as a ``random.Random``. English and Russian.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from agentkit.text import sentences


class Example(NamedTuple):
    """A claim, the paragraph it is checked against, whether the paragraph supports it, and how it was made."""

    claim: str
    document: str
    supported: bool
    rule: str


_YEAR = re.compile(r"\b(1[0-9]{3}|20[0-2][0-9])\b")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:[,\u00a0 ]\d{3})+(?![\w])|(?<![\w.,-])\d+(?:[.,]\d+)?(?![\w-])")
_ENGLISH_MONTHS = """
    January February March April May June July August September October November December
    """
_RUSSIAN_MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
_MONTHS = {"en": tuple(_ENGLISH_MONTHS.split()), "ru": tuple(_RUSSIAN_MONTHS.split())}
_ENTITY = {
    "en": re.compile(r"(?<=[a-z,;] )(?:[A-Z][a-zA-Z'’-]+)(?: (?:of |the |de |van )?[A-Z][a-zA-Z'’-]+)*"),
    "ru": re.compile(r"(?<=[а-яё,;] )(?:[А-ЯЁ][а-яёА-ЯЁ-]+)(?: [А-ЯЁ][а-яёА-ЯЁ-]+)*"),
}
_AUXILIARY = {
    "en": re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|should|may|must)\b(?! not|n't)"),
    "ru": re.compile(
        r"\b(?<!не )((?:был[аои]?|явля[ею]тся|мо[гж]\w{1,3}|име[ею]т|стал[аои]?|находится|состоит"
        r"|[а-яё]{3,}(?:ил|ила|или|ало|али|ала|ался|алась|ались|ился|илась|ились|ает|яет|ует|ают|яют|уют)))\b"
    ),
}
_NEGATED = {"en": re.compile(r" not\b|n't\b"), "ru": re.compile(r"\bне ", re.I)}
_PARENTHESES = re.compile(r"\s*\([^()]{2,80}\)")
_PHRASE = {
    "en": re.compile(
        r",? (?:in|on|at|during|after|since|by|with|from|for|including|along with)"
        r" (?:[\w'’-]+ ){0,4}[\w'’-]+(?=,|\.$)"
    ),
    "ru": re.compile(r",? (?:в|во|на|после|с|до|за|при|для|из|от|включая|вместе с) (?:[\w-]+ ){0,4}[\w-]+(?=,|\.$)"),
}
_SYNONYMS = {
    "en": [
        ("began", "started"),
        ("also", "additionally"),
        ("however", "yet"),
        ("large", "big"),
        ("many", "numerous"),
        ("about", "approximately"),
        ("such as", "like"),
        ("because", "since"),
        ("often", "frequently"),
        ("people", "individuals"),
        ("located", "situated"),
        ("used", "employed"),
        ("important", "significant"),
        ("first", "initial"),
        ("became", "turned into"),
        ("including", "among them"),
        ("near", "close to"),
        ("during", "in the course of"),
        ("while", "whereas"),
        ("later", "afterwards"),
        ("built", "constructed"),
        ("won", "gained"),
        ("several", "a number of"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("five", "5"),
    ],
    "ru": [
        ("также", "тоже"),
        ("однако", "но"),
        ("большой", "крупный"),
        ("многие", "немало"),
        ("около", "примерно"),
        ("например", "к примеру"),
        ("потому что", "поскольку"),
        ("часто", "нередко"),
        ("начал", "стал"),
        ("находится", "расположен"),
        ("использовать", "применять"),
        ("важный", "значимый"),
        ("во время", "в ходе"),
        ("построен", "возведен"),
        ("несколько", "ряд"),
        ("два", "2"),
        ("три", "3"),
        ("четыре", "4"),
        ("пять", "5"),
        ("который", "что"),
        ("является", "представляет собой"),
        ("были", "оказались"),
        ("может", "способен"),
        ("чтобы", "для того чтобы"),
        ("поэтому", "по этой причине"),
        ("тысяч", "тыс."),
        ("миллионов", "млн"),
    ],
}
_LEADS = {
    "en": ["According to the text, ", "The passage says that ", "It is stated that ", "As described, "],
    "ru": ["Согласно тексту, ", "В отрывке говорится, что ", "Указано, что ", "Как описано, "],
}
_JOIN = {"en": " and ", "ru": " и "}


def examples(paragraphs: Sequence[str], language: str, random: Random) -> list[Example]:
    """For every paragraph, two claims that hold and two that do not, where rules apply; the order is by paragraph.

    Both kinds are reworded alike (by up to two rules, or none), so that only the corruption tells them apart.
    """
    found = []
    for number, paragraph in enumerate(paragraphs):
        other = paragraphs[(number + 1 + random.randrange(len(paragraphs) - 1)) % len(paragraphs)]
        found += _of(paragraph, other, language, random)
    return found


def _of(paragraph: str, other: str, language: str, random: Random) -> list[Example]:
    usable = [span.text for span in sentences(paragraph) if 6 <= len(span.text.split()) <= 45]
    random.shuffle(usable)
    found: list[Example] = []
    for text in usable[:2]:
        claim, rule = _reworded(text, language, random)
        found.append(Example(claim, paragraph, True, rule))
    rules = list(_CORRUPTIONS)
    random.shuffle(rules)
    for rule in rules:
        if claim := _corrupted(rule, usable, paragraph, other, language, random):
            found.append(Example(_reworded(claim, language, random)[0], paragraph, False, rule))
        if sum(not one.supported for one in found) == 2:
            break
    return found


def _corrupted(
    rule: str, usable: Sequence[str], paragraph: str, other: str, language: str, random: Random
) -> str | None:
    for text in random.sample(usable, len(usable)):
        claim = _CORRUPTIONS[rule](text, paragraph, other, language, random)
        if claim and claim not in paragraph:
            return claim
    return None


def _reworded(text: str, language: str, random: Random) -> tuple[str, str]:
    rules = random.sample(_REWORDINGS, len(_REWORDINGS))
    names: list[str] = []
    wanted = random.randrange(3)
    for rule in rules:
        changed = rule(text, language, random) if len(names) < wanted else text
        if changed != text:
            text = changed
            names.append(rule.__name__.strip("_"))
    return text, "+".join(names) or "verbatim"


def _drop_parentheses(text: str, language: str, random: Random) -> str:
    return _PARENTHESES.sub("", text)


def _synonyms(text: str, language: str, random: Random) -> str:
    for word, other in random.sample(_SYNONYMS[language], len(_SYNONYMS[language])):
        text = re.sub(rf"\b{word}\b", other, text, count=1)
    return text


def _front(text: str, language: str, random: Random) -> str:
    """A closing phrase of time or place goes to the front."""
    words = "in|on|during|after|since|by" if language == "en" else "в|во|на|после|с|до|за"
    found = re.search(rf" ((?:{words}) (?:\w+ ){{0,4}}\w+)([.!])$", text)
    if not found or "," in found.group(1):
        return text
    phrase = found.group(1)
    rest = text[: found.start()]
    return f"{phrase[0].upper()}{phrase[1:]}, {_lower_first(rest)}{found.group(2)}"


def _lower_first(text: str) -> str:
    first = text.split(" ", 1)[0].strip(",")
    common = {
        "The",
        "A",
        "An",
        "It",
        "In",
        "This",
        "These",
        "He",
        "She",
        "They",
        "Он",
        "Она",
        "Они",
        "Это",
        "В",
        "На",
        "Эти",
    }
    return text[0].lower() + text[1:] if first in common else text


def _lead(text: str, language: str, random: Random) -> str:
    return random.choice(_LEADS[language]) + _lower_first(text)


def _number_dress(text: str, language: str, random: Random) -> str:
    return re.sub(r"(?<=\d)[,\u00a0 ](?=\d{3}\b)", "", text)


def _drop_tail(text: str, language: str, random: Random) -> str:
    head, comma, tail = text.rpartition(", ")
    return f"{head}." if comma and len(head.split()) >= 8 and len(tail.split()) >= 3 and "," not in head else text


def _drop_phrase(text: str, language: str, random: Random) -> str:
    """An inner phrase of time, place or manner is left out."""
    found = list(_PHRASE[language].finditer(text))
    if not found or len(text.split()) < 10:
        return text
    one = random.choice(found)
    return text[: one.start()] + text[one.end() :]


def _number(text: str, paragraph: str, other: str, language: str, random: Random) -> str | None:
    found = [one for one in _NUMBER.finditer(text) if not _YEAR.fullmatch(one.group())]
    if not found:
        return None
    one = random.choice(found)
    inside = {match.group() for match in _NUMBER.finditer(paragraph) if not _YEAR.fullmatch(match.group())} - {
        one.group()
    }
    if inside and random.random() < 0.3:
        return _put(text, one, random.choice(sorted(inside)))
    digits = re.sub(r"\D", "", one.group())
    changed = str(max(1, int(digits) + random.choice([-7, -3, -2, 2, 3, 5, 11]) * 10 ** random.randrange(len(digits))))
    return _put(text, one, changed) if changed not in inside | {digits} else None


def _date(text: str, paragraph: str, other: str, language: str, random: Random) -> str | None:
    if years := list(_YEAR.finditer(text)):
        one = random.choice(years)
        inside = set(_YEAR.findall(paragraph)) - {one.group()}
        if inside and random.random() < 0.3:
            return _put(text, one, random.choice(sorted(inside)))
        return _put(text, one, str(int(one.group()) + random.choice([-30, -12, -3, -1, 1, 2, 7, 20])))
    months = [m for m in re.finditer(r"\w+", text) if m.group() in _MONTHS[language]]
    if not months:
        return None
    one = random.choice(months)
    return _put(text, one, random.choice([name for name in _MONTHS[language] if name != one.group()]))


def _entity(text: str, paragraph: str, other: str, language: str, random: Random) -> str | None:
    found = list(_ENTITY[language].finditer(text))
    if not found:
        return None
    one = random.choice(found)
    near = {m.group() for m in _ENTITY[language].finditer(paragraph)} - {one.group()}
    far = {m.group() for m in _ENTITY[language].finditer(other)} - near - {one.group()}
    pool = near if near and random.random() < 0.3 else far
    pool = {name for name in pool if name not in one.group() and one.group() not in name and name not in text}
    return _put(text, one, random.choice(sorted(pool))) if pool else None


def _negation(text: str, paragraph: str, other: str, language: str, random: Random) -> str | None:
    if negated := list(_NEGATED[language].finditer(text)):
        one = random.choice(negated)
        return text[: one.start()] + text[one.end() :]
    found = list(_AUXILIARY[language].finditer(text))
    if not found:
        return None
    one = found[0]
    return _put(text, one, f"{one.group()} not" if language == "en" else f"не {one.group()}")


def _splice(text: str, paragraph: str, other: str, language: str, random: Random) -> str | None:
    place = paragraph if random.random() < 0.5 else other
    partners = [span.text for span in sentences(place) if len(span.text.split()) >= 8 and span.text != text]
    words = text.split()
    if not partners or len(words) < 8:
        return None
    tail = random.choice(partners).split()
    return " ".join(words[: len(words) // 2] + tail[len(tail) // 2 :])


def _put(text: str, place: re.Match[str], new: str) -> str:
    return text[: place.start()] + new + text[place.end() :]


_CORRUPTIONS: dict[str, Callable[[str, str, str, str, Random], str | None]] = {
    "number": _number,
    "date": _date,
    "entity": _entity,
    "negation": _negation,
    "splice": _splice,
}
_REWORDINGS = (_drop_parentheses, _drop_phrase, _synonyms, _front, _lead, _number_dress, _drop_tail)
