"""Right chains of reasoning for made-up questions, and the same chains with one step made wrong: exact labels, any number.

``chain(task, random)`` gives a question and right steps in the recorded form; ``spoiled(task, steps, random)`` gives the steps
with one false step and its index. ``task`` is one of the five names of BIG-Bench Mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

NAMES = ("Alice", "Bob", "Claire", "Dave", "Eve")
COLOURS = ("red", "blue", "pink", "white", "black", "green", "yellow", "orange", "purple", "brown")
LETTERS = "ABCDEFG"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
CLOSER = {"(": ")", "[": "]", "{": "}", "<": ">"}
WORDS = (
    "kitten normative scan depression cider wadi tail redneck have hugh widen mannitol decant being bellyache daunt tunnel colza "
    "sole feud hangar permitted roth bareback tattoo radian posterior humphrey chloroplast screw implement love sanctify mycology"
)

Chain = tuple[str, list[str]]


def chain(task: str, random: Random) -> Chain:
    """A question and right steps to its answer."""
    return _MAKE[task](random)


def spoiled(task: str, steps: Sequence[str], random: Random) -> tuple[list[str], int]:
    """The steps with one of them made wrong, and which; the steps before it are untouched."""
    places = [place for place, step in enumerate(steps) if _SPOIL[task](step, Random(0)) != step]
    place = random.choice(places)
    return [*steps[:place], _SPOIL[task](steps[place], random), *steps[place + 1 :]], place


def _sums(random: Random) -> Chain:
    parts = [
        " ".join([str(random.randint(-9, 9))] + [f"{random.choice('+-*')} {random.randint(1, 9)}" for _ in range(3)])
        for _ in range(2)
    ]
    sign = random.choice("+-*")
    values = [_value(part) for part in parts]
    steps = [f'This equation can be written as "A {sign} B", where A = ({parts[0]}) and B = ({parts[1]}).']
    steps += [
        f"Let's calculate {name} = ({part}) = {value}." for name, part, value in zip("AB", parts, values, strict=True)
    ]
    result = _value(f"({values[0]}) {sign} ({values[1]})")
    steps.append(
        f"Then, the final equation is A {sign} B = ({values[0]}) {sign} ({values[1]}) = {result}. So the answer is {result}"
    )
    return f"(({parts[0]}) {sign} ({parts[1]})) =", steps


def _value(expression: str) -> int:
    from agentkit.answers.arithmetic import evaluate

    return int(evaluate(expression))


def _spoil_sum(step: str, random: Random) -> str:
    off = random.choice((-10, -2, -1, 1, 2, 10))
    if step.startswith("Let's"):
        return re.sub(r"= (-?\d+)\.$", lambda found: f"= {int(found[1]) + off}.", step)
    return re.sub(
        r"= (-?\d+)\. So the answer is -?\d+",
        lambda found: f"= {int(found[1]) + off}. So the answer is {int(found[1]) + off}",
        step,
    )


def _swaps(random: Random) -> Chain:
    people = NAMES[: random.choice((3, 5))]
    holds = dict(zip(people, random.sample(COLOURS, len(people)), strict=True))
    options = list(holds.values())
    start = ", ".join(f"{who} has a {what} ball" for who, what in holds.items())
    steps, told = [f"At the start: {_held(holds)}."], []
    for _ in people:
        one, other = random.sample(people, 2)
        holds[one], holds[other] = holds[other], holds[one]
        told.append(f"{one} and {other} swap balls.")
        steps.append(f"{one} and {other} swap balls: {_held(holds)}.")
    who = random.choice(people)
    steps.append(
        f"At the end of the game, {who} has the {holds[who]} ball. So the answer is ({LETTERS[options.index(holds[who])]})"
    )
    listed = "\n".join(f"({letter}) {what} ball." for letter, what in zip(LETTERS, options, strict=False))
    names = ", ".join(people[:-1]) + f", and {people[-1]}"
    return (
        f"{names} are playing a game. At the start of the game, they are each holding a ball: {start}.\nAs the game progresses, "
        f"pairs of players trade balls. {' Then, '.join(told)} At the end of the game, {who} has the\nOptions:\n{listed}", steps,
    )  # fmt: skip


def _held(holds: dict[str, str]) -> str:
    return ", ".join(f"{who}: {what}" for who, what in holds.items())


def _spoil_swap(step: str, random: Random) -> str:
    held = re.findall(rf"({'|'.join(NAMES)}): (\w+)", step)
    if len(held) < 2 or step.startswith("At the start"):
        return step
    (one, what), (other, that) = random.sample(held, 2)
    return (
        step.replace(f"{one}: {what}", f"{one}: \0").replace(f"{other}: {that}", f"{other}: {what}").replace("\0", that)
    )


def _brackets(random: Random) -> Chain:
    signs: list[str] = []
    stack: list[str] = []
    steps = ["We should process each input one by one and keep track of the stack configuration.", "stack: empty"]
    while len(signs) < random.randint(6, 24) or not stack:
        sign = CLOSER[stack.pop()] if stack and random.random() < 0.45 else random.choice("([{<")
        stack += [sign] if sign in CLOSER else []
        signs.append(sign)
        steps.append(f"{sign} ; stack: {' '.join(stack) or 'empty'}")
    closers = [CLOSER[sign] for sign in reversed(stack)]
    steps.append(f'Now, we have reached the end. The final stack is "{" ".join(stack)}".')
    steps.append(
        "We will need to pop out " + ", ".join(f'"{sign}"' for sign in reversed(stack)) + " one by one in that order."
    )
    steps.append(
        "So, we need " + ", ".join(f'"{sign}"' for sign in closers) + f". So the answer is {' '.join(closers)}"
    )
    return " ".join(signs), steps


def _spoil_bracket(step: str, random: Random) -> str:
    found = re.fullmatch(r"(\S) ; stack: (.*)", step)
    if not found:
        return step
    stack = [] if found[2] == "empty" else found[2].split()
    wrong = stack[:-1] if stack and random.random() < 0.5 else [*stack, random.choice("([{<")]
    return f"{found[1]} ; stack: {' '.join(wrong) or 'empty'}"


def _words(random: Random) -> Chain:
    words = random.sample(WORDS.split(), random.randint(5, 9))
    order = _split(words, 0)
    steps = [f"I should start by looking at the first letter of the words in the list. The first letter: {_spelled(words, 0)}",
             f"We now have: {_order(order, 0)}."]  # fmt: skip
    compared = {tuple(group): 1 for group in order}
    while tied := next((group for group in order if len(group) > 1), None):
        depth = compared[tuple(tied)]
        parts = _split(tied, depth)
        compared |= {tuple(part): depth + 1 for part in parts}
        order = [piece for group in order for piece in (parts if group == tied else [group])]
        steps.append(
            f"Now let's sort this subpart {_group(tied)} by looking at their {ORDINALS[depth]} letters. "
            f"The {ORDINALS[depth]} letter: {_spelled(tied, depth)}"
        )
        steps.append(f"We now have: {_order(parts, depth)} for the subpart. Hence, we have {_order(order, None)}.")
    steps.append(f"I have now sorted all the words. The answer is {' '.join(sorted(words))}")
    return " ".join(words), steps


def _split(words: Sequence[str], depth: int) -> list[list[str]]:
    return [
        [word for word in words if word[depth : depth + 1] == key]
        for key in sorted({word[depth : depth + 1] for word in words})
    ]


def _spelled(words: Sequence[str], depth: int) -> str:
    return " ".join(f'"{word}": "{word[depth]}" ({ord(word[depth]) - 96}).' for word in words)


def _group(words: Sequence[str]) -> str:
    return "[" + " ? ".join(f'"{word}"' for word in words) + "]" if len(words) > 1 else f'"{words[0]}"'


def _order(groups: Sequence[Sequence[str]], depth: int | None) -> str:
    return " < ".join(
        (f"({ord(group[0][depth]) - 96}) " if depth is not None else "") + _group(group) for group in groups
    )


def _spoil_word(step: str, random: Random) -> str:
    if not step.startswith("We now have"):
        return step
    head, _, tail = step.partition(" Hence, we have ")
    groups = (tail or head).rstrip(".").removeprefix("We now have: ").split(" < ")
    if len(groups) < 2:
        return step
    one = random.randrange(len(groups) - 1)
    groups[one], groups[one + 1] = groups[one + 1], groups[one]
    return f"{head} Hence, we have {' < '.join(groups)}." if tail else f"We now have: {' < '.join(groups)}."


def _orders(random: Random) -> Chain:
    size = random.choice((5, 7))
    names = random.sample(COLOURS, size)
    stated = sorted(random.sample(range(size), size - 1), key=lambda _: random.random())
    statements = [f"The {names[spot]} book is the {_place(spot, size, random)}." for spot in stated]
    steps = ["To answer the question, I need to identify the positions of all books."]
    known: set[int] = set()
    for spot, statement in zip(stated, statements, strict=True):
        known.add(spot)
        steps.append(f"{statement} So from left to right: {_list(names, known)}.")
    last = next(spot for spot in range(size) if spot not in known)
    steps.append(f"By process of elimination, the {names[last]} book must be {ORDINALS[last]} from the left.")
    listed = ", ".join(f"a {name} book" for name in sorted(names)[:-1]) + f", and a {sorted(names)[-1]} book"
    return (
        f"The following statements each describe a set of {size} objects arranged in a fixed order.\n"
        f"- On a shelf, there are {size} books: {listed}.\n" + "\n".join(f"- {statement}" for statement in statements), steps,
    )  # fmt: skip


def _place(spot: int, size: int, random: Random) -> str:
    if spot in (0, size - 1):
        return "leftmost" if spot == 0 else "rightmost"
    right = random.random() < 0.5
    return f"{ORDINALS[size - 1 - spot]} from the right" if right else f"{ORDINALS[spot]} from the left"


def _list(names: Sequence[str], known: set[int]) -> str:
    return ", then ".join(
        f"{ORDINALS[spot]} is the {name} book" if spot in known else f"{ORDINALS[spot]} can be any book"
        for spot, name in enumerate(names)
    )


def _spoil_order(step: str, random: Random) -> str:
    head, sign, listing = step.partition("left to right: ")
    items = listing.rstrip(".").split(", then ")
    named = [place for place, item in enumerate(items) if " is the " in item]
    free = [place for place, item in enumerate(items) if "any book" in item]
    if not named or not free:
        return step
    one, other = random.choice(named), random.choice(free)
    name = items[one].split(" is the ")[1]
    items[one], items[other] = f"{ORDINALS[one]} can be any book", f"{ORDINALS[other]} is the {name}"
    return f"{head}{sign}{', then '.join(items)}."


_MAKE: dict[str, Callable[[Random], Chain]] = {
    "multistep_arithmetic": _sums, "tracking_shuffled_objects": _swaps, "dyck_languages": _brackets, "word_sorting": _words,
    "logical_deduction": _orders,
}  # fmt: skip
_SPOIL: dict[str, Callable[[str, Random], str]] = {
    "multistep_arithmetic": _spoil_sum, "tracking_shuffled_objects": _spoil_swap, "dyck_languages": _spoil_bracket,
    "word_sorting": _spoil_word, "logical_deduction": _spoil_order,
}  # fmt: skip
