"""Expressions among the tokens of a text: the longest one that starts at a place, with its exact value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from agentkit.evaluators.planning.reasoning.lexer import Token

_DEEPEST = 60
_LARGEST = 10**40
_UNIT_WORDS = 3
_NO_UNIT_WORDS = "and or but then so than that which if because since when while after before as is was are и или но то"
_NO_UNITS = frozenset(_NO_UNIT_WORDS.split())


@dataclass(frozen=True, slots=True)
class Term:
    """An expression at tokens ``[first, last)``: its value (None when a name in it has none), and how it was written.

    ``operations`` counts signs between operands; ``decimals`` are those of a bare number; ``percent``: it is a sum of
    percentages; ``percents``: there is one in it.
    """

    first: int
    last: int
    value: Fraction | None
    operations: int = 0
    names: frozenset[str] = frozenset()
    decimals: int = 0
    percent: bool = False
    percents: bool = False


class Expressions:
    """The expressions among tokens; ``units`` allows words behind numbers.

    Recursive descent that stops, without error, where an expression does. Places where none starts are remembered, so that
    reading a text takes time in proportion to its length, whatever is in it.
    """

    def __init__(self, found: Sequence[Token], values: Mapping[str, Fraction | None], *, units: bool = False) -> None:
        self._found, self._values, self._units = found, values, units
        self._barren: set[int] = set()

    def at(self, place: int) -> Term | None:
        """The longest expression that starts at token ``place``."""
        return self._sums(place, 0)

    def _sums(self, place: int, depth: int) -> Term | None:
        return self._series(place, depth, "+-")

    def _products(self, place: int, depth: int) -> Term | None:
        return self._series(place, depth, "*/")

    def _series(self, place: int, depth: int, signs: str) -> Term | None:
        operand = self._products if signs == "+-" else self._powers
        left = operand(place, depth)
        while left is not None and (sign := self._sign(left, signs)):
            start = left.last + (0 if sign == "implied" else 1)
            right = operand(start, depth)
            if right is None:
                break
            left = _combined(left, "*" if sign == "implied" else sign, right)
        return left

    def _sign(self, left: Term, signs: str) -> str:
        if left.last >= len(self._found):
            return ""
        token, before = self._found[left.last], self._found[left.last - 1]
        if token.kind == "sign" and token.text in signs:
            return token.text
        if signs == "*/" and token.kind in ("open", "name") and token.start == before.end and before.kind != "word":
            return "implied"
        return ""

    def _powers(self, place: int, depth: int) -> Term | None:
        if depth > _DEEPEST or place in self._barren:
            return None
        found = self._power(place, depth)
        if found is None:
            self._barren.add(place)
        return found

    def _power(self, place: int, depth: int) -> Term | None:
        if self._is(place, "sign", "-") or self._is(place, "sign", "+"):
            inner = self._powers(place + 1, depth + 1)
            if inner is None:
                return None
            value = inner.value if inner.value is None or self._found[place].text == "+" else -inner.value
            return replace(inner, first=place, value=value)
        base = self._atom(place, depth)
        if base is not None and self._is(base.last, "sign", "^"):
            exponent = self._powers(base.last + 1, depth + 1)
            if exponent is not None:
                return _combined(base, "^", exponent)
        return base

    def _atom(self, place: int, depth: int) -> Term | None:
        if place >= len(self._found):
            return None
        token = self._found[place]
        if token.kind == "number":
            last, share = self._past_units(place + 1), token.percent
            return Term(place, last, token.value, decimals=token.decimals, percent=share, percents=share)
        if token.kind == "name":
            return Term(place, place + 1, self._values.get(token.text), names=frozenset({token.text}))
        if token.kind == "open":
            return self._group(place, depth)
        return None

    def _group(self, place: int, depth: int) -> Term | None:
        inner = self._sums(place + 1, depth + 1)
        if inner is None or not self._is(inner.last, "close"):
            return None
        return replace(inner, first=place, last=self._past_units(inner.last + 1))

    def _past_units(self, place: int) -> int:
        """Behind the words of a unit, if a sign or an equality follows them; else where it was."""
        last, words = place, 0
        while self._units and words < _UNIT_WORDS and last < len(self._found):
            per = self._is(last, "sign", "/") and last + 1 < len(self._found) and self._is_unit(last + 1)
            if not per and not self._is_unit(last):
                break
            last, words = last + (2 if per else 1), words + 1
        return last if last < len(self._found) and self._found[last].kind in ("sign", "equals", "close") else place

    def _is_unit(self, place: int) -> bool:
        token = self._found[place]
        return token.kind == "word" and token.text.casefold() not in _NO_UNITS

    def _is(self, place: int, kind: str, text: str = "") -> bool:
        if place >= len(self._found):
            return False
        token = self._found[place]
        return token.kind == kind and (not text or token.text == text)


def _combined(left: Term, sign: str, right: Term) -> Term:
    value = None if left.value is None or right.value is None else _value(left, sign, right.value, right.percent)
    if value is not None and max(abs(value.numerator), value.denominator) > _LARGEST:
        value = None
    return Term(
        left.first,
        right.last,
        value,
        left.operations + right.operations + 1,
        left.names | right.names,
        percent=left.percent and right.percent and sign in "+-",
        percents=left.percents or right.percents,
    )


def _value(left: Term, sign: str, right: Fraction, percent: bool) -> Fraction | None:
    number = left.value or Fraction(0)
    if sign in "+-":
        share = number * right if percent and not left.percent and left.operations == 0 else right
        return number + share if sign == "+" else number - share
    if sign == "*":
        return number * right
    if sign == "/":
        return number / right if right else None
    if right.denominator != 1 or abs(right) > 64 or max(abs(number.numerator), number.denominator) > 10**6:
        return None
    return None if number == 0 and right < 0 else Fraction(number**right)
