"""Is there a plan at all? Decided by visiting states, as far as a bound allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Literal

from agentkit.pddl.conditions import AnyOf, Condition, Numeric
from agentkit.pddl.grounding import Step
from agentkit.pddl.task import Task

MAX_STATES = 50_000
MAX_STEPS = 20_000
Unsolved = Literal["unsolvable", "unknown"]
Solvability = Literal["solvable", "unsolvable", "unknown"]


@lru_cache(maxsize=2048)
def solvability(task: Task, *, max_states: int = MAX_STATES) -> Solvability:
    """Whether some plan reaches the goal; ``unknown`` where ``max_states`` states did not tell, or numbers matter."""
    found = _search(task, max_states)
    return "solvable" if isinstance(found, tuple) else found


def shortest_plan(task: Task, *, max_states: int = MAX_STATES) -> tuple[str, ...] | None:
    """A plan with the fewest steps, in PDDL; None where there is none or the search was cut off."""
    found = _search(task, max_states)
    return found if isinstance(found, tuple) else None


def _search(task: Task, max_states: int) -> tuple[str, ...] | Unsolved:
    """A shortest plan, or why there is none."""
    if task.goal.holds(task.initial, task.values):
        return ()
    steps = all_steps(task)
    if steps is None or any(map(_numeric, (task.goal, *_conditions(steps)))):
        return "unknown"
    if not _reachable(task, steps):
        return "unsolvable"
    return _breadth_first(task, steps, max_states)


def all_steps(task: Task) -> list[Step] | None:
    """Every step that the unchanging facts allow; None where there are more than ``MAX_STEPS``."""
    steps = list(islice(task.moves.all(), MAX_STEPS + 1))
    return None if len(steps) > MAX_STEPS else steps


def _breadth_first(task: Task, steps: list[Step], max_states: int) -> tuple[str, ...] | Unsolved:
    came: dict[int, tuple[int, Step] | None] = {task.initial: None}
    waiting = deque([task.initial])
    moves = [(one.condition.need, one.condition.forbid, one, one.changes or one.condition.parts) for one in steps]
    goal = task.goal
    while waiting:
        state = waiting.popleft()
        for need, forbid, step, more in moves:
            if state & need != need or state & forbid or (more and not step.condition.holds(state, task.values)):
                continue
            new = step.applied(state, task.values)[0] if more else state & step.keep | step.add
            if new in came:
                continue
            came[new] = (state, step)
            if new & goal.need == goal.need and goal.holds(new, task.values):
                return _path(came, new)
            if len(came) > max_states:
                return "unknown"
            waiting.append(new)
    return "unsolvable"


def _path(came: dict[int, tuple[int, Step] | None], state: int) -> tuple[str, ...]:
    found: list[str] = []
    while (before := came[state]) is not None:
        state, step = before
        found.append(step.name)
    return tuple(reversed(found))


def _reachable(task: Task, steps: list[Step]) -> bool:
    """Whether the goal's literals can all become true when nothing is ever undone (Bonet and Geffner 2001)."""
    true, left = task.initial, steps
    while left:
        able = [step for step in left if true & step.condition.need == step.condition.need]
        left = [step for step in left if true & step.condition.need != step.condition.need]
        if not able:
            break
        for step in able:
            true |= step.add
            for change in step.changes:
                true |= change.add
    return true & task.goal.need == task.goal.need


def _conditions(steps: list[Step]) -> Iterator[Condition]:
    for step in steps:
        yield step.condition
        yield from (change.condition for change in step.changes)


def _numeric(condition: Condition) -> bool:
    """Whether numbers decide it; a search over bits alone would then be wrong."""
    options = [option for part in condition.parts if isinstance(part, AnyOf) for option in part.options]
    return any(isinstance(part, Numeric) for part in condition.parts) or any(map(_numeric, options))
