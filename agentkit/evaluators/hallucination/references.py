"""References in a text: numbered marks, web addresses, DOIs, arXiv numbers and ISBNs, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from agentkit.types import Document

Kind = Literal["mark", "url", "doi", "arxiv", "isbn"]
MARK = re.compile(r"\[(\d{1,6}(?:\s{0,3}[,;–-]\s{0,3}\d{1,6}){0,50})\]")
_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'«»“”`\[\]{}|\\^]{0,2000}", re.IGNORECASE)
_DOI = re.compile(r"\b(?:doi:\s{0,3}|doi\.org/)?(10\.\d{1,9}/[^\s<>\"'«»“”`]{1,200})", re.IGNORECASE)
_ARXIV = re.compile(r"\barxiv[:\s]\s{0,3}(\d{4}\.\d{1,6})(?:v\d{1,3})?\b", re.IGNORECASE)
_ISBN = re.compile(r"\bisbn(?:-1[03])?:?\s{0,3}([\dXxХх][\dXxХх \-–]{7,20}[\dXxХх])(?!\w)", re.IGNORECASE)
_PREFIX = re.compile(r"(?:https?|ftp)://(?:www\.)?")
_GOES_ON = re.compile(r"(?!v\d)\w|/\w|[.?&=#%-]\w")
_TRAILING = ".,;:!?…)"
_HOST = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]\Z|localhost\Z|\d{1,3}(?:\.\d{1,3}){3}\Z"
)
_WIDEST = 200  # documents that one mark may name: [1-999999] names no sources


class Reference(NamedTuple):
    """Characters ``[start, end)`` that refer to something; ``key`` is what is compared, ``wrong`` says why it cannot exist."""

    kind: Kind
    start: int
    end: int
    key: str
    wrong: str = ""


def references(text: str, limit: int) -> list[Reference]:
    """The first ``limit`` addresses and ids of a text, in order; an id inside an address is part of it."""
    found: list[Reference] = []
    for one in sorted(islice(_all(text), limit), key=lambda one: (one.start, -one.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return found


def numbers(mark: str) -> list[int]:
    """The documents (1-based) that the inside of a mark names: ``1, 3-5``."""
    named: list[int] = []
    for part in re.split(r"[,;]", mark):
        first, _, last = part.replace("–", "-").partition("-")
        low, high = int(first), int(last or first)
        named += range(low, min(high, low + _WIDEST) + 1) if low <= high else [low, high]
    return named[:_WIDEST]


class Library:
    """Everything the documents say about themselves and others, read once, in which references are looked up."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        parts = (part for one in documents for part in (one.source, one.id, one.title, one.text))
        self._plain = _PREFIX.sub(" ", "\n".join(parts).casefold())
        self._joined = re.sub(r"(?<=\d)[ \-–](?=[\dx])", "", self._plain)

    def holds(self, reference: Reference) -> bool:
        """Whether any document mentions the reference or is it, whatever the spelling."""
        text, key = self._joined if reference.kind == "isbn" else self._plain, reference.key.casefold()
        place = text.find(key)
        while place >= 0:
            before, after = text[place - 1 : place], text[place + len(key) : place + len(key) + 3]
            if not (before.isalnum() or _GOES_ON.match(after)):
                return True
            place = text.find(key, place + len(key))
        return False


def _all(text: str) -> Iterator[Reference]:
    for found in _URL.finditer(text):
        address = found[0].rstrip(_TRAILING) if "(" not in found[0] else found[0].rstrip(_TRAILING[:-1])
        yield Reference("url", found.start(), found.start() + len(address), _plain_url(address), _wrong_url(address))
    for found in _DOI.finditer(text):
        name = found[1].rstrip(_TRAILING)
        wrong = "" if re.match(r"10\.\d{4,9}/", name) else "the registrant of a DOI has four to nine digits"
        yield Reference("doi", found.start(), found.start(1) + len(name), name.casefold(), wrong)
    for found in _ARXIV.finditer(text):
        yield Reference("arxiv", found.start(), found.end(), found[1], _wrong_arxiv(found[1]))
    for found in _ISBN.finditer(text):
        digits = re.sub(r"[^\dX]", "", found[1].upper().replace("Х", "X"))
        yield Reference("isbn", found.start(), found.end(), digits, _wrong_isbn(digits))


def _plain_url(address: str) -> str:
    return _PREFIX.sub("", address.casefold(), count=1).rstrip("/")


def _wrong_url(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "it is no web address"
    return "" if _HOST.match(host) and len(host) <= 253 else "its host is no host name"


def _wrong_arxiv(number: str) -> str:
    """Numbers are YYMM.NNNN until 2014 and YYMM.NNNNN since."""
    month, digits = number[:4], len(number) - 5
    if not 1 <= int(month[2:]) <= 12 or int(month) < 704:
        return "no arXiv number begins like this"
    wanted = 4 if int(month) < 1501 else 5
    return "" if digits == wanted else f"arXiv numbers of that month have {wanted} digits after the point"


def _wrong_isbn(digits: str) -> str:
    """The check digit of both lengths."""
    values = [10 if digit == "X" else int(digit) for digit in digits]
    if len(digits) == 10 and "X" not in digits[:9]:
        good = sum(value * (10 - place) for place, value in enumerate(values)) % 11 == 0
    elif len(digits) == 13 and "X" not in digits:
        good = sum(value * (3 if place % 2 else 1) for place, value in enumerate(values)) % 10 == 0
    else:
        return "an ISBN has 10 or 13 digits"
    return "" if good else "its check digit is wrong"
