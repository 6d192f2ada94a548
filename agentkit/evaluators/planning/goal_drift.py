"""Whether an agent still works at what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from agentkit.errors import ConfigError
from agentkit.evaluators.planning.trajectory.claims import OUTSIDE
from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.evaluators.planning.trajectory.rows import judged, line_of, record_of, score_of
from agentkit.text import Word, rarity, words
from agentkit.traces import Step, Trace
from agentkit.traces.calls import canonical
from agentkit.types import JSON, Record, Score

_COMMON = 0.5  # a word more frequent than this tells no topic
_NAMING = 1.5  # the weight of ids, names with digits and long numbers, which tell more than the rarest word
_LEAST = 3.0  # the weight of words without which a step is about nothing in particular
_BEARS = 0.2  # the share from which what comes of a step belongs to the task
_BEFORE = 2  # steps without which there is nothing to fall from
_LONGEST = 4_000


class _Bearing(NamedTuple):
    """How much of what a step says bears on the task, 0 to 1."""

    place: int
    share: float


@dataclass(frozen=True, kw_only=True)
class GoalDrift:
    """Finds where an agent's steps stop having words in common with its task, with what users said, or with what came of
    steps that did. Words weigh by how rare they are, ids and numbers most; an agent's own words give it no licence.

    This is a lexical sign and not a proof: it sees an agent that took up another matter, not one that does the right
    matter wrongly; how often it is right is in ``evals/planning/trajectories``. ``window`` steps in a row, each bearing
    on the task by less than the part ``drop`` of what the steps before them did on average, are a drift. ``score`` is the
    lowest mean bearing of so many steps in a row.
    """

    drop: float = 0.5
    window: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.drop < 1 or self.window < 1:
            raise ConfigError("'drop' must be between 0 and 1, and 'window' at least 1")

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored where there is none."""
        return judged(record, "goal_drift", self.judge)

    def judge(self, trace: Trace) -> Score:
        """``evaluate`` for a trace."""
        bearings = list(_bearings(trace))
        shares = [one.share for one in bearings]
        told = {"bearing": [round(share, 3) for share in shares]}
        score = score_of(trace, list(self._drifts(trace, bearings)), evaluator="goal_drift", certain=0.0, metadata=told)
        return replace(score, value=_lowest(shares, self.window))

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds no messages."""
        return record_of(row)

    def render(self, score: Score) -> Mapping[str, Any]:
        """A line of output."""
        return line_of(score)

    def _drifts(self, trace: Trace, bearings: Sequence[_Bearing]) -> Iterator[Flaw]:
        end = 0
        for start in range(_BEFORE, len(bearings) - self.window + 1):
            usual = sum(one.share for one in bearings[:start]) / start
            run = bearings[start : start + self.window]
            if all(one.share < self.drop * usual for one in run):
                if start > end:
                    yield _flaw(trace, run, usual)
                end = start + 1


def _flaw(trace: Trace, run: Sequence[_Bearing], usual: float) -> Flaw:
    step = trace.steps[run[0].place]
    now = sum(one.share for one in run) / len(run)
    return Flaw(
        code="goal_drift",
        kind="off_topic",
        step=run[0].place,
        message=f"from here on the steps have little in common with the task and what came of it: {now:.0%} of the weight of "
        f"their words, after {usual:.0%} before",
        evidence=quote(step.text or f"{step.name} {canonical(step.arguments)}"),
        confidence=0.6,
        repair="read the task again and say which part of it the next step serves",
        more={"detector": "lexical", "bearing": round(now, 3), "before": round(usual, 3)},
    )


def _lowest(shares: Sequence[float], window: int) -> float:
    """The lowest mean of ``window`` neighbours, or of all where there are fewer; 1 where there are none."""
    size = min(window, len(shares))
    means = [sum(shares[start : start + size]) / size for start in range(len(shares) - size + 1)] if size else []
    return min(1.0, min(means, default=1.0))


def _bearings(trace: Trace) -> Iterator[_Bearing]:
    """The bearing of every step of an agent that says enough; users and the results of steps that bear on it widen the topic."""
    topic = set(_telling(trace.task))
    bears = True
    for place, step in enumerate(trace.steps):
        told = _telling(_text(step))
        if step.agent in ("user", "human") or (step.kind in ("result", "error") and bears):
            topic |= told.keys()
        elif step.kind not in ("result", "error") and step.agent not in OUTSIDE:
            whole = sum(told.values())
            share = sum(weight for stem, weight in told.items() if stem in topic) / whole if whole >= _LEAST else 1.0
            bears = share >= _BEARS
            if whole >= _LEAST:
                yield _Bearing(place, share)


def _telling(text: str) -> dict[str, float]:
    """The stems of the words that tell a topic, with their weights."""
    found = {word.stem: _weight(word) for word in words(text[:_LONGEST], "en")}
    return {stem: weight for stem, weight in found.items() if weight >= _COMMON}


def _weight(word: Word) -> float:
    if word.kind == "punctuation" or (word.kind == "number" and len(word.text) <= 2):
        return 0.0
    return _NAMING if any(letter.isdecimal() for letter in word.text) else rarity(word.text)


def _text(step: Step) -> str:
    parts = [step.text, step.name.replace("_", " "), canonical(step.arguments) if step.arguments else ""]
    result = "" if step.result is None else step.result if isinstance(step.result, str) else canonical(step.result)
    return " ".join(part for part in (*parts, result) if part)
