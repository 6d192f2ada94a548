"""How a step that cannot be taken could be made possible."""

from __future__ import annotations

from agentkit.pddl.conditions import Values
from agentkit.pddl.grounding import Step
from agentkit.pddl.task import Task

_LOOKED_AT = 4
"""Missing literals for which a way is sought."""


def hint_for(task: Task, step: Step, state: int, values: Values) -> str:
    """One sentence on what to do before ``step``: the step that makes it possible, one that helps, or why none does.

    Empty where no literal is missing (a number is too small).
    """
    missing = [one for one in step.condition.literals if bool(state >> one[0] & 1) != one[1]][:_LOOKED_AT]
    ways = [(literal, one) for literal in missing for one in task.moves.achieving(*literal)]
    possible = [(literal, one) for literal, one in ways if one.condition.holds(state, values)]
    for _, one in possible:
        if step.condition.holds(*one.applied(state, values)):
            return f"do {one.name} before it"
    if possible:
        literal, one = possible[0]
        return f"{one.name} is possible here and makes {_name(task, literal)} hold; more is needed before {step.name}"
    if not missing:
        return ""
    names = list(dict.fromkeys(one.action for literal, one in ways if literal == missing[0]))
    if not names:
        return f"nothing can make {_name(task, missing[0])} hold: another step is needed in its place"
    return f"{_name(task, missing[0])} is made to hold by {' or '.join(names)}, which cannot be done at this point yet"


def _name(task: Task, literal: tuple[int, bool]) -> str:
    name = task.atoms[literal[0]]
    return name if literal[1] else f"(not {name})"
