"""River crossing: couples and one small boat. Only instances that have a solution, proved by visiting every state."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from random import Random

from agentkit.environments import injection
from agentkit.environments.play import Language, Move, Play, between
from agentkit.errors import ConfigError
from agentkit.types import JSON

_NAMES = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gus",
    "Hana",
    "Ivo",
    "Jana",
    "Kai",
    "Lea",
    "Max",
    "Nina",
    "Otto",
    "Pia",
)
_MOVE = re.compile(r"\W*(?:cross|переправить|переправляются)\s*:?\s+(.+?)\W*", re.IGNORECASE)
_APART = re.compile(r"\s*(?:,|\band\b|\bи\b)\s*", re.IGNORECASE)
_TASK = {
    "en": (
        "{pairs}. All stand on the left bank of a river with a boat that holds {boat}. No client may ever be together with "
        "another's guard, on a bank or in the boat, unless the client's own guard is there too. The boat does not cross by "
        "itself.\nGoal: everybody on the right bank{best}.\nWrite a crossing as the names of those in the boat: cross Ada, Ben"
    ),
    "ru": (
        "{pairs}. Все стоят на левом берегу реки, в лодке мест: {boat}. Клиент никогда не должен быть вместе с "
        "чужим охранником, "
        "на берегу или в лодке, если рядом нет его собственного. Пустая лодка не плывёт.\nЦель: все на правом берегу{best}.\n"
        "Переправа записывается именами тех, кто в лодке: переправляются Ada, Ben"
    ),
}
_PAIR = {"en": "{client} is the client of the guard {guard}", "ru": "{client} клиент охранника {guard}"}
_BEST = {"en": ", in the fewest crossings", "ru": ", за наименьшее число переправ"}


@dataclass(frozen=True, slots=True)
class Bank:
    """Who is on the left bank, by number (clients 0 .. n-1, their guards n .. 2n-1), and whether the boat is there."""

    left: frozenset[int]
    boat_left: bool
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RiverCrossing:
    """Bring ``couples`` of client and guard over a river in a boat with ``boat`` seats; ``strict``: in the fewest crossings."""

    couples: int = 3
    boat: int = 2
    strict: bool = False
    language: Language = "en"

    def __post_init__(self) -> None:
        between("couples", self.couples, 1, 6)
        between("boat", self.boat, 2, 6)
        if _distances(self.couples, self.boat).get(_whole(self.couples)) is None:
            raise ConfigError(
                f"{self.couples} couples cannot cross with {self.boat} in the boat: every state was tried"
            )

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return injection.KINDS

    def start(self, seed: int) -> Play[Bank]:
        """The people of this seed."""
        state = self.begin(seed)
        pairs = [
            _PAIR[self.language].format(client=state.names[n], guard=state.names[n + self.couples])
            for n in range(self.couples)
        ]
        best = _BEST[self.language] if self.strict else ""
        text = _TASK[self.language].format(pairs="; ".join(pairs), boat=self.boat, best=best)
        return Play(world=self, task=text, state=state, limit=20 * self.couples + 20)

    def begin(self, seed: int) -> Bank:
        """Seeded names: which of the equal solutions is written down depends on them."""
        names = Random(f"river/{seed}").sample(_NAMES, 2 * self.couples)
        return Bank(frozenset(range(2 * self.couples)), True, tuple(names))

    def solve(self, seed: int) -> tuple[str, ...]:
        """A shortest way over."""
        state, found = self.begin(seed), []
        while left := self.distance(state):
            for action in self.legal(state):
                if self.distance(after := self.after(state, action)) == left - 1:
                    found.append(action)
                    state = after
                    break
        return tuple(found)

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``injection``."""
        return injection.inject(self, seed, kind, step)

    def show(self, state: Bank) -> str:
        """Who is where."""
        others = frozenset(range(len(state.names))) - state.left
        left, right = (", ".join(sorted(state.names[n] for n in side)) or "-" for side in (state.left, others))
        return f"left: {left}; right: {right}; boat: {'left' if state.boat_left else 'right'}"

    def data(self, state: Bank) -> JSON:
        """Who is on the left, and where the boat is."""
        return {"left": sorted(state.names[n] for n in state.left), "boat": "left" if state.boat_left else "right"}

    def legal(self, state: Bank) -> tuple[str, ...]:
        """Every crossing after which nobody is where they must not be."""
        loads = _loads(state.left, state.boat_left, self.couples, self.boat)
        return tuple(sorted(self._say(state, load) for load in loads))

    def move(self, state: Bank, text: str) -> Move[Bank]:
        """Cross, or say who cannot."""
        found = _MOVE.fullmatch(text)
        names = [one for one in _APART.split(found[1]) if one] if found else []
        if not names:
            return Move(state, "unreadable", f"{text[:80]!r} is no crossing; write: cross Ada, Ben")
        known = {name.casefold(): number for number, name in enumerate(state.names)}
        load = [known.get(name.casefold()) for name in names]
        if None in load:
            return Move(state, "unknown_name", f"nobody is called {names[load.index(None)]!r}")
        riders = [one for one in load if one is not None]
        if fault := self._forbidden(state, riders):
            return Move(state, "illegal_action", fault)
        after = Bank(state.left ^ frozenset(riders), not state.boat_left, state.names)
        if self.strict and _further(self.distance(state), self.distance(after)):
            return Move(after, "wasted_step", "this crossing does not lead nearer to the goal")
        return Move(after)

    def after(self, state: Bank, action: str) -> Bank:
        """The boat is on the other side."""
        numbers = frozenset(state.names.index(name) for name in _APART.split(_riders(action)))
        return Bank(state.left ^ numbers, not state.boat_left, state.names)

    def ended(self, state: Bank) -> bool | None:
        """Once the left bank is empty."""
        return None if state.left else True

    def distance(self, state: Bank) -> int | None:
        """Exact."""
        return _distances(self.couples, self.boat).get((state.left, state.boat_left))

    def any_action(self, state: Bank, rng: Random) -> str:
        """Anybody in the boat."""
        return self._say(
            state, rng.sample(range(2 * self.couples), rng.randint(1, min(self.boat + 1, 2 * self.couples)))
        )

    def _say(self, state: Bank, load: Sequence[int]) -> str:
        verb = "cross" if self.language == "en" else "переправляются"
        return f"{verb} {', '.join(sorted(state.names[n] for n in load))}"

    def _forbidden(self, state: Bank, riders: Sequence[int]) -> str:
        here = state.left if state.boat_left else frozenset(range(2 * self.couples)) - state.left
        if len(set(riders)) < len(riders):
            return "somebody is named twice"
        if len(riders) > self.boat:
            return f"the boat holds {self.boat}, not {len(riders)}"
        for one in riders:
            if one not in here:
                return f"{state.names[one]} is on the other bank"
        after = state.left ^ frozenset(riders)
        for group in (frozenset(riders), after, frozenset(range(2 * self.couples)) - after):
            for client in range(self.couples):
                guards = [one for one in group if one >= self.couples and one != client + self.couples]
                if client in group and guards and client + self.couples not in group:
                    return f"{state.names[client]} would be with {state.names[guards[0]]} without the own guard"
        return ""


def _riders(action: str) -> str:
    found = _MOVE.fullmatch(action)
    assert found
    return found[1]


def _further(here: int | None, there: int | None) -> bool:
    return there is None or here is None or there >= here


def _whole(couples: int) -> tuple[frozenset[int], bool]:
    return frozenset(range(2 * couples)), True


def _safe(group: frozenset[int], couples: int) -> bool:
    clients, guards = {n for n in group if n < couples}, {n - couples for n in group if n >= couples}
    return not guards or clients <= guards


@lru_cache(maxsize=20_000)
def _loads(left: frozenset[int], boat_left: bool, couples: int, boat: int) -> tuple[tuple[int, ...], ...]:
    return tuple(_crossings(left, boat_left, couples, boat))


def _crossings(left: frozenset[int], boat_left: bool, couples: int, boat: int) -> Iterator[tuple[int, ...]]:
    everybody = frozenset(range(2 * couples))
    here = left if boat_left else everybody - left
    for size in range(1, boat + 1):
        for load in combinations(sorted(here), size):
            after = left ^ frozenset(load)
            if all(_safe(group, couples) for group in (frozenset(load), after, everybody - after)):
                yield load


@lru_cache(maxsize=64)
def _distances(couples: int, boat: int) -> dict[tuple[frozenset[int], bool], int]:
    """From the goal backwards; crossings can be undone, so the way there is the way back."""
    goal = (frozenset[int](), False)
    found, waiting = {goal: 0}, deque([goal])
    while waiting:
        left, boat_left = waiting.popleft()
        for load in _loads(left, boat_left, couples, boat):
            after = (left ^ frozenset(load), not boat_left)
            if after not in found:
                found[after] = found[left, boat_left] + 1
                waiting.append(after)
    return found
