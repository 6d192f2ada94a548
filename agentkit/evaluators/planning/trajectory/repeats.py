"""Calls that bring nothing new: the same tool, arguments and result as before, loops of such, failures tried again unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentkit.evaluators.planning.trajectory.flaws import Flaw, quote
from agentkit.traces import Call, Trace, calls
from agentkit.traces.calls import canonical
from agentkit.traces.turns import message_of


class _Made(NamedTuple):
    call: Call
    asked: str
    back: str


def repeated(trace: Trace) -> Iterator[Flaw]:
    """A flaw a repetition, from the second time on; ``more`` has how often so far, at which steps, and the length of the cycle.

    A call that was answered otherwise than before brought something new and is none.
    """
    made = [_made(call) for call in calls(trace)]
    before: dict[str, list[int]] = {}
    for place, one in enumerate(made):
        same = [other for other in before.get(one.asked, ()) if made[other].back == one.back]
        if same:
            yield _flaw(trace, made, [*same, place])
        before.setdefault(one.asked, []).append(place)


def _made(call: Call) -> _Made:
    step = call.step
    asked = canonical([step.name, step.metadata.get("raw") if step.arguments is None else step.arguments])
    answer = call.answer
    back = "" if answer is None else canonical(answer.result if answer.result is not None else answer.text)
    return _Made(call, asked, back)


def _flaw(trace: Trace, made: Sequence[_Made], places: Sequence[int]) -> Flaw:
    first, last = made[places[0]].call, made[places[-1]].call
    cycle = places[-1] - places[-2]
    failed = last.failed
    again = "after it failed, unchanged" if failed else "and nothing new comes of it"
    times = f"for the {_ordinal(len(places))} time"
    return Flaw(
        code="repeated_call",
        kind="failed_again" if failed else "nothing_new" if last.answer is not None else "unanswered",
        step=last.place,
        message=f"{last.step.name} is called {times} with the same arguments {again} (first at step "
        f"{message_of(trace, first.place)})",
        evidence=quote(made[places[-1]].asked),
        confidence=_sureness(last, len(places)),
        repair="change what was wrong with the call before making it again"
        if failed
        else "use the result that is there",
        values=(made[places[-1]].asked,),
        more={
            "times": len(places),
            "cycle": cycle,
            "steps": [message_of(trace, made[place].call.place) for place in places],
            "looping": _looping(made, places[-1], cycle),
        },
    )


def _sureness(call: Call, times: int) -> float:
    if call.answer is None:
        return 0.5
    return min(0.99, (0.95 if call.failed else 0.85) + 0.02 * (times - 2))


def _looping(made: Sequence[_Made], place: int, cycle: int) -> bool:
    """Whether all calls since the last time repeat those of the cycle before, each with the same result."""
    if place + 1 < 2 * cycle:
        return False
    return all(made[place - back][1:] == made[place - cycle - back][1:] for back in range(cycle))


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
