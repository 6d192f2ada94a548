"""Counts that an agent states against what a result lists: ``11 available options`` where ten are available."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agentkit.evaluators.planning.trajectory.claims import OUTSIDE, line_at, mentioned
from agentkit.evaluators.planning.trajectory.facts import identity, listings
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.traces import Trace
from agentkit.traces.turns import message_of
from agentkit.traces.values import leaves, tokens
from agentkit.types import JSON

_COUNT = re.compile(
    r"(?<![\w.,$#/-])(?P<number>\d{1,4}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[ \t]+"
    r"(?P<words>(?:[a-z][\w-]*[ \t]+){0,3}[a-z][\w-]*)",
    re.IGNORECASE,
)
_WORDS = "two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {name: number for number, name in enumerate(_WORDS.split(), 2)}


class _Told(NamedTuple):
    """A result and the step that gave it."""

    step: int
    result: JSON


def miscounted(trace: Trace) -> Iterator[Flaw]:
    """Every count that differs from the latest result, or from the latest of the thing that its line names."""
    latest: _Told | None = None
    by_thing: dict[str, _Told] = {}
    for place, step in enumerate(trace.steps):
        if step.kind == "result":
            latest = _Told(place, step.result)
            if isinstance(step.result, Mapping) and (named := identity(step.result)):
                by_thing[named[1]] = latest
        elif step.text and latest is not None and step.agent not in OUTSIDE:
            yield from _of_text(trace, place, latest, by_thing)


def _of_text(trace: Trace, place: int, latest: _Told, by_thing: Mapping[str, _Told]) -> Iterator[Flaw]:
    text = trace.steps[place].text
    for found in _COUNT.finditer(text):
        number = _NUMBERS.get(found["number"].casefold()) or int("0" + re.sub(r"\D", "", found["number"]))
        line = line_at(text, found.start())
        things = mentioned(line, by_thing)
        told = by_thing[things[0]] if len(things) == 1 else latest
        counts = _counts(told.result, tokens(found["words"]), line) if len(things) <= 1 else {}
        if number > 1 and counts and number not in counts:
            yield _flaw(trace, place, found[0], number, next(iter(counts.items())), told)


def _flaw(trace: Trace, place: int, words: str, number: int, counted: tuple[int, str], told: _Told) -> Flaw:
    step = message_of(trace, told.step)
    return Flaw(
        code="result_contradicted",
        kind="count",
        step=place,
        message=f"the agent counts {number}, but {counted[1]} at step {step}",
        evidence=words,
        confidence=0.8,
        repair=f"count again what the result at step {step} lists: {counted[0]}",
        values=(str(number),),
        more={"stated": number, "told": counted[0], "says": step},
    )


def _counts(result: JSON, words: Sequence[str], line: str) -> dict[int, str]:
    """How many there may be meant, and why: the members of a collection that the words name, or those that are so."""
    groups = [(name, members) for name, members in listings(result) if not _filtered(members, line)]
    return {count: why for name, members in groups for count, why in _counted(name, members, words)}


def _counted(name: str, members: Sequence[Mapping[str, JSON]], words: Sequence[str]) -> Iterator[tuple[int, str]]:
    flags = [key for key in members[0] if all(isinstance(one.get(key), bool) for one in members)]
    meant = [flag for flag in flags if set(tokens(flag)) <= set(words)]
    for flag in meant:
        count = sum(one[flag] is True for one in members)
        yield count, f"{count} of the {len(members)} {name or 'entries'} are {flag}"
    named = tokens(name)
    if named and not meant and named in (list(words[: len(named)]), list(words[1 : len(named) + 1])):
        yield len(members), f"there are {len(members)} {name}"


def _filtered(members: Sequence[Mapping[str, JSON]], line: str) -> bool:
    """Whether the line names a property of some members, so that it counts those alone: ``two red ones``."""
    said = f" {' '.join(tokens(line))} "
    texts = {value for one in members for _, value in leaves(one) if isinstance(value, str)}
    return any(f" {' '.join(tokens(text))} " in said for text in texts if tokens(text))
