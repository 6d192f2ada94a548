"""Orders deduced from statements: every claim must follow from the statements cited so far, by all orders they leave possible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentkit.evaluators.planning.reasoning.axes import Axis, axis_of
from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.claims import Claim, claims, mirrored
from agentkit.evaluators.planning.reasoning.placing import Scanner
from agentkit.evaluators.planning.reasoning.possibilities import MOST_THINGS, Possibilities, possibilities

FAMILY = "orderings"
_LIST = re.compile(r":\s*([^.:\n]+?,?\s+and\s+[^.:\n]+?)\s*\.")
_CATEGORY = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|\d+)\s+([^\W\d_]+)\s*:")
_OPTION = re.compile(r"^\s*\(?([A-Z])\)\s*(.+?)\s*$", re.M)
_QUESTION = re.compile(r"\n\s*(?:Q:|Options:|Question:)", re.I)
_ANSWER = re.compile(r"\b(?:answer|option|choice)\b[^()\n]{0,30}\(?\b([A-Z])\b\)?\s*\.?\s*$|\(([A-Z])\)\s*\.?\s*$")
_ORDINALS_WORDS = "first second third fourth fifth sixth seventh eighth"
_ORDINALS = _ORDINALS_WORDS.split()
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Puzzle:
    """Things in an order, what is stated of them, and the options by letter."""

    names: tuple[str, ...]
    axis: Axis
    scanner: Scanner
    statements: tuple[Claim, ...]
    options: Mapping[str, tuple[Claim, ...]]


@dataclass(slots=True)
class _Desk:
    puzzle: Puzzle
    orders: Possibilities
    notes: Notes
    possible: int
    fixed: dict[int, int] = field(default_factory=dict)
    cited: set[int] = field(default_factory=set)
    direction: int = 0


def check(chain: Chain) -> Reading | None:
    """Reads the puzzle and the claims of every step, and enumerates the orders that the cited statements allow."""
    puzzle = puzzle_of(chain.question)
    if puzzle is None:
        return None
    if len(puzzle.names) > MOST_THINGS:
        return Reading(
            FAMILY, obstacle=f"{len(puzzle.names)} things have too many orders; at most {MOST_THINGS} are checked"
        )
    orders = possibilities(len(puzzle.names))
    desk = _Desk(puzzle, orders, Notes(FAMILY), orders.all)
    for place, step in enumerate(chain.plain):
        _check_step(place, step, desk)
    return desk.notes.reading("" if desk.notes.checked else "no step says anything of the order")


def puzzle_of(question: str) -> Puzzle | None:
    """The puzzle that a question states, or None when it states none."""
    body, _, tail = question.partition("Options:")
    body = _QUESTION.split(body)[0]
    axis, listed = axis_of(body), _LIST.search(body)
    if axis is None or listed is None:
        return None
    names, nouns = _names(listed[1], body)
    if len(names) < _FEWEST or len(set(names)) != len(names):
        return None
    if len(names) > MOST_THINGS:
        return Puzzle(names, axis, Scanner(names[:1], nouns, axis), (), {})
    scanner = Scanner(names, nouns, axis)
    statements = tuple(claim for claim in claims(body[listed.end() :], scanner)[0] if mirrored(claim))
    options = {letter: tuple(claims(text, scanner)[0]) for letter, text in _OPTION.findall(tail)}
    return Puzzle(names, axis, scanner, statements, options) if statements else None


def _names(listed: str, body: str) -> tuple[tuple[str, ...], str]:
    """The things without articles and without a noun they all share, and the pattern of the nouns that may follow them."""
    parts = [
        re.sub(r"^(?:an?|the)\s+", "", part.strip(), flags=re.I)
        for part in re.split(r",\s*(?:and\s+)?|\s+and\s+", listed)
    ]
    names = [part.casefold() for part in parts if part]
    tails = {name.rsplit(" ", 1)[-1] for name in names}
    category = _CATEGORY.search(body)
    nouns = [re.sub(r"s$", "", category[1].casefold()) + "s?"] if category else []
    if len(tails) == 1 and all(" " in name for name in names):
        names = [name.rsplit(" ", 1)[0] for name in names]
        nouns.append(f"{re.escape(tails.pop())}s?")
    return tuple(names), "|".join(dict.fromkeys(nouns))


def _check_step(place: int, step: str, desk: _Desk) -> None:
    said, desk.direction = claims(step, desk.puzzle.scanner, desk.direction)
    stated = {claim.content: number for number, claim in enumerate(desk.puzzle.statements)}
    cites = [claim for claim in said if claim.content in stated and _cites(claim)]
    for claim in cites:
        _cite(claim, stated[claim.content], desk)
    if said:
        desk.notes.checked.add(place)
    for claim in said:
        if claim not in cites:
            _check_claim(place, claim, desk)
    _check_answer(place, step, desk)


def _cites(claim: Claim) -> bool:
    """Whether a claim that the question states too is a citation of it; in a list of places it would be a result."""
    return claim.leading and (claim.kind == "before" or not (claim.listing or claim.follows))


def _cite(claim: Claim, number: int, desk: _Desk) -> None:
    desk.cited.add(number)
    desk.possible &= _allowed(claim, desk.orders)
    if claim.kind == "at":
        desk.fixed[min(claim.places)] = claim.things[0]


def _allowed(claim: Claim, orders: Possibilities) -> int:
    """The orders in which a claim is true."""
    size = orders.size
    places = frozenset(place for place in claim.places if 0 <= place < size)
    if claim.kind == "before":
        return orders.before(*claim.things)
    if claim.kind == "not_at":
        return orders.all & ~orders.at(claim.things[0], places)
    if claim.kind == "among":
        found = 0
        for place in places:
            found |= orders.among(place, frozenset(claim.things))
        return found
    return orders.at(claim.things[0], places)


def _check_claim(place: int, claim: Claim, desk: _Desk) -> None:
    if claim.kind == "open":
        _check_open(place, claim, desk)
        return
    if claim.places and not claim.places & frozenset(range(desk.orders.size)):
        desk.notes.flaw(
            place,
            "declared_state_wrong",
            f"step {place} says {_said(claim, desk)}; there are {desk.orders.size} places",
            "",
        )
        return
    if desk.possible & ~_allowed(claim, desk.orders):
        _flag(place, claim, desk)


def _flag(place: int, claim: Claim, desk: _Desk) -> None:
    """A claim that does not follow: false in all possible orders, contrary to a statement, or merely not yet known."""
    allowed = _allowed(claim, desk.orders)
    if claim.kind == "before" and claim.leading and not claim.follows:
        code, why = "misquoted", "the question does not say so, and it does not follow"
    elif not desk.possible & allowed:
        code, why = "declared_state_wrong", f"by the statements used so far {_where(claim, desk)}"
    else:
        code, why = "unsupported_conclusion", f"the statements used so far leave it open: {_where(claim, desk)}"
    desk.notes.flaw(
        place, code, f"step {place} says {_said(claim, desk)}; {why}", "claim only what the statements used so far fix"
    )


def _check_open(place: int, claim: Claim, desk: _Desk) -> None:
    taken = sorted(spot for spot in claim.places if spot in desk.fixed)
    if taken:
        name = desk.puzzle.names[desk.fixed[taken[0]]]
        desk.notes.flaw(
            place, "declared_state_wrong", f"step {place} leaves the {_ordinal(taken[0])} place open; {name} stands there",
            f"{_ordinal(taken[0])}: {name}",
        )  # fmt: skip


def _check_answer(place: int, step: str, desk: _Desk) -> None:
    """The option answered must be true in every order that all statements of the question allow."""
    found = _ANSWER.search(step.strip())
    option = desk.puzzle.options.get(found[1] or found[2]) if found else None
    if found is None or not option:
        return
    desk.notes.checked.add(place)
    possible = desk.orders.all
    for statement in desk.puzzle.statements:
        possible &= _allowed(statement, desk.orders)
    wrong = [claim for claim in option if claim.kind != "open" and possible & ~_allowed(claim, desk.orders)]
    if wrong:
        desk.notes.flaw(
            place,
            "unsupported_conclusion",
            f"step {place} answers that {_said(wrong[0], desk)}; the statements do not give that",
            "answer what holds in every order that the statements allow",
        )


def _said(claim: Claim, desk: _Desk) -> str:
    names = [desk.puzzle.names[thing] for thing in claim.things]
    if claim.kind == "before":
        return f"{names[0]} comes before {names[1]}"
    places = " or ".join(_ordinal(spot) for spot in sorted(claim.places)[: desk.orders.size]) or "on several places"
    verb = "is not" if claim.kind == "not_at" else "is"
    return f"{' or '.join(names)} {verb} {places} (from the {_low(desk.puzzle.axis)})"


def _where(claim: Claim, desk: _Desk) -> str:
    thing = claim.things[0]
    places = desk.orders.places(desk.possible, thing)
    return f"{desk.puzzle.names[thing]} can be {' or '.join(_ordinal(spot) for spot in places)}"


def _low(axis: Axis) -> str:
    return {"space": "left", "age": "oldest", "rank": "first", "price": "cheapest", "size": "smallest"}[axis.name]


def _ordinal(place: int) -> str:
    return _ORDINALS[place] if 0 <= place < len(_ORDINALS) else f"{place + 1}th"
