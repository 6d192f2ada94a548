"""States that an agent comes back to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentkit.evaluators.planning.trajectory.claims import OUTSIDE
from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.evaluators.planning.trajectory.rows import judged, line_of, record_of, score_of
from agentkit.traces import Step, Trace
from agentkit.traces.calls import canonical
from agentkit.traces.turns import message_of
from agentkit.types import JSON, Record, Score

_SHORTEST = 25  # characters: thanks and greetings are said twice without harm


@dataclass(frozen=True, kw_only=True)
class RepeatedState:
    """Finds steps after which the world, or what the agent says, is as it was before; each with the length of the cycle.

    A row is ``{states: [...]}`` (plain data, one a step) or ``{messages}``: there the state is what a step states, or else
    the text of an agent's message, of at least 25 characters. ``times`` is how often a state may be seen before it is told. A
    state that comes back is waste where the way matters; it does not say that the run failed (in recorded plans it is
    as frequent in those that are valid).
    """

    times: int = 1

    async def evaluate(self, record: Record) -> Score:
        """The findings of a record whose output is a trace or messages; unscored where there is none."""
        return judged(record, "repeated_state", self.judge)

    def judge(self, trace: Trace) -> Score:
        """``evaluate`` for a trace; ``score`` is the share of states that were new."""
        states = list(_states(trace))
        flaws = list(self._flaws(trace, states))
        told = {"states": len(states), "repeated": len(flaws)}
        score = score_of(trace, flaws, evaluator="repeated_state", certain=0.0, metadata=told)
        return replace(score, value=1 - len(flaws) / len(states) if states else 1.0)

    def parse(self, row: JSON) -> Record:
        """The record of a row; raises ``InputError`` when it holds neither states nor messages."""
        if isinstance(row, Mapping) and isinstance(row.get("states"), list):
            steps = tuple(Step(kind="action", state=[state]) for state in row["states"])
            return Record(id=str(row.get("id", "")), output=Trace(task="", steps=steps))
        return record_of(row)

    def render(self, score: Score) -> dict[str, Any]:
        """A line of output, with how many ``states`` there were and how many had been there before."""
        return {**line_of(score), "states": score.metadata.get("states"), "repeated": score.metadata.get("repeated")}

    def _flaws(self, trace: Trace, states: list[tuple[int, str, str]]) -> Iterator[Flaw]:
        before: dict[str, list[int]] = {}
        for place, kind, state in states:
            earlier = before.setdefault(state, [])
            if len(earlier) >= self.times:
                yield _flaw(trace, place, kind, state, earlier)
            earlier.append(place)


def _states(trace: Trace) -> Iterator[tuple[int, str, str]]:
    """The place, kind and key of every state."""
    for place, step in enumerate(trace.steps):
        if step.state is not None:
            yield place, "state", canonical(["state", step.state])
        elif step.kind in ("message", "thought", "plan") and step.agent not in OUTSIDE and len(step.text) >= _SHORTEST:
            yield place, "message", canonical([step.agent, step.text.casefold()])


def _flaw(trace: Trace, place: int, kind: str, state: str, earlier: list[int]) -> Flaw:
    steps = [message_of(trace, one) for one in (*earlier, place)]
    what = "the state is" if kind == "state" else "the agent says"
    return Flaw(
        code="repeated_state",
        kind=kind,
        step=place,
        message=f"{what} the same as at step {steps[0]} ({len(steps)} times so far)",
        evidence=quote(state),
        confidence=1.0 if kind == "state" else 0.8,
        repair="take a step that was not tried from this state",
        more={"times": len(steps), "cycle": steps[-1] - steps[-2], "steps": steps},
    )
