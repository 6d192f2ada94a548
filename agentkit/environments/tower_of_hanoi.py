"""Tower of Hanoi: a long exact sequence of moves with one shortest way (2^n - 1 moves from a whole tower)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from agentkit.environments import injection
from agentkit.environments.play import Language, Move, Play, between
from agentkit.types import JSON

PEGS = "ABC"

_MOVE = re.compile(
    r"\W*(?:move|перенести|перенеси)\s+(?:the\s+)?(?:disc|disk|диск)\s+(\w+)\s+(?:from|с)\s+(?:peg\s+|колышка\s+)?(\w+)\s+"
    r"(?:to|на)\s+(?:peg\s+|колышек\s+)?(\w+)\W*",
    re.IGNORECASE,
)
_TASK = {
    "en": (
        "There are three pegs, A, B and C, and {discs} discs; disc 1 is the smallest. A move takes the top disc of a peg to "
        "another peg. A disc never lies on a smaller one.\nAt first: {start}\nGoal: all discs on peg {target}{best}.\n"
        "Write a move as: move disc 1 from A to C"
    ),
    "ru": (
        "Есть три колышка, A, B и C, и дисков: {discs}; диск 1 самый маленький. Ход переносит верхний диск одного колышка на "
        "другой. Диск нельзя класть на меньший.\nВначале: {start}\nЦель: все диски на колышке {target}{best}.\n"
        "Ход записывается так: перенести диск 1 с A на C"
    ),
}
_BEST = {"en": ", in the fewest moves", "ru": ", за наименьшее число ходов"}

State = tuple[int, str]
"""The target peg, and the peg of each disc, the smallest first."""


@dataclass(frozen=True, kw_only=True)
class TowerOfHanoi:
    """Move a tower of discs. With ``begin_with: scattered`` the discs begin anywhere; ``strict`` asks for the fewest moves."""

    discs: int = 4
    begin_with: Literal["tower", "scattered"] = "tower"
    strict: bool = False
    language: Language = "en"

    def __post_init__(self) -> None:
        between("discs", self.discs, 1, 16)

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return injection.KINDS

    def start(self, seed: int) -> Play[State]:
        """The tower of this seed."""
        state = self.begin(seed)
        text = _TASK[self.language].format(
            discs=self.discs,
            start=self.show(state).replace("\n", "; "),
            target=PEGS[state[0]],
            best=_BEST[self.language] if self.strict else "",
        )
        return Play(world=self, task=text, state=state, limit=3 * 2**self.discs + 10)

    def begin(self, seed: int) -> State:
        """Seeded pegs."""
        rng = Random(f"hanoi/{seed}")
        source, target = rng.sample(range(3), 2)
        if self.begin_with == "tower":
            return target, PEGS[source] * self.discs
        pegs = PEGS[target] * self.discs
        while pegs == PEGS[target] * self.discs:
            pegs = "".join(rng.choice(PEGS) for _ in range(self.discs))
        return target, pegs

    def solve(self, seed: int) -> tuple[str, ...]:
        """The shortest way."""
        target, pegs = self.begin(seed)
        return tuple(self._say(*one) for one in _way(list(pegs), len(pegs), PEGS[target]))

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``injection``."""
        return injection.inject(self, seed, kind, step)

    def show(self, state: State) -> str:
        """The discs of each peg, bottom first."""
        return "\n".join(f"{peg}: {_stack(state, peg) or '-'}" for peg in PEGS)

    def data(self, state: State) -> JSON:
        """The discs of each peg."""
        return {peg: [int(one) for one in _stack(state, peg).split()] for peg in PEGS}

    def legal(self, state: State) -> tuple[str, ...]:
        """Every top disc to every peg whose top is larger."""
        tops = {peg: min((n for n, at in enumerate(state[1], 1) if at == peg), default=self.discs + 1) for peg in PEGS}
        return tuple(self._say(tops[a], a, b) for a in PEGS for b in PEGS if tops[a] < tops[b])

    def move(self, state: State, text: str) -> Move[State]:
        """Follow the move, or say which rule forbids it."""
        found = _MOVE.fullmatch(text)
        if not found:
            return Move(state, "unreadable", f"{text[:80]!r} is no move; write: move disc 1 from A to C")
        said, source, target = found[1], found[2].upper(), found[3].upper()
        if fault := self._unknown(said, source, target):
            return Move(state, "unknown_name", fault)
        disc = int(said)
        if fault := _forbidden(state[1], disc, source, target):
            return Move(state, "illegal_action", fault)
        after = self.after(state, text)
        if self.strict and self.distance(after) >= self.distance(state):
            return Move(after, "wasted_step", f"{text} does not lead nearer to the goal")
        return Move(after)

    def after(self, state: State, action: str) -> State:
        """The disc is on the other peg."""
        found = _MOVE.fullmatch(action)
        assert found
        pegs = list(state[1])
        pegs[int(found[1]) - 1] = found[3].upper()
        return state[0], "".join(pegs)

    def ended(self, state: State) -> bool | None:
        """Once all discs are on the target."""
        return True if set(state[1]) == {PEGS[state[0]]} else None

    def distance(self, state: State) -> int:
        """From the largest disc down: one that is not where it must be costs 2^(its place), and sends the rest elsewhere."""
        wanted, moves = PEGS[state[0]], 0
        for place in range(self.discs - 1, -1, -1):
            if state[1][place] != wanted:
                moves += 2**place
                wanted = _third(state[1][place], wanted)
        return moves

    def any_action(self, state: State, rng: Random) -> str:
        """Any disc from any peg to another."""
        source, target = rng.sample(PEGS, 2)
        return self._say(rng.randint(1, self.discs), source, target)

    def _unknown(self, disc: str, source: str, target: str) -> str:
        if not disc.isdecimal() or not 1 <= int(disc) <= self.discs:
            return f"there is no disc {disc!r}"
        return next((f"there is no peg {peg!r}" for peg in (source, target) if peg not in PEGS), "")

    def _say(self, disc: int, source: str, target: str) -> str:
        if self.language == "ru":
            return f"перенести диск {disc} с {source} на {target}"
        return f"move disc {disc} from {source} to {target}"


def _stack(state: State, peg: str) -> str:
    return " ".join(str(disc) for disc in range(len(state[1]), 0, -1) if state[1][disc - 1] == peg)


def _forbidden(pegs: str, disc: int, source: str, target: str) -> str:
    if pegs[disc - 1] != source:
        return f"disc {disc} is not on {source}"
    if source in pegs[: disc - 1]:
        return f"disc {pegs.index(source) + 1} lies on disc {disc}"
    if target == source:
        return f"disc {disc} is on {target} already"
    if target in pegs[: disc - 1]:
        return f"disc {disc} is larger than disc {pegs.index(target) + 1}, the top of {target}"
    return ""


def _third(one: str, other: str) -> str:
    return next(peg for peg in PEGS if peg not in (one, other))


def _way(pegs: list[str], count: int, target: str) -> Iterator[tuple[int, str, str]]:
    """The shortest moves that bring the ``count`` smallest discs to ``target``."""
    if not count:
        return
    source = pegs[count - 1]
    if source == target:
        yield from _way(pegs, count - 1, target)
        return
    yield from _way(pegs, count - 1, _third(source, target))
    yield count, source, target
    pegs[count - 1] = target
    yield from _way(pegs, count - 1, target)
