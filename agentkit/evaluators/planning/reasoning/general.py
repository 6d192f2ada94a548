"""Any chain: every stated equality, what was said of a quantity before, and the last answer."""

from __future__ import annotations

from agentkit.evaluators.planning.reasoning.arithmetic import shown
from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.equalities import equalities

FAMILY = "general"


def check(chain: Chain) -> Reading | None:
    """Checks what can be checked in running text."""
    notes = Notes(FAMILY)
    for place, step in enumerate(chain.plain):
        for equality in equalities(step):
            notes.checked.add(place)
            if not equality.holds:
                value = shown(equality.left_value)
                notes.flaw(
                    place, "arithmetic_wrong",
                    f"step {place} says {equality.left} = {equality.right}; it is {value}", f"{equality.left} = {value}",
                )  # fmt: skip
    return notes.reading()
