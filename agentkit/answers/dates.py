"""Dates as models write them, and their ISO key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from agentkit.answers.numbers import Convention

_MONTHS = (
    "jan january янв январь января|feb february фев февраль февраля|mar march мар март марта|apr april апр апрель апреля|"
    "may май мая|jun june июн июнь июня|jul july июл июль июля|aug august авг август августа|"
    "sep sept september сен сент сентябрь сентября|oct october окт октябрь октября|nov november ноя нояб ноябрь ноября|"
    "dec december дек декабрь декабря"
)
MONTHS: dict[str, int] = {name: number for number, names in enumerate(_MONTHS.split("|"), 1) for name in names.split()}
_NAME = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(\d{4})(?!\d)"
_AFTER = r"(?:\s*(?:года|год|г\b\.?))?"

_ISO = re.compile(r"(?<![\d/.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/-])(?:T\S*)?")
_NUMERIC = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])")
_MONTH_FIRST = re.compile(rf"\b{_NAME}\s+(?:the\s+)?{_DAY},?\s+{_YEAR}", re.IGNORECASE)
_DAY_FIRST = re.compile(rf"\b{_DAY}\s+(?:day\s+of\s+|of\s+)?{_NAME},?\s+{_YEAR}{_AFTER}", re.IGNORECASE)
_MONTH_YEAR = re.compile(rf"\b{_NAME},?\s+{_YEAR}{_AFTER}", re.IGNORECASE)
_MONTH_DAY = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})(?![\d/-])")
_KEY = re.compile(r"(?<![\w/.-])(?:\d{4}-\d{2}|--\d{2}-\d{2})(?![\w/-])")
_WEEKDAY = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье),?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A date in a text: characters ``[start, end)`` and its ISO key; ``complete`` when day, month and year are known."""

    start: int
    end: int
    iso: str
    complete: bool = True


def key(text: str, *, convention: Convention = "us", partial: bool = False) -> str | None:
    """``YYYY-MM-DD`` when ``text`` is one date and nothing else, else None.

    With ``partial``, also ``YYYY-MM`` for a month of a year and ``--MM-DD`` for a day without one. Slashes and dashes
    read month first in the ``us`` convention and day first in ``eu``, dots always day first, unless only the other way
    is possible. Dates that do not exist are no dates.
    """
    bare = _WEEKDAY.sub("", text).strip(" \t\n.,;:!")
    for one in find(bare, convention=convention):
        whole = one.start == 0 and one.end >= len(bare.rstrip("."))
        if whole and (partial or one.complete):
            return one.iso
    return None


def find(text: str, *, convention: Convention = "us") -> list[Found]:
    """Every date in ``text``, in order; partial dates only outside complete ones."""
    complete = [*_iso(text), *_numeric(text, convention), *_named(text)]
    taken = [(one.start, one.end) for one in complete]
    partial = [one for one in _partial(text, convention) if not any(a < one.end and one.start < b for a, b in taken)]
    return sorted([*complete, *partial], key=lambda one: (one.start, one.end))


def _iso(text: str) -> Iterator[Found]:
    for found in _ISO.finditer(text):
        yield from _valid(found, int(found[1]), int(found[3]), int(found[4]))


def _numeric(text: str, convention: Convention) -> Iterator[Found]:
    for found in _NUMERIC.finditer(text):
        year = int(found[4]) if len(found[4]) == 4 else _century(int(found[4]))
        month, day = _order(int(found[1]), int(found[3]), day_first=found[2] == "." or convention == "eu")
        yield from _valid(found, year, month, day)


def _named(text: str) -> Iterator[Found]:
    for found in _MONTH_FIRST.finditer(text):
        yield from _valid(found, int(found[3]), MONTHS[found[1].casefold()], int(found[2]))
    for found in _DAY_FIRST.finditer(text):
        yield from _valid(found, int(found[3]), MONTHS[found[2].casefold()], int(found[1]))


def _partial(text: str, convention: Convention) -> Iterator[Found]:
    for found in _MONTH_YEAR.finditer(text):
        yield Found(found.start(), found.end(), f"{found[2]}-{MONTHS[found[1].casefold()]:02d}", complete=False)
    for found in _KEY.finditer(text):
        yield Found(found.start(), found.end(), found[0], complete=False)
    for found in _MONTH_DAY.finditer(text):
        month, day = _order(int(found[1]), int(found[2]), day_first=convention == "eu")
        if list(_valid(found, 2000, month, day)):
            yield Found(found.start(), found.end(), f"--{month:02d}-{day:02d}", complete=False)


def _order(first: int, second: int, *, day_first: bool) -> tuple[int, int]:
    """(month, day) of two numbers, by convention unless only the other order can be a date."""
    if day_first:
        return (first, second) if second > 12 else (second, first)
    return (second, first) if first > 12 else (first, second)


def _century(year: int) -> int:
    """Two digits as POSIX reads them: 69-99 are 19xx, 00-68 are 20xx."""
    return 1900 + year if year >= 69 else 2000 + year


def _valid(found: re.Match[str], year: int, month: int, day: int) -> Iterator[Found]:
    try:
        yield Found(found.start(), found.end(), date(year, month, day).isoformat())
    except ValueError:
        return
