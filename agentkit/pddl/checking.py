"""Does a plan work? The first step that does not, what it lacks, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from agentkit.pddl.conditions import Values, evaluate
from agentkit.pddl.grounding import Step
from agentkit.pddl.hints import hint_for
from agentkit.pddl.plans import MAX_STEPS, Answer, is_plain, plain_step, read_plan
from agentkit.pddl.task import Misstep, Task

Code: TypeAlias = Literal[
    "unknown_action",
    "bad_arguments",
    "unknown_object",
    "precondition_violated",
    "goal_unmet",
    "empty_plan",
    "unsolvable_not_recognised",
]


class Outcome(NamedTuple):
    """Valid or not; the kind and place (0-based) of the first error. ``step`` is None for what concerns the whole plan."""

    valid: bool
    code: Code | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong. ``text`` is the step as written, ``missing`` the literals that do not hold, in PDDL.

    ``consequence_of`` is the earlier step whose failure explains this one; None for a fault of its own.
    """

    code: Code
    message: str
    evidence: str
    step: int | None = None
    text: str = ""
    missing: tuple[str, ...] = ()
    consequence_of: int | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that is to be said of a plan. ``executed`` steps ran before the first fault; ``cost`` is of a valid plan only."""

    valid: bool
    answer: Answer
    faults: tuple[Fault, ...]
    steps: tuple[str, ...]
    executed: int
    cost: float | None = None


def check(task: Task, plan: Any) -> Outcome:
    """The first error of a plan, as quickly as can be; ``plan`` is whatever ``read_plan`` reads."""
    state, values, place = task.initial, task.values, -1
    for place, step in enumerate(_steps(task, plan)):
        if isinstance(step, Misstep):
            return Outcome(False, step.code, place)
        condition = step.condition
        if state & condition.need != condition.need or state & condition.forbid:
            return Outcome(False, "precondition_violated", place)
        if condition.parts and not condition.holds(state, values):
            return Outcome(False, "precondition_violated", place)
        if step.changes:
            state, values = step.applied(state, values)
        else:
            state = state & step.keep | step.add
    if task.goal.holds(state, values):
        return Outcome(True)
    return Outcome(False, "empty_plan" if place < 0 else "goal_unmet")


def explain(task: Task, plan: Any, *, max_faults: int = 20) -> Verdict:
    """Every fault of a plan, the first first; at most ``max_faults`` (at least 1).

    After a step that cannot be taken the plan goes on as if it had been. A later fault is a consequence of an earlier one
    when a literal it lacks depends on what that step (or one that rests on it) would have changed.
    """
    answer: Answer = "plan"
    texts, walk = _plain_lines(task, plan), _Walk(task, max_faults)
    if texts is None:
        read = read_plan(plan, task)
        answer, texts = read.answer, [one.text for one in read.steps]
        for one in read.steps:
            walk.take(one.text, task.step(one.name, one.arguments))
    else:
        for text, step in zip(texts, _steps(task, texts), strict=True):
            walk.take(text, step)
    faults = [*walk.faults, *walk.end()]
    return Verdict(
        valid=not faults,
        answer=answer,
        faults=tuple(faults[:max_faults]),
        steps=tuple(texts),
        executed=next((fault.step for fault in faults if fault.step is not None), len(texts)),
        cost=None if faults else cost(task, walk.values, len(texts)),
    )


def cost(task: Task, values: Values, length: int) -> float | None:
    """What a plan of ``length`` steps that ended with these numbers costs: the metric, else its length."""
    return float(length) if task.metric is None else evaluate(task.metric, values)


@dataclass(slots=True)
class _Stain:
    """The bits that would be otherwise had the step ``origin`` worked."""

    origin: int
    bits: int


class _Walk:
    """The state along a plan, with what is owed to failed steps."""

    def __init__(self, task: Task, limit: int) -> None:
        self.task, self.limit = task, limit
        self.state: int = task.initial
        self.values: Mapping[str, float] = task.values
        self.faults: list[Fault] = []
        self._stains: list[_Stain] = []
        self._history: list[Step | Misstep] = []

    def take(self, text: str, step: Step | Misstep) -> None:
        """Take a step, whether or not it can be taken."""
        place = len(self._history)
        full = len(self.faults) >= self.limit
        if full:
            if isinstance(step, Step):
                self.state, self.values = step.applied(self.state, self.values)
        elif isinstance(step, Misstep):
            message = f"step {place + 1}, {text}: {step.message}"
            self.faults.append(Fault(code=step.code, message=message, evidence=step.evidence, step=place, text=text))
            self._stains.append(_Stain(place, -1))  # what it would have changed, nobody knows
        else:
            self._act(place, text, step)
        self._history.append(step)

    def _act(self, place: int, text: str, step: Step) -> None:
        if not step.condition.holds(self.state, self.values):
            self._violated(place, text, step)
        else:
            for stain in self._stains:
                if step.condition.bits() & stain.bits:
                    stain.bits |= step.touched
        self.state, self.values = step.applied(self.state, self.values)

    def _violated(self, place: int, text: str, step: Step) -> None:
        missing = step.condition.unmet(self.state, self.values, self.task.atoms)
        failing = step.condition.failing(self.state)
        cause = next((stain for stain in self._stains if not failing or failing & stain.bits), None)
        first = not self.faults
        lost = _lost(failing, self._history, self.task) if first else ""
        self.faults.append(
            Fault(
                code="precondition_violated",
                message=f"step {place + 1}, {text}: {_listed(missing)} {'does' if len(missing) == 1 else 'do'} not hold{lost}",
                evidence=", ".join(missing),
                step=place,
                text=text,
                missing=tuple(missing),
                consequence_of=None if cause is None else cause.origin,
                hint=hint_for(self.task, step, self.state, self.values) if first else "",
            )
        )
        if cause is None:
            self._stains.append(_Stain(place, failing | step.touched))
        else:
            cause.bits |= failing | step.touched

    def end(self) -> list[Fault]:
        """The goal, at the end."""
        goal = self.task.goal
        if goal.holds(self.state, self.values):
            return []
        missing = goal.unmet(self.state, self.values, self.task.atoms)
        failing = goal.failing(self.state)
        cause = next((stain.origin for stain in self._stains if not failing or failing & stain.bits), None)
        said = f"the goal is not reached: {_listed(missing)} {'does' if len(missing) == 1 else 'do'} not hold"
        taken = len(self._history)
        return [
            Fault(
                code="goal_unmet" if taken else "empty_plan",
                message=f"after {_count(taken)} {said}" if taken else f"there is no step, and {said}",
                evidence=", ".join(missing),
                missing=tuple(missing),
                consequence_of=cause,
            )
        ]


def _steps(task: Task, plan: Any) -> Iterable[Step | Misstep]:
    """The steps of a plan, made as they are asked for where every line is plain PDDL."""
    lines = _plain_lines(task, plan)
    if lines is None:
        return [task.step(one.name, one.arguments) for one in read_plan(plan, task).steps]
    known = task.known
    return (known[line] if line in known else _made(task, line) for line in lines)


def _made(task: Task, line: str) -> Step | Misstep:
    step = task.step(*plain_step(line, task))
    task.remember(line, step)
    return step


def _plain_lines(task: Task, plan: Any) -> list[str] | None:
    """The lines of a plan each of which is one step in plain PDDL; None where one is not, and the whole reader is needed."""
    lines = plan.strip("\n").split("\n") if isinstance(plan, str) else plan
    if not isinstance(lines, list) or len(lines) > MAX_STEPS:
        return None
    known = task.known
    try:
        plain = bool(lines) and all(line in known or is_plain(line) for line in lines)
    except TypeError:
        return None
    alone = plain and len(lines) == 1 and plain_step(lines[0], task)[0] not in task.domain.actions
    return lines if plain and not alone else None  # one line that is no action may say that there is no plan


def _lost(failing: int, history: Sequence[Step | Misstep], task: Task) -> str:
    """Which earlier step undid a literal that is missing, if one did."""
    for place in range(len(history) - 1, -1, -1):
        step = history[place]
        if isinstance(step, Step) and failing & (~step.keep | step.add):
            one = failing & (~step.keep | step.add)
            name = task.atoms[(one & -one).bit_length() - 1]
            verb = "true" if step.add & one & -one else "false"
            return f" ({name} became {verb} at step {place + 1}, {step.name})"
    return ""


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:12]) + ([f"{len(names) - 12} more"] if len(names) > 12 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _count(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"
