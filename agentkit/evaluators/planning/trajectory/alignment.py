"""The calls that were made against those that were planned: the cheapest edit of one into the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agentkit.errors import InputError
from agentkit.options import plainly
from agentkit.traces import Call, Trace, calls
from agentkit.traces.calls import canonical
from agentkit.types import JSON

EditKind = Literal["kept", "changed", "missing", "extra", "reordered"]
_CHANGED = 0.75  # dearer than keeping, cheaper than leaving out and putting in
_NAME = re.compile(r"[A-Za-z_]\w*(?:[.-]\w+)*")
_MOST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A step of a plan: a tool, and the arguments that the plan says (None: it says none)."""

    name: str
    arguments: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the script: ``planned`` and ``made`` are places in the plan and among the calls, ``changed`` arguments."""

    kind: EditKind
    planned: int | None = None
    made: int | None = None
    changed: tuple[str, ...] = ()


def plan_of(data: JSON, names: Sequence[str]) -> tuple[Planned, ...]:
    """A plan from a list of calls or names, or from text of which each line that names one of the tools is a step.

    Raises ``InputError`` for anything else, and for a text that names no tool.
    """
    if isinstance(data, str):
        found = tuple(_lines(data, names))
        if not found:
            raise InputError("the plan names none of the tools: give a list like [{name: search, arguments: {...}}]")
        return found
    if isinstance(data, Mapping):
        data = data.get("steps", data.get("plan"))
    if not isinstance(data, list | tuple):
        raise InputError(f"a plan must be a list of calls or a text, not {plainly(data)}")
    if any(isinstance(one, str) and one not in names for one in data) and all(isinstance(one, str) for one in data):
        return plan_of("\n".join(data), names)
    return tuple(_step(one, number) for number, one in enumerate(data, 1))


def executed(trace: Trace) -> list[Call]:
    """The calls that took effect: those that failed changed nothing."""
    return [call for call in calls(trace) if call.step.kind == "call" and not call.failed]


def script(plan: Sequence[Planned], made: Sequence[Call]) -> tuple[Edit, ...]:
    """The edits in the order of the calls; a step left out in one place and made in another is ``reordered``.

    Time and memory grow with the product of the lengths, so both are cut at 2,000.
    """
    plan, made = plan[:_MOST], made[:_MOST]
    return tuple(_moved(plan, made, list(_walk(plan, made, _costs(plan, made)))))


def differing(planned: Planned, call: Call) -> tuple[str, ...]:
    """The arguments that the plan says and the call has otherwise."""
    if planned.arguments is None:
        return ()
    given = call.step.arguments or {}
    return tuple(name for name, value in planned.arguments.items() if canonical(given.get(name)) != canonical(value))


def _step(one: JSON, number: int) -> Planned:
    if isinstance(one, str) and one:
        return Planned(name=one)
    if isinstance(one, Mapping):
        name = one.get("name", one.get("tool", one.get("action")))
        arguments = next((one[key] for key in ("arguments", "kwargs", "args", "input") if key in one), None)
        if isinstance(name, str) and name and (arguments is None or isinstance(arguments, Mapping)):
            return Planned(name=name, arguments=arguments)
    raise InputError(
        f"step {number} of the plan must be a name or {{name: ..., arguments: {{...}}}}, not {plainly(one)}"
    )


def _lines(text: str, names: Sequence[str]) -> Iterator[Planned]:
    known = set(names)
    for line in text.splitlines():
        named = next((word for word in _NAME.findall(line) if word in known), None)
        if named:
            yield Planned(name=named)


def _costs(plan: Sequence[Planned], made: Sequence[Call]) -> list[list[float]]:
    """The cost of editing each beginning of the plan into each beginning of the calls."""
    costs = [[float(column) for column in range(len(made) + 1)]]
    for row, planned in enumerate(plan, 1):
        line = [float(row)]
        for column, call in enumerate(made, 1):
            both = costs[row - 1][column - 1] + _price(planned, call)
            line.append(min(both, costs[row - 1][column] + 1, line[column - 1] + 1))
        costs.append(line)
    return costs


def _price(planned: Planned, call: Call) -> float:
    if planned.name != call.step.name:
        return 3.0  # never taken: leaving out and putting in costs 2
    return _CHANGED if differing(planned, call) else 0.0


def _walk(plan: Sequence[Planned], made: Sequence[Call], costs: Sequence[Sequence[float]]) -> Iterator[Edit]:
    """The edits of a cheapest path, from its end."""
    row, column = len(plan), len(made)
    while row or column:
        here = costs[row][column]
        if row and column and here == costs[row - 1][column - 1] + _price(plan[row - 1], made[column - 1]):
            row, column = row - 1, column - 1
            changed = differing(plan[row], made[column])
            yield Edit(kind="changed" if changed else "kept", planned=row, made=column, changed=changed)
        elif (
            row and here == costs[row - 1][column] + 1
        ):  # before "extra": of two that changed places, the first is told
            row -= 1
            yield Edit(kind="missing", planned=row)
        else:
            column -= 1
            yield Edit(kind="extra", made=column)


def _moved(plan: Sequence[Planned], made: Sequence[Call], backwards: Sequence[Edit]) -> Iterator[Edit]:
    """The edits in order, what is missing here and extra there being one that moved."""
    edits = list(reversed(backwards))
    missing = [one for one in edits if one.kind == "missing"]
    gone: set[int] = set()
    moved: dict[int, Edit] = {}
    for one in edits:
        if one.kind != "extra" or one.made is None:
            continue
        for other in missing:
            if other.planned is not None and other.planned not in gone and _same(plan[other.planned], made[one.made]):
                gone.add(other.planned)
                moved[one.made] = Edit(kind="reordered", planned=other.planned, made=one.made)
                break
    for one in edits:
        if one.kind == "extra" and one.made in moved:
            yield moved[one.made]
        elif one.kind != "missing" or one.planned not in gone:
            yield one


def _same(planned: Planned, call: Call) -> bool:
    return planned.name == call.step.name and not differing(planned, call)
