"""The evaluator ``plan_validity``: does a plan work in its PDDL domain, and if not, where does it first go wrong?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentkit import pddl
from agentkit.errors import ConfigError, InputError, PDDLError
from agentkit.types import JSON, Finding, Record, Score

VERSION = "1.0"
_TEXTS = ("domain_pddl", "problem_pddl")
_CARRIED = ("task", "task_id", "model", "reference_plan", "reference_cost")


@dataclass(frozen=True, kw_only=True)
class PlanValidity:
    """Runs a plan step by step in its PDDL task, without a model: same input, same verdict.

    The task is ``metadata["domain_pddl"]`` and ``metadata["problem_pddl"]``, else the options ``domain`` and ``problem``, all
    PDDL text. The plan is ``record.output``: PDDL, calls, a numbered list, JSON or sentences. The score is 1 for a plan that
    reaches the goal, or an answer that there is none where none exists, else 0. Findings come in the order of the plan:
    ``unknown_action``, ``bad_arguments``, ``unknown_object``, ``precondition_violated``, ``goal_unmet``, ``empty_plan`` and
    ``unsolvable_not_recognised``. ``max_states`` bounds the search that decides whether an answer "no plan" is right,
    ``proof_states`` the search that tells an impossible task from a wrong plan.
    """

    domain: str = ""
    problem: str = ""
    max_findings: int = 20
    max_states: int = 50_000
    proof_states: int = 1_000

    def __post_init__(self) -> None:
        for name, least in (("max_findings", 1), ("max_states", 0), ("proof_states", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"plan_validity: {name} must be at least {least}, not {getattr(self, name)}")

    def parse(self, row: Any) -> Record:
        """A row ``{domain_pddl, problem_pddl, plan}``, perhaps with ``task``, ``model``, ``reference_plan``, as a record.

        Raises ``InputError`` for a row of another form.
        """
        if not isinstance(row, dict):
            raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
        if missing := [key for key in ("plan", *self._needed()) if key not in row]:
            raise InputError(f"the row has no {' and no '.join(missing)}")
        metadata = {key: row[key] for key in (*_TEXTS, *_CARRIED) if key in row}
        return Record(id=str(row.get("id", "")), output=row["plan"], metadata=metadata)

    async def evaluate(self, record: Record) -> Score:
        """The score; without a readable domain and problem it is unscored with a reason."""
        began = time.perf_counter()
        score = self.check(record)
        return replace(score, seconds=time.perf_counter() - began)

    def check(self, record: Record) -> Score:
        """``evaluate`` for those who do not await; ``seconds`` stays 0."""
        carried = {key: record.metadata[key] for key in _CARRIED if key in record.metadata}
        domain, problem = (
            record.metadata.get(key) or own for key, own in zip(_TEXTS, (self.domain, self.problem), strict=True)
        )
        if not isinstance(domain, str) or not isinstance(problem, str) or not domain or not problem:
            return _unscored("a plan is checked against domain_pddl and problem_pddl, both PDDL text", carried)
        try:
            task = pddl.load_task(domain, problem)
        except PDDLError as error:
            return _unscored(str(error), carried)
        verdict = pddl.explain(task, record.output, max_faults=self.max_findings)
        return self._score(task, verdict, carried, given=record.output is not None)

    def render(self, score: Score) -> dict[str, JSON]:
        """A line of output: ``valid`` and ``findings`` first, then lengths, cost and what the row carried."""
        told = {key: value for key, value in score.metadata.items() if key not in ("reference_plan", "reference_cost")}
        return {
            "valid": None if score.value is None else score.value == 1.0,
            "findings": [_rendered(one) for one in score.findings],
            **told,
            "status": score.status,
            "score": score.value,
            "label": score.label,
            "reason": score.reason,
            "evaluator": score.evaluator,
            "version": score.version,
            "seconds": round(score.seconds, 6),
        }

    def _needed(self) -> Sequence[str]:
        return [key for key, own in zip(_TEXTS, (self.domain, self.problem), strict=True) if not own]

    def _score(self, task: pddl.Task, verdict: pddl.Verdict, carried: Mapping[str, JSON], *, given: bool) -> Score:
        metadata = {
            **carried,
            "first_error": next((fault.step for fault in verdict.faults if fault.step is not None), None),
            "steps": len(verdict.steps),
            "executed": verdict.executed,
            **_costs(task, verdict, carried),
        }
        if verdict.valid:
            return _scored(1.0, "valid", "", (), metadata)
        if not verdict.steps:
            return self._without_steps(task, verdict, metadata, given=given)
        findings = [_finding(fault, first=place == 0) for place, fault in enumerate(verdict.faults)]
        if pddl.solvability(task, max_states=self.proof_states) == "unsolvable":
            findings.append(_UNSOLVABLE)
        return _scored(0.0, "invalid", verdict.faults[0].message, findings, metadata)

    def _without_steps(
        self, task: pddl.Task, verdict: pddl.Verdict, metadata: Mapping[str, JSON], *, given: bool
    ) -> Score:
        """An answer without a plan is right where there is none; no answer at all (null) never is."""
        found = pddl.solvability(task, max_states=self.max_states if verdict.answer == "no plan" else self.proof_states)
        if found == "unsolvable" and given:
            return _scored(1.0, "unsolvable", "the task has no plan, and none was given", (), metadata)
        if found == "unknown" and verdict.answer == "no plan":
            return _unscored(f"{self.max_states:,} states do not tell whether there is a plan", metadata)
        fault = verdict.faults[0]
        if verdict.answer == "no plan":
            fault = replace(fault, message="the answer is that there is no plan, but there is one")
        return _scored(0.0, "no_plan", fault.message, [_finding(fault, first=True)], metadata)


_UNSOLVABLE = Finding(
    code="unsolvable_not_recognised",
    message="the task has no plan at all: every state that can be reached was visited, and none meets the goal",
    metadata={"evidence": "no reachable state meets the goal", "first": False},
)


def _costs(task: pddl.Task, verdict: pddl.Verdict, carried: Mapping[str, JSON]) -> dict[str, JSON]:
    """What a valid plan costs, and the cost of the reference over it: 1 is as good, below 1 is worse."""
    if verdict.cost is None:
        return {}
    best = carried.get("reference_cost")
    if best is None and carried.get("reference_plan"):
        best = pddl.explain(task, carried["reference_plan"], max_faults=1).cost
    if not isinstance(best, int | float) or isinstance(best, bool):
        return {"cost": verdict.cost}
    ratio = 1.0 if verdict.cost == best else best / verdict.cost if verdict.cost else None
    return {"cost": verdict.cost, "best_cost": float(best), "optimality": ratio}


def _finding(fault: pddl.Fault, *, first: bool) -> Finding:
    return Finding(
        code=fault.code,
        message=fault.message,
        kind="consequence" if fault.consequence_of is not None else "error",
        step=fault.step,
        text=fault.text,
        metadata={
            "evidence": fault.evidence,
            "first": first,
            "missing": list(fault.missing),
            "consequence_of": fault.consequence_of,
            "hint": fault.hint,
        },
    )


def _rendered(finding: Finding) -> dict[str, JSON]:
    return {
        "code": finding.code,
        "step": finding.step,
        "evidence": finding.metadata["evidence"],
        "text": finding.text,
        "reason": finding.message,
        **{key: value for key, value in finding.metadata.items() if key != "evidence" and value not in (None, "", [])},
    }


def _scored(value: float, label: str, reason: str, findings: Sequence[Finding], metadata: Mapping[str, JSON]) -> Score:
    return Score(
        value=value,
        label=label,
        reason=reason,
        findings=tuple(findings),
        evaluator="plan_validity",
        version=VERSION,
        metadata=metadata,
    )


def _unscored(reason: str, metadata: Mapping[str, JSON]) -> Score:
    return Score(
        value=None, status="unscored", reason=reason, evaluator="plan_validity", version=VERSION, metadata=metadata
    )
