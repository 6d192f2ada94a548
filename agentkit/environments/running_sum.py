"""Running sum: execution without planning (Sinha et al. 2025, arXiv 2509.09677), for the horizon and for self-conditioning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from agentkit.environments import procedure
from agentkit.environments.play import Language, Play, between
from agentkit.environments.procedure import Procedure

_WORDS = (
    "apple",
    "brick",
    "cloud",
    "delta",
    "ember",
    "flute",
    "grape",
    "house",
    "ivory",
    "jewel",
    "knife",
    "lemon",
    "mango",
    "night",
    "ocean",
    "piano",
)
_TASK = {
    "en": (
        "Each word has a value:\n{values}\nKeep a running total, beginning at 0. At each of the {turns} turns "
        "you get {keys} of the "
        "words with a sign; add or subtract their values and answer with the new total: one number, nothing "
        "else.\nThe turns:\n{list}"
    ),
    "ru": (
        "У каждого слова есть значение:\n{values}\nВедите сумму, начиная с 0. На каждом из ходов ({turns}) "
        "даются слова ({keys}) со "
        "знаком; прибавьте или вычтите их значения и ответьте новой суммой: одно число и больше ничего.\nХоды:\n{list}"
    ),
}

Key = tuple[int, int]
"""The sign and the value of a word."""


@dataclass(frozen=True, kw_only=True)
class RunningSum:
    """Add up what words stand for, ``keys`` words a turn, over ``turns`` turns; values have up to ``digits`` digits."""

    turns: int = 20
    keys: int = 1
    digits: int = 2
    language: Language = "en"

    def __post_init__(self) -> None:
        between("turns", self.turns, 1, 100_000)
        between("keys", self.keys, 1, 16)
        between("digits", self.digits, 1, 6)

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return procedure.kinds("wrong_operation", "doubled_step", "forgotten_total")

    def start(self, seed: int) -> Play[procedure.Said]:
        """The turns of this seed."""
        return procedure.start(self.procedure(seed))

    def solve(self, seed: int) -> tuple[str, ...]:
        """The totals."""
        return self.procedure(seed).answers

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``procedure``."""
        return procedure.inject(self, seed, kind, step)

    def procedure(self, seed: int) -> Procedure:
        """Seeded values and turns."""
        rng = Random(f"sum/{seed}")
        values = {word: rng.randint(1, 10**self.digits - 1) for word in _WORDS}
        drawn = [[(rng.choice((1, -1)), word) for word in rng.sample(_WORDS, self.keys)] for _ in range(self.turns)]
        turns = [[(sign, values[word]) for sign, word in turn] for turn in drawn]
        asks = tuple(" ".join(f"{'+' if sign > 0 else '-'}{word}" for sign, word in turn) for turn in drawn)
        text = _TASK[self.language].format(
            values="\n".join(f"{word} = {value}" for word, value in values.items()),
            turns=self.turns,
            keys=self.keys,
            list="\n".join(f"{place}. {ask}" for place, ask in enumerate(asks, 1)),
        )
        return _procedure(text, asks, turns)


def _procedure(text: str, asks: tuple[str, ...], turns: Sequence[Sequence[Key]]) -> Procedure:
    changes = [sum(sign * value for sign, value in turn) for turn in turns]
    totals = [0]
    for change in changes:
        totals.append(totals[-1] + change)

    def flipped(step: int) -> str:
        sign, value = turns[step][-1]
        return str(totals[step + 1] - 2 * sign * value)

    def noise(step: int, rng: Random) -> str:
        return str(totals[step + 1] + rng.choice((-1, 1)) * rng.randint(1, 99))

    return Procedure(
        task=text,
        asks=asks,
        answers=tuple(map(str, totals[1:])),
        form=r"-?\d+",
        noise=noise,
        slips={
            "wrong_operation": flipped,
            "doubled_step": lambda step: str(totals[step + 1] + changes[step]),
            "forgotten_total": lambda step: str(changes[step]),
        },
        carried=lambda step, before: str(int(before) + changes[step]) if _is_number(before) else None,
    )


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
