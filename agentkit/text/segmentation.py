"""Sentences of a text in English, Russian and their like, Markdown included."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentkit.text.abbreviations import BEFORE_NUMBER, MAY_END, NEVER_END, STARTERS
from agentkit.text.spans import Span

_CLOSERS = "\"'”’»)]}*_`"
_OPENERS = "\"'“‘«([{*_`—–-"
_STOP = re.compile(rf"[.!?…]+[{re.escape(_CLOSERS)}]*(?=\s|\Z)|[。！？]+[」』”）]*")
_MARKER = re.compile(r"[ \t]*(?:(?:#{1,6}|[-*+•◦▪–—]|\(?\d{1,3}[.)]|\(?[a-zа-яё][)])[ \t]+|>[ \t]?)+", re.I)
_BLANK = re.compile(r"[ \t]*\Z")
_RULE = re.compile(r"[ \t]*(?:[-=*_~`][ \t]*){3,}\Z|[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t:|-]*\Z")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_TOKEN = re.compile(r"\S{1,40}\Z")
_NEXT = re.compile(rf"\s*[{re.escape(_OPENERS)}]*(?P<word>[^\W_]+(?:-[^\W_]+)*)?(?P<stop>\.)?")
_SHORT_LINE = 60  # a hard-wrapped line is longer: after a shorter one, a capital letter begins something new


def sentences(text: str) -> list[Span]:
    """The sentences of ``text`` in order, without surrounding white space, list markers and heading signs.

    A heading, a list item and a table row are sentences of their own, a fenced block of code is one; a line break
    inside a paragraph is not an end. Spans never overlap, and ``text[span.start:span.end] == span.text``.
    """
    found = []
    for start, end, whole in _blocks(text):
        ends = [end] if whole else [*_ends(text, start, end), end]
        for stop in ends:
            if span := _trimmed(text, start, stop):
                found.append(span)
            start = stop
    return found


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    return Span(start, start + len(piece), piece) if any(map(str.isalnum, piece)) else None


def _blocks(text: str) -> Iterator[tuple[int, int, bool]]:
    """``(start, end, whole)`` of paragraphs, items, headings; ``whole`` ones (code) are not split further."""
    begin: int | None = None
    fenced = False
    position = 0
    last = ""
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        body = line.rstrip("\r\n")
        if _FENCE.match(body):
            if begin is not None:
                yield begin, start, fenced
            begin, fenced, last = (None, False, "") if fenced else (position, True, "")
            continue
        if fenced:
            continue
        if begin is not None and _breaks(last, body):
            yield begin, start, False
            begin = None
        if begin is None and not _is_empty(body):
            begin = start + _marker(body)
        last = body
    if begin is not None:
        yield begin, position, fenced


def _breaks(last: str, line: str) -> bool:
    """Whether ``line`` begins a new block after ``last``."""
    if _is_empty(line) or _HEADING.match(last) or _marker(line) or line.lstrip().startswith("|"):
        return True
    before, after = last.rstrip(), line.lstrip()
    return len(before) < _SHORT_LINE and after[:1].isupper() and not before.endswith((",", ";", "-", "–", "—"))


def _marker(line: str) -> int:
    found = _MARKER.match(line)
    return found.end() if found else 0


def _is_empty(line: str) -> bool:
    line = line.lstrip(" \t")
    return bool(_BLANK.match(line) or _RULE.match(line))


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and _ends_here(text, start, stop, end):
            yield stop.end()


def _ends_here(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    mark = stop.group()[0]
    if mark in "。！？":
        return True
    following = _NEXT.match(text, stop.end(), min(end, stop.end() + 60))
    word = (following and following.group("word")) or ""
    if following and following.group("stop") and len(word) == 1:
        word += "."
    if word[:1].islower():
        return False
    if mark != "." or stop.group().startswith(".."):
        return True
    before = _TOKEN.search(text[max(start, stop.start() - 40) : stop.start()])
    return _full_stop(before.group() if before else "", word)


def _full_stop(before: str, word: str) -> bool:
    """Whether the full stop between ``before`` and ``word`` (not lower-case) ends a sentence."""
    bare = before.lstrip(_OPENERS).casefold()
    if _is_initial(bare) or bare in MAY_END:
        return word.casefold() in STARTERS
    if bare in BEFORE_NUMBER:
        return not word[:1].isdigit()
    return bare not in NEVER_END


def _is_initial(bare: str) -> bool:
    letters = bare.rsplit(".", 1)[-1]
    return len(letters) == 1 and letters.isalpha()
