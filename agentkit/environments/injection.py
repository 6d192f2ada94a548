"""Errors planted into a solution of a world of moves: the kinds known from agents and from perturbed reasoning.

The kinds of ReasonEval (Xia et al. 2024, arXiv 2404.05692: repeat, remove, swap, random) and those of planners. Whether a
planted step is an error is decided by the world's list of legal moves (and distances), not by the checker that is to find it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar

from agentkit.environments.play import DONE, World
from agentkit.errors import InputError, did_you_mean

S = TypeVar("S")

_TRIES = 50


class Moves(World[S], Protocol[S]):
    """A world of moves that can be planted with errors."""

    @property
    def strict(self) -> bool:
        """Whether a legal move that leads no nearer to the goal is an error too."""
        ...

    def begin(self, seed: int) -> S:
        """The first state."""
        ...

    def solve(self, seed: int) -> Sequence[str]:
        """See ``Environment.solve``."""
        ...

    def after(self, state: S, action: str) -> S:
        """The state after a legal action."""
        ...

    def distance(self, state: S) -> int | None:
        """How many moves the goal is away at least; None where it is out of reach."""
        ...

    def any_action(self, state: S, rng: Random) -> str:
        """An action of the right form, legal or not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an error is to be planted: before step ``step`` of ``best`` the world is in ``state``."""

    world: Moves[Any]
    best: Sequence[str]
    step: int
    state: Any
    rng: Random


def inject(world: Moves[S], seed: int, kind: str, step: int) -> tuple[str, ...] | None:
    """See ``Environment.inject``; raises ``InputError`` for an unknown kind."""
    if kind not in _KINDS:
        raise InputError(f"there is no kind of error {kind!r}{did_you_mean(kind, _KINDS)} (known: {', '.join(_KINDS)})")
    best = world.solve(seed)
    if not 0 <= step < len(best):
        return None
    state = world.begin(seed)
    for action in best[:step]:
        state = world.after(state, action)
    planted = _KINDS[kind](_Place(world=world, best=best, step=step, state=state, rng=Random(f"{seed}/{kind}/{step}")))
    return None if planted is None else (*best[:step], *planted)


def _wrong(place: _Place, action: str) -> bool:
    world, state = place.world, place.state
    if action not in world.legal(state):
        return True
    if not world.strict:
        return False
    here, there = world.distance(state), world.distance(world.after(state, action))
    return here is not None and (there is None or there >= here)


def _illegal(place: _Place) -> Sequence[str] | None:
    legal = frozenset(place.world.legal(place.state))
    for _ in range(_TRIES):
        action = place.world.any_action(place.state, place.rng)
        if action not in legal:
            return (action, *place.best[place.step :])
    return None


def _random(place: _Place) -> Sequence[str] | None:
    """Another action in the place of the right one, whatever it is; one that is no error is none of ours."""
    for _ in range(_TRIES):
        action = place.world.any_action(place.state, place.rng)
        if action != _right(place) and _wrong(place, action):
            return (action, *place.best[place.step + 1 :])
    return None


def _repeated(place: _Place) -> Sequence[str] | None:
    if place.step == 0 or not _wrong(place, place.best[place.step - 1]):
        return None
    return (place.best[place.step - 1], *place.best[place.step :])


def _removed(place: _Place) -> Sequence[str] | None:
    rest = place.best[place.step + 1 :]
    return rest if rest and _wrong(place, rest[0]) else None


def _swapped(place: _Place) -> Sequence[str] | None:
    rest = place.best[place.step + 1 :]
    return (rest[0], _right(place), *rest[1:]) if rest and _wrong(place, rest[0]) else None


def _wasted(place: _Place) -> Sequence[str] | None:
    """A legal move that leads nowhere, which is an error only where the task asks for the shortest way."""
    legal = [one for one in place.world.legal(place.state) if _wrong(place, one)] if place.world.strict else []
    return (place.rng.choice(legal), *place.best[place.step + 1 :]) if legal else None


def _unknown(place: _Place) -> Sequence[str] | None:
    """The right action on something that does not exist."""
    words = _right(place).strip("()").split()
    if len(words) < 2:
        return None
    return (_right(place).replace(words[-1], "zzyx"), *place.best[place.step + 1 :])


def _unreadable(place: _Place) -> Sequence[str] | None:
    said = place.rng.choice(("I am not sure what to do next.", "let us think about it", "???", "{}"))
    return (said, *place.best[place.step :])


def _wrong_state(place: _Place) -> Sequence[str] | None:
    """The right action, with the state before it declared as the one after it."""
    world, before = place.world, place.world.show(place.state)
    after = world.show(world.after(place.state, _right(place)))
    if " ".join(before.split()) == " ".join(after.split()):
        return None
    return (f"{_right(place)} | {' '.join(before.split())}", *place.best[place.step + 1 :])


def _early(place: _Place) -> Sequence[str] | None:
    return (DONE,)


def _right(place: _Place) -> str:
    return place.best[place.step]


_KINDS: Mapping[str, Callable[[_Place], Sequence[str] | None]] = {
    "illegal_action": _illegal,
    "random_action": _random,
    "repeated_step": _repeated,
    "removed_step": _removed,
    "swapped_steps": _swapped,
    "wasted_step": _wasted,
    "unknown_name": _unknown,
    "unreadable": _unreadable,
    "wrong_state": _wrong_state,
    "early_stop": _early,
}

KINDS = tuple(_KINDS)
