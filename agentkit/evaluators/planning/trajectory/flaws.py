"""A flaw of a step, and the order among flaws: which is first, which decides, which only follows from another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentkit.traces import Provenance, Trace, calls
from agentkit.traces.turns import message_of
from agentkit.types import JSON, Finding

TAXONOMY: Mapping[str, str] = {
    "unknown_action": "P1",
    "bad_arguments": "P2",
    "ungrounded_argument": "P3",
    "constraint_violation": "P7",
    "repeated_call": "P8",
    "repeated_state": "P8",
    "result_contradicted": "P9",
    "plan_execution_mismatch": "P12",
    "redundant": "P13",
    "goal_drift": "J1",
}
"""The place of every code in the taxonomy of planning errors."""

_HARMLESS = frozenset({"repeated_call", "repeated_state", "redundant", "goal_drift"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with step ``step`` (a place in the trace): ``kind`` says it closer than ``code``.

    ``evidence`` quotes what speaks for it, ``values`` are the values that are wrong, ``repair`` says what to do instead.
    """

    code: str
    kind: str
    step: int
    message: str
    evidence: str = ""
    confidence: float = 1.0
    repair: str = ""
    values: tuple[str, ...] = ()
    more: Mapping[str, JSON] = field(default_factory=dict)


def findings(trace: Trace, flaws: Sequence[Flaw], links: Callable[[], Provenance]) -> tuple[Finding, ...]:
    """The flaws as findings in the order of steps; ``step`` is the place, from 0, of the message in the log.

    ``metadata`` has ``taxonomy``, ``first`` (no flaw is earlier), ``decisive`` (the earliest that nothing later undid),
    ``recovered``, ``consequence_of`` (the step of the flaw that this one follows from, or None), ``repair`` and more.
    """
    ordered = sorted(flaws, key=lambda one: (one.step, -one.confidence, one.code, one.kind))
    undone = {id(one): recovered(trace, one) for one in ordered}
    first = ordered[0].step if ordered else None
    decisive = next((one.step for one in ordered if not undone[id(one)]), None)
    causes = _causes(ordered, links) if len({one.step for one in ordered}) > 1 else {}
    marks = [
        {
            "first": one.step == first,
            "decisive": one.step == decisive,
            "recovered": undone[id(one)],
            "consequence_of": message_of(trace, causes[id(one)]) if id(one) in causes else None,
        }
        for one in ordered
    ]
    return tuple(_finding(trace, one, mark) for one, mark in zip(ordered, marks, strict=True))


def recovered(trace: Trace, flaw: Flaw) -> bool:
    """Whether something later undid the flaw: a call that was refused and then made rightly, or a step that only cost time."""
    if flaw.code in _HARMLESS:
        return any(call.place > flaw.step and not call.failed for call in calls(trace))
    made = {call.place: call for call in calls(trace)}
    if flaw.step not in made or not (made[flaw.step].failed or made[flaw.step].answer is None):
        return False
    name = made[flaw.step].step.name
    later = [call for place, call in made.items() if place > flaw.step and call.answer is not None and not call.failed]
    return any(flaw.code == "unknown_action" or call.step.name == name for call in later)


def rendered(finding: Finding) -> dict[str, Any]:
    """A finding as a line of output has it."""
    return {
        "code": finding.code,
        "kind": finding.kind,
        "step": finding.step,
        "agent": finding.agent,
        "evidence": finding.text,
        "reason": finding.message,
        "confidence": round(finding.confidence, 4),
        **finding.metadata,
    }


def quote(text: str, length: int = 160) -> str:
    """The text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _finding(trace: Trace, flaw: Flaw, marks: Mapping[str, JSON]) -> Finding:
    step = trace.steps[flaw.step]
    return Finding(
        code=flaw.code,
        kind=flaw.kind,
        message=flaw.message,
        step=message_of(trace, flaw.step),
        agent=step.agent,
        text=quote(flaw.evidence),
        confidence=flaw.confidence,
        metadata={
            "taxonomy": TAXONOMY[flaw.code],
            "detector": "symbolic",
            **marks,
            "repair": flaw.repair,
            **({"call": step.call} if step.call else {}),
            **({"tool": step.name} if step.name else {}),
            **flaw.more,
        },
    )


def _causes(flaws: Sequence[Flaw], links: Callable[[], Provenance]) -> dict[int, int]:
    """For every flaw that rests on an earlier one, the step of the earliest such."""
    graph = links()
    reached: dict[int, frozenset[int]] = {}
    found: dict[int, int] = {}
    for flaw, earlier in _pairs(flaws):
        if earlier.step not in reached:
            reached[earlier.step] = frozenset(graph.consequences(earlier.step))
        again = flaw.code == earlier.code == "repeated_call" and flaw.values == earlier.values
        if id(flaw) not in found and (flaw.step in reached[earlier.step] or again):
            found[id(flaw)] = earlier.step
    return found


def _pairs(flaws: Sequence[Flaw]) -> Iterator[tuple[Flaw, Flaw]]:
    for place, flaw in enumerate(flaws):
        for earlier in flaws[:place]:
            if earlier.step < flaw.step:
                yield flaw, earlier
