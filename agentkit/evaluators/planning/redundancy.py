"""Calls that an agent could have spared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.evaluators.planning.trajectory.repeats import repeated
from agentkit.evaluators.planning.trajectory.rows import judged, line_of, record_of, score_of
from agentkit.traces import Call, Trace, calls, provenance
from agentkit.traces.calls import canonical
from agentkit.traces.provenance import GIVEN, parts
from agentkit.traces.seen import Seen, said
from agentkit.types import JSON, Record, Score

_VERBS = "get find search list look read query fetch check show retrieve browse calculate"
_LOOKUPS = tuple(f"{verb}*" for verb in _VERBS.split())


@dataclass(frozen=True, kw_only=True)
class Redundancy:
    """Finds calls that brought nothing: made before with the same result, telling only what was known, or never used.

    Whether a result was used is told by its values: some later call or message says one that the result was the first
    to say. That is only judged of ``lookups`` (names with ``*``), whose calls have no other effect. ``score`` is the
    share of calls that were not redundant. Dropping a redundant call saves cost; it seldom changes the outcome.
    """

    lookups: Sequence[str] = _LOOKUPS
    certain: float = 0.5

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored where there is none."""
        return judged(record, "redundancy", self.judge)

    def judge(self, trace: Trace) -> Score:
        """``evaluate`` for a trace."""
        again = [replace(one, code="redundant", kind="repeated") for one in repeated(trace)]
        places = {one.step for one in again}
        flaws = [*again, *(one for one in self._idle(trace) if one.step not in places)]
        count = len(calls(trace))
        spare = len({one.step for one in flaws if one.confidence >= self.certain})
        told = {"calls": count, "redundant": spare}
        score = score_of(trace, flaws, evaluator="redundancy", certain=self.certain, metadata=told)
        return replace(score, value=1 - spare / count if count else 1.0)

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds no messages."""
        return record_of(row)

    def render(self, score: Score) -> dict[str, Any]:
        """A line of output, with how many ``calls`` there were and how many were ``redundant``."""
        return {**line_of(score), "calls": score.metadata.get("calls"), "redundant": score.metadata.get("redundant")}

    def _idle(self, trace: Trace) -> Iterator[Flaw]:
        used = {link.source for link in provenance(trace).links if link.value}
        news = _news(trace)
        made = [call for call in calls(trace) if self._looks_up(call)]
        last = max((place for place, step in enumerate(trace.steps) if step.kind == "message"), default=-1)
        for call in made:
            if call.answer_place is None or call.failed:
                continue
            if not news[call.answer_place]:
                yield _flaw(call, "nothing_new", "what it tells was known before", 0.6)
            elif call.answer_place not in used and call.answer_place < last:
                yield _flaw(call, "unused", "nothing that it was the first to tell is used later", 0.5)

    def _looks_up(self, call: Call) -> bool:
        name = call.step.name.casefold()
        return any(fnmatchcase(name, pattern) for pattern in self.lookups)


def _news(trace: Trace) -> dict[int, int]:
    """How many values each result is the first to say; a result that says none that tell an origin counts one."""
    seen = Seen()
    seen.add(GIVEN, trace.task)
    seen.add(GIVEN, trace.policy)
    found: dict[int, int] = {}
    for place, step in enumerate(trace.steps):
        values = set(said(step.text if step.result is None else step.result))
        found[place] = sum(seen.first(value) is None for value in values) if values else 1
        for part in parts(step):
            seen.add(place, part)
    return found


def _flaw(call: Call, kind: str, why: str, confidence: float) -> Flaw:
    return Flaw(
        code="redundant",
        kind=kind,
        step=call.place,
        message=f"{call.step.name} could have been spared: {why}",
        evidence=quote(canonical(call.step.arguments)),
        confidence=confidence,
        repair="leave the call out",
    )
