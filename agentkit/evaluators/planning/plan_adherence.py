"""Whether an agent did what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from agentkit.errors import InputError
from agentkit.evaluators.planning.trajectory.alignment import Edit, Planned, executed, plan_of, script
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.evaluators.planning.trajectory.rows import line_of, record_of, score_of, trace_in, unscored
from agentkit.traces import Call, Trace
from agentkit.traces.calls import canonical
from agentkit.types import JSON, Record, Score

_REPAIRS = {
    "missing": "make this call at its place in the plan, or change the plan first",
    "extra": "leave the call out, or put it into the plan first",
    "reordered": "make the calls in the order of the plan",
    "changed": "call it with the arguments of the plan, or change the plan first",
}


@dataclass(frozen=True, kw_only=True)
class PlanAdherence:
    """Finds where the calls that were made differ from the accepted plan: missing, extra, reordered, changed arguments.

    A row is ``{plan, messages}``; the plan is a list of calls (``{name, arguments}``, arguments only where they matter),
    of names, or a text whose lines name tools. In a graph the plan is the ``target``. Without one, the first step of
    kind ``plan`` in the trace is taken. Calls that failed changed nothing and are not counted; ``free`` names tools that
    may be called at any time (``get_*``). ``score`` is 1 less the edits over the length of the longer of the two.
    """

    free: Sequence[str] = ()

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored without a trace or a plan."""
        try:
            trace = trace_in(record)
            given = record.target if record.target is not None else record.metadata.get("plan", _own_plan(trace))
            if given is None:
                return unscored("plan_adherence", "there is no plan: give one as 'plan', or as the target")
            return self.judge(trace, given)
        except InputError as error:
            return unscored("plan_adherence", str(error))

    def judge(self, trace: Trace, plan: JSON) -> Score:
        """``evaluate`` for a trace and a plan; raises ``InputError`` for a plan that cannot be read."""
        names = [*(tool.name for tool in trace.tools), *(call.step.name for call in executed(trace))]
        wanted = [one for one in plan_of(plan, names) if not self._is_free(one.name)]
        made = [call for call in executed(trace) if not self._is_free(call.step.name)]
        edits = script(wanted, made)
        flaws = list(_flaws(trace, wanted, made, edits)) if trace.steps else []
        counts = {kind: sum(one.kind == kind for one in edits) for kind in ("kept", *_REPAIRS)}
        score = score_of(trace, flaws, evaluator="plan_adherence", certain=0.0, metadata={"edits": counts})
        longest = max(len(wanted), len(made), 1)
        wrong = sum(count for kind, count in counts.items() if kind != "kept")
        return replace(score, value=max(0.0, 1 - wrong / longest))

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds no messages."""
        return record_of(row)

    def render(self, score: Score) -> dict[str, Any]:
        """A line of output, with the counts of the ``edits``."""
        return {**line_of(score), "edits": score.metadata.get("edits")}

    def _is_free(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.free)


def _own_plan(trace: Trace) -> JSON:
    return next((step.text for step in trace.steps if step.kind == "plan" and step.text), None)


def _flaws(trace: Trace, plan: Sequence[Planned], made: Sequence[Call], edits: Sequence[Edit]) -> Iterator[Flaw]:
    """A flaw an edit, at the step of its call; what is missing is told where the next call of the plan was made."""
    for number, edit in enumerate(edits):
        if edit.kind == "kept":
            continue
        planned = plan[edit.planned] if edit.planned is not None else None
        call = made[edit.made] if edit.made is not None else None
        step = call.place if call else _next(trace, made, edits[number:])
        yield Flaw(
            code="plan_execution_mismatch",
            kind=edit.kind,
            step=step,
            message=_message(edit, planned, call),
            evidence=_evidence(planned, call),
            repair=_REPAIRS[edit.kind],
            more=_more(edit),
        )


def _next(trace: Trace, made: Sequence[Call], edits: Sequence[Edit]) -> int:
    return next((made[one.made].place for one in edits if one.made is not None), len(trace.steps) - 1)


def _message(edit: Edit, planned: Planned | None, call: Call | None) -> str:
    name = call.step.name if call else planned.name if planned else ""
    step = f"step {edit.planned + 1} of the plan" if edit.planned is not None else "the plan"
    return {
        "missing": f"{step}, {name}, was not made",
        "extra": f"{name} is not in the plan at this place",
        "reordered": f"{name} is {step}, but was made out of order",
        "changed": f"{name} was made with other arguments than {step} says: {', '.join(edit.changed)}",
    }[edit.kind]


def _evidence(planned: Planned | None, call: Call | None) -> str:
    wanted = f"planned {planned.name} {canonical(planned.arguments or {})}" if planned else ""
    done = f"made {call.step.name} {canonical(call.step.arguments)}" if call else ""
    return "; ".join(part for part in (wanted, done) if part)


def _more(edit: Edit) -> Mapping[str, JSON]:
    told: dict[str, JSON] = {} if edit.planned is None else {"planned": edit.planned}
    return {**told, "changed": list(edit.changed)} if edit.changed else told
