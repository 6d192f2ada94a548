"""What an agent says or asks against what a tool told it: attributes of things, and parts that belong to another thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentkit.evaluators.planning.trajectory.claims import OUTSIDE, lines, mentioned
from agentkit.evaluators.planning.trajectory.facts import Fact, Facts
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.traces import Step, Trace, calls
from agentkit.traces.turns import message_of
from agentkit.traces.values import leaves, tokens
from agentkit.types import JSON

_OPEN = re.compile(
    r"\?|\b(?:if|would|could|can|may|might|should|want|wish|like to|going to|will|shall|change[ds]?|chang\w+ (?:to|from)|"
    r"update\w*|upgrad\w+|downgrad\w+|switch\w*|exchang\w+|modif\w+|replac\w+|not|n't|cannot|unless|only|other than|instead|"
    r"options?|either|or|previous\w*|original\w*|was|were|please|confirm)\b",
    re.IGNORECASE,
)


_SETTING = re.compile(
    r"(?:^|_|(?<=[a-z])(?=[A-Z]))(?:update|modify|set|change|edit|create|add|put|patch|upgrade|downgrade|book|move|transfer|assign"
    r"|exchange|replace|rename|write|save|new|search|find|list|filter|query)",
    re.IGNORECASE,
)
_OWNER = re.compile(r"^(?:user|customer|client|owner|account|member|patient|employee|seller|buyer)_?id$", re.IGNORECASE)


class _Claim(NamedTuple):
    """A line of an agent's message and the things it is about; ``open`` when it asks, plans or tells of changes."""

    text: str
    things: tuple[str, ...]
    open: bool


def contradicted(trace: Trace) -> Iterator[Flaw]:
    """Every statement and argument that a result before it speaks against; later results take the place of earlier ones."""
    facts = Facts()
    made = {call.place: call for call in calls(trace)}
    for place, step in enumerate(trace.steps):
        if place in made and step.kind == "call":
            yield from _of_parts(trace, place, step, facts)
            yield from _of_values(trace, place, step, facts)
        if step.kind == "result":
            facts.learn(place, step.result)
        elif step.text and step.agent not in OUTSIDE:
            yield from _of_text(trace, place, step.text, facts)


def _of_parts(trace: Trace, place: int, step: Step, facts: Facts) -> Iterator[Flaw]:
    """A part asked for in a thing that does not hold it, while another one does."""
    arguments = step.arguments or {}
    known = [str(value) for _, value in leaves(arguments) if str(value) in facts.parts]
    for path, value in leaves(arguments):
        key, part = _part(path), str(value)
        held = [thing for thing in known if key in facts.parts[thing] and thing != part]
        owners = facts.owners(key, part)
        if not held or not owners or set(held) & set(owners) or facts.shared(key, part):
            continue
        yield Flaw(
            code="result_contradicted",
            kind="argument",
            step=place,
            message=f"{step.name} is asked for {part} in {held[0]}, but it belongs to {owners[0]}",
            evidence=f"{path}: {part}",
            confidence=0.75,
            repair=f"ask for {part} in {owners[0]}, or for a part that {held[0]} holds",
            values=(part,),
            more={"argument": path, "value": part, "says": message_of(trace, _said_at(facts, owners[0], place))},
        )


def _of_values(trace: Trace, place: int, step: Step, facts: Facts) -> Iterator[Flaw]:
    """An argument beside the id of a thing that gives an attribute of it another value, where the call does not set it.

    Owners (``user_id``) are set by hardly any tool, other attributes by those whose names say so.
    """
    arguments = step.arguments or {}
    things = [str(value) for value in arguments.values() if isinstance(value, str | int) and str(value) in facts.things]
    if len(things) > 2:
        return
    sets = bool(_SETTING.search(step.name))
    for thing in things:
        for name, value in arguments.items():
            fact = facts.value(thing, name)
            if fact is None or str(value) == thing or (sets and not _OWNER.search(name)) or _alike(value, fact.value):
                continue
            says = message_of(trace, fact.step)
            yield Flaw(
                code="result_contradicted",
                kind="argument",
                step=place,
                message=f"{step.name} is called for {thing} with {name} = {value!r}, but the result at step {says} "
                f"has {fact.value!r}",
                evidence=f"{name}: {value}",
                confidence=0.7,
                repair=f"go by the result at step {says}: {name} of {thing} is {fact.value!r}",
                values=(str(value),),
                more={"argument": name, "value": value, "told": fact.value, "says": says},
            )


def _alike(value: JSON, told: JSON) -> bool:
    """Whether two values are the same, or of kinds that cannot be held against each other."""
    if isinstance(value, int | float) and isinstance(told, int | float):
        return bool(value == told)
    return type(value) is not type(told) or tokens(str(value)) == tokens(str(told))


def _of_text(trace: Trace, place: int, text: str, facts: Facts) -> Iterator[Flaw]:
    """A line about one thing that gives an attribute another value than the results do, one seen of other things."""
    for claim in _claims(text, facts):
        if len(claim.things) != 1 or claim.open:
            continue
        thing, said = claim.things[0], f" {' '.join(tokens(claim.text))} "
        for name, fact in facts.things[thing].items():
            if not isinstance(fact.value, str) or fact.value not in facts.domains.get(name, ()):
                continue
            stated = [value for value in facts.domains[name] if f" {' '.join(tokens(value))} " in said]
            if stated and not _says(said, fact.value) and _names(said, name, stated):
                yield _contradiction(trace, place, thing, name, stated[0], fact, claim.text)


def _contradiction(trace: Trace, place: int, thing: str, name: str, stated: str, fact: Fact, line: str) -> Flaw:
    step = message_of(trace, fact.step)
    return Flaw(
        code="result_contradicted",
        kind="statement",
        step=place,
        message=f"the agent says {stated!r} of {thing}, but its {name} is {fact.value!r} by the result at step {step}",
        evidence=line,
        confidence=0.7,
        repair=f"go by the result at step {step}: {name} of {thing} is {fact.value!r}",
        values=(thing,),
        more={"thing": thing, "attribute": name, "stated": stated, "told": fact.value, "says": step},
    )


def _claims(text: str, facts: Facts) -> Iterator[_Claim]:
    """The lines of a text; a line of a list without a thing of its own is about the one named last before it."""
    current: tuple[str, ...] = ()
    is_open = False
    for line in lines(text):
        things = mentioned(line, facts.things)
        listed = line.lstrip()[:1] in "-*•" or line[:1].isspace()
        current = things or (current if listed else ())
        is_open = bool(_OPEN.search(line)) or (is_open and not things and listed)
        yield _Claim(line, current, is_open)


def _says(said: str, value: str) -> bool:
    return f" {' '.join(tokens(value))} " in said


def _names(said: str, attribute: str, stated: Sequence[str]) -> bool:
    """Whether the line is about the attribute: it names it, or says just one of its values."""
    last = tokens(attribute.rpartition(".")[2])
    return len(stated) == 1 and (
        any(f" {word} " in said for word in last) or len(tokens(stated[0])) > 1 or len(stated[0]) > 6
    )


def _part(path: str) -> str:
    """The key that an argument is about: ``item_ids[2]`` is about item_id."""
    name = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
    return name[:-1] if name.endswith("ids") else name


def _said_at(facts: Facts, thing: str, fallback: int) -> int:
    known = facts.things.get(thing, {})
    return max((fact.step for fact in known.values()), default=fallback)
