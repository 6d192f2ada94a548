"""Pictures of what a strategy did: its tree and its votes, as lines of text or as a standalone SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from agentkit.types import Thought, Vote

_MARGIN, _ROW, _INDENT, _BAR, _BESIDE = 24, 26, 28, 220, 12
_CHARACTER = 7.2  # of the font at its size, on average
_WIDEST = 100
_KEPT, _LEFT, _LINE = "#dbeafe", "#f1f5f9", "#475569"


def text(tree: Sequence[Thought], votes: Sequence[Vote] = (), *, width: int = _WIDEST) -> str:
    """One line a thought under its parent, ``*`` before those kept, and one line a vote; longer ones are cut to ``width``."""
    lines = []
    for row in _rows(tree):
        branch = "".join("   " if last else "│  " for last in row.above[:-1])
        elbow = ("└─ " if row.above[-1] else "├─ ") if row.above else ""
        mark = "* " if row.thought.kept else "  "
        lines.append(f"{branch}{elbow}{mark}{_label(row.thought, width)}")
    lines += [f"{_figure(vote.weight):>6}  {_short(vote.answer, width)}" for vote in votes]
    return "\n".join(lines) + "\n"


def svg(tree: Sequence[Thought], votes: Sequence[Vote] = ()) -> str:
    """A row a thought, indented under its parent and filled where it was kept; under them a bar a vote."""
    rows = list(_rows(tree))
    places = {row.place: (_MARGIN + len(row.above) * _INDENT, _MARGIN + at * _ROW) for at, row in enumerate(rows)}
    widths = [places[row.place][0] + len(_label(row.thought)) * _CHARACTER + 2 * _BESIDE for row in rows]
    bars = _bars(votes, _MARGIN + len(rows) * _ROW + (_ROW // 2 if rows else 0))
    labels = [_MARGIN + _BAR + _BESIDE + len(_vote_label(vote)) * _CHARACTER for vote in votes]
    wide = int(max([*widths, *labels, 2 * _BAR]) + _MARGIN)
    high = 2 * _MARGIN + (len(rows) + len(votes) + 1) * _ROW
    parts = [_joint(places, row) for row in rows] + [_box(places, row) for row in rows] + bars
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        'font-family="DejaVu Sans, Arial, Helvetica, sans-serif" font-size="12">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(part for part in parts if part) + "\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A thought, its place and its parent's; ``above`` says of each ancestor below the root, and of it, if it is a last child."""

    place: int
    parent: int | None
    thought: Thought
    above: tuple[bool, ...]


def _rows(tree: Sequence[Thought]) -> Iterator[_Row]:
    """The thoughts, each followed by what grew from it."""
    children: dict[int | None, list[int]] = {}
    for place, thought in enumerate(tree):
        children.setdefault(thought.parent, []).append(place)
    stack: list[tuple[int, tuple[bool, ...]]] = [(place, ()) for place in reversed(children.get(None, []))]
    while stack:
        place, above = stack.pop()
        yield _Row(place, tree[place].parent, tree[place], above)
        below = children.get(place, [])
        stack += [(one, (*above, one == below[-1])) for one in reversed(below)]


def _joint(places: dict[int, tuple[int, int]], row: _Row) -> str:
    if row.parent is None:
        return ""
    (from_x, from_y), (to_x, to_y) = places[row.parent], places[row.place]
    x, y = from_x + _BESIDE, to_y + (_ROW - 4) / 2
    return f'<path d="M{x} {from_y + _ROW - 4}V{y:g}H{to_x}" fill="none" stroke="{_LINE}"/>'


def _box(places: dict[int, tuple[int, int]], row: _Row) -> str:
    x, y = places[row.place]
    label = _label(row.thought)
    width = len(label) * _CHARACTER + _BESIDE
    fill = _KEPT if row.thought.kept else _LEFT
    return (
        f'<rect x="{x}" y="{y}" width="{width:g}" height="{_ROW - 4}" rx="5" fill="{fill}" stroke="{_LINE}"/>'
        f'<text x="{x + 6}" y="{y + 15}">{_safe(label)}</text>'
    )


def _bars(votes: Sequence[Vote], top: float) -> list[str]:
    most = max((vote.weight for vote in votes), default=0.0) or 1.0
    return [_vote(vote, top + at * _ROW, max(vote.weight, 0.0) / most * _BAR) for at, vote in enumerate(votes)]


def _vote(vote: Vote, y: float, length: float) -> str:
    return (
        f'<rect x="{_MARGIN}" y="{y:g}" width="{length:g}" height="{_ROW - 8}" fill="{_KEPT}" stroke="{_LINE}"/>'
        f'<text x="{_MARGIN + _BAR + _BESIDE}" y="{y + 14:g}">{_safe(_vote_label(vote))}</text>'
    )


def _vote_label(vote: Vote) -> str:
    return f"{_figure(vote.weight)}  {_short(vote.answer, _WIDEST)}"


def _label(thought: Thought, width: int = _WIDEST) -> str:
    value = "" if thought.value is None else f"  ({_figure(thought.value)})"
    return _short(thought.text, width) + value


def _figure(value: float) -> str:
    return f"{value:.3g}"


def _short(words: str, width: int) -> str:
    line = " ".join(words.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _safe(words: str) -> str:
    """Escaped, without the characters that XML cannot hold."""
    return escape("".join(one if one.isprintable() else "\ufffd" for one in words))
