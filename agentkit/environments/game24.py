"""Game of 24: search, exact arithmetic and bookkeeping of the numbers left, each judged by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from random import Random

from agentkit.answers import arithmetic, numbers
from agentkit.answers import game24 as rules
from agentkit.environments import injection
from agentkit.environments.play import Language, Move, Play, between
from agentkit.types import JSON

_TASK = {
    "en": (
        "Make 24 of the numbers {numbers} with + - * /, each number used once{best}. Each step takes two of "
        "the numbers left and "
        "puts their result in their place.\nWrite a step with its result and the numbers then left: 2 + 8 = 10 (left: 8 10 14)"
    ),
    "ru": (
        "Получите 24 из чисел {numbers} действиями + - * /, каждое число один раз{best}. Каждый шаг берёт два оставшихся числа "
        "и ставит на их место результат.\nШаг записывается с результатом и оставшимися числами: 2 + 8 = 10 (left: 8 10 14)"
    ),
}
_BEST = {
    "en": "; after every step 24 must still be within reach",
    "ru": "; после каждого шага 24 должно быть достижимо",
}
_LEFT = re.compile(r"\((?:left|осталось)\s*:\s*([^)]*)\)", re.IGNORECASE)
_RESULT = re.compile(r"=\s*\(?(-?\d+(?:\.\d+)?(?:/\d+)?)\)?")
_SIGNS = "+-*/"

State = tuple[Fraction, ...]
KINDS = (*injection.KINDS, "wrong_result", "wrong_operation", "wrong_left")


@dataclass(frozen=True, kw_only=True)
class Game24:
    """Make 24 of ``count`` numbers up to ``largest``; ``strict``: a step after which 24 is out of reach is an error."""

    count: int = 4
    largest: int = 13
    strict: bool = False
    language: Language = "en"

    def __post_init__(self) -> None:
        between("count", self.count, 2, 5)
        between("largest", self.largest, 6, 99)

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return KINDS

    def start(self, seed: int) -> Play[State]:
        """The numbers of this seed."""
        state = self.begin(seed)
        best = _BEST[self.language] if self.strict else ""
        text = _TASK[self.language].format(numbers=rules.show(state), best=best)
        return Play(world=self, task=text, state=state, limit=self.count + 7)

    def begin(self, seed: int) -> State:
        """Seeded numbers of which 24 can be made."""
        rng = Random(f"game24/{self.count}/{self.largest}/{seed}")
        while True:
            drawn = tuple(sorted(Fraction(rng.randint(1, self.largest)) for _ in range(self.count)))
            if _reaches(drawn):
                return drawn

    def solve(self, seed: int) -> tuple[str, ...]:
        """The first way in the order of ``legal``."""
        state, found = self.begin(seed), []
        while len(state) > 1:
            after, text = next(
                (one, _say(by, state)) for by in rules.operations(state) if _reaches(one := _after(by, state))
            )
            found.append(text)
            state = after
        return tuple(found)

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """The kinds of ``injection``, and slips of arithmetic and of the numbers left."""
        if kind in injection.KINDS:
            return injection.inject(self, seed, kind, step)
        best = self.solve(seed)
        if not 0 <= step < len(best):
            return None
        rng = Random(f"{seed}/{kind}/{step}")
        return (*best[:step], _slip(best[step], kind, rng), *best[step + 1 :])

    def show(self, state: State) -> str:
        """The numbers left."""
        return rules.show(state)

    def data(self, state: State) -> JSON:
        """The numbers left, as text where they are no whole numbers."""
        return [int(one) if one.denominator == 1 else str(one) for one in state]

    def legal(self, state: State) -> tuple[str, ...]:
        """Every operation on two of the numbers."""
        return _legal(state)

    def move(self, state: State, text: str) -> Move[State]:
        """Do the operation, or say what is wrong with it: its numbers, its result, or the numbers left."""
        if not rules.is_operation(text):
            return Move(state, "unreadable", f"{text[:80]!r} is no step; write: 2 + 8 = 10 (left: 8 10 14)")
        operation = rules.read(text, state)
        if operation is None:
            return Move(
                state, "illegal_action", f"{text.partition('=')[0].strip()} is not of the numbers {rules.show(state)}"
            )
        after = _after(operation, state)
        said = _RESULT.search(text)
        if said and not _near(said[1], operation.result):
            right = numbers.spell(operation.result)
            return Move(state, "wrong_result", f"{operation} is {right}, not {said[1]}")
        left = _LEFT.search(text)
        if left and not _same(left[1], after):
            return Move(after, "wrong_left", f"the numbers left are {rules.show(after)}, not {left[1].strip()}")
        if len(after) == 1 and after[0] != rules.TARGET:
            return Move(after, "goal_unmet", f"the last number is {rules.show(after)}, not {rules.TARGET}")
        if self.strict and not _reaches(after):
            return Move(after, "wasted_step", f"24 cannot be made of {rules.show(after)}")
        return Move(after)

    def after(self, state: State, action: str) -> State:
        """The numbers then left."""
        operation = rules.read(action, state)
        assert operation
        return _after(operation, state)

    def ended(self, state: State) -> bool | None:
        """With one number left."""
        return state[0] == rules.TARGET if len(state) == 1 else None

    def distance(self, state: State) -> int | None:
        """How many steps there are, where 24 is within reach."""
        return len(state) - 1 if _reaches(state) else None

    def any_action(self, state: State, rng: Random) -> str:
        """An operation on numbers that may not be there, done rightly."""
        pool = [*state, *(Fraction(rng.randint(1, 2 * self.largest)) for _ in range(2))]
        left, right = rng.sample(pool, 2)
        sign = rng.choice(_SIGNS if right else "+-*")
        if sign in "+*":
            left, right = sorted((left, right))
        return _say(rules.Operation(left, sign, right), state)


def _after(operation: rules.Operation, state: State) -> State:
    return tuple(sorted(rules.left_after(operation, state)))


def _say(operation: rules.Operation, state: State) -> str:
    left = rules.show(rules.left_after(operation, state))
    return f"{operation} = {numbers.spell(operation.result)} (left: {left})"


@lru_cache(maxsize=4096)
def _legal(state: State) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_say(one, state) for one in rules.operations(state))) if len(state) > 1 else ()


@lru_cache(maxsize=200_000)
def _reaches(state: State) -> bool:
    if len(state) == 1:
        return state[0] == rules.TARGET
    return any(_reaches(_after(one, state)) for one in rules.operations(state))


def _near(said: str, result: Fraction) -> bool:
    """The result itself, or a decimal that it rounds to."""
    places = len(said.partition(".")[2]) if "." in said else 0
    value = Fraction(said) if not said.endswith("/0") else None
    return value == result or (value is not None and places > 0 and abs(value - result) <= Fraction(1, 2 * 10**places))


def _same(said: str, after: State) -> bool:
    words = said.replace(",", " ").split()
    left = list(after)
    for word in words:
        match = next(
            (one for one in left if re.fullmatch(r"-?\d+(?:\.\d+)?(?:/\d+)?", word) and _near(word, one)), None
        )
        if match is None:
            return False
        left.remove(match)
    return not left


def _slip(line: str, kind: str, rng: Random) -> str:
    """The step with a false result, another sign with the old result, or a wrong list of the numbers left."""
    operation, result, left = re.split(r" = | \(left: ", line.removesuffix(")"))
    if kind == "wrong_result":
        return f"{operation} = {Fraction(result) + rng.choice((-2, -1, 1, 2, 10))} (left: {left})"
    if kind == "wrong_left":
        rest = left.split()
        rest[rng.randrange(len(rest))] = str(rng.randint(100, 999))
        return f"{operation} = {result} (left: {' '.join(rest)})"
    sign = re.search(r"(?<= )[-+*/](?= )", operation)
    assert sign
    others = [one for one in _SIGNS if one != sign[0] and _differs(operation, sign[0], one, Fraction(result))]
    return f"{operation.replace(f' {sign[0]} ', f' {rng.choice(others)} ')} = {result} (left: {left})"


def _differs(operation: str, old: str, new: str, result: Fraction) -> bool:
    try:
        return arithmetic.evaluate(operation.replace(f" {old} ", f" {new} ")) != result
    except ValueError:
        return True
