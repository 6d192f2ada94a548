"""What an agent said without support, and what it built on that later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.groundedness import Encoding, Groundedness
from agentkit.evaluators.planning.trajectory.claims import OUTSIDE
from agentkit.evaluators.planning.trajectory.rows import judged, record_of
from agentkit.text import rarity, words
from agentkit.traces import Provenance, Step, Trace, provenance
from agentkit.traces.provenance import GIVEN, parts
from agentkit.traces.seen import Seen, said
from agentkit.traces.turns import message_of
from agentkit.types import JSON, Document, Finding, Record, Score

VERSION = "1"
_COMMON = 0.3  # a word more frequent than this tells no origin
_NUMBER = re.compile(r"[$€£]?(\d[\d,]*(?:\.\d+)?)%?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """A claim of step ``place`` that nothing before it supports, and the ``values`` that it was the first to say."""

    place: int
    claim: Finding
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnsupportedPropagation:
    """Finds the statements of an agent that nothing before them supports, and the steps that rest on them.

    A statement is checked as ``groundedness`` does against the task, the policy, the record's documents, and all that users
    said and tools gave before it. It counts when it is not supported and is the first to say some value (a number,
    a date, an id, a name): such a value came from nowhere. A later step rests on it that uses the value, or what came of a step
    that does. ``threshold`` and ``encoder`` are those of ``groundedness``.

    ``score`` is the share of the agent's steps that are neither unsupported nor rest on one that is. A finding has the step, the
    claim with its offsets into the step's text, and ``metadata`` with ``values``, ``consequences`` and ``rests_on``.
    """

    threshold: float = 0.5
    encoder: Encoding = "auto"

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"unsupported_propagation: threshold must be between 0 and 1, not {self.threshold}")

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored where there is none."""
        return judged(record, "unsupported_propagation", lambda trace: self.judge(trace, record.documents))

    def judge(self, trace: Trace, documents: Sequence[Document] = ()) -> Score:
        """``evaluate`` for a trace."""
        told = [*(one.text for one in documents), trace.policy]
        trace = replace(trace, policy="\n\n".join(text for text in told if text))
        own = [place for place, step in enumerate(trace.steps) if _agents(step)]
        if not own:
            return Score(
                value=None,
                status="unscored",
                reason="no step of the trace is an agent's",
                evaluator="unsupported_propagation",
                version=VERSION,
            )
        graph = provenance(trace)
        found = [(one, _resting(one, graph)) for one in self._unsupported(trace)]
        unsupported, resting = {one.place for one, _ in found}, set[int]().union(*(after for _, after in found))
        spoilt = (unsupported | resting) & set(own)
        return Score(
            value=1 - len(spoilt) / len(own),
            label="unsupported" if found else "supported",
            findings=tuple(_finding(trace, one, after, found) for one, after in found),
            evaluator="unsupported_propagation",
            version=VERSION,
            metadata={
                "steps": len(own),
                "unsupported": [message_of(trace, place) for place in sorted(unsupported)],
                "resting": [message_of(trace, place) for place in sorted(resting)],
            },
        )

    def parse(self, row: JSON) -> Record:
        """The record of a row with messages, and ``documents`` where it has them; raises ``InputError`` without messages."""
        given = row.get("documents") if isinstance(row, Mapping) else None
        texts = [
            one if isinstance(one, str) else one.get("text", "") for one in given or () if isinstance(one, str | dict)
        ]
        return replace(record_of(row), documents=tuple(Document(text=text) for text in texts if isinstance(text, str)))

    def render(self, score: Score) -> Mapping[str, Any]:
        """A line of output."""
        return {
            "status": score.status,
            "score": score.value,
            "label": score.label,
            "unsupported": score.metadata.get("unsupported", []),
            "resting": score.metadata.get("resting", []),
            "findings": [_plain(one) for one in score.findings],
            "reason": score.reason,
            "evaluator": score.evaluator,
            "version": score.version,
        }

    def _unsupported(self, trace: Trace) -> Iterator[_Statement]:
        judge = Groundedness(threshold=self.threshold, encoder=self.encoder)
        sources, seen = [text for text in (trace.task, trace.policy) if text.strip()], Seen()
        for text in sources:
            seen.add(GIVEN, text)
        for place, step in enumerate(trace.steps):
            if _states(step):
                score = judge.check(step.text, [Document(text=text) for text in sources])
                for claim in score.findings:
                    if claim.code != "claim" or claim.kind == "supported":
                        continue
                    if values := _new(claim.text, seen):
                        yield _Statement(place=place, claim=claim, values=values)
            for part in parts(step):
                seen.add(place, part)
                if not _agents(step):
                    sources += [text for text in _texts(part) if text.strip()]


def _new(claim: str, seen: Seen) -> tuple[str, ...]:
    """The values that a claim is the first to say: not the claim as a whole, a label, or what follows from what was said."""
    plain = claim.replace("*", "")
    values = dict.fromkeys(one for one in said(plain) if one.strip(" .!?") != plain.strip(" .!?"))
    return tuple(one for one in values if f"{one}:" not in plain and not _known(one, seen))


def _known(value: str, seen: Seen) -> bool:
    """Whether a value was said, word by word at least, or is a number that can be computed from numbers that were."""
    if seen.first(value) is not None:
        return True
    number = _NUMBER.fullmatch(value)
    if number is not None:
        return seen.derivable(float(number[1].replace(",", "")))
    told = [word.text for word in words(value) if word.kind != "punctuation" and rarity(word.text) >= _COMMON]
    return bool(told) and all(seen.first(one) is not None for one in told)


def _agents(step: Step) -> bool:
    return step.kind not in ("result", "error") and step.agent not in OUTSIDE


def _states(step: Step) -> bool:
    """Whether a step tells something: thoughts and plans only mean to, and calls are judged by ``tool_calls``."""
    return _agents(step) and step.kind == "message" and bool(step.text.strip())


def _texts(part: object) -> Iterator[str]:
    """The words of a result, however deep they stand, each with the name it stands under."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from (f"{name}: {text}" for text in _texts(value))
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
    elif part is not None:
        yield str(part)


def _resting(statement: _Statement, graph: Provenance) -> frozenset[int]:
    """The later steps that use a value of the statement, and those that rest on these."""
    users = {link.step for link in graph.links if link.source == statement.place and link.value in statement.values}
    return frozenset(users.union(*(graph.consequences(one) for one in users)))


def _finding(
    trace: Trace, one: _Statement, resting: frozenset[int], found: Sequence[tuple[_Statement, frozenset[int]]]
) -> Finding:
    after = sorted(message_of(trace, place) for place in resting)
    before = sorted({message_of(trace, other.place) for other, spoilt in found if one.place in spoilt})
    follows = f"; steps {', '.join(map(str, after))} rest on it" if after else ""
    return replace(
        one.claim,
        code="unsupported_statement",
        step=message_of(trace, one.place),
        agent=trace.steps[one.place].agent,
        message=f"nothing before it says {', '.join(one.values)}{follows}",
        evidence=None,
        metadata={"values": list(one.values), "consequences": after, "rests_on": before},
    )


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "kind": finding.kind,
        "step": finding.step,
        "agent": finding.agent,
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "reason": finding.message,
        "confidence": round(finding.confidence, 4),
        **finding.metadata,
    }
