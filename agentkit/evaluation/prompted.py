"""Examples for a soft prompt, and how much better a model does with it on those that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agentkit.errors import EvaluationError, InputError
from agentkit.statistics import Interval, mean, paired_difference
from agentkit.types import JSON

_FEWEST = 10
_MOST_LABELS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text, and what is to be said to it."""

    input: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The share of held-out examples that come out right without and with the prompt; ``difference`` is paired."""

    before: Interval
    after: Interval
    difference: Interval
    rows: int


def example(row: JSON) -> Example:
    """The example of a row ``{"input", "target"}`` (or ``question`` and ``answer`` or ``gold``). Raises ``InputError``."""
    found = row if isinstance(row, Mapping) else {}
    given = next((found[key] for key in ("input", "question") if found.get(key) is not None), None)
    wanted = next((found[key] for key in ("target", "answer", "gold", "label") if found.get(key) is not None), None)
    if not isinstance(given, str) or not isinstance(wanted, str | int | float):
        raise InputError("a row needs an 'input' and a 'target', both text")
    return Example(input=given, target=str(wanted))


def split(rows: Sequence[Example], share: float, rng: Random) -> tuple[list[Example], list[Example]]:
    """Rows to learn from and rows held out; rows with one input stay together. Raises ``EvaluationError`` for too few."""
    inputs = sorted({row.input for row in rows})
    if len(inputs) < _FEWEST:
        raise EvaluationError(f"a soft prompt needs at least {_FEWEST} different inputs, and there are {len(inputs)}")
    rng.shuffle(inputs)
    held = set(inputs[: max(1, round(share * len(inputs)))])
    return [row for row in rows if row.input not in held], [row for row in rows if row.input in held]


def labels(rows: Sequence[Example]) -> tuple[str, ...]:
    """The classes, where the targets are few and come again; none where they are free text."""
    found = tuple(sorted({row.target for row in rows}))
    return found if 2 <= len(found) <= _MOST_LABELS and 2 * len(found) <= len(rows) else ()


def gain(before: Sequence[bool], after: Sequence[bool], rng: Random) -> Gain:
    """What the prompt changed on the same rows."""
    first, second = [float(one) for one in before], [float(one) for one in after]
    return Gain(
        before=mean(first, rng=rng),
        after=mean(second, rng=rng),
        difference=paired_difference(first, second, rng=rng),
        rows=len(first),
    )
