"""Changes the surface of steps: casing, marks, openings, quotes, signs for words, synonyms; four changes at random a chain."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[str, int, Random], str]
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_OPENINGS = ("First, ", "Next, ", "Then, ", "After that, ", "Now, ", "Moving on, ", "OK so ")


def resurface(task: str, steps: Sequence[str], random: Random) -> list[str]:
    """The steps with four changes, the same ones for all; ``task`` only keeps the form of the other rewriters."""
    changed = list(steps)
    for change in random.sample(_CHANGES, 4):
        changed = [change(step, place, random) for place, step in enumerate(changed)]
    return changed


def _words(*pairs: tuple[str, str]) -> Change:
    def change(step: str, place: int, random: Random) -> str:
        for old, new in pairs:
            step = re.sub(old, new, step)
        return step

    return change


def _named(place: int) -> str:
    return _NUMBERS[place] if place < len(_NUMBERS) else str(place + 1)


_CHANGES: list[Change] = [
    lambda step, place, random: step.lower(),
    lambda step, place, random: step.upper(),
    lambda step, place, random: random.choice(_OPENINGS) + step,
    lambda step, place, random: random.choice(_OPENINGS[:5]) + step[:1].lower() + step[1:],
    lambda step, place, random: f"**{step}**",
    lambda step, place, random: f"*{step}*",
    lambda step, place, random: f"`{step}`",
    lambda step, place, random: f"Step {_named(place)}: {step}",
    lambda step, place, random: f"Step {place}: {step}",
    lambda step, place, random: f"{place + 1}) {step}",
    _words((r"So the answer is", "Therefore, the final answer is")),
    _words((r"So the answer is", "Hence our result:"), (r"The answer is", "In sorted order they read:")),
    _words((r" = ", " equals ")),
    _words((r" \* ", " times "), (r" \+ ", " plus "), (r" - ", " minus ")),
    _words((r"\b(swap|trade|switch)\b", "exchange"), (r"(\w+) and (\w+) exchange( \w+)?:", r"\1 exchanges\3 with \2:")),
    _words((r"^(\w+) and (\w+) (?:swap|trade|switch)( \w+)?:", r"A swap is made between \1 and \2:")),
    _words((r"(Alice|Bob|Claire|Dave|Eve): ", r"\1 has ")),
    _words((r"(Alice|Bob|Claire|Dave|Eve): ([\w -]+?)(?=[,.]|$)", r"\2 is held by \1")),
    _words((r" \? ", " and ")),
    _words((r" \? ", ", ")),
    _words((r'"', "")),
    _words((r'"', "'")),
    _words((r'"([^"]*)"', "“\\1”")),
    _words(
        (r"Now let's sort this subpart", "We next order the chunk"), (r"by looking at their", "according to their"),
        (r"We now have:", "At this point:"), (r"for the subpart", "within that chunk"),
        (r"Hence, we have", "Thus the overall order is"),
    ),
    _words((r"(\S) ; stack: (.*)", r"Process \1 and the stack turns into \2")),
    _words((r"(\S) ; stack: (.*)", r'Current stack after processing "\1": \2')),
    _words((r"(\S) ; stack: (.*)", r"We have \2 on the stack once \1 has been read")),
    _words((r"The final stack is", "What's left in the stack is"), (r"We will need to pop out", "The elements to pop are")),
    _words((r"can be any (\w+)", r"could be any \1"), (r"So from", "Therefore, going from")),
    _words((r"can be any (\w+)", "is undetermined"), (r"So from (.*?) to (.*?):", r"Ordering (\1 → \2):")),
    _words(
        (r"finished above", "finished ahead of"), (r"finished below", "finished behind"), (r"to the (left|right) of", r"\1 of"),
    ),
    _words((r"then (\w+) is (the )?([\w ]+?)(?=[,.])", r"then \3 takes \1")),
    _words((r"\. ", ".\n")),
    _words((r"\. ", "; ")),
]  # fmt: skip
