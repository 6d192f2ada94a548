"""Numbers written in words, English and Russian."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_RUSSIAN = (
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
)
_HUNDREDS = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"

SIMPLE: dict[str, int] = {
    **{word: value for words in (_ENGLISH, _RUSSIAN) for value, word in enumerate(words.split())},
    **{word: 10 * value for words in _TENS for value, word in enumerate(words.split(), 2)},
    **{word: 100 * value for value, word in enumerate(_HUNDREDS.split(), 1)},
    **{"одна": 1, "одно": 1, "две": 2, "нуль": 0},
}
"""Words that add their value: zero to ninety, and the Russian hundreds."""

SCALES: dict[str, int] = {
    **dict.fromkeys(("thousand", "thousands", "тысяча", "тысячи", "тысяч", "тыс"), 10**3),
    **dict.fromkeys(("million", "millions", "миллион", "миллиона", "миллионов", "млн"), 10**6),
    **dict.fromkeys(("billion", "billions", "миллиард", "миллиарда", "миллиардов", "млрд"), 10**9),
    **dict.fromkeys(("trillion", "trillions", "триллион", "триллиона", "триллионов", "трлн"), 10**12),
}
"""Words that multiply what stands before them."""

_PARTS: dict[str, Fraction] = {
    **dict.fromkeys(("half", "halves", "половина", "половины"), Fraction(1, 2)),
    **dict.fromkeys(("third", "thirds", "треть", "трети", "третьих"), Fraction(1, 3)),
    **dict.fromkeys(("quarter", "quarters", "fourth", "fourths", "четверть", "четверти", "четвертых"), Fraction(1, 4)),
    **dict.fromkeys(("fifth", "fifths", "пятых"), Fraction(1, 5)),
}
_ORDINALS = {"third", "fourth", "fifth"}
_MINUS = {"minus", "negative", "минус"}
_ONE_AND_A_HALF = {"полтора", "полторы"}
_HALF_MORE = (("and", "a", "half"), ("and", "one", "half"), ("с", "половиной"))
_KNOWN = {*SIMPLE, *SCALES, *_PARTS, *_MINUS, *_ONE_AND_A_HALF, *sum(_HALF_MORE, ()), "an", "hundred", "dozen"}
_WORD = re.compile(r"[^\W\d_]+")


def number(text: str) -> Fraction | None:
    """The value of a text that is nothing but a number in words (``twenty-three``, ``минус сто пять``), or None."""
    words = _WORD.findall(_plain(text))
    if not words or not _KNOWN.issuperset(words) or re.search(r"\d", text):
        return None
    if words[0] in _MINUS:
        value = _positive(words[1:])
        return None if value is None else -value
    return _positive(words)


def last_number(text: str) -> tuple[int, int] | None:
    """Where the last number in words stands in ``text``: ``(start, end)``, or None."""
    words = list(_WORD.finditer(text))
    known = [_plain(word[0]) in _KNOWN for word in words]
    for end in range(len(words), 0, -1):
        if not known[end - 1]:
            continue
        found = None
        for start in range(end - 1, max(-1, end - 13), -1):
            if number(text[words[start].start() : words[end - 1].end()]) is not None:
                found = words[start].start(), words[end - 1].end()
        if found:
            return found
    return None


def _plain(text: str) -> str:
    return text.casefold().replace("ё", "е")


def _positive(words: Sequence[str]) -> Fraction | None:
    for tail in _HALF_MORE:
        if len(words) > len(tail) and tuple(words[-len(tail) :]) == tail:
            whole = _whole(words[: -len(tail)])
            return None if whole is None else whole + Fraction(1, 2)
    if len(words) == 1 and words[0] in _ONE_AND_A_HALF:
        return Fraction(3, 2)
    if words and words[-1] in _PARTS:
        return _parts(words)
    return _whole(words)


def _parts(words: Sequence[str]) -> Fraction | None:
    """``two thirds``, ``a quarter``, ``half``."""
    if len(words) == 1:
        return None if words[0] in _ORDINALS else _PARTS[words[0]]
    if list(words[:-1]) == ["a"]:
        return _PARTS[words[-1]]
    count = _whole(words[:-1])
    return None if count is None else count * _PARTS[words[-1]]


def _whole(words: Sequence[str]) -> Fraction | None:
    """Whole numbers: groups of below a thousand, each but the last followed by a scale smaller than the one before."""
    total, group, ceiling = 0, list[str](), 10**15
    for word in words:
        if word not in SCALES:
            group.append(word)
            continue
        amount = _counted(group)
        if amount is None or SCALES[word] >= ceiling:
            return None
        total, group, ceiling = total + amount * SCALES[word], [], SCALES[word]
    if total and group[:1] == ["and"]:
        group = group[1:] or ["and"]
    rest = _below_thousand(group) if group else 0
    return None if rest is None or not words else Fraction(total + rest)


def _counted(words: Sequence[str]) -> int | None:
    """How many of what follows: nothing or ``a`` means one."""
    return 1 if list(words) in ([], ["a"]) else _below_thousand(words)


def _below_thousand(words: Sequence[str]) -> int | None:
    """A group such as ``three hundred and twelve`` or ``two dozen``."""
    if words[-1] == "dozen":
        count = _counted(words[:-1])
        return None if count is None else 12 * count
    if "hundred" not in words:
        return _sum(words)
    place = list(words).index("hundred")
    count, rest = _counted(words[:place]), words[place + 1 :]
    below = _sum(rest[1:] if rest[:1] == ["and"] else rest) if rest else 0
    return None if count is None or below is None else 100 * count + below


def _sum(words: Sequence[str]) -> int | None:
    """Words that add up; each must be of a smaller size than the one before it, so ``five six`` is no number."""
    total, room = 0, 1000
    for word in words:
        value = SIMPLE.get(word)
        if value is None or value >= room:
            return None
        total, room = total + value, _room_after(value)
    return total if words else None


def _room_after(value: int) -> int:
    """What may follow: below a hundred after hundreds, below ten after tens, nothing after ten to nineteen or a digit."""
    if value >= 100:
        return 100
    return 10 if value >= 20 else 0
