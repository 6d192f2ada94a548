"""The evaluator ``failure_attribution``: which agent and which step made a run fail?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.attribution.clues import find
from agentkit.evaluators.planning.attribution.features import Facts
from agentkit.evaluators.planning.attribution.findings import findings
from agentkit.evaluators.planning.attribution.judge import Judge, Ruling
from agentkit.evaluators.planning.attribution.log import read, trace_of
from agentkit.evaluators.planning.attribution.ranking import Suspect, suspects
from agentkit.protocols import Model
from agentkit.traces import Trace
from agentkit.types import JSON, Bounds, Finding, Record, Score

VERSION = "1.0"
Method = Literal["auto", "evidence", "all_at_once", "step_by_step", "binary_search", "combined"]

_NAMED = 5  # candidates that are told
_QUESTIONS = ("question", "task", "input", "instruction", "query")
_HISTORIES = ("history", "messages", "trajectory", "steps", "log")


@dataclass(frozen=True, kw_only=True)
class FailureAttribution:
    """Names the step, and the agent, whose error made a recorded run fail, with the evidence for it.

    A row is ``{question, history: [{agent (or name, role), content}]}``. ``method`` ``evidence`` needs no model: checks of the
    log, weighed. With a ``model`` as judge: ``all_at_once`` shows it the log, ``step_by_step`` asks about each step,
    ``binary_search`` halves the log, and ``combined`` asks it to choose among the suspects that the evidence leaves, unless
    one of them has a chance of ``certain``. ``auto`` is ``combined`` with a model and ``evidence`` without. Each question is
    asked ``votes`` times, in prompts of at most ``context`` tokens, with at most ``max_calls`` calls a log; what a judge leaves
    open, the evidence decides.
    The score is the chance that the step named is the decisive one.
    """

    method: Method = "auto"
    model: Model | None = None
    votes: int = 1
    certain: float = 0.7
    context: int = 16_000
    temperature: float | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.model is None and self.method not in ("auto", "evidence"):
            raise ConfigError(f"failure_attribution: method {self.method!r} asks a judge: give it a model")
        if self.votes < 1:
            raise ConfigError(f"failure_attribution: votes must be at least 1, not {self.votes}")
        if self.max_calls is not None and self.max_calls < 1:
            raise ConfigError(f"failure_attribution: max_calls must be at least 1, not {self.max_calls}")
        if self.context < 1000:
            raise ConfigError(f"failure_attribution: context must be at least 1000 tokens, not {self.context}")
        if not 0 < self.certain <= 1:
            raise ConfigError(f"failure_attribution: certain must be above 0 and at most 1, not {self.certain}")

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it has no question or no history."""
        if not isinstance(row, Mapping):
            raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
        history = next((row[key] for key in _HISTORIES if row.get(key) is not None), None)
        question = next((row[key] for key in _QUESTIONS if isinstance(row.get(key), str)), "")
        trace_of(question, history)
        return Record(id=str(row.get("id", "")), input=question, output=history)

    def render(self, score: Score) -> dict[str, Any]:
        """What is written for a row: ``agent``, ``step``, ``confidence``, ``candidates`` and ``findings`` at the top."""
        told = {key: score.metadata.get(key) for key in ("agent", "step", "confidence", "candidates", "method")}
        return {
            "status": score.status,
            **told,
            "findings": [_rendered(one) for one in score.findings],
            "score": score.value,
            "label": score.label,
            "reason": score.reason,
            "evaluator": score.evaluator,
            "version": score.version,
            "seconds": round(score.seconds, 6),
        }

    def bounds(self) -> tuple[Bounds, ...]:
        """No call without a judge; with one as many as the log has steps, unless ``max_calls`` says how many."""
        if self.model is None:
            return ()
        return (Bounds(least=0, most=self.max_calls, model=self.model, output=self.max_tokens, text=self.context),)

    async def evaluate(self, record: Record) -> Score:
        """The score of a record whose ``input`` is the question and ``output`` the history or a ``Trace``; else unscored."""
        began = time.perf_counter()
        try:
            trace = _trace(record)
        except InputError as error:
            return Score(
                value=None, status="unscored", reason=str(error), evaluator="failure_attribution", version=VERSION
            )
        score = await self.attribute(trace)
        return replace(score, seconds=time.perf_counter() - began)

    async def attribute(self, trace: Trace) -> Score:
        """``evaluate`` for a trace; steps are numbered as in it."""
        log = read(trace)
        facts = Facts(log)
        evidence = suspects(log)
        ruling = await self._judged(facts, evidence)
        order = ruling.suspects or evidence
        return self._score(facts, order, ruling)

    async def _judged(self, facts: Facts, evidence: Sequence[Suspect]) -> Ruling:
        method = self._method
        if self.model is None or method == "evidence" or (method == "combined" and evidence[0].chance >= self.certain):
            return Ruling()
        judge = Judge(
            model=self.model,
            votes=self.votes,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
            context=self.context,
            max_calls=self.max_calls,
        )
        if method == "combined":
            marks: dict[int, str] = {}
            for clue in find(facts):
                marks.setdefault(clue.step, f"{clue.why}: {clue.quote}")
            return await judge.suspects(facts.log, evidence, marks)
        ways = {
            "all_at_once": judge.all_at_once,
            "step_by_step": judge.step_by_step,
            "binary_search": judge.binary_search,
        }
        return await ways[method](facts.log, evidence)

    @property
    def _method(self) -> str:
        if self.method != "auto":
            return self.method
        return "combined" if self.model is not None else "evidence"

    def _score(self, facts: Facts, order: Sequence[Suspect], ruling: Ruling) -> Score:
        chosen = order[0]
        named = [{"step": one.step, "agent": one.agent, "score": round(one.chance, 4)} for one in order[:_NAMED]]
        return Score(
            value=min(1.0, chosen.chance),
            label=chosen.agent,
            findings=findings(facts, chosen, judged=ruling.reason),
            reason=_reason(ruling),
            evaluator="failure_attribution",
            version=VERSION,
            usage=ruling.usage,
            metadata={
                "agent": chosen.agent,
                "step": chosen.step,
                "confidence": round(min(1.0, chosen.chance), 4),
                "candidates": named,
                "method": self._method if ruling.votes else "evidence",
                "votes": ruling.votes,
                "abstained": ruling.abstained,
            },
        )


def _trace(record: Record) -> Trace:
    if isinstance(record.output, Trace):
        return record.output
    return trace_of(record.input if isinstance(record.input, str) else "", record.output)


def _reason(ruling: Ruling) -> str:
    if ruling.exhausted:
        return "the budget ended the judging: what it left open the evidence decided"
    if ruling.votes and not ruling.suspects:
        return "the judge did not decide: this is the evidence alone"
    return ""


def _rendered(finding: Finding) -> dict[str, Any]:
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
