"""What the judges of trajectories share: the trace in a row or record, and the score and the line of output of what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from agentkit.errors import InputError, TraceError
from agentkit.evaluators.planning.trajectory.flaws import Flaw, findings, rendered
from agentkit.traces import Provenance, Trace, provenance, read
from agentkit.traces.turns import tools_of
from agentkit.types import JSON, Record, Score

VERSION = "1"
_MESSAGES = ("messages", "trace", "history", "trajectory", "traj", "output")


def record_of(row: JSON) -> Record:
    """The record of a row ``{messages, tools?, policy?, ...}`` or of a log in any known form; ``output`` is its trace.

    Raises ``InputError`` saying what the row lacks.
    """
    if not isinstance(row, Mapping):
        raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
    log = next((row[name] for name in _MESSAGES if isinstance(row.get(name), list)), None)
    if log == []:
        trace = Trace(task="", steps=())
    elif isinstance(row.get("trace"), Mapping):
        trace = _one(row["trace"])
    else:
        trace = _one(row)
    more = {name: value for name, value in row.items() if name not in (*_MESSAGES, "id")}
    return Record(id=str(row.get("id", "")), input=trace.task, output=_with(trace, row), metadata=more)


def trace_in(record: Record) -> Trace:
    """The trace that is a record's output, or the one that can be read in it; ``metadata`` may add tools and policy.

    Raises ``TraceError`` when there is none.
    """
    if isinstance(record.output, Trace):
        return record.output
    if record.output is None or isinstance(record.output, bool | int | float):
        raise TraceError("the output is no trace: give the messages of an agent, or a log in a known form")
    trace = _with(_one(record.output), record.metadata)
    return replace(trace, task=record.input) if isinstance(record.input, str) and record.input else trace


def score_of(
    trace: Trace, flaws: Sequence[Flaw], *, evaluator: str, certain: float, metadata: Mapping[str, JSON]
) -> Score:
    """The score: 1 when nothing of at least the confidence ``certain`` was found, else 1 less the highest confidence."""
    kept = [one for one in flaws if one.confidence >= certain]

    @cache
    def links() -> Provenance:
        return provenance(trace)

    found = findings(trace, kept, links)
    told = {"steps": len(trace.steps), "flaws": len(found), **metadata}
    told["first_error"] = next((one.step for one in found if one.metadata["first"]), None)
    told["decisive_error"] = next((one.step for one in found if one.metadata["decisive"]), None)
    return Score(
        value=1.0 - max((one.confidence for one in found), default=0.0),
        label=found[0].code if found else "no error found",
        findings=found,
        evaluator=evaluator,
        version=VERSION,
        metadata=told,
    )


def unscored(evaluator: str, reason: str) -> Score:
    """The score of a record in which there is nothing to judge."""
    return Score(value=None, status="unscored", reason=reason, evaluator=evaluator, version=VERSION)


def judged(record: Record, evaluator: str, judge: Callable[[Trace], Score]) -> Score:
    """What ``judge`` says of the trace in the record, or why there is none."""
    try:
        trace = trace_in(record)
    except InputError as error:
        return unscored(evaluator, str(error))
    return judge(trace)


def line_of(score: Score) -> dict[str, Any]:
    """A line of output: ``first_error``, ``decisive_error`` and ``findings`` stand at the top."""
    return {
        "status": score.status,
        "first_error": score.metadata.get("first_error"),
        "decisive_error": score.metadata.get("decisive_error"),
        "findings": [rendered(one) for one in score.findings],
        "score": score.value,
        "label": score.label,
        "reason": score.reason,
        "evaluator": score.evaluator,
        "version": score.version,
    }


def _one(log: JSON) -> Trace:
    found = read(log)
    if len(found) > 1:
        raise TraceError(f"the log holds {len(found):,} traces: give one a row")
    return found[0]


def _with(trace: Trace, more: Mapping[str, JSON]) -> Trace:
    """The trace with the tools and the policy that stand beside it."""
    policy = more.get("policy")
    return replace(
        trace,
        tools=tools_of(more.get("tools")) or trace.tools,
        policy="\n\n".join(part for part in (policy if isinstance(policy, str) else "", trace.policy) if part),
    )
