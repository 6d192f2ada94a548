"""When two answers say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from agentkit.answers.numbers import Convention
from agentkit.answers.reading import Kind, Reading, read


def canonical(answer: str, kind: Kind = "auto", *, convention: Convention = "us") -> str:
    """The key under which equal answers meet; the key of a key is itself."""
    return read(answer, kind, convention=convention).key


def equivalent(a: str, b: str, kind: Kind = "auto", *, convention: Convention = "us") -> bool:
    """Whether two answers say the same; symmetric.

    Answers with one canonical key do. So does a bare number beside the same number with a unit (``5`` and ``5 km``), and a
    percentage beside its number or its share (``50%`` beside ``50`` or ``0.5``).
    """
    return agree(read(a, kind, convention=convention), read(b, kind, convention=convention))


def classes(
    answers: Sequence[str | None], kind: Kind = "auto", *, convention: Convention = "us"
) -> tuple[tuple[int, ...], ...]:
    """Which answers say the same: groups of indices into ``answers``, the earliest answer's group first.

    Transitive: an answer that agrees with two that disagree (``5`` beside ``5 km`` and ``5 kg``) joins neither.
    None is an abstention and in no group.
    """
    return partition([None if one is None else read(one, kind, convention=convention) for one in answers])


def agree(a: Reading, b: Reading) -> bool:
    """``equivalent`` for answers already read."""
    return a.key == b.key or _bare_beside_marked(a, b) or _bare_beside_marked(b, a)


def partition(readings: Sequence[Reading | None]) -> tuple[tuple[int, ...], ...]:
    """``classes`` for answers already read."""
    members: dict[str, list[int]] = {}
    for place, reading in enumerate(readings):
        if reading is not None:
            members.setdefault(reading.key, []).append(place)
    marked_ones = any(one.mark for one in readings if one is not None)
    for bare, marked in _pairs({one for one in readings if one is not None}) if marked_ones else ():
        members[bare] += members.pop(marked)
    return tuple(sorted(tuple(sorted(group)) for group in members.values()))


def _bare_beside_marked(bare: Reading, marked: Reading) -> bool:
    return bare.number is not None and not bare.mark and bare.number in _bare_numbers(marked)


def _bare_numbers(marked: Reading) -> tuple[Fraction, ...]:
    """The bare numbers that say the same as a number with a unit: itself, and of a percentage also its share."""
    if marked.number is None or not marked.mark:
        return ()
    return (marked.number, marked.number / 100) if marked.mark == "%" else (marked.number,)


def _pairs(distinct: set[Reading]) -> list[tuple[str, str]]:
    """Keys of a bare number and of a number with a unit that agree with each other and with no third key."""
    bare = {one.number: one.key for one in distinct if one.number is not None and not one.mark}
    edges = {(bare[number], one.key) for one in distinct for number in _bare_numbers(one) if number in bare}
    degree = Counter(key for edge in edges for key in edge)
    return sorted(edge for edge in edges if degree[edge[0]] == degree[edge[1]] == 1)
