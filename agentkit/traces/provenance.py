"""Which step rests on which: a value that step i was the first to say and step j uses makes j depend on i.

A result also depends on its call. What a wrong step spoilt is what can be reached from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agentkit.traces.calls import calls
from agentkit.traces.seen import Seen, said
from agentkit.traces.trace import Step, Trace

GIVEN = -1
"""The place of what was there before the first step: the task and the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Step ``step`` uses ``value``, which step ``source`` was the first to say. A result's link to its call has no value."""

    source: int
    step: int
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The links of a trace, in order of ``step``; steps are places in the trace, from 0."""

    links: tuple[Link, ...]

    @cached_property
    def _after(self) -> dict[int, list[Link]]:
        found: dict[int, list[Link]] = {}
        for link in self.links:
            found.setdefault(link.source, []).append(link)
        return found

    def sources(self, step: int) -> tuple[int, ...]:
        """The steps that ``step`` rests on directly, ascending."""
        return tuple(sorted({link.source for link in self.links if link.step == step}))

    def consequences(self, step: int) -> tuple[int, ...]:
        """All steps that rest on ``step``, directly or through others, ascending."""
        return tuple(sorted(self._paths(step)))

    def path(self, source: int, step: int) -> tuple[Link, ...]:
        """A shortest chain of links from ``source`` to ``step``; empty when ``step`` does not rest on it."""
        came = self._paths(source)
        chain: list[Link] = []
        while step in came:
            chain.append(came[step])
            step = came[step].source
        return tuple(reversed(chain))

    def _paths(self, source: int) -> dict[int, Link]:
        came: dict[int, Link] = {}
        waiting = deque([source])
        while waiting:
            for link in self._after.get(waiting.popleft(), ()):
                if link.step not in came:
                    came[link.step] = link
                    waiting.append(link.step)
        return came


def provenance(trace: Trace) -> Provenance:
    """Who said what first, and who uses it after: linear in the length of the trace but for very common values."""
    owners = {call.answer_place: call.place for call in calls(trace)}
    seen = Seen()
    seen.add(GIVEN, trace.task)
    seen.add(GIVEN, trace.policy)
    links: list[Link] = []
    for place, step in enumerate(trace.steps):
        if place in owners:
            links.append(Link(source=owners[place], step=place))
        links += _uses(step, place, seen)
        for part in parts(step):
            seen.add(place, part)
    return Provenance(links=tuple(links))


def parts(step: Step) -> Iterator[object]:
    """What a step says, piece by piece."""
    for part in (step.text, step.arguments, step.result, step.state):
        if part is not None and part != "":
            yield part


def _uses(step: Step, place: int, seen: Seen) -> Iterator[Link]:
    done: set[tuple[int, str]] = set()
    for part in parts(step):
        for value in said(part):
            source = seen.first(value)
            if source is not None and source >= 0 and (source, value) not in done:
                done.add((source, value))
                yield Link(source=source, step=place, value=value)
