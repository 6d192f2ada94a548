"""Worlds of one right answer a step: procedures to carry out, with the slips that agents make in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from agentkit.environments.play import DONE, Move, Play
from agentkit.errors import InputError, did_you_mean
from agentkit.types import JSON

_GENERIC = ("random_value", "repeated_step", "removed_step", "swapped_steps", "unreadable", "early_stop")

Slip = Callable[[int], str | None]
"""What someone answers at a step who makes a certain mistake; None where the mistake cannot be made there."""


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """What is asked at each step and the right ``answers``; ``form`` is what an answer looks like.

    ``slips`` are the known mistakes, ``noise`` a wrong answer of the right form. ``carried`` is the answer that would be right if
    the one before were.
    """

    task: str
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    form: str
    noise: Callable[[int, Random], str]
    slips: Mapping[str, Slip] = field(default_factory=dict)
    carried: Callable[[int, str], str | None] = lambda step, before: None


Said = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The world of a procedure; its state is what has been answered so far. A wrong answer is kept, and the next step asked."""

    procedure: Procedure

    def show(self, state: Said) -> str:
        """What is asked now."""
        asks = self.procedure.asks
        return asks[len(state)] if len(state) < len(asks) else ""

    def data(self, state: Said) -> JSON:
        """The answers."""
        return list(state)

    def legal(self, state: Said) -> tuple[str, ...]:
        """Nothing: it would give the answer away."""
        return ()

    def move(self, state: Said, text: str) -> Move[Said]:
        """Right, or which mistake it looks like."""
        step, procedure = len(state), self.procedure
        said = plain(text)
        after = (*state, said)
        if said == plain(procedure.answers[step]):
            return Move(after)
        if not re.fullmatch(procedure.form, said):
            return Move(after, "unreadable", f"{text[:80]!r} is no answer of the form asked for")
        expected = f"step {step + 1} is {procedure.answers[step]!r}, not {text[:80]!r}"
        return Move(after, self._code(step, state, said), expected)

    def ended(self, state: Said) -> bool | None:
        """After the last step; the episode is spotless, so one error fails it."""
        return True if len(state) == len(self.procedure.answers) else None

    def _code(self, step: int, state: Said, said: str) -> str:
        carried = self.procedure.carried(step, state[-1]) if state else None
        if state and state[-1] != plain(self.procedure.answers[step - 1]) and carried and plain(carried) == said:
            return "carried_error"
        for kind in (*self.procedure.slips, "repeated_step", "removed_step"):
            slip = slipped(self.procedure, kind, step)
            if slip is not None and plain(slip) == said:
                return kind
        return "wrong_value"


class Drill(Protocol):
    """An environment of procedures."""

    def procedure(self, seed: int) -> Procedure:
        """The procedure of this seed."""
        ...


def start(procedure: Procedure) -> Play[Said]:
    """The episode of a procedure."""
    script = Script(procedure)
    return Play(world=script, task=procedure.task, state=(), limit=len(procedure.answers), spotless=True)


def kinds(*slips: str) -> tuple[str, ...]:
    """The kinds of errors of a procedure with these slips."""
    return (*_GENERIC, *slips)


def slipped(procedure: Procedure, kind: str, step: int) -> str | None:
    """The wrong answer that a slip gives at a step; None where it gives none, or the right one."""
    answers = procedure.answers
    if kind == "repeated_step":
        wrong = answers[step - 1] if step else None
    elif kind in ("removed_step", "swapped_steps"):
        wrong = answers[step + 1] if step + 1 < len(answers) else None
    else:
        wrong = procedure.slips[kind](step)
    return None if wrong is None or plain(wrong) == plain(answers[step]) else wrong


def inject(drill: Drill, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
    """See ``Environment.inject``; raises ``InputError`` for an unknown kind."""
    procedure = drill.procedure(seed)
    known = kinds(*procedure.slips)
    if kind not in known:
        raise InputError(f"there is no kind of error {kind!r}{did_you_mean(kind, known)} (known: {', '.join(known)})")
    answers, rng = procedure.answers, Random(f"{seed}/{kind}/{step}")
    if not 0 <= step < len(answers):
        return None
    if kind == "early_stop":
        return (*answers[:step], DONE)
    if kind == "unreadable":
        said = rng.choice(("I am not sure.", "let me think", "???"))
        return (*answers[:step], said, *answers[step + 1 :])
    if kind == "random_value":
        return (*answers[:step], _other(procedure, step, rng), *answers[step + 1 :])
    wrong = slipped(procedure, kind, step)
    return None if wrong is None else (*answers[:step], wrong, *_rest(answers, kind, step))


def plain(text: str) -> str:
    """An answer without what does not matter: case, spaces, a full stop, a label before it."""
    bare = re.sub(r"^\W*(?:answer|total|ответ|итог|сумма)\s*[:=]\s*", "", text.strip(), flags=re.IGNORECASE)
    return " ".join(bare.casefold().replace("−", "-").split()).removesuffix(".")


def _other(procedure: Procedure, step: int, rng: Random) -> str:
    right = plain(procedure.answers[step])
    return next(said for _ in range(1000) if plain(said := procedure.noise(step, rng)) != right)


def _rest(answers: Sequence[str], kind: str, step: int) -> Sequence[str]:
    if kind == "repeated_step":
        return answers[step:]
    if kind == "removed_step":
        return answers[step + 2 :]
    return (answers[step], *answers[step + 2 :]) if kind == "swapped_steps" else answers[step + 1 :]
