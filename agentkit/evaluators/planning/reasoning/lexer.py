"""Words, numbers and signs of a text in which sums are done: ``(-14) × 2 equals -28``, ``twelve minus 3``, ``2,5 + 1``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from agentkit.answers.numerals import SCALES, SIMPLE, number

Kind = Literal["number", "name", "sign", "open", "close", "equals", "word", "break"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text. ``value`` is a number's, ``decimals`` how many of its digits stand behind the point."""

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    decimals: int = 0
    percent: bool = False


_WORD_SIGNS = {
    "+": ("plus", "added to", "плюс"),
    "*": ("multiplied by", "times", "умноженное на", "умножить на", "умноженная на", "помножить на"),
    "-": ("minus", "negative", "минус"),
    "/": ("divided by", "делить на", "разделить на", "поделить на", "деленное на", "делённое на"),
}
_EQUALS = (
    "is equal to|are equal to|equal to|equals|equalling|equaling|which is|which gives us|which gives|that gives|this gives|"
    "gives us|gives|giving|yields|yielding|becomes|become|simplifies to|simplifying to|simplify to|reduces to|evaluates to|"
    "comes out to be|comes out to|comes out as|comes to|works out to|works out as|results in|resulting in|turns into|amounts to|"
    "leaves|leaving|makes|making|is the same as|is just|is|are|равняется|равно|равны|равен|равна|получается|получаем|получим|"
    "будет|составляет|составит|это"
).replace(" ", r"\s+")
_PLAIN_EQUALS = frozenset(("=", "==", "≈", "≃", "~="))
_SIGN_OF = {word: sign for sign, words in _WORD_SIGNS.items() for word in words}
_PHRASES = "|".join(sorted(map(re.escape, _SIGN_OF), key=len, reverse=True))
_PATTERN = re.compile(
    rf"""
    (?P<number>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+)(?P<percent>\s?%|\s+(?:percent|процент\w*)\b)?
    | (?P<equals>=+>|⇒|⟹|⟶|[-−]+>|→|\\(?:Long|long)?(?:R|r)ightarrow|\\implies|\\to\b|:=|==?|≈|≃|~=|\\approx
      |(?<!\w)(?:{_EQUALS})(?!\w))
    | (?P<phrase>(?<!\w)(?:{_PHRASES})(?!\w))
    | (?P<sign>\*\*|[-+*/^×÷·⋅∗−–]|\\times|\\cdot|\\div)
    | (?P<open>[(\[{{]) | (?P<close>[)\]}}])
    | (?P<skip>\\(?:left|right|displaystyle|boxed|quad|qquad|text|mathrm)\b|[$€£₽"'“”‘’`\\]|\bUSD\b)
    | (?P<word>[^\W\d_]+(?:['’/-][^\W\d_]+)*)
    | (?P<break>[^\s\w]|\n|_)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d+)(?![\d,])")
_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d])")
_SIGNS = {
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∗": "*",
    "\\times": "*",
    "\\cdot": "*",
    "÷": "/",
    "\\div": "/",
    "−": "-",
    "–": "-",
    "**": "^",
}
_NUMERALS = {**SIMPLE, "hundred": 100, "dozen": 12}
_FACTOR = r"(\(?[-−–]?\d[\d,.]*(?<![.,])\)?%?)"
_SPOKEN = (
    (re.compile(rf"\b(?:adding|add|sum of)\s+{_FACTOR}\s+(?:and|to|with)\s+{_FACTOR}", re.I), r"\1 + \2"),
    (re.compile(rf"\b(?:multiplying|multiply|product of)\s+{_FACTOR}\s+(?:and|by|with)\s+{_FACTOR}", re.I), r"\1 * \2"),
    (
        re.compile(rf"\b(?:subtracting|subtract|taking|take)\s+{_FACTOR}\s+(?:away\s+)?from\s+{_FACTOR}", re.I),
        r"\2 - \1",
    ),
    (re.compile(rf"\b(?:dividing|divide|quotient of)\s+{_FACTOR}\s+(?:by|and)\s+{_FACTOR}", re.I), r"\1 / \2"),
    (re.compile(rf"\bdifference (?:between|of)\s+{_FACTOR}\s+(?:and|from)\s+{_FACTOR}", re.I), r"\1 - \2"),
)
_SMALL = "|".join(sorted((word for word in SIMPLE if word.isascii()), key=len, reverse=True))
_FIGURES = re.compile(
    rf"\b(?:{_SMALL})(?:(?:\s+(?:hundred|thousand)(?:\s+and(?=\s+(?:{_SMALL})\b))?)|[\s-](?:{_SMALL}))+\b", re.I
)
_TIMES = ("x", "X", "х", "Х")


def figured(text: str) -> str:
    """The text with English numbers of several words in figures: ``minus four hundred and twenty-one`` is ``minus 421``."""
    return _FIGURES.sub(lambda found: found[0] if (value := number(found[0])) is None else str(value), text)


def spoken(text: str) -> str:
    """The text with sums in words written with signs: ``adding 4 and 3`` is ``4 + 3``."""
    for pattern, written in _SPOKEN:
        text = pattern.sub(written, text)
    return text


def tokens(text: str, names: frozenset[str] = frozenset()) -> list[Token]:
    """The tokens of ``text``; ``names`` are the letters that stand for a value. A Russian text has decimal commas."""
    if re.search("[а-яё]", text, re.I):
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    text = _GROUPS.sub(lambda found: re.sub(r"[ \u00a0\u202f]", ",", found[0]), text)
    return list(_joined([token for found in _PATTERN.finditer(text) if (token := _token(found, names))]))


def _token(found: re.Match[str], names: frozenset[str]) -> Token | None:
    kind, text, start, end = found.lastgroup, found[0], found.start(), found.end()
    if found["number"]:
        return _number(found)
    if kind == "skip":
        return None
    if kind == "phrase":
        return Token("sign", _SIGN_OF[text.casefold()], start, end)
    if kind == "sign":
        return Token("sign", _SIGNS.get(text, text), start, end)
    if kind == "word":
        unknown = len(text) == 1 and text not in (*_TIMES, "a", "I") and _touches_number(found)
        return Token("name" if text in names or unknown else "word", text, start, end)
    for name in ("open", "close", "equals"):
        if kind == name:
            return Token(name, text, start, end)
    return Token("break", text, start, end)


def _touches_number(found: re.Match[str]) -> bool:
    """Whether a letter stands right behind a digit or a bracket, as in ``2y``."""
    return found.start() > 0 and (found.string[found.start() - 1].isdigit() or found.string[found.start() - 1] == ")")


def _number(found: re.Match[str]) -> Token:
    digits = found["number"].replace(",", "")
    value = Fraction(digits) if len(digits) <= 40 else Fraction(0)
    decimals = len(digits.partition(".")[2].rstrip("0"))
    percent = bool(found["percent"])
    kind: Kind = "number" if len(digits) <= 40 else "break"
    return Token(kind, found[0], found.start(), found.end(), value / 100 if percent else value, decimals, percent)


def _joined(found: list[Token]) -> Iterator[Token]:
    """``x`` between numbers is a sign; numbers in words are numbers; the dash of a list is none."""
    for place, token in enumerate(found):
        before = found[place - 1] if place else None
        after = found[place + 1] if place + 1 < len(found) else None
        if (
            token.kind == "word"
            and token.text in _TIMES
            and before is not None
            and before.end == token.start
            and before.kind in ("number", "close")
        ):
            joins = after is not None and after.kind in ("number", "open")
            yield (
                Token("sign", "*", token.start, token.end)
                if joins
                else Token("name", token.text, token.start, token.end)
            )
        elif token.kind == "word" and token.text in _TIMES and _between(before, after):
            yield Token("sign", "*", token.start, token.end)
        elif token.kind == "word" and (value := _NUMERALS.get(token.text.casefold())) is not None:
            counted = token.text.casefold() in ("dozen", "hundred") and before is not None and before.kind == "number"
            yield token if counted else Token("number", token.text, token.start, token.end, Fraction(value))
        elif token.kind == "word" and token.text.casefold() in SCALES:
            yield Token("break", token.text, token.start, token.end)
        else:
            yield token


def _between(before: Token | None, after: Token | None) -> bool:
    """Whether an ``x`` multiplies: a number, a group, a letter or a unit stands before it, and a factor behind."""
    return (
        before is not None
        and before.kind in ("number", "close", "name", "word")
        and after is not None
        and (after.kind in ("number", "open", "name") or (after.kind == "sign" and after.text == "-"))
    )


def plain_equality(token: Token) -> bool:
    """Whether the token is an equals sign rather than a word that may mean one."""
    return token.text in _PLAIN_EQUALS
