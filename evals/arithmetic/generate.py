"""Two hundred word problems of one or two steps, each with its answer; the same seed writes the same file.

python evals/arithmetic/generate.py > evals/arithmetic/dataset.jsonl
"""

import json
from collections.abc import Callable, Iterator
from random import Random

SEED = 2026
EACH = 50

NAMES = [
    "Anna",
    "Boris",
    "Chen",
    "Elena",
    "Grace",
    "Hugo",
    "Jamal",
    "Katya",
    "Liam",
    "Maya",
    "Olga",
    "Rosa",
    "Sam",
    "Yuki",
]
THINGS = ["apples", "books", "cards", "coins", "cookies", "eggs", "marbles", "pencils", "shells", "stamps", "stickers"]
BOXES = ["bags", "baskets", "boxes", "jars", "packs", "trays"]


def add(rng: Random) -> tuple[str, int]:
    """One addition."""
    name, thing, have, more = rng.choice(NAMES), rng.choice(THINGS), rng.randint(3, 20), rng.randint(2, 12)
    told = rng.choice(
        [
            f"{name} has {have} {thing} and buys {more} more. How many {thing} does {name} have now?",
            f"There are {have} {thing} on the table. {name} puts {more} more beside them. How many {thing} are there?",
            f"{name} found {have} {thing} in the morning and {more} in the evening. How many {thing} did {name} find?",
        ]
    )
    return told, have + more


def subtract(rng: Random) -> tuple[str, int]:
    """One subtraction."""
    name, thing, have = rng.choice(NAMES), rng.choice(THINGS), rng.randint(6, 25)
    less = rng.randint(2, have - 2)
    told = rng.choice(
        [
            f"{name} has {have} {thing} and gives {less} of them away. How many {thing} are left?",
            f"A shop had {have} {thing}. It sold {less}. How many {thing} does the shop still have?",
            f"{name} needs {have} {thing} and already has {less}. How many more {thing} does {name} need?",
        ]
    )
    return told, have - less


def multiply(rng: Random) -> tuple[str, int]:
    """One multiplication."""
    name, thing, box = rng.choice(NAMES), rng.choice(THINGS), rng.choice(BOXES)
    count, each = rng.randint(2, 6), rng.randint(2, 9)
    told = rng.choice(
        [
            f"{name} has {count} {box} with {each} {thing} in each. How many {thing} does {name} have?",
            f"There are {count} {box}. Every one holds {each} {thing}. How many {thing} are there altogether?",
        ]
    )
    return told, count * each


def two_steps(rng: Random) -> tuple[str, int]:
    """A multiplication, then an addition or a subtraction."""
    (name, other), thing, box = rng.sample(NAMES, 2), rng.choice(THINGS), rng.choice(BOXES)
    count, each = rng.randint(2, 4), rng.randint(3, 6)
    change = rng.randint(2, 5)
    start = f"{name} fills {count} {box} with {each} {thing} each."
    return rng.choice(
        [
            (f"{start} {other} brings {change} more {thing}. How many {thing} are there now?", count * each + change),
            (f"{start} {other} takes {change} of the {thing}. How many {thing} are left?", count * each - change),
        ]
    )


KINDS: dict[str, Callable[[Random], tuple[str, int]]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "two_steps": two_steps,
}


def records(seed: int = SEED, each: int = EACH) -> Iterator[dict[str, object]]:
    """The records, kinds taking turns, so that the first N are a fair part; no question comes twice."""
    rng, asked = Random(seed), set[str]()
    while len(asked) < each * len(KINDS):
        kind = list(KINDS)[len(asked) % len(KINDS)]
        question, answer = KINDS[kind](rng)
        if question not in asked:
            asked.add(question)
            number = len(asked)
            yield {"id": f"{kind}-{number:03d}", "input": question, "target": answer, "metadata": {"kind": kind}}


if __name__ == "__main__":
    for record in records():
        print(json.dumps(record))
