"""Which checker reads a chain: the one its task names, else the first whose kind of question it is."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.evaluators.planning.reasoning import arithmetic, general, orderings, sorting, stacks, swaps
from agentkit.evaluators.planning.reasoning.chain import Chain, Checker, Reading

_NAMED: dict[str, Checker] = {
    "dyck": stacks.check,
    "bracket": stacks.check,
    "shuffled": swaps.check,
    "swap": swaps.check,
    "logical_deduction": orderings.check,
    "multistep_arithmetic": arithmetic.check,
    "sort": sorting.check,
}
_BY_CONTENT: tuple[Checker, ...] = (stacks.check, swaps.check, orderings.check, arithmetic.check, sorting.check)


def read(chain: Chain) -> Reading:
    """The first reading that could check a step; else the one that says what stopped it."""
    obstacle: Reading | None = None
    for checker in _checkers(chain):
        reading = checker(chain)
        if reading is None:
            continue
        if reading.checked:
            return reading
        obstacle = obstacle or reading
    return obstacle or Reading("", obstacle="no step holds anything that can be checked without a model")


def _checkers(chain: Chain) -> Iterator[Checker]:
    task = chain.task.casefold().replace(" ", "_").replace("-", "_")
    named = [checker for word, checker in _NAMED.items() if word in task]
    yield from named
    yield from (checker for checker in _BY_CONTENT if checker not in named)
    yield general.check
