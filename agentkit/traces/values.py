"""The values in a text or in plain data, each under one key however it is written: ids, dates, numbers, addresses, names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from agentkit.answers import dates
from agentkit.types import JSON

ValueKind = Literal["id", "address", "date", "number", "name", "quote"]

_ADDRESS = re.compile(r"https?://[^\s<>\"'`)\]}]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_ID = re.compile(r"[#@]?(?=[\w-]*\d)(?:[A-Za-z]+[\w-]*[A-Za-z0-9]|\d+[\w-]*[A-Za-z_][\w-]*|\d{5,})")
_SNAKE = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
_NUMBER = re.compile(
    r"(?<![\w.])[-−]?[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w])|(?<![\w.])[-−]?[$€£]?\d+(?:\.\d+)?(?![\w])"
)
_NAME = re.compile(r"\b[A-Z][\w'’-]+(?:[ ](?:of |the |de |van )?[A-Z][\w'’-]+)+")
_QUOTE = re.compile(r"[\"“]([^\"“”\n]{3,60})[\"”]|(?<!\w)'([^'\n]{3,60})'(?!\w)|`([^`\n]{3,60})`")
_TOKEN = re.compile(r"[^\W_]+")
_PATTERNS: tuple[tuple[ValueKind, re.Pattern[str]], ...] = (
    ("address", _ADDRESS),
    ("id", _ID),
    ("id", _SNAKE),
    ("number", _NUMBER),
    ("quote", _QUOTE),
    ("name", _NAME),
)
_SMALL = 100  # a whole number below it is found everywhere by chance, so it tells no origin
_LONGEST = 200_000
_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written at ``start``, and the ``key`` under which all its spellings meet."""

    kind: ValueKind
    key: str
    text: str
    start: int = 0


def values(text: str) -> tuple[Value, ...]:
    """The values in ``text`` that tell where they come from, in order: no small numbers, no plain words."""
    text = text[:_LONGEST]
    found = [Value("date", one.iso, text[one.start : one.end], one.start) for one in dates.find(text) if one.complete]
    taken = [(one.start, one.start + len(one.text)) for one in found]
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                found += _value(kind, match)
                taken += [match.span()] if kind in ("address", "id") else []
    return tuple(sorted(found, key=lambda one: one.start))


def leaves(data: JSON, path: str = "", depth: int = 0) -> Iterator[tuple[str, JSON]]:
    """Every text, number, truth value and null inside plain data with its path: ``flights[0].date``."""
    if depth > _DEPTH:
        return
    if isinstance(data, Mapping):
        for name, item in data.items():
            yield from leaves(item, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(data, list | tuple):
        for index, item in enumerate(data):
            yield from leaves(item, f"{path}[{index}]", depth + 1)
    else:
        yield path, data


def tokens(text: str) -> list[str]:
    """The words and numbers of ``text``, folded: ``Omar_Davis-3817`` is omar, davis, 3817."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def number_key(text: str) -> str | None:
    """One spelling of a number: ``$1,200.50`` and ``1200.5`` meet. None for what is none."""
    try:
        number = Decimal(re.sub(r"[$€£,\s]", "", text).replace("−", "-"))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return None
    return format(number.normalize(), "f").removesuffix(".0") if number else "0"


def _value(kind: ValueKind, match: re.Match[str]) -> Iterator[Value]:
    text = next((group for group in match.groups() if group), match[0])
    if kind == "number":
        key = number_key(text)
        if key is None or ("." not in key and abs(int(key)) < _SMALL):
            return
    else:
        key = " ".join(tokens(text))
    if key:
        yield Value(kind, key, text, match.start())
