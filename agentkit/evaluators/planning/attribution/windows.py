"""A log cut to what a judge can read: short steps whole, long ones by their two ends, the least telling ones left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agentkit.evaluators.planning.attribution.log import Log, Turn

CHARACTERS = 3  # of a token, on the low side: code, numbers and pages are dense
_LEAST = 120  # characters below which a shortened step says nothing
_HEAD = 24  # characters for the number and the name of a step
_CUT = " [...] "


def window(
    log: Log,
    *,
    characters: int,
    steps: Collection[int] | None = None,
    whole: Collection[int] = (),
    marks: Mapping[int, str] | None = None,
) -> str:
    """The steps of ``log`` (only ``steps``, when given) in at most about ``characters``.

    ``whole`` names steps that matter most: they get twice the room and are never left out. Others are left out, those
    furthest from a ``whole`` one first, only when each step would fall below a readable length; gaps are shown.
    ``marks`` are notes written under a step.
    """
    shown = [turn for turn in log.turns if steps is None or turn.index in steps]
    kept = _kept(shown, whole, characters)
    room = _room(kept, whole, characters - len(kept) * _HEAD - sum(map(len, (marks or {}).values())))
    lines, last = [], None
    for turn in kept:
        if (
            last is not None
            and turn.index > last + 1
            and (steps is None or any(last < one < turn.index for one in steps))
        ):
            lines.append(f"[steps {last + 1} to {turn.index - 1} left out]")
        lines.append(f"[step {turn.index}] {turn.agent or 'unnamed'}: {shortened(turn.text, room[turn.index])}")
        if marks and turn.index in marks:
            lines.append(f"    note: {marks[turn.index]}")
        last = turn.index
    return "\n".join(lines)


def shortened(text: str, length: int) -> str:
    """``text`` in at most ``length`` characters: its beginning and its end, where results and conclusions stand."""
    if len(text) <= length:
        return text
    room = max(0, length - len(_CUT))
    tail = room // 3
    return text[: room - tail] + _CUT + (text[-tail:] if tail else "")


def _kept(turns: Sequence[Turn], whole: Collection[int], characters: int) -> list[Turn]:
    most = max(1, characters // (_LEAST + _HEAD))
    if len(turns) <= most:
        return list(turns)
    near = [min((abs(turn.index - one) for one in whole), default=0) for turn in turns]
    order = sorted(range(len(turns)), key=lambda place: (near[place], place))
    chosen = set(order[:most])
    return [turn for place, turn in enumerate(turns) if place in chosen or turn.index in whole]


def _room(turns: Sequence[Turn], whole: Collection[int], characters: int) -> dict[int, int]:
    """Fair shares: whoever needs less than a share leaves the rest to the others."""
    left, rest = max(0, characters), sorted(turns, key=lambda turn: len(turn.text) / _share(turn, whole))
    shares = sum(_share(turn, whole) for turn in turns)
    room = {}
    for turn in rest:
        part = _share(turn, whole)
        room[turn.index] = min(len(turn.text), max(_LEAST, left * part // shares)) if shares else 0
        left = max(0, left - room[turn.index])
        shares -= part
    return room


def _share(turn: Turn, whole: Collection[int]) -> int:
    return 2 if turn.index in whole else 1
