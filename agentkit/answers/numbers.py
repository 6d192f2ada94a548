"""Numbers as models write them: ``1,234``, ``1 234,5``, ``-5.0``, ``1e3``, ``3 1/2``, ``$1.5 million``, ``двадцать три``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal

from agentkit.answers import numerals

Convention = Literal["us", "eu"]
"""How ambiguous digits read: ``us`` 1,234 = 1234 and 05/01 = May 1; ``eu`` 1,234 = 1.234 and 05/01 = January 5."""

_SPACE = "[ \u00a0\u202f\u2009]"
_COMMAS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_SPACES = rf"\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d+)?"
_DOTS = r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+"
_DECIMAL_COMMA = r"\d+,\d+(?!,\d)"
_MIXED = r"\d+\s+\d+/\d+|\d+/\d+|\(\d+\)/\(\d+\)"
_PLAIN = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?(?![\d])"
_CORE = rf"(?:{_MIXED}|(?:{_DOTS}|{_COMMAS}|{_SPACES}|{_DECIMAL_COMMA})(?!\d)|{_PLAIN})"
_MONEY = r"(?:US\$|[$€£¥₽]|\b(?:USD|EUR|GBP|RUB)\b)"
_SCALES = "|".join(sorted(map(re.escape, numerals.SCALES), key=len, reverse=True))
_AMOUNT = (
    rf"(?P<sign>(?<![\w)])[-+−–]{_SPACE}?)?(?P<money>{_MONEY})?{_SPACE}?(?P<inner>[-−])?(?P<core>{_CORE})"
    rf"(?:\s?[x×*]\s?10\^(?P<power>[-−]?\d{{1,3}}))?(?:\s?(?P<scale>{_SCALES})\b\.?|(?P<letter>[kKMB])\b)?"
)
_FULL = re.compile(_AMOUNT + r"(?P<tail>(?:[^\d].*)?)", re.DOTALL | re.IGNORECASE)
_FIND = re.compile(rf"(?<![\w.,/])(?:{_AMOUNT})(?![\w/]*/\d)(?P<percent>\s?%|\s(?:percent|процент\w*))?", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:[≈~=]|about|approximately|approx\.?|around|roughly|exactly|около|примерно|ровно)\s*", re.I)
_EQUATION = re.compile(r"^[a-zA-Zа-яА-Я]\w{0,2}\s*=\s*")
_LETTERS = {"k": 10**3, "m": 10**6, "b": 10**9}
_LONGEST = 400
_LARGEST_EXPONENT = 100
_NOISY_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Amount:
    """A number and the text that followed it (a unit, a sign, nothing)."""

    value: Fraction
    tail: str = ""
    money: str = ""


def amount(text: str, *, convention: Convention = "us") -> Amount | None:
    """The number that ``text`` begins with and what follows it; None when it begins with something else."""
    text = _EQUATION.sub("", _PREFIX.sub("", _fractions(text).strip()))
    if not text or len(text) > _LONGEST:
        return None
    words = numerals.number(text)
    if words is not None:
        return Amount(words)
    found = _FULL.fullmatch(text)
    if not found:
        return _in_words(text)
    value = _value(found, convention)
    return None if value is None else Amount(value, found["tail"].strip(), found["money"] or "")


def last(text: str) -> tuple[int, int] | None:
    """Where the last number in ``text`` stands, sign, currency and percent included; digits before words."""
    found = list(_FIND.finditer(text))
    return _span(found[-1]) if found else numerals.last_number(text)


def first(text: str) -> tuple[int, int] | None:
    """Where the first number written in digits stands, else the last one in words."""
    found = _FIND.search(text)
    return _span(found) if found else numerals.last_number(text)


def _span(found: re.Match[str]) -> tuple[int, int]:
    return found.end() - len(found[0].lstrip()), found.end()


def spell(value: Fraction) -> str:
    """The one way to write a number: ``7``, ``-0.5``, ``1/3``."""
    if value.denominator == 1:
        return str(value.numerator)
    digits = _decimal_digits(value.denominator)
    if digits is None or digits > 12:
        return f"{value.numerator}/{value.denominator}"
    whole = abs(value.numerator) * 10**digits // value.denominator
    text = f"{'-' if value < 0 else ''}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
    return text if _decimal(text) == value else f"{value.numerator}/{value.denominator}"


def _decimal_digits(denominator: int) -> int | None:
    """How many decimals a fraction with this denominator needs, None for a period that never ends."""
    counts = []
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator, count = denominator // prime, count + 1
        counts.append(count)
    return max(counts) if denominator == 1 else None


def _fractions(text: str) -> str:
    """``3½`` as ``3 1/2``, which plain normalisation would read as 31/2."""
    return re.sub(r"[¼½¾⅐-⅞]", lambda found: " " + _VULGAR[found[0]], text)


_VULGAR = {
    **{"¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5"},
    **{"⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅐": "1/7", "⅑": "1/9", "⅒": "1/10"},
}


def _in_words(text: str) -> Amount | None:
    """``twenty three apples``: the longest beginning that is a number in words."""
    words = text.split()
    for count in range(min(len(words) - 1, 12), 0, -1):
        value = numerals.number(" ".join(words[:count]))
        if value is not None:
            return Amount(value, " ".join(words[count:]))
    return None


def _value(found: re.Match[str], convention: Convention) -> Fraction | None:
    value = _core(found["core"], convention)
    if value is None:
        return None
    if found["power"]:
        value *= Fraction(10) ** int(found["power"].replace("−", "-"))
    value *= numerals.SCALES.get((found["scale"] or "").casefold(), 1) * _LETTERS.get(
        (found["letter"] or "").lower(), 1
    )
    negative = (found["sign"] or "+").strip() != "+" or bool(found["inner"])
    return -value if negative else value


def _core(text: str, convention: Convention) -> Fraction | None:
    if "/" in text:
        return _ratio(text.replace("(", "").replace(")", ""))
    if re.fullmatch(_DOTS, text):
        return _decimal(text.replace(".", "").replace(",", "."))
    if re.fullmatch(_SPACES, text):
        return _decimal(re.sub(_SPACE, "", text).replace(",", "."))
    if convention == "us" and re.fullmatch(_COMMAS, text):
        return _decimal(text.replace(",", ""))
    return _decimal(text.replace(",", ".")) if text.count(",") <= 1 else None


def _ratio(text: str) -> Fraction | None:
    *whole, ratio = text.split()
    top, bottom = ratio.split("/")
    return Fraction(int(top), int(bottom)) + sum(map(int, whole)) if int(bottom) else None


def _decimal(text: str) -> Fraction | None:
    """The exact value, except that the noise of binary floating point (``13.333333333333332``) is removed."""
    try:
        decimal = Decimal(text)
    except ArithmeticError:
        return None
    if abs(decimal.adjusted()) > _LARGEST_EXPONENT:
        return None
    exact = Fraction(decimal)
    if exact.denominator == 1 or len(decimal.as_tuple().digits) < _NOISY_DIGITS:
        return exact
    rounded = Fraction(Context(prec=12).plus(decimal))
    simple = rounded.limit_denominator(1000)
    return simple if abs(simple - rounded) <= abs(rounded) / 10**9 else rounded
