"""Letters and lists: what is easy to state and easy to lose track of, with the state said at every step."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from agentkit.environments import procedure
from agentkit.environments.play import Language, Play, between
from agentkit.environments.procedure import Procedure

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_PEOPLE = ("Alice", "Bob", "Claire", "Dave", "Eve", "Fred", "Gertrude", "Hank")
_THINGS = ("ball", "book", "cup", "drum", "egg", "flag", "glove", "hat")
_TASK = {
    "letters": {
        "en": (
            "Count the letter '{letter}' in the word '{word}'. Letter by letter, write the letter and "
            "the count so far, like: s 0"
        ),
        "ru": "Сосчитайте букву '{letter}' в слове '{word}'. Буква за буквой пишите букву и счёт до неё включительно, так: s 0",
    },
    "reversal": {
        "en": "Write this list in reverse, one number a step: {items}",
        "ru": "Напишите этот список в обратном порядке, по одному числу за шаг: {items}",
    },
    "dyck": {
        "en": (
            "Read these brackets from left to right: {word}\nAt each bracket write those that are open then, "
            "the first opened first, "
            "with spaces between, or empty."
        ),
        "ru": (
            "Прочтите скобки слева направо: {word}\nНа каждой скобке пишите те, что теперь открыты, в порядке открытия, через "
            "пробел, или empty."
        ),
    },
    "shuffled": {
        "en": "{start}. Then they swap, two at a time:\n{swaps}\nAfter each swap write who has what, in this order: {form}",
        "ru": (
            "{start}. Потом они меняются, по двое:\n{swaps}\nПосле каждого обмена пишите, у кого что, "
            "в таком порядке: {form}"
        ),
    },
}


@dataclass(frozen=True, kw_only=True)
class LettersAndLists:
    """Keep track, over ``length`` steps, of a count of letters, a list to reverse, open brackets, or who holds what."""

    puzzle: Literal["letters", "reversal", "dyck", "shuffled"] = "shuffled"
    length: int = 12
    people: int = 4
    language: Language = "en"

    def __post_init__(self) -> None:
        between("length", self.length, 2, 10_000)
        between("people", self.people, 2, len(_PEOPLE))

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return procedure.kinds("wrong_operation")

    def start(self, seed: int) -> Play[procedure.Said]:
        """The puzzle of this seed."""
        return procedure.start(self.procedure(seed))

    def solve(self, seed: int) -> tuple[str, ...]:
        """The right state at every step."""
        return self.procedure(seed).answers

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``procedure``."""
        return procedure.inject(self, seed, kind, step)

    def procedure(self, seed: int) -> Procedure:
        """A seeded puzzle."""
        rng = Random(f"{self.puzzle}/{self.length}/{self.people}/{seed}")
        if self.puzzle == "shuffled":
            return _shuffled(self.length, self.people, _TASK["shuffled"][self.language], rng)
        return _MAKERS[self.puzzle](self.length, _TASK[self.puzzle][self.language], rng)


def _letters(length: int, text: str, rng: Random) -> Procedure:
    letter = rng.choice(_LETTERS)
    word = "".join(letter if rng.random() < 0.3 else rng.choice(_LETTERS) for _ in range(length))
    counts = [word[: place + 1].count(letter) for place in range(length)]
    return Procedure(
        task=text.format(letter=letter, word=word),
        asks=tuple(f"{place}: {one}" for place, one in enumerate(word, 1)),
        answers=tuple(f"{one} {count}" for one, count in zip(word, counts, strict=True)),
        form=r"\w:? ?\d+",
        noise=lambda step, rng: f"{word[step]} {rng.randint(0, counts[step] + 9)}",
        slips={"wrong_operation": lambda step: f"{word[step]} {counts[step] + (-1 if word[step] == letter else 1)}"},
    )


def _reversal(length: int, text: str, rng: Random) -> Procedure:
    items = [str(rng.randint(10, 99)) for _ in range(length)]
    return Procedure(
        task=text.format(items=" ".join(items)),
        asks=tuple(f"{place}." for place in range(1, length + 1)),
        answers=tuple(reversed(items)),
        form=r"\d+",
        noise=lambda step, rng: str(rng.randint(10, 99)),
        slips={"wrong_operation": lambda step: items[step]},
    )


def _dyck(length: int, text: str, rng: Random) -> Procedure:
    word, stack, states = "", list[str](), [""]
    for _ in range(length):
        if stack and rng.random() < 0.45:
            word += _BRACKETS[stack.pop()]
        else:
            stack.append(rng.choice(list(_BRACKETS)))
            word += stack[-1]
        states.append(" ".join(stack))

    def wrong(step: int) -> str:
        """A bracket that closes is forgotten, one that opens is read as another."""
        if word[step] not in _BRACKETS:
            return states[step]
        other = next(one for one in _BRACKETS if one != word[step])
        return f"{states[step]} {other}".strip()

    def noise(step: int, rng: Random) -> str:
        return " ".join(rng.choice(list(_BRACKETS)) for _ in range(rng.randint(1, len(states[step + 1]) // 2 + 2)))

    return Procedure(
        task=text.format(word=" ".join(word)),
        asks=tuple(word),
        answers=tuple(one or "empty" for one in states[1:]),
        form=r"empty|[(\[{<](?: ?[(\[{<])*",
        noise=noise,
        slips={"wrong_operation": wrong},
    )


def _shuffled(length: int, count: int, text: str, rng: Random) -> Procedure:
    people = _PEOPLE[:count]
    held = [rng.sample(_THINGS, count)]
    swaps = [rng.sample(range(count), 2) for _ in range(length)]
    for swap in swaps:
        held.append(_swapped(held[-1], *swap))

    def said(things: list[str]) -> str:
        return ", ".join(f"{one}: {thing}" for one, thing in zip(people, things, strict=True))

    def wrong(step: int) -> str | None:
        """One of the two swaps with a third."""
        one, two = swaps[step]
        third = next((other for other in range(count) if other not in (one, two)), None)
        return None if third is None else said(_swapped(held[step], one, third))

    told = tuple(f"{people[one]} and {people[two]} swap." for one, two in swaps)
    return Procedure(
        task=text.format(
            start=said(held[0]), swaps="\n".join(told), form=said([f"..{place}" for place in range(count)])
        ),
        asks=told,
        answers=tuple(map(said, held[1:])),
        form=rf"\w+: \w+(?:, \w+: \w+){{{count - 1}}}",
        noise=lambda step, rng: said(rng.sample(_THINGS, count)),
        slips={"wrong_operation": wrong},
    )


def _swapped(things: list[str], one: int, two: int) -> list[str]:
    after = list(things)
    after[one], after[two] = things[two], things[one]
    return after


_MAKERS = {"letters": _letters, "reversal": _reversal, "dyck": _dyck}
