"""Composition: commands in the language of SCAN (Lake and Baroni 2018, arXiv 1711.00350) to carry out action by action."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from agentkit.environments import procedure
from agentkit.environments.play import Language, Play, between
from agentkit.environments.procedure import Procedure

_TASK = {
    "en": (
        "Carry out the command: {command}\nActions: WALK, LOOK, RUN, JUMP{new}, LTURN, RTURN, and END when all "
        "is done. 'walk left' is "
        "LTURN WALK; 'walk opposite left' is LTURN LTURN WALK; 'walk around left' is LTURN WALK four times; "
        "'turn left' is LTURN; "
        "'twice' and 'thrice' repeat; 'x and y' is x, then y; 'x after y' is y, then x.{example}\nWrite one action a step."
    ),
    "ru": (
        "Выполните команду: {command}\nДействия: WALK, LOOK, RUN, JUMP{new}, LTURN, RTURN и END, когда всё "
        "сделано. 'walk left' это "
        "LTURN WALK; 'walk opposite left' это LTURN LTURN WALK; 'walk around left' это четыре раза LTURN WALK; "
        "'turn left' это LTURN; "
        "'twice' и 'thrice' повторяют; 'x and y' это x, потом y; 'x after y' это y, потом x.{example}\nПишите "
        "по одному действию."
    ),
}
_VERBS = ("walk", "look", "run", "jump")
_TURN = {"left": "LTURN", "right": "RTURN"}
_OPPOSITE = {"LTURN": "RTURN", "RTURN": "LTURN"}
END = "END"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Carry out ``clauses`` joined commands; with ``new_word`` one verb is a word shown only once, in an example by itself."""

    clauses: int = 2
    new_word: bool = False
    language: Language = "en"

    def __post_init__(self) -> None:
        between("clauses", self.clauses, 1, 50)

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return procedure.kinds("wrong_direction", "ended_early")

    def start(self, seed: int) -> Play[procedure.Said]:
        """The command of this seed."""
        return procedure.start(self.procedure(seed))

    def solve(self, seed: int) -> tuple[str, ...]:
        """The actions, and END."""
        return self.procedure(seed).answers

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``procedure``."""
        return procedure.inject(self, seed, kind, step)

    def procedure(self, seed: int) -> Procedure:
        """A seeded command."""
        rng = Random(f"scan/{self.clauses}/{seed}")
        new = "".join(rng.choice("bdfkz") + rng.choice("aeiou") for _ in range(2)) + "x"
        verbs = (*_VERBS[:3], new) if self.new_word else _VERBS
        command = _clause(verbs, rng)
        for _ in range(self.clauses - 1):
            command = f"{command} {rng.choice(('and', 'after'))} {_clause(verbs, rng)}"
        answers = (*interpret(command), END)
        actions = (*(verb.upper() for verb in verbs), "LTURN", "RTURN", END)
        text = _TASK[self.language].format(
            command=command,
            new=f", {new.upper()}" if self.new_word else "",
            example=f" '{new}' is {new.upper()}." if self.new_word else "",
        )
        return Procedure(
            task=text,
            asks=tuple(f"{command}\n{' '.join(answers[:step]) or '-'}" for step in range(len(answers))),
            answers=answers,
            form="|".join(actions).casefold(),
            noise=lambda step, rng: rng.choice(actions),
            slips={
                "wrong_direction": lambda step: _OPPOSITE.get(answers[step]),
                "ended_early": lambda step: END if step < len(answers) - 1 else None,
            },
        )


def interpret(command: str) -> tuple[str, ...]:
    """The actions of a command, clause by clause: ``after`` puts what follows it before all that came so far."""
    words = command.split()
    done: tuple[str, ...] = ()
    joint, clause = "and", list[str]()
    for word in (*words, "and"):
        if word not in ("and", "after"):
            clause.append(word)
            continue
        actions = _actions(clause)
        done = (*done, *actions) if joint == "and" else (*actions, *done)
        joint, clause = word, []
    return done


def _clause(verbs: tuple[str, ...], rng: Random) -> str:
    side = rng.choice(("left", "right"))
    how = rng.choice(("", f" {side}", f" opposite {side}", f" around {side}"))
    verb = rng.choice((*verbs, "turn")) if how else rng.choice(verbs)
    return f"{verb}{how}{rng.choice(('', ' twice', ' thrice'))}"


def _actions(clause: list[str]) -> tuple[str, ...]:
    """``jump around left twice`` and the like."""
    times = {"twice": 2, "thrice": 3}.get(clause[-1], 1)
    verb, *how = clause if times == 1 else clause[:-1]
    act = () if verb == "turn" else (verb.upper(),)
    turn = (_TURN[how[-1]],) if how else ()
    if "around" in how:
        return (*turn, *act) * 4 * times
    return (*turn, *turn, *act) * times if "opposite" in how else (*turn, *act) * times
