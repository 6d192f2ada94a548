"""Any chain: every stated equality, stocks that grow and shrink, numbers out of nowhere, and an answer that no step gave."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from agentkit.evaluators.planning.reasoning.arithmetic import shown
from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.equalities import Equality, equalities
from agentkit.evaluators.planning.reasoning.lexer import tokens

FAMILY = "general"
_ANSWER = re.compile(
    r"(?:^\s*(?:a|ans)\s*[:=]|\b(?:the )?(?:final )?answer(?:\s+is|\s*[:=])|\bответ\s*[:=—–-]?)\s*", re.I
)
_VALUE = re.compile(r"\s*[$€£₽]?\s*(-?\d[\d,]*(?:\.\d+)?)\s*[%.]?\s*(?:[^\W\d_]+\s*){0,3}\.?\s*$")
_LOST = (
    r"gave|gives|lost|loses|ate|eats|sold|sells|spent|spends|used|uses|broke|threw|donated|removed|drank|paid|"
    r"отдал\w*|потерял\w*|съел\w*|продал\w*|потратил\w*"
)
_WON = (
    r"got|gets|bought|buys|found|finds|received|receives|earned|earns|won|wins|added|adds|picked|collected|"
    r"получил\w*|купил\w*|наш[её]л|нашла|добавил\w*"
)
_HAD = r"has|had|have|were|there (?:are|were)|starts? with|started with|было|был[аи]?|имел\w*"
_LEFT = r"so|leaving|leaves|now|then|therefore|thus|which (?:leaves|gives|makes)|осталось|осталась|теперь|стало"
_NUMBER = r"[$€£₽]?\s*(\d[\d,]*(?<!,)(?:\.\d+)?)"
_STOCK = re.compile(
    rf"\b(?:{_HAD})\s+(?:only\s+)?{_NUMBER}\b(?!%)([^;\d]*?)\b(?:(?P<lost>{_LOST})|(?P<won>{_WON}))\b[^.;\d]*?{_NUMBER}\b(?!%)"
    rf"[^.;\d]*?\b(?:{_LEFT})\b[^.;\d]*?{_NUMBER}(?![\d/%]|\s*[-+*/x×=])",
    re.I,
)
_REMAINS = re.compile(r"\b(?:left|remain\w*|now|leav\w+|still|остал\w*|теперь|стало)\b", re.I)
_COUNTS = "0 1 2 3 4 5 6 7 8 9 10 11 12 14 16 20 24 25 26 28 30 31 40 50 52 60 75 90 100 180 360 365 1000 3600 5280"
_MOST = 500  # values to compare a number with; a chain that names more is not searched
_EVERYDAY = frozenset(Fraction(count) for count in _COUNTS.split()) | {
    Fraction(1, 2),
    Fraction(1, 4),
    Fraction(3, 4),
    Fraction(7, 2),
}


@dataclass(slots=True)
class _Seen:
    """The values that the question and the steps so far have named or found, and the one found last."""

    known: set[Fraction] = field(default_factory=set)
    last: Fraction | None = None


def check(chain: Chain) -> Reading | None:
    """Checks what can be checked in running text."""
    notes, seen = Notes(FAMILY), _Seen()
    seen.known |= _numbers(chain.question)
    for place, step in enumerate(chain.plain):
        _check_equalities(place, step, seen, notes)
        _check_stock(place, step, seen, notes)
        _check_answer(place, step, seen, notes)
        seen.known |= _numbers(step)
    return notes.reading()


def _check_equalities(place: int, step: str, seen: _Seen, notes: Notes) -> None:
    for equality in equalities(step):
        notes.checked.add(place)
        if not equality.holds:
            value = shown(equality.left_value)
            notes.flaw(
                place,
                "arithmetic_wrong",
                f"step {place} says {equality.left} = {equality.right}; it is {value}",
                f"{equality.left} = {value}",
            )
        _check_sources(place, equality, seen, notes)
        seen.known |= _numbers(equality.left)
        if equality.right_value is not None:
            seen.known.add(equality.right_value)
            seen.last = equality.right_value


def _check_stock(place: int, step: str, seen: _Seen, notes: Notes) -> None:
    """``He had 5 and gave 2 away, so 3 are left``: three numbers and what became of the first."""
    for found in _STOCK.finditer(step):
        if not _REMAINS.search(step[found.end(5) : found.end() + 20]):
            continue
        first, change, left = (Fraction(found[number].replace(",", "")) for number in (1, 5, 6))
        due = first - change if found["lost"] else first + change
        notes.checked.add(place)
        seen.last = left
        if left not in (due, first, change):
            sign = "-" if found["lost"] else "+"
            notes.flaw(
                place,
                "declared_state_wrong",
                f"step {place} says {shown(left)}; {shown(first)} {sign} {shown(change)} is {shown(due)}",
                f"{shown(due)}",
            )


def _check_answer(place: int, step: str, seen: _Seen, notes: Notes) -> None:
    """The answer must be a value that a step found; where no step found any, nothing is said."""
    announced = list(_ANSWER.finditer(step))
    value = _VALUE.match(step, announced[-1].end()) if announced else None
    if value is None or seen.last is None:
        return
    notes.checked.add(place)
    said = Fraction(value[1].replace(",", ""))
    known = seen.known | _numbers(step[: announced[-1].start()])
    if not any(_alike(said, one) for one in known):
        notes.flaw(
            place,
            "unsupported_conclusion",
            f"step {place} answers {shown(said)}; no step before it found that, the last one found {shown(seen.last)}",
            f"answer {shown(seen.last)}",
        )


def _check_sources(place: int, equality: Equality, seen: _Seen, notes: Notes) -> None:
    """A number in a sum that neither the question nor a step before it gave, nor everyday knowledge: told as a remark."""
    for number in sorted(_numbers(equality.left) - seen.known - _EVERYDAY):
        if len(seen.known) > _MOST or any(
            number in _scaled(one) or number * one == 1 for one in seen.known | _EVERYDAY
        ):
            continue
        notes.remark(
            place,
            "ungrounded_number",
            f"step {place} works with {shown(number)} in {equality.left}; neither the question nor an earlier step has it",
        )


def _scaled(one: Fraction) -> tuple[Fraction, ...]:
    """What a percentage or a share may be written as: ``20`` as 0.2, 0.8, 1.2, 80 or 120."""
    share = one / 100
    return share, one * 100, 1 - share, 1 + share, 100 - one, 100 + one


def _alike(said: Fraction, one: Fraction) -> bool:
    """Equal, or one the rounding, the per cent or the opposite of the other."""
    if one.denominator > 1:
        return any(abs(said - scaled) < 1 for scaled in (one, one * 100, one / 100))
    return said in (one, one / 100, one * 100, -one)


def _numbers(text: str) -> set[Fraction]:
    return {token.value for token in tokens(text) if token.kind == "number"}
