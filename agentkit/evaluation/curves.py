"""Survival curves as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from agentkit.evaluation.horizon import Horizon

_COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#16a085", "#7f8c8d", "#34495e")
_WIDTH, _HEIGHT, _LEFT, _TOP, _ROW = 640, 360, 56, 24, 18


def survival_svg(horizons: Sequence[Horizon]) -> str:
    """The share of runs without an error after each step, one line an agent, with H50 marked."""
    ordered = sorted(horizons, key=lambda one: one.rate.value)
    last = max(len(one.survival.survival) for one in ordered)
    height = _TOP + _HEIGHT + 56 + _ROW * len(ordered)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 24}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_axes(last),
    ]
    for place, one in enumerate(ordered):
        parts += _curve(one, place, last)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(last: int) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, dash = _y(share), ' stroke-dasharray="4 3"' if share == 0.5 else ""
        parts.append(f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#ccc"{dash}/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    for step in range(0, last + 1, max(1, last // 10)):
        parts.append(f'<text x="{_x(step, last)}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{step}</text>')
    parts.append(
        f'<text x="{_LEFT + _WIDTH / 2}" y="{_TOP + _HEIGHT + 36}" text-anchor="middle">steps without error</text>'
    )
    return parts


def _curve(one: Horizon, place: int, last: int) -> list[str]:
    colour = _COLOURS[place % len(_COLOURS)]
    dash = "" if place < len(_COLOURS) else ' stroke-dasharray="5 3"'
    points, share = [f"{_x(0, last)},{_y(1.0)}"], 1.0
    for step, after in enumerate(one.survival.survival, 1):
        points += [f"{_x(step, last)},{_y(share)}", f"{_x(step, last)},{_y(after)}"]
        share = after
    y = _TOP + _HEIGHT + 56 + _ROW * place
    return [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{" ".join(points)}"/>',
        f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + 24}" y2="{y}" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<text x="{_LEFT + 32}" y="{y + 4}">{escape(one.name)} ({one.runs:,} runs)</text>',
    ]


def _x(step: int, last: int) -> float:
    return round(_LEFT + _WIDTH * step / max(1, last), 1)


def _y(share: float) -> float:
    return round(_TOP + _HEIGHT * (1 - share), 1)
