"""Rules of order and policy as data: what a call must never, always, before, after, at most or only with consent be.

::

    - never: delete_account
    - never: {call: refund, where: arguments.amount > 100}
    - always: {call: cancel_order, where: 'facts[arguments.order_id].status == "pending"'}
    - before: {first: find_user, then: [get_order, cancel_*], same: [user_id]}
    - after: {call: charge, then: send_receipt}
    - at_most: {call: modify_items, times: 1, per: [order_id]}
    - requires_confirmation: [cancel_*, return_*]

Tools are named, with ``*`` for any ending, alone or as a list; any rule may say ``because``. Conditions are CEL: ``arguments``
of the call, ``tool``, ``results`` (the latest of each tool), ``facts`` (attributes by id, as results told them), ``said``
(the user's latest message).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from agentkit.errors import ConfigError, did_you_mean
from agentkit.evaluators.planning.trajectory.facts import Facts
from agentkit.evaluators.planning.trajectory.flaws import Flaw
from agentkit.expressions import Expression, parse
from agentkit.options import plainly
from agentkit.traces import Call, Trace, calls
from agentkit.traces.calls import canonical
from agentkit.types import JSON

_KINDS: Mapping[str, frozenset[str]] = {
    "never": frozenset({"call", "where"}),
    "always": frozenset({"call", "where"}),
    "before": frozenset({"first", "then", "same"}),
    "after": frozenset({"call", "then", "where"}),
    "at_most": frozenset({"call", "times", "per"}),
    "requires_confirmation": frozenset({"call", "where"}),
}
_NAMES = frozenset({"arguments", "tool", "results", "facts", "said"})
_YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|ok|okay|confirm(?:ed|s)?|i do|go ahead|proceed|please do|do it|correct|right|agree[ds]?"
    r"|absolutely|definitely|of course|sounds good|looks good|that works|perfect|approved?|fine"
    r"|да|конечно|подтверждаю|согласен|согласна)\b",
    re.IGNORECASE,
)
_NO = re.compile(r"\A\W*(?:no|nope|don't|do not|stop|wait|hold on|cancel that|not yet|нет)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, parsed: ``calls`` are the tools it speaks of, ``others`` those that must come before or after them."""

    kind: str
    calls: tuple[str, ...]
    others: tuple[str, ...] = ()
    where: Expression | None = None
    same: tuple[str, ...] = ()
    times: int = 1
    because: str = ""

    def concerns(self, name: str) -> bool:
        """Whether it speaks of the tool."""
        return _named(name, self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A call with what was known when it was made."""

    call: Call
    values: Mapping[str, JSON]
    asked: bool
    """Whether the agent had spoken between the user's latest message and the one before."""


def rules(data: JSON) -> tuple[Rule, ...]:
    """The rules of a list in the form above; raises ``ConfigError`` with the number of the rule and what is wrong with it."""
    found = data.get("rules") if isinstance(data, Mapping) and "rules" in data else data
    if not isinstance(found, list | tuple):
        raise ConfigError(f"rules must be a list like [{{never: delete_account}}], not {plainly(found)}")
    return tuple(_rule(one, number) for number, one in enumerate(found, 1))


def violations(trace: Trace, given: Sequence[Rule]) -> Iterator[Flaw]:
    """Every call against a rule; one that was refused is told apart by ``recovered``."""
    moments = list(_moments(trace)) if given else []
    for rule in given:
        yield from _CHECKS[rule.kind](rule, moments)


def _rule(one: JSON, number: int) -> Rule:
    if not isinstance(one, Mapping) or not (kinds := [key for key in one if key in _KINDS]):
        names = list(one) if isinstance(one, Mapping) else []
        hint = did_you_mean(str(names[0]), _KINDS) if names else ""
        raise ConfigError(f"rule {number} must have one of {', '.join(_KINDS)}{hint}")
    kind, because = str(kinds[0]), str(one.get("because", ""))
    stray = [str(key) for key in one if key not in (kind, "because")]
    body = one[kind] if isinstance(one[kind], Mapping) else {"then" if kind == "before" else "call": one[kind]}
    stray += [str(key) for key in body if key not in _KINDS[kind]]
    if stray:
        raise ConfigError(f"rule {number}: {kind} takes no {stray[0]!r}{did_you_mean(stray[0], _KINDS[kind])}")
    return _built(kind, body, because, number)


def _built(kind: str, body: Mapping[str, JSON], because: str, number: int) -> Rule:
    main, other = ("then", "first") if kind == "before" else ("call", "then")
    needs_other = kind in ("before", "after")
    if kind == "always" and "where" not in body:
        raise ConfigError(f"rule {number}: always needs 'where', a condition that every such call must meet")
    times = body.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise ConfigError(f"rule {number}: 'times' must be a whole number from 0, not {plainly(times)}")
    return Rule(
        kind=kind,
        calls=_tools(body.get(main), f"rule {number}: {kind}: {main}"),
        others=_tools(body.get(other), f"rule {number}: {kind}: {other}") if needs_other else (),
        where=_condition(body["where"], number) if "where" in body else None,
        same=_words(body.get("same", body.get("per", ())), number),
        times=times,
        because=because,
    )


def _tools(value: JSON, where: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) and one for one in names):
        raise ConfigError(f"{where} must name a tool or a list of tools, not {plainly(value)}")
    return tuple(names)


def _words(value: JSON, number: int) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise ConfigError(f"rule {number}: 'same' and 'per' name arguments, like [order_id]")
    return tuple(names)


def _condition(value: JSON, number: int) -> Expression:
    if not isinstance(value, str):
        raise ConfigError(
            f"rule {number}: 'where' must be a condition, like arguments.amount > 100, not {plainly(value)}"
        )
    try:
        found = parse(value)
    except ConfigError as error:
        raise ConfigError(f"rule {number}: {error}") from None
    for use in found.uses:
        if use.root not in _NAMES:
            raise ConfigError(
                f"rule {number}: there is no {use.root!r} in a condition{did_you_mean(use.root, _NAMES)} "
                f"(there are: {', '.join(sorted(_NAMES))})"
            )
    return found


def _moments(trace: Trace) -> Iterator[_Moment]:
    """Every call in order, with the results, the facts and the words of the user up to it."""
    facts, results = Facts(), dict[str, JSON]()
    made = {call.place: call for call in calls(trace)}
    owners = {call.answer_place: call.step.name for call in made.values()}
    said, asked, spoke = "", False, False
    for place, step in enumerate(trace.steps):
        if step.kind == "result":
            facts.learn(place, step.result)
            results[owners.get(place) or step.name] = step.result
        elif place in made:
            told = {"arguments": dict(step.arguments or {}), "tool": step.name, "said": said}
            yield _Moment(
                call=made[place], values={**told, "results": dict(results), "facts": facts.plain()}, asked=asked
            )
        elif step.agent in ("user", "human"):
            said, asked, spoke = step.text, spoke, False
        elif step.agent != "system" and step.text:
            spoke = True


def _holds(condition: Expression, moment: _Moment) -> bool | None:
    """Whether a condition holds; None when what it speaks of is not known at that moment."""
    try:
        value = condition.evaluate(moment.values)
    except ConfigError:
        return None
    return value if isinstance(value, bool) else None


def _meets(rule: Rule, moment: _Moment) -> bool:
    return rule.concerns(moment.call.step.name) and (rule.where is None or _holds(rule.where, moment) is True)


def _never(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    for moment in moments:
        if _meets(rule, moment):
            when = f" where {rule.where.source}" if rule.where else ""
            yield _flaw(rule, moment, f"{moment.call.step.name} must never be called{when}", "do not make this call")


def _always(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    for moment in moments:
        if rule.where is None or not rule.concerns(moment.call.step.name):
            continue
        holds = _holds(rule.where, moment)
        name, source = moment.call.step.name, rule.where.source
        if holds is False:
            yield _flaw(rule, moment, f"{name} may only be called where {source}", f"make sure that {source}")
        elif holds is None:
            about = f"{name} may only be called where {source}, and nothing before it tells whether that is so"
            yield _flaw(rule, moment, about, f"find out whether {source}", confidence=0.7, unknown=True)


def _before(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    done: set[str] = set()
    for moment in moments:
        name = moment.call.step.name
        if rule.concerns(name) and not _named(name, rule.others) and _same(rule, moment) not in done:
            first = " or ".join(rule.others)
            alike = f" for the same {', '.join(rule.same)}" if rule.same else ""
            yield _flaw(rule, moment, f"{name} is called before {first}{alike}", f"call {first} first")
        if _named(name, rule.others) and not moment.call.failed:
            done.add(_same(rule, moment))


def _after(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    for place, moment in enumerate(moments):
        later = (one.call.step.name for one in moments[place + 1 :])
        if _meets(rule, moment) and not moment.call.failed and not any(_named(name, rule.others) for name in later):
            wanted = " or ".join(rule.others)
            yield _flaw(rule, moment, f"{moment.call.step.name} is not followed by {wanted}", f"call {wanted} after it")


def _at_most(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    counts: dict[str, int] = {}
    for moment in moments:
        if not rule.concerns(moment.call.step.name) or moment.call.failed:
            continue
        key = _same(rule, moment)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] > rule.times:
            alike = f" for the same {', '.join(rule.same)}" if rule.same else ""
            about = f"{moment.call.step.name} may be called at most {rule.times} times{alike}, and this is call {counts[key]}"
            yield _flaw(rule, moment, about, "gather what is to be done into the calls that are allowed")


def _confirmed(rule: Rule, moments: Sequence[_Moment]) -> Iterator[Flaw]:
    """The user's latest message must say yes to something that the agent said just before it."""
    for moment in moments:
        said = str(moment.values["said"])
        if _meets(rule, moment) and not (moment.asked and _YES.search(said) and not _NO.match(said)):
            about = f"{moment.call.step.name} is called though the user has not said yes to it"
            yield _flaw(rule, moment, about, "say what will be done and wait for a yes", evidence=said, confidence=0.8)


def _flaw(
    rule: Rule,
    moment: _Moment,
    message: str,
    repair: str,
    *,
    evidence: str = "",
    confidence: float = 1.0,
    unknown: bool = False,
) -> Flaw:
    step = moment.call.step
    return Flaw(
        code="constraint_violation",
        kind=f"{rule.kind}_unknown" if unknown else rule.kind,
        step=moment.call.place,
        message=f"{message}: {rule.because}" if rule.because else message,
        evidence=evidence or f"{step.name} {canonical(step.arguments)}",
        confidence=confidence,
        repair=repair,
        more={"rule": rule.kind},
    )


def _same(rule: Rule, moment: _Moment) -> str:
    arguments: Any = moment.call.step.arguments or {}
    return canonical([arguments.get(name) for name in rule.same])


def _named(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


_CHECKS = {
    "never": _never,
    "always": _always,
    "before": _before,
    "after": _after,
    "at_most": _at_most,
    "requires_confirmation": _confirmed,
}
