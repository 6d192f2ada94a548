"""The equalities a text states, and which of them are false."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from agentkit.evaluators.planning.reasoning.expressions import Expressions, Term
from agentkit.evaluators.planning.reasoning.lexer import Token, plain_equality, spoken, tokens

_CALCULATOR = re.compile(r"<<([^<>]{1,200})>>")
_FILLERS_WORDS = "a an the total of about only just roughly approximately exactly around still всего около примерно"
_FILLERS = frozenset(_FILLERS_WORDS.split())
_ROUGHLY_WORDS = "about roughly approximately around около примерно ≈"
_ROUGHLY = frozenset(_ROUGHLY_WORDS.split())
_COMPARED_WORDS = (
    "more less fewer greater larger smaller higher lower times older younger percent percentage of each per more. "
    "больше меньше раз раза процента процентов"
)
_COMPARED = frozenset(_COMPARED_WORDS.split())
_NOISE = Fraction(1, 10**12)  # what binary floating point leaves: 54.00000000000001


@dataclass(frozen=True, slots=True)
class Equality:
    """Two sides said to be equal, as written, with their values (None: not known) and whether it was said roughly."""

    left: str
    right: str
    left_value: Fraction | None
    right_value: Fraction | None
    holds: bool
    start: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A run of expressions joined by equalities: ``A = 2 + 3 = 5`` has three terms."""

    terms: tuple[Term, ...]
    rough: tuple[bool, ...]


def lines(found: Sequence[Token], values: Mapping[str, Fraction | None], *, free: bool = False) -> Iterator[Line]:
    """The runs of expressions in a text, in order, single ones too.

    With ``free``, words (``is``, ``gives``) join any two terms; without, only behind a term that has an operation.
    """
    expressions, place = Expressions(found, values, units=not free), 0
    while place < len(found):
        term = expressions.at(place) if _starts(found, place) else None
        if term is None:
            place += 1
            continue
        if not free and _cut_off(found, place, term.last):
            place = max(term.last, place + 1)
            continue
        terms, rough = [term], []
        while (following := _following(found, terms[-1], expressions, free)) is not None:
            if not free and _dangles(found, following[0].last):
                break
            terms.append(following[0])
            rough.append(following[1])
        yield Line(tuple(terms), tuple(rough))
        place = max(terms[-1].last, place + 1)


def equalities(text: str, values: Mapping[str, Fraction | None] | None = None) -> list[Equality]:
    """The equalities stated in running text whose sides are both known, the calculator notes of GSM8K among them."""
    known = values or {}
    pieces = [(spoken(_CALCULATOR.sub(" ", text)), 0)] + [
        (note[1], note.start(1)) for note in _CALCULATOR.finditer(text)
    ]
    stated = []
    for piece, offset in pieces:
        found = tokens(piece, frozenset(known))
        stated += [one for line in lines(found, known) for one in pairs(piece, found, line, offset=offset)]
    return stated


def pairs(text: str, found: Sequence[Token], line: Line, *, offset: int = 0) -> Iterator[Equality]:
    """The equalities between neighbours of a run; two bare numbers (``1 hour = 60 minutes``) are none."""
    for place, (left, right) in enumerate(pairwise(line.terms)):
        if left.value is None or right.value is None:
            continue
        if not right.operations and not any(term.operations or term.names for term in line.terms[: place + 1]):
            continue
        holds = equal(left, right, rough=line.rough[place])
        yield Equality(
            written(text, found, left), written(text, found, right), left.value, right.value, holds,
            offset + found[left.first].start,
        )  # fmt: skip


def written(text: str, found: Sequence[Token], term: Term) -> str:
    """The term as it stands in the text."""
    return text[found[term.first].start : found[term.last - 1].end].strip()


def equal(left: Term, right: Term, *, rough: bool = False) -> bool:
    """Whether the sides agree: exactly, or rounded or cut to the digits written, or as per cent of one another."""
    if left.value is None or right.value is None or abs(left.value - right.value) <= abs(left.value) * _NOISE:
        return True
    if left.percent != right.percent or (left.percents != right.percents and _hundredfold(left, right)):
        return True  # 48 = 120 %: a share of something unsaid
    if rough and abs(left.value - right.value) <= abs(left.value) / 20:
        return True
    return _as_rounded(left, right) or _as_rounded(right, left)


def _hundredfold(left: Term, right: Term) -> bool:
    """Whether one side is the other in per cent: ``5 / 20 * 100% = 25``."""
    small, large = (left, right) if left.percents else (right, left)
    if small.value is None or large.value is None:
        return False
    scaled = small.value * 100
    return scaled == large.value or abs(scaled - large.value) < Fraction(1, 10**large.decimals)


def _as_rounded(exact: Term, shown: Term) -> bool:
    if exact.value is None or shown.value is None or shown.operations or not exact.operations:
        return False
    scale = 100 if shown.percent else 1
    return _rounded(exact.value * scale, shown.value * scale, shown.decimals)


def _rounded(exact: Fraction, shown: Fraction, decimals: int) -> bool:
    """Whether ``shown`` is ``exact`` rounded or cut to ``decimals`` digits; a value that needs no rounding must be exact."""
    step = Fraction(1, 10**decimals)
    if (exact / step).denominator == 1:
        return False
    return abs(exact - shown) < step and (decimals > 0 or exact.denominator > 1)


def _starts(found: Sequence[Token], place: int) -> bool:
    """Whether an expression may start here: not behind a sign or inside one that was given up."""
    token = found[place]
    if token.kind == "sign":
        before = found[place - 1].kind if place else "break"
        touching = place + 1 < len(found) and found[place + 1].start == token.end
        return token.text == "-" and (
            before not in ("number", "close", "word", "name") or (touching and before == "word")
        )
    return token.kind in ("number", "name", "open")


def _cut_off(found: Sequence[Token], first: int, last: int) -> bool:
    """Whether a term is only a part of what is written: a sign stands open before it or behind it."""
    before = first - 1
    while before >= 0 and found[before].kind == "word":
        before -= 1
    beside = first > 0 and found[first - 1].kind in ("number", "close", "name")
    return beside or (before >= 0 and found[before].kind == "sign") or _dangles(found, last)


def _dangles(found: Sequence[Token], last: int) -> bool:
    return last < len(found) and found[last].kind in ("sign", "name", "number", "open")


def _following(found: Sequence[Token], term: Term, expressions: Expressions, free: bool) -> tuple[Term, bool] | None:
    """The term said to be equal to ``term``, and whether only roughly."""
    place, sign = term.last, None
    while place < len(found) and found[place].kind == "equals":
        sign, place = sign if sign and plain_equality(sign) else found[place], place + 1
    if sign is None or not (free or plain_equality(sign) or term.operations):
        return None
    rough = sign.text in _ROUGHLY
    while place < len(found) and found[place].kind == "word" and found[place].text.casefold() in _FILLERS:
        rough, place = rough or found[place].text.casefold() in _ROUGHLY, place + 1
    right = expressions.at(place) if place < len(found) else None
    if right is None or (not free and not plain_equality(sign) and _compared(found, right)):
        return None
    return right, rough


def _compared(found: Sequence[Token], term: Term) -> bool:
    return term.last < len(found) and found[term.last].text.casefold() in _COMPARED
