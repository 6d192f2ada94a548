"""Whether an agent still works at what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from agentkit.errors import ConfigError
from agentkit.evaluators.planning.trajectory.claims import OUTSIDE
from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.evaluators.planning.trajectory.rows import judged, line_of, record_of, score_of
from agentkit.text import rarity, words
from agentkit.traces import Step, Trace
from agentkit.traces.calls import canonical
from agentkit.types import JSON, Record, Score

_COMMON = 0.5  # a word more frequent than this tells no topic
_FEWEST = 3  # telling words without which a step is about nothing in particular
_LONGEST = 4_000


class _Bearing(NamedTuple):
    """How much of what a step says bears on the task, 0 to 1; None where it says too little to tell."""

    place: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class GoalDrift:
    """Finds where an agent's steps stop having words in common with its task, or with what came of steps that did.

    This is a lexical sign and not a proof: it sees an agent that took up another matter, not one that does the right
    matter wrongly; how often it is right is in ``evals/planning``. A run of ``window`` steps each bearing on the task
    by less than ``threshold`` is a drift. ``score`` is the mean bearing of the steps.
    """

    threshold: float = 0.2
    window: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or self.window < 1:
            raise ConfigError("'threshold' must be between 0 and 1, and 'window' at least 1")

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored where there is none."""
        return judged(record, "goal_drift", self.judge)

    def judge(self, trace: Trace) -> Score:
        """``evaluate`` for a trace."""
        bearings = [one for one in _bearings(trace, self.threshold) if one.share is not None]
        shares = [one.share for one in bearings if one.share is not None]
        told = {"bearing": [round(share, 3) for share in shares]}
        score = score_of(trace, list(self._drifts(trace, bearings)), evaluator="goal_drift", certain=0.0, metadata=told)
        return replace(score, value=sum(shares) / len(shares) if shares else 1.0)

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds no messages."""
        return record_of(row)

    def render(self, score: Score) -> Mapping[str, Any]:
        """A line of output."""
        return line_of(score)

    def _drifts(self, trace: Trace, bearings: list[_Bearing]) -> Iterator[Flaw]:
        run: list[_Bearing] = []
        for one in [*bearings, _Bearing(len(trace.steps), 1.0)]:
            if one.share is not None and one.share < self.threshold:
                run.append(one)
                continue
            if len(run) >= self.window:
                yield _flaw(trace, run)
            run = []


def _flaw(trace: Trace, run: list[_Bearing]) -> Flaw:
    step = trace.steps[run[0].place]
    lowest = min(one.share or 0.0 for one in run)
    return Flaw(
        code="goal_drift",
        kind="off_topic",
        step=run[0].place,
        message=f"{len(run)} steps from here on have little in common with the task and with what came of it",
        evidence=quote(step.text or f"{step.name} {canonical(step.arguments)}"),
        confidence=min(0.7, 0.4 + 0.1 * len(run)),
        repair="read the task again and say which part of it the next step serves",
        more={"detector": "lexical", "steps": len(run), "bearing": round(lowest, 3)},
    )


def _bearings(trace: Trace, threshold: float) -> Iterator[_Bearing]:
    """The bearing of every step of an agent; the topic grows by what users say and by what came of steps that bear on it."""
    topic = _telling(trace.task)
    bears = True
    for place, step in enumerate(trace.steps):
        told = _telling(_text(step))
        if step.agent in ("user", "human"):
            topic |= told
        elif step.kind in ("result", "error"):
            topic |= told if bears else set()
        elif step.agent not in OUTSIDE:
            share = len(told & topic) / len(told) if len(told) >= _FEWEST else None
            bears = share is None or share >= threshold
            topic |= told if bears else set()
            yield _Bearing(place, share)


def _telling(text: str) -> set[str]:
    """The stems of the words that tell a topic, and the numbers and names."""
    found = [word for word in words(text[:_LONGEST]) if word.kind != "punctuation"]
    return {word.stem for word in found if word.kind == "number" or rarity(word.text) >= _COMMON}


def _text(step: Step) -> str:
    parts = [step.text, step.name.replace("_", " "), canonical(step.arguments) if step.arguments else ""]
    result = "" if step.result is None else step.result if isinstance(step.result, str) else canonical(step.result)
    return " ".join(part for part in (*parts, result) if part)
