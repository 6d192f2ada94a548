"""What in a log speaks against a step, in the log's own words: deterministic checks, each with a code of the error taxonomy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from agentkit.answers import arithmetic, extract
from agentkit.evaluators.planning.attribution import signs
from agentkit.evaluators.planning.attribution.features import Facts, failing
from agentkit.evaluators.planning.attribution.kinds import KINDS
from agentkit.evaluators.planning.attribution.log import Turn

_QUOTE = 160  # characters of evidence
_SAME = 0.95  # likeness from which two pieces of code are one
_CODE = 4000  # characters of code that are compared
_CALL = 40  # characters from which a block is a call and no name put in a box
_FOREIGN = 0.6
_SCANNED = 20_000  # characters of a step in which equalities are looked for
_NUMBER = r"\$?\d[\d,]{0,30}(?:\.\d{1,30})?"
_TERM = rf"\({{0,4}}{_NUMBER}\){{0,4}}"
_OPERATOR = r"(?:\s?[+*/×÷]\s?|\s[-−]\s)"
_EQUALITY = re.compile(
    rf"(?<![\w.,)-])((?:{_TERM}{_OPERATOR}){{1,12}}{_TERM})\s?=\s?([-−]?{_NUMBER})(?![\d%]|\s?[-+*/×÷−^]\s?\d)"
)
_BLOCK = re.compile(r"```\w*\n(.*?)(?:```|\Z)", re.S)
_EXCEPTION = re.compile(r"^(?:\w{1,40}\.){0,5}\w{0,40}(?:Error|Exception|Timeout): ", re.M)
_MISSING = re.compile(
    r"\b(?:NameError|ModuleNotFoundError|ImportError|command not found|unknown tool|no such tool)\b", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """``name`` is the kind of error (see ``KINDS``), ``quote`` the words of the log that show it, ``why`` what is wrong."""

    name: str
    step: int
    quote: str
    why: str

    @property
    def code(self) -> str:
        """Its code, a key of ``TAXONOMY``."""
        return KINDS[self.name].code


def find(facts: Facts) -> list[Clue]:
    """All the clues of a log, in the order of its steps."""
    found = [clue for check in _CHECKS for turn in facts.log.turns for clue in check(turn, facts)]
    return sorted(found, key=lambda one: (one.step, -KINDS[one.name].confidence))


def quote(text: str, pattern: re.Pattern[str] | None = None) -> str:
    """The line of ``text`` in which ``pattern`` is found, or its first one, not longer than a quotation should be."""
    found = pattern.search(text) if pattern else None
    if found is None:
        return _clipped(next((line for line in text.splitlines() if line.strip()), ""))
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    line = text[start : end if end >= 0 else len(text)]
    if len(line) <= _QUOTE:
        return line.strip()
    middle = found.start() - start
    return line[max(0, middle - _QUOTE // 3) : middle + 2 * _QUOTE // 3].strip()


def _clipped(line: str) -> str:
    return line.strip()[:_QUOTE].rstrip()


def _failures(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Code or a call that failed or gave nothing."""
    if not failing(turn) or turn.answer is None:
        return
    answer = facts.log.turns[turn.answer].text[:_SCANNED]
    if turn.outcome == "empty":
        seen = quote(answer, signs.NOTHING) or "(no output)"
        yield Clue(name="empty_result", step=turn.index, quote=seen, why="what it ran came back empty")
        return
    name = "unknown_action" if _MISSING.search(answer) else "invalid_invocation"
    yield Clue(name=name, step=turn.index, quote=quote(answer, _error(answer)), why="what it ran failed")


def _error(answer: str) -> re.Pattern[str]:
    """What tells of the failure best: the exception, else whatever says that there was one."""
    return _EXCEPTION if _EXCEPTION.search(answer) else signs.FAILED


def _inventions(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Data that no source gave."""
    if turn.part != "action" or (turn.index == 0 and turn.says(signs.BRIEF)):
        return
    if turn.says(signs.INVENTS):
        yield Clue(
            name="invented_value",
            step=turn.index,
            quote=quote(turn.text, signs.INVENTS),
            why="it works on made-up data",
        )
    if turn.says(signs.ASSUMES):
        yield Clue(
            name="assumed_value",
            step=turn.index,
            quote=quote(turn.text, signs.ASSUMES),
            why="it assumes what it did not look up",
        )


def _answers(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Values of the final answer that a step states without any source, and conclusions from nothing."""
    if turn.part != "action" or turn.index == 0 or turn.runs:
        return
    if facts.born[turn.index] >= 0.5 and facts.fresh[turn.index]:
        said = sorted(facts.fresh[turn.index] & facts.final.values)[:5]
        pattern = re.compile("|".join(map(re.escape, said)), re.I) if said else None
        why = "the final answer rests on values first said here, and nothing in the log gave them"
        yield Clue(name="unsupported_answer", step=turn.index, quote=quote(turn.text, pattern), why=why)
    elif turn.says(signs.CONFIRMS) and not any(one.runs for one in facts.log.turns[: turn.index]):
        yield Clue(
            name="unverified",
            step=turn.index,
            quote=quote(turn.text, signs.CONFIRMS),
            why="it confirms without a check",
        )


def _ignored(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Going past a failure."""
    before = facts.log.turns[turn.index - 1] if turn.index else None
    if before is None or before.part != "reply" or turn.part != "action" or turn.runs:
        return
    failed = any(failing(one) and one.answer == before.index for one in facts.log.turns)
    if failed and turn.says(signs.CONCLUDES) and not turn.says(signs.GIVES_UP):
        why = f"it concludes although what came back at step {before.index} is a failure"
        yield Clue(name="result_ignored", step=turn.index, quote=quote(turn.text, signs.CONCLUDES), why=why)


def _repeats(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """The same code again."""
    mine = _code(turn)
    if len(mine) < _CALL:
        return
    for earlier in facts.log.turns[: turn.index]:
        if _alike(mine, _code(earlier)):
            why = f"it runs again what step {earlier.index} ran"
            yield Clue(name="repeated_call", step=turn.index, quote=quote(mine), why=why)
            return


def _alike(one: str, two: str) -> bool:
    lines, others = set(one.splitlines()), set(two.splitlines())
    return len(lines & others) >= _SAME * max(len(lines), len(others))


def _code(turn: Turn) -> str:
    return "\n".join(_BLOCK.findall(turn.text)).strip()[:_CODE] if turn.part == "action" else ""


def _sums(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Stated equalities that are false, but for rounding."""
    if turn.part != "action":
        return
    for found in _EQUALITY.finditer(_BLOCK.sub("", turn.text[:_SCANNED])):
        if (wrong := _wrong(found[1], found[2])) is not None:
            why = f"{found[1].strip()} is {float(wrong):.10g}, not {found[2]}"
            yield Clue(name="arithmetic_wrong", step=turn.index, quote=found[0].strip()[:_QUOTE], why=why)


def _wrong(left: str, right: str) -> Fraction | None:
    """The true value when the stated one is not it, not even rounded."""
    try:
        true = arithmetic.evaluate(re.sub(r"[$,]", "", left).rstrip("."))
        stated = Fraction(re.sub(r"[$,]", "", right).replace("−", "-"))
    except (ValueError, ZeroDivisionError):
        return None
    digits = len(right.partition(".")[2])
    slack = Fraction(1, 10**digits) if digits else (Fraction(1) if true.denominator > 1 else Fraction(0))
    return true if abs(true - stated) > slack else None


def _drifts(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """A task handed out that is about something else than the question."""
    if turn.index == 0 and facts.drift > _FOREIGN:
        found = signs.SECTION.search(turn.text)
        seen = quote(found[found.lastindex or 0]) if found else ""
        share = f"{100 * facts.drift:.0f} % of its topics are not in the question"
        yield Clue(name="goal_drift", step=0, quote=seen, why=f"the task it hands out is about something else: {share}")


def _stops(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Giving up, handing the work back, and a log that ends without an answer."""
    if turn.part != "action" or turn.index == 0:
        return
    if turn.says(signs.GIVES_UP) and not turn.runs:
        yield Clue(name="premature_stop", step=turn.index, quote=quote(turn.text, signs.GIVES_UP), why="it gives up")
    if turn.says(signs.BY_HAND) and not turn.runs:
        yield Clue(
            name="work_handed_back",
            step=turn.index,
            quote=quote(turn.text, signs.BY_HAND),
            why="it leaves the work to be done by hand",
        )
    if turn.index == facts.last and not facts.finished:
        yield Clue(
            name="premature_stop", step=turn.index, quote=quote(turn.text), why="the log ends here without an answer"
        )


def _differs(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """A final number that nothing put out, where something was computed."""
    stated = extract(turn.text[-_SCANNED:], stated=True) if turn is facts.final else None
    computed = [one for one in facts.log.turns if one.part == "reply" and any(map(str.isdigit, one.text[:_SCANNED]))]
    if stated is None or not computed or not any(one.outcome == "worked" for one in facts.log.turns):
        return
    known = facts.log.asked.numbers.union(*(one.numbers for one in computed))
    said = Turn(index=turn.index, agent="", text=stated, part="action").numbers
    if said and not said & known:
        why = f"it answers {stated}, which is neither in the question nor in anything that was computed"
        yield Clue(
            name="answer_differs", step=turn.index, quote=quote(turn.text, re.compile(re.escape(stated))), why=why
        )


def _stalls(turn: Turn, facts: Facts) -> Iterator[Clue]:
    """Steps after which whoever leads saw no progress."""
    if turn.index in facts.stalls:
        after = next(one for one in facts.log.acting if one.index > turn.index)
        why = f"step {after.index} says that nothing was gained"
        yield Clue(name="no_progress", step=turn.index, quote=quote(after.text, signs.STALLED), why=why)


_CHECKS: tuple[Callable[[Turn, Facts], Iterator[Clue]], ...] = (
    _failures,
    _inventions,
    _answers,
    _ignored,
    _repeats,
    _sums,
    _drifts,
    _stops,
    _differs,
    _stalls,
)
