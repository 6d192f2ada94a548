"""A stack of brackets, sign by sign: each step must take the next sign of the input and state the stack after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentkit.evaluators.planning.reasoning.brackets import CLOSER, OPENER, Run, rest, runs
from agentkit.evaluators.planning.reasoning.chain import Chain, Notes, Reading

FAMILY = "stacks"
_INPUT = re.compile(r"[\[\](){}<>](?:\s*[\[\](){}<>])*")
_STACK = re.compile(
    r"\b(?:stack|contents?|configuration|state|holds?|giving|gives|leav\w+|left with|becomes?|"
    r"result\w*|remain\w*|now|have|стек)\b"
)
_STANDS = re.compile(r"(?:(?:is|are|remains?|left|now|still)\s+)*(?:on|in) (?:the |our |my )?stack\b")
_READS = re.compile(
    r"\b(?:after|once|when|upon|having|read\w*|process\w*|symbol|token|character|see\w*|push\w*|pop\w*|encounter\w*|handl\w+)\b"
)
_AT_END = re.compile(
    r"\b(?:(?:reach\w*|at|hit|to|is|come to) the end|end of|final|finish\w*|exhausted|no more|"
    r"nothing more|over|complete[d]?|"
    r"(?:all|every|each|whole|entire) (?:of )?(?:the )?(?:\w+ )?(?:input|inputs|sequence|symbols?|"
    r"signs?|brackets?|characters?|tokens?)|"
    r"(?:input|sequence) (?:is|has been) (?:done|processed|consumed|over|read))\b"
)
_POP = re.compile(
    r"\b(?:pop\w*|remov\w*|unwind\w*|unstack\w*|tak\w+ (?:out|off)|com\w+ (?:out|off)|lift\w* off|drop\w*|discard\w*|"
    r"from the top|top down|in (?:that|this) order|order)\b"
)
_ON_STACK = re.compile(r"(?<!\boff )(?<!\boff the )(?<!\bfrom the )(?<!\bof the )\bstack\b")
_NEED = re.compile(r"\b(?:need\w*|clos\w+|match\w*|missing|append\w*|add\w*|requir\w*|complet\w+|counterparts?)\b")
_ANSWER = re.compile(r"\b(?:answer|ответ|output)\b", re.I)
_POPPED, _CLOSERS = "what is popped, in order, is", "the closers are"
_COUNTED = re.compile(r"\b(?:twice|times|thrice|each|all)\b")


@dataclass(slots=True)
class _Walk:
    """The signs of the input, how many were taken, the stack by now, and how far the closing has come."""

    signs: Sequence[str]
    notes: Notes
    stack: list[str] = field(default_factory=list)
    taken: int = 0
    popped: int = 0
    closed: int = 0
    last: dict[str, int] = field(default_factory=dict)


def check(chain: Chain) -> Reading | None:
    """Replays the input beside the chain; then the final stack, the order of popping, the closers and the answer."""
    signs = input_of(chain.question)
    if signs is None:
        return None
    walk = _Walk(signs, Notes(FAMILY))
    for place, step in enumerate(chain.plain):
        body, _, answer = _split_answer(step)
        found = runs(body)
        if found:
            walk.notes.checked.add(place)
            _check_step(place, rest(body), found, walk)
        if answer is not None:
            walk.notes.checked.add(place)
            _check_answer(place, answer, walk)
    _unfinished(walk)
    return walk.notes.reading("" if walk.notes.checked else "no step names a bracket or a stack")


def input_of(question: str) -> tuple[str, ...] | None:
    """The signs that the question gives, or None when it gives no sequence of brackets."""
    text = question.split("Input:")[-1]
    found = max(_INPUT.findall(text), key=len, default="")
    signs = tuple(re.sub(r"\s", "", found))
    words = len(re.findall(r"[^\W\d_]{2,}", text))
    return signs if signs and (len(signs) >= 3 or words == 0) and words <= 40 and not re.search(r"\d", text) else None


def _split_answer(step: str) -> tuple[str, str, str | None]:
    found = list(_ANSWER.finditer(step))
    if not found:
        return step, "", None
    return step[: found[-1].start()], found[-1][0], step[found[-1].end() :]


def _check_step(place: int, words: str, found: Sequence[Run], walk: _Walk) -> None:
    left = len(walk.signs) - walk.taken
    ending = bool(_AT_END.search(words)) and not _takes_next(found, walk)
    if left and not ending:
        _take(place, found, walk)
        return
    if left:
        walk.notes.flaw(
            place, "procedure_violated", f"step {place} ends with {left} signs of the input still to read",
            f"read {walk.signs[walk.taken]} next",
        )  # fmt: skip
    elif not ending and not _closes(words, found, walk) and _symbol_and_stack(found)[0]:
        walk.notes.flaw(
            place, "procedure_violated", f"step {place} reads one more sign, but the input has only {len(walk.signs)}",
            "go on with the final stack",
        )  # fmt: skip
        return
    _close(place, words, found, walk)


def _closes(words: str, found: Sequence[Run], walk: _Walk) -> bool:
    """Whether a step behind the last sign speaks of the end: by its words, or as all it names is what is left or closes it."""
    left = tuple(walk.stack)
    closing = (left, left[::-1], tuple(CLOSER[sign] for sign in left[::-1]))
    only = len(found) == 1 and found[0].signs in closing
    return only or bool(_POP.search(words) or _NEED.search(words))


def _takes_next(found: Sequence[Run], walk: _Walk) -> bool:
    """Whether a step that speaks of an end still reads the last signs, as in ``> is the last one; stack: empty``."""
    symbol, stack = found[0].signs, found[-1].signs
    rest_of_input = tuple(walk.signs[walk.taken : walk.taken + len(symbol)])
    return (
        len(found) > 1
        and len(symbol) == 1
        and symbol == rest_of_input
        and stack == tuple(_after(walk.stack, symbol[0]))
    )


def _take(place: int, found: Sequence[Run], walk: _Walk) -> None:
    symbols, stack = _symbol_and_stack(found)
    if symbols is None and walk.taken == 0 and not stack:
        return  # "the stack is empty", before the first sign
    for sign in symbols or walk.signs[walk.taken : walk.taken + 1]:
        _read(place, sign, walk)
    if stack is not None and list(stack) != walk.stack:
        walk.notes.flaw(
            place,
            "declared_state_wrong",
            f"step {place} says the stack is {_shown(stack)}; after {walk.signs[walk.taken - 1]} it is {_shown(walk.stack)}",
            f"stack: {_shown(walk.stack)}",
        )
        walk.stack = [sign for sign in stack if sign in CLOSER]


def _read(place: int, sign: str, walk: _Walk) -> None:
    expected = walk.signs[walk.taken] if walk.taken < len(walk.signs) else ""
    if sign != expected:
        walk.notes.flaw(
            place,
            "procedure_violated",
            f"step {place} reads {sign}; sign {walk.taken + 1} of the input is {expected or 'past the end'}",
            f"read {expected}",
        )
    walk.stack = _after(walk.stack, sign)
    walk.taken = min(walk.taken + 1, len(walk.signs))


def _after(stack: Sequence[str], sign: str) -> list[str]:
    if sign in CLOSER:
        return [*stack, sign]
    return list(stack[:-1]) if stack and stack[-1] == OPENER[sign] else list(stack)


def _symbol_and_stack(found: Sequence[Run]) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Which run is the sign that is read and which the stack: the stack is announced, or comes last."""
    announced = [place for place, run in enumerate(found) if _announces_stack(run)]
    if len(found) == 1:
        only = found[0]
        return (None, only.signs) if announced or len(only.signs) != 1 else (only.signs, None)
    at = announced[-1] if announced else len(found) - 1
    others = [run.signs for place, run in enumerate(found) if place != at and len(run.signs) == 1]
    return (others[0] if others else None), found[at].signs


def _announces_stack(run: Run) -> bool:
    """Whether the words around a run speak of the stack, rather than of the sign that is read."""
    if _STANDS.match(run.after):
        return True
    stack = max((one.end() for one in _STACK.finditer(run.before)), default=-1)
    sign = max((one.end() for one in _READS.finditer(run.before)), default=-1)
    return stack > sign


def _close(place: int, words: str, found: Sequence[Run], walk: _Walk) -> None:
    """What is said when the input is read: the final stack, what is popped in which order, the closers."""
    popping, reverse = bool(_POP.search(words)), walk.stack[::-1]
    closers = [CLOSER[sign] for sign in reverse]
    for run in found:
        signs = list(run.signs)
        if any(sign in OPENER for sign in signs):
            walk.closed = _in_turn(place, signs, closers, walk.closed, _CLOSERS, walk)
        elif signs and popping and not _ON_STACK.search(run.before):
            if not _COUNTED.search(words):
                walk.popped = _in_turn(place, signs, reverse, walk.popped, _POPPED, walk)
        elif signs != walk.stack and (signs or re.search(r"stack", words)) and not (signs == reverse and popping):
            _wrong_end(place, signs, walk.stack, "the final stack is", walk)
            walk.stack = signs


def _in_turn(place: int, signs: list[str], expected: list[str], done: int, what: str, walk: _Walk) -> int:
    """All of them at once, or the next ones; returns how many are done."""
    if signs == expected:
        return len(expected)
    if len(signs) < len(expected) and signs == expected[done : done + len(signs)]:
        walk.last[what] = place
        return done + len(signs)
    _wrong_end(place, signs, expected, what, walk)
    return done


def _unfinished(walk: _Walk) -> None:
    """A list of what to pop, or of closers, that was begun and never completed is wrong where it stopped."""
    reverse = walk.stack[::-1]
    for what, done, expected in (
        (_POPPED, walk.popped, reverse),
        (_CLOSERS, walk.closed, [CLOSER[sign] for sign in reverse]),
    ):
        if what in walk.last and done < len(expected):
            _wrong_end(walk.last[what], expected[:done], expected, what, walk)


def _wrong_end(place: int, said: Sequence[str], expected: Sequence[str], what: str, walk: _Walk) -> None:
    walk.notes.flaw(
        place,
        "unsupported_conclusion",
        f"step {place} says {_shown(said)}; {what} {_shown(expected)}",
        f"{what} {_shown(expected)}",
    )


def _check_answer(place: int, text: str, walk: _Walk) -> None:
    said = [sign for run in runs(text) for sign in run.signs]
    expected = [CLOSER[sign] for sign in reversed(walk.stack)]
    if walk.taken < len(walk.signs):
        left = len(walk.signs) - walk.taken
        walk.notes.flaw(
            place, "procedure_violated", f"step {place} answers with {left} signs of the input still to read",
            f"read {walk.signs[walk.taken]} next",
        )  # fmt: skip
    elif said != expected:
        walk.notes.flaw(
            place,
            "unsupported_conclusion",
            f"step {place} answers {_shown(said)}; the stack {_shown(walk.stack)} is closed by {_shown(expected)}",
            f"answer {_shown(expected)}",
        )


def _shown(signs: Sequence[str]) -> str:
    return " ".join(signs) if signs else "empty"
