"""A page as passages: cut at headings, paragraphs and sentence ends, each with its place in the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from agentkit.errors import ConfigError
from agentkit.rag.load import Page
from agentkit.text import sentences

_FENCE = re.compile(r" {0,3}(```|~~~)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_EMPTY_LINE = re.compile(r"\n[ \t]*(?=\n)")
_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]{1,16}")
_LONGEST_HEADING = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Characters ``[start, end)`` of a page's text, under the headings ``titles``, outermost first."""

    page: str
    titles: tuple[str, ...]
    start: int
    end: int
    text: str

    @property
    def context(self) -> str:
        """The headings and the text together: what is embedded and indexed, so that a passage is found by its heading."""
        return f"{' > '.join(self.titles)}\n{self.text}" if self.titles else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunking:
    """How to cut: passages of about ``words`` words, the next beginning with whole sentences of at most ``overlap`` words
    from the end of the one before. A section shorter than ``smallest`` words joins the next one.
    """

    words: int = 160
    overlap: int = 30
    smallest: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.words or not 0 <= self.smallest <= self.words:
            raise ConfigError(
                f"chunks of {self.words} words cannot overlap by {self.overlap} or be at least {self.smallest} long: "
                "both must be smaller than the chunk"
            )


class Piece(NamedTuple):
    """A sentence, a line of code or of a list: what is never cut unless it alone is too long."""

    start: int
    end: int
    words: int


@dataclass(slots=True)
class Section:
    """What stands under one heading; ``start`` is where the heading line begins, ``body`` where it ends."""

    titles: tuple[str, ...]
    start: int
    body: int
    end: int = 0


def chunks(page: Page, how: Chunking = Chunking()) -> list[Chunk]:
    """The passages of a page in order: each is ``page.text[start:end]``, and together they hold every word."""
    sections = _join(_sections(page), page.text, how.smallest)
    return [chunk for section in sections for chunk in _cut(page, section, how)]


def size(text: str) -> int:
    """The words of ``text`` by white space; a run of over 16 characters counts as several, and two Han signs as one."""
    return sum(1 for _ in _UNIT.finditer(text))


def _sections(page: Page) -> list[Section]:
    text = page.text
    found = [Section(titles=(page.title,) if page.title else (), start=0, body=0)]
    path: list[tuple[int, str]] = []
    for start, end, level, title in _headings(text) if page.markdown else ():
        path = [*((depth, name) for depth, name in path if depth < level), (level, title)]
        names = [name for _, name in path if name and name != page.title]
        found[-1].end = start
        found.append(Section(titles=tuple([page.title, *names] if page.title else names), start=start, body=end))
    found[-1].end = len(text)
    return found


def _headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, level, title) of each Markdown heading outside code fences, ``#`` and underlined ones."""
    fence, before, offset = "", (0, ""), 0
    for line in text.splitlines(keepends=True):
        start, end = offset, offset + len(line)
        offset = end
        mark = _FENCE.match(line)
        if mark and (not fence or fence == mark[1]):
            fence, before = "" if fence else mark[1], (end, "")
        elif fence:
            continue
        elif len(line) <= _LONGEST_HEADING and (atx := _ATX.match(line.rstrip("\r\n"))):
            yield start, end, len(atx[1]), (atx[2] or "").strip()
            before = (end, "")
        elif before[1] and (rule := _UNDERLINE.match(line)):
            yield before[0], end, 1 if rule[1][0] == "=" else 2, before[1]
            before = (end, "")
        else:
            before = (start, _may_be_heading(line, before[1]))


def _may_be_heading(line: str, above: str) -> str:
    """The line as a heading that an underline may confirm: a short line that starts a paragraph and is no list item."""
    bare = line.strip()
    alone = not above and bool(bare) and bare[0] not in "-*+>|" and len(bare) <= _LONGEST_HEADING
    return bare if alone else ""


def _join(sections: Sequence[Section], text: str, smallest: int) -> Iterator[Section]:
    """Sections with at least ``smallest`` words of body; a shorter one stands at the head of the next, or ends the last."""
    waiting, words = sections[0].start, 0
    last: Section | None = None
    for section in sections:
        words += size(text[section.body : section.end])
        if words < smallest:
            continue
        if last:
            yield last
        last = Section(section.titles, waiting, section.body, section.end)
        waiting, words = section.end, 0
    if last is None:
        last = Section(sections[0].titles, waiting, waiting)
    last.end = sections[-1].end
    yield last


def _cut(page: Page, section: Section, how: Chunking) -> Iterator[Chunk]:
    """The section as passages of at most ``how.words`` words and about equal length, with overlap."""
    pieces = [piece for piece in _pieces(page.text, section, how.words) if piece.words]
    upto = [0, *accumulate(piece.words for piece in pieces)]
    first = 0
    while first < len(pieces):
        after = _fill(upto, first, how.words)
        if chunk := _chunk(page, section.titles, pieces[first].start, pieces[after - 1].end):
            yield chunk
        first = after if after == len(pieces) else _back(pieces, first, after, how.overlap)


def _chunk(page: Page, titles: tuple[str, ...], start: int, end: int) -> Chunk | None:
    """The passage without the white space around it; None when nothing else is there."""
    text = page.text[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return Chunk(page=page.path, titles=titles, start=start, end=start + len(text), text=text) if text else None


def _fill(upto: Sequence[int], first: int, most: int) -> int:
    """The index after the last piece of the passage that begins with ``first``: an even share of what is left.

    ``upto[i]`` counts the words of the first ``i`` pieces.
    """
    left = upto[-1] - upto[first]
    share = -(-left // -(-left // most))
    after = first + 1
    while after + 1 < len(upto) and upto[after] - upto[first] < share and upto[after + 1] - upto[first] <= most:
        after += 1
    return after


def _back(pieces: Sequence[Piece], first: int, after: int, overlap: int) -> int:
    """Where the next passage begins: as many whole pieces before ``after`` as ``overlap`` words allow."""
    start = after
    while start - 1 > first and pieces[start - 1].words <= overlap:
        start -= 1
        overlap -= pieces[start].words
    return start


def _pieces(text: str, section: Section, longest: int) -> Iterator[Piece]:
    """The section's sentences in order with the marks between them; one of more than ``longest`` words is cut."""
    starts, ends = _bounds(text, section)
    for start, end in zip(starts, ends, strict=True):
        words = size(text[start:end])
        if words <= longest:
            yield Piece(start, end, words)
            continue
        for line in re.finditer(r"\S.*", text[start:end]):
            yield from _runs(text, start + line.start(), start + line.end(), longest)


def _bounds(text: str, section: Section) -> tuple[list[int], list[int]]:
    """Starts and ends of sentences, widened so that list numbers, heading signs and code fences are not lost."""
    starts: list[int] = []
    ends: list[int] = []
    left, code = section.start, False
    for span in sentences(text[section.start : section.end]):
        start, end = section.start + span.start, section.start + span.end
        middle = left + _parting(text[left:start], code) if starts else left
        if starts:
            ends.append(middle)
        starts.append(middle)
        code ^= len(_FENCE_LINE.findall(text, left, start)) % 2 == 1
        left = end
    if not starts:
        starts = [section.start]
    return starts, [*ends, section.end]


def _parting(gap: str, code: bool) -> int:
    """Where what stands between two sentences is parted: a closing fence and an empty line end the first."""
    found = (_FENCE_LINE if code else _EMPTY_LINE).search(gap)
    return found.end() if found else 0


def _runs(text: str, start: int, end: int, longest: int) -> Iterator[Piece]:
    """Characters ``[start, end)`` in runs of at most ``longest`` words, cut at white space where there is any."""
    units = [match.span() for match in _UNIT.finditer(text, start, end)]
    place = 0
    while place < len(units):
        after = min(place + longest, len(units))
        if after < len(units):
            spaces = (cut for cut in range(after, place, -1) if units[cut - 1][1] < units[cut][0])
            after = next(spaces, after)
        yield Piece(units[place][0], units[after - 1][1], after - place)
        place = after
