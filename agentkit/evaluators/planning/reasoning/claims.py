"""What a text says of an order: who stands where, before whom, what is still open; the same reader for puzzles and steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from agentkit.evaluators.planning.reasoning.axes import LOW
from agentkit.evaluators.planning.reasoning.placing import Scanner, Token

Kind = Literal["before", "at", "not_at", "among", "open"]
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_OPENING = re.compile(
    r"(?:^|(?<=[.!?]\s))(?:(?:first|second|third|fourth|fifth|last|final)(?:ly)?|after (?:that|this)|before (?:that|this)),\s+"
    r"(?!(?:then\s+)?(?:first|second|third|fourth|fifth|sixth|seventh|\d)\b)",
    re.I,
)  # "First, Rob finished second": an opening word, no place
_LEAD = re.compile(r"\b(?:so|thus|hence|therefore|giving|we (?:now )?have|this gives|the order)\b[^:]{0,60}:", re.I)
_COLON = re.compile(r":\s+(?=(?:first|1st|1|(?:position|place|slot|spot)s? (?:1|one))\b)", re.I)
_NUMBERED = re.compile(r"(?<![\w.])(\d{1,2})\.\s+(?=[^\W\d]|[?_])")
_ALL = re.compile(r"\b(?:cannot|can't|can not|not) (?:all|both)\b", re.I)


@dataclass(frozen=True, slots=True)
class Claim:
    """``before``: things[0] stands lower than things[1]. ``at``, ``not_at``: things[0] stands on one, or none, of ``places``.

    ``among``: one of ``things`` stands on places. ``open``: anything may stand there. ``leading``: the thing is named before
    its place, as in a statement; ``listing``: it is part of a list of places; ``follows``: it stands behind a "so".
    """

    kind: Kind
    things: tuple[int, ...] = ()
    places: frozenset[int] = frozenset()
    leading: bool = False
    listing: bool = False
    follows: bool = False

    @property
    def content(self) -> tuple[str, tuple[int, ...], frozenset[int]]:
        """What is claimed, without how it was said."""
        return self.kind, self.things, self.places


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring tokens of one kind taken together: ``second or third``, ``the owl or the crow``, ``third to seventh``."""

    kind: str
    things: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    either: bool = False
    side: int = 0


def claims(text: str, scanner: Scanner, direction: int = 0) -> tuple[list[Claim], int]:
    """The claims of a text in order, and the direction in which its lists count from then on."""
    found: list[Claim] = []
    for sentence, listed in _sentences(_numbered(_OPENING.sub("", text)), scanner):
        said = scanner.direction(sentence)
        direction = said or direction
        tokens = scanner.tokens(sentence, direction or LOW)
        listing = listed or bool(said) or any(token.kind == "any" for token in tokens) or _many_places(tokens)
        if (row := _row(tokens, scanner.size)) is not None:
            found += _standing(row, direction or LOW, scanner.size)
            continue
        walk = _Walk(listing=listing)
        if not _ALL.search(sentence):
            for group in _groups(tokens):
                walk.take(group)
        found += walk.found
    return found, direction


def _row(tokens: Sequence[Token], size: int) -> list[int | None] | None:
    """The things of a bare row, ``Eve, ?, ?, Ana``, None where anything may stand; None when the tokens are no such row."""
    said = [token for token in tokens if token.kind not in ("comma", "stop", "and", "so", "to")]
    whole = len(said) == size and all(token.kind in ("thing", "any") for token in said)
    return [token.thing if token.kind == "thing" else None for token in said] if whole else None


def _standing(row: Sequence[int | None], direction: int, size: int) -> Iterator[Claim]:
    for number, thing in enumerate(row):
        places = frozenset((number if direction == LOW else size - 1 - number,))
        yield Claim("open", (), places, listing=True) if thing is None else Claim("at", (thing,), places, listing=True)


def _sentences(text: str, scanner: Scanner) -> Iterator[tuple[str, bool]]:
    """Sentences, and whether they are lists; a list introduced in one (``..., so from left to right: ...``) is cut off."""
    for sentence in _SENTENCE.split(text):
        head, _, tail = sentence.partition("; ")
        if tail and scanner.direction(tail) and not scanner.direction(head):
            yield head, False
            yield tail, True
            continue
        lead = _LEAD.search(sentence)
        colon = _COLON.search(sentence)
        if lead and lead.start() and scanner.direction(sentence[lead.start() :]):
            yield sentence[: lead.start()], False
            yield sentence[lead.start() :], True
        elif colon and not scanner.direction(sentence[: colon.start()]):
            yield sentence[: colon.start()], False
            yield sentence[colon.end() :], True
        else:
            yield sentence, False


def _numbered(text: str) -> str:
    """The text with the numbers of a list in it, ``1. Eve, 2. Rob``, written ``1: Eve, 2: Rob``."""
    numbers = [int(found[1]) for found in _NUMBERED.finditer(text)]
    if len(numbers) < 2 or any(later != number + 1 for number, later in pairwise(numbers)):
        return text
    return _NUMBERED.sub(r"\1: ", text)


def _many_places(tokens: Sequence[Token]) -> bool:
    return sum(token.kind == "place" and not token.anchored for token in tokens) > 2


def _groups(tokens: Sequence[Token]) -> Iterator[_Group]:
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind in ("thing", "place"):
            members, last, either = _members(tokens, place)
            either = either or (place > 0 and tokens[place - 1].kind == "or")
            if token.kind == "thing":
                yield _Group("thing", things=tuple(member.thing for member in members), either=either)
            else:
                yield _Group("place", places=_covered(tokens, place, last), either=either)
            place = last
        else:
            if token.kind != "or":
                yield _Group(token.kind, places=tuple(token.places), side=token.side)
            place += 1


def _members(tokens: Sequence[Token], first: int) -> tuple[list[Token], int, bool]:
    """The tokens of the same kind joined to ``first`` by commas, ``and``, ``or`` or ``to``, and whether by ``or``."""
    kind, members, last, either = tokens[first].kind, [tokens[first]], first + 1, False
    compared = first > 0 and tokens[first - 1].kind == "compare"
    led = first > 0 and any(token.kind == "thing" for token in tokens[max(0, first - 2) : first])
    while True:
        following, joined = last, []
        while following < len(tokens) and tokens[following].kind in ("comma", "and", "or", "to"):
            joined.append(tokens[following].kind)
            following += 1
        if following >= len(tokens) or tokens[following].kind != kind or not joined or len(joined) > 2:
            break
        if not _joins(tokens, following, joined, compared=compared, led=led and kind == "place"):
            break
        either = either or "or" in joined
        members.append(tokens[following])
        last = following + 1
    if kind == "place" and last < len(tokens) and tokens[last].kind == "to" and tokens[last].side:
        last += 1
    return members, last, either


def _joins(tokens: Sequence[Token], following: int, joined: Sequence[str], *, compared: bool, led: bool) -> bool:
    if list(joined) == ["comma"] and (led or compared or not _list_goes_on(tokens, following)):
        return False
    if list(joined) == ["to"] and tokens[following].kind == "thing":
        return False
    nearest = tokens[following + 1].kind if following + 1 < len(tokens) else "stop"
    return not (compared and ("comma" in joined or nearest not in ("stop", "comma", "so")))


def _list_goes_on(tokens: Sequence[Token], place: int) -> bool:
    """Whether a list held together by commas so far ends with an ``and`` or ``or``: ``first, second, and third``."""
    kind = tokens[place].kind
    for token in tokens[place + 1 :]:
        if token.kind in ("and", "or"):
            return True
        if token.kind not in (kind, "comma"):
            return False
    return False


def _covered(tokens: Sequence[Token], first: int, last: int) -> tuple[int, ...]:
    """The places of a group: ``third to seventh`` covers those between, ``third or higher`` all from there to the end."""
    found: set[int] = set()
    before: Token | None = None
    ranged = False
    for token in tokens[first:last]:
        if token.kind == "place":
            if ranged and before is not None:
                low, high = min(before.places | token.places), max(before.places | token.places)
                found |= set(range(low, high + 1))
            found |= token.places
            before, ranged = token, False
        elif token.kind == "to" and token.side and before is not None:
            found |= set(range(max(before.places) + 1)) if token.side == LOW else {*range(min(before.places), 100)}
        elif token.kind == "to":
            ranged = True
    return tuple(sorted(found))


@dataclass(slots=True)
class _Walk:
    """Pairs things with places and things with things along a sentence."""

    listing: bool
    found: list[Claim] = field(default_factory=list)
    subject: _Group | None = None
    paired: bool = True
    spot: _Group | None = None
    negated: bool = False
    compare: int = 0
    inverted: tuple[int, _Group] | None = None
    many: frozenset[int] | None = None
    free: bool = False
    opened: frozenset[int] = frozenset()
    excepting: bool = False
    follows: bool = False
    orphan: bool = False

    def take(self, group: _Group) -> None:
        """Go on with the next group; each kind has a method of its name."""
        getattr(self, f"_{group.kind}", self._nothing)(group)

    def _nothing(self, group: _Group) -> None:
        """``and`` and ``to`` between other things say nothing."""

    def _thing(self, group: _Group) -> None:
        self.orphan = False
        if self.excepting:
            for thing in group.things:
                self._claim("not_at", (thing,), self.opened)
            self.excepting = False
        elif self.compare and self.many is not None:
            self._counted(group)
        elif self.compare and self.subject is not None:
            self._before(self.subject, self.compare, group)
        elif self.compare:
            self.inverted, self.compare = (self.compare, group), 0
        elif self.inverted is not None:
            side, other = self.inverted
            self._before(group, side, other)
            self.inverted = None
        elif self.spot is not None:
            self._stands(group, self.spot, leading=False)
            self.subject, self.paired = group, True
        else:
            self.subject, self.paired = group, False

    def _place(self, group: _Group) -> None:
        if self.orphan:
            self.orphan = self.negated = False  # "it cannot be first", and nobody knows who
        elif self.free:
            self._open(group)
        elif self.subject is not None and not self.paired:
            self._stands(self.subject, group, leading=True)
            self.paired = True
        else:
            self.spot = group

    def _any(self, group: _Group) -> None:
        if self.spot is not None:
            self._open(self.spot)
        elif self.subject is not None and not self.paired:
            self.paired = True
        else:
            self.free = True

    def _open(self, spot: _Group) -> None:
        self.opened = frozenset(spot.places)
        self._claim("open", (), self.opened)
        self.spot, self.free = None, False

    def _not(self, group: _Group) -> None:
        self.negated = True

    def _many(self, group: _Group) -> None:
        """``three birds left of``: whoever comes next has a place; before it, ``one of the`` makes the subject one of them."""
        self.many = frozenset(group.places)

    def _counted(self, group: _Group) -> None:
        side = self.compare
        if len(group.things) == 1 and self.many is not None and not self.negated:
            self._claim("at", group.things, self.many, leading=True)
        self.many, self.compare, self.paired = None, 0, True
        if self.subject is not None and side and len(self.subject.things) == 1 and self.subject.things != group.things:
            self._before(self.subject, side, group)

    def _compare(self, group: _Group) -> None:
        self.compare = group.side

    def _it(self, group: _Group) -> None:
        self.paired = self.subject is None or len(self.subject.things) > 1
        self.orphan = self.subject is None

    def _because(self, group: _Group) -> None:
        """What stands before a reason is finished."""
        self.negated, self.free, self.spot, self.compare, self.orphan = False, False, None, 0, False
        self.subject, self.paired = None, True

    def _so(self, group: _Group) -> None:
        self.follows = self.follows or bool(self.found)
        self.negated, self.free, self.spot, self.compare, self.many = False, False, None, 0, None

    def _comma(self, group: _Group) -> None:
        self.negated, self.free, self.orphan = False, False, False

    def _except(self, group: _Group) -> None:
        self.excepting = bool(self.opened)

    def _stop(self, group: _Group) -> None:
        self.subject, self.paired, self.spot, self.compare, self.inverted = None, True, None, 0, None
        self.negated = self.free = self.excepting = self.orphan = False
        self.many = None

    def _before(self, subject: _Group, side: int, other: _Group) -> None:
        if not self.negated and not subject.either and not other.either:
            for one in subject.things:
                for two in other.things:
                    if one != two:
                        self._claim("before", (one, two) if side == LOW else (two, one), frozenset(), leading=True)
        self.compare, self.negated, self.paired = 0, False, True

    def _stands(self, things: _Group, spot: _Group, *, leading: bool) -> None:
        places = frozenset(spot.places)
        if self.negated:
            for thing in things.things:
                self._claim("not_at", (thing,), places, leading=leading)
        elif len(things.things) == 1:
            several = not leading and len(places) > 1 and not spot.either  # one thing on all of them
            self._claim("at", things.things, frozenset() if several else places, leading=leading)
        elif things.either and len(places) == 1:
            self._claim("among", things.things, places, leading=leading)
        elif len(places) > 1 and not things.either:
            for thing in things.things:
                self._claim("at", (thing,), places, leading=leading)
        self.negated, self.spot = False, None

    def _claim(self, kind: Kind, things: tuple[int, ...], places: frozenset[int], *, leading: bool = False) -> None:
        self.found.append(Claim(kind, things, places, leading, self.listing, self.follows))


def mirrored(claim: Claim) -> bool:
    """Whether a claim is one that a puzzle can state: a thing before another, or on one place."""
    return claim.kind == "before" or (claim.kind == "at" and len(claim.places) == 1)
