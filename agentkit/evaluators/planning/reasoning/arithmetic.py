"""Sums done in steps: ``A = (3 - 5) = -2, B = ..., A * B = ...`` for one long expression, checked with exact rationals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading
from agentkit.evaluators.planning.reasoning.equalities import Line, equal, lines, pairs, written
from agentkit.evaluators.planning.reasoning.expressions import Term
from agentkit.evaluators.planning.reasoning.lexer import Token, figured, spoken, tokens

FAMILY = "arithmetic"
_NAMED = re.compile(
    r"(?<![\w'’])([A-Za-z])(?=\s*(?:[-+*/×·⋅∗÷−]|:?=|≔|->|→|(?:is|be|being|equals|denotes|stands|represents|becomes|as|for)\b|[:,.]?\s*$))"
    r"|(?:(?<=[-+*/×·⋅∗÷−=(])|(?<=[-+*/×·⋅∗÷−=(] )|(?<=times )|(?<=plus )|(?<=minus )|(?<=where )|(?<=let ))([A-Za-z])(?!\w)",
    re.I,
)
_CAPITAL = re.compile(r"(?<![\w'’])[A-Z](?![\w'’])")
_MOST_WORDS = 14
_LEAST_OPERATIONS = 2


@dataclass(slots=True)
class _Work:
    """The sum to do, what its letters stand for, and the values found so far."""

    goal: Fraction
    notes: Notes
    meant: dict[str, Fraction] = field(default_factory=dict)
    values: dict[str, Fraction | None] = field(default_factory=dict)
    formula: str = ""
    formula_names: frozenset[str] = frozenset()
    result: Fraction | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    place: int
    text: str
    found: Sequence[Token]

    def written(self, term: Term) -> str:
        return written(self.text, self.found, term)


def check(chain: Chain) -> Reading | None:
    """Every equality of the chain, what its letters stand for, and whether the last one answers the question."""
    goal = goal_of(chain.question)
    if goal is None:
        return None
    names = _names(chain.plain)
    work = _Work(goal, Notes(FAMILY), values=dict.fromkeys(names))
    for place, text in enumerate(spoken(figured(step)) for step in chain.plain):
        step = _Step(place, text, tokens(text, names))
        _read(step, _owned(step.found, list(lines(step.found, work.values, free=True))), work)
    _conclude(chain, work)
    return work.notes.reading()


def goal_of(question: str) -> Fraction | None:
    """The value of the one expression that a question is about; None when it is about something else."""
    text = question.split("\n\n")[-1]
    found = tokens(text)
    if sum(token.kind == "word" for token in found) > _MOST_WORDS:
        return None
    terms = [term for line in lines(found, {}, free=False) for term in line.terms[:1]]
    best = max(terms, key=lambda term: term.operations, default=None)
    if best is None or best.operations < _LEAST_OPERATIONS:
        return None
    return best.value


def _names(steps: Sequence[str]) -> frozenset[str]:
    """The letters that stand for a value: they stand beside a sign or an equality, or come again and again."""
    found = {letter for step in steps for pair in _NAMED.findall(step) for letter in pair if letter}
    counts = Counter(letter for step in steps for letter in _CAPITAL.findall(step))
    found |= {letter for letter, count in counts.items() if count > 1}
    articles = {"x", "X", "I", "s"} | (set() if "b" in found else {"a"})
    return frozenset(found - articles)


def _owned(found: Sequence[Token], runs: Sequence[Line]) -> list[Line]:
    """Runs put together where words join them: ``A: 3 - 5, which is -2``; ``call (3 - 5) A``; ``that becomes -2``."""
    joined: list[Line] = []
    for line in runs:
        if not joined:
            joined.append(line)
            continue
        last = joined[-1]
        between = found[last.terms[-1].last : line.terms[0].first]
        if _alone(last) and not line.terms[0].names:
            joined[-1] = Line(last.terms + line.terms, (False, *line.rough))
        elif _alone(line) and len(last.terms) == 1 and not last.terms[0].names and not _parted(between):
            joined[-1] = Line(line.terms + last.terms, (False,))
        elif not line.terms[0].names and not _alone(last) and _goes_on(between):
            joined[-1] = Line(last.terms + line.terms, (*last.rough, False, *line.rough))
        else:
            joined.append(line)
    return joined


def _alone(line: Line) -> bool:
    return len(line.terms) == 1 and _is_letter(line.terms[0])


def _parted(between: Sequence[Token]) -> bool:
    return any(token.kind in ("break", "equals") for token in between)


def _goes_on(between: Sequence[Token]) -> bool:
    """Whether words right before a term say that it is the same value: ``that becomes``, ``, then``."""
    return bool(between) and (between[-1].kind == "equals" or between[-1].text.casefold() == "then")


def _is_letter(term: Term) -> bool:
    return bool(term.names) and term.operations == 0


def _read(step: _Step, found: Sequence[Line], work: _Work) -> None:
    for line in found:
        if len(line.terms) > 1 or line.terms[0].operations:
            work.notes.checked.add(step.place)
        for equality in pairs(step.text, step.found, line):
            if not equality.holds:
                _wrong(step, equality.left, equality.right, equality.left_value, work)
        _remember(step, line, work)


def _remember(step: _Step, line: Line, work: _Work) -> None:
    first, rest = line.terms[0], line.terms[1:]
    if _is_letter(first) and rest:
        _bind(step, next(iter(first.names)), rest, work)
    elif first.names and first.operations:
        _take_formula(step, first, work)
    known = [term for term in line.terms if term.value is not None]
    if known and (len(line.terms) > 1 or known[-1].operations == 0):
        work.result = known[-1].value


def _bind(step: _Step, name: str, terms: Sequence[Term], work: _Work) -> None:
    """What a letter stands for is its first value; what was found for it is the last one."""
    valued = [term for term in terms if term.value is not None]
    if not valued:
        return
    meant = work.meant.setdefault(name, valued[0].value or Fraction(0))
    last = valued[-1]
    for term in valued:
        if term.value != meant and not equal(term, Term(0, 0, meant, operations=1)):
            _wrong(step, name, step.written(term), meant, work)
            break
    if last.operations == 0 or len(valued) > 1:
        work.values[name] = last.value


def _take_formula(step: _Step, term: Term, work: _Work) -> None:
    if len(term.names) > len(work.formula_names):
        work.formula, work.formula_names = step.written(term), term.names


def _wrong(step: _Step, left: str, right: str, value: Fraction | None, work: _Work) -> None:
    it = f"{left} is {shown(value)}" if value is not None else "they differ"
    work.notes.flaw(
        step.place, "arithmetic_wrong", f"step {step.place} says {left} = {right}; {it}", f"{left} = {shown(value)}"
    )


def _conclude(chain: Chain, work: _Work) -> None:
    """The decomposition must be the question's, and the last step must end with its value.

    A wrong decomposition is the mistake where nothing else is wrong; beside another mistake it is told as a remark.
    """
    last = len(chain.steps) - 1
    if work.formula and work.formula_names <= work.meant.keys() and (set_up := _setting_up(chain, work)) is not None:
        evidence = (
            f"step {set_up} writes the sum as {work.formula}, which is not the sum of the question: "
            f"that one is {shown(work.goal)}"
        )
        if work.notes.flaws:
            work.notes.remark(set_up, "misquoted", evidence)
        else:
            work.notes.flaw(set_up, "misquoted", evidence, "take every part of the question once, with its sign")
    elif not work.notes.flaws and last >= 0 and work.result is not None and work.result != work.goal:
        work.notes.flaw(
            last,
            "unsupported_conclusion",
            f"step {last} ends with {shown(work.result)}; the sum of the question is {shown(work.goal)}",
            f"the answer is {shown(work.goal)}",
        )


def _setting_up(chain: Chain, work: _Work) -> int | None:
    """The step whose formula, with what its letters were made to stand for, has another value than the question."""
    found = tokens(work.formula, work.formula_names)
    value = next((line.terms[0].value for line in lines(found, work.meant, free=True)), None)
    if value is None or value == work.goal:
        return None
    return next((place for place, step in enumerate(chain.plain) if work.formula in step), 0)


def shown(value: Fraction | None) -> str:
    """A value for people: ``-14``, ``2.5``, ``1/3``."""
    if value is None:
        return "unknown"
    if value.denominator == 1:
        return str(value.numerator)
    decimal = value * 10**6
    return f"{float(value):.6g}" if decimal.denominator == 1 else str(value)
