"""A chain of reasoning and what a checker says of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_NUMBERING = re.compile(
    r"^\s*(?:[>#*•–—-]+\s+)?[*_]*\(?(?:step|шаг)\s*(?:no\.?|№|#)?\s*"
    r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten)\b\)?[*_]*\s*(?:[:.)\]–—-]+|->)?[*_]*\s*",
    re.I,
)
_BARE_NUMBERING = re.compile(
    r"^\s*[*_]*(?:[(\[]?(\d{1,4})[*_]*(?:[.:)\]]|(?<![(\[]\d)(?<![(\[]\d\d)\s[-–—](?=\s+[^\W\d]))|#(\d{1,4})[.:)]?)(?:[*_]*\s+|$)"
)
_BULLET = re.compile(r"^\s*(?:[•*–—-]|#{1,6})\s+(?=\S)")
_ITALIC = re.compile(r"^\*(?![*\s])(.*[^*\s])\*$", re.S)
_OPENING = re.compile(
    r"^(?:first|next|then|now|after that|finally|lastly|moving on|ok(?:ay)?(?: so)?)[,:]?\s+"
    r"(?=[*_]*[(\[]?\d{1,3}[.):\]]\s|[*_]*step\b)",
    re.I,
)
_MOST_MARKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The task's name (perhaps empty), its question, and the steps as they were written."""

    task: str = ""
    question: str
    steps: tuple[str, ...]

    @property
    def plain(self) -> tuple[str, ...]:
        """The steps without numbering, bullets and emphasis."""
        return tuple(unmarked(step, place) for place, step in enumerate(self.steps))


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in step ``step`` (0-based): a stable ``code``, the evidence in the user's words, how to repair it.

    A ``minor`` one (a word respelled and then kept so) is told but breaks nothing that follows.
    """

    step: int
    code: str
    evidence: str
    repair: str = ""
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a checker of one ``family`` found: flaws in the order of steps, the steps it could check, or what stopped it."""

    family: str
    flaws: tuple[Flaw, ...] = ()
    checked: frozenset[int] = frozenset()
    obstacle: str = ""

    @property
    def first_error(self) -> int | None:
        """The first step (0-based) with a flaw that is not minor."""
        return next((flaw.step for flaw in self.flaws if not flaw.minor), None)


@dataclass(slots=True)
class Notes:
    """What a checker writes down while it walks the steps; of one step only the first flaw is kept."""

    family: str
    flaws: dict[int, Flaw] = field(default_factory=dict)
    checked: set[int] = field(default_factory=set)
    remarks: list[Flaw] = field(default_factory=list)

    def remark(self, step: int, code: str, evidence: str) -> None:
        """Note something that is not right but breaks nothing."""
        self.remarks.append(Flaw(step, code, evidence, minor=True))

    def flaw(self, step: int, code: str, evidence: str, repair: str = "") -> None:
        """Note a flaw, unless the step has one."""
        self.checked.add(step)
        self.flaws.setdefault(step, Flaw(step, code, evidence, repair))

    def reading(self, obstacle: str = "") -> Reading:
        """What was noted, in the order of steps."""
        flaws = sorted([*self.flaws.values(), *self.remarks], key=lambda flaw: (flaw.step, flaw.minor))
        return Reading(self.family, tuple(flaws), frozenset(self.checked), obstacle)


Checker = Callable[[Chain], Reading | None]
"""Reads a chain; None when the question is not of its family."""


def unmarked(step: str, place: int) -> str:
    """The step without ``Step 3:``, ``3)``, bullets and emphasis; a bare number is dropped only where it fits the place."""
    text = _BOLD.sub(r"\2", _BOLD.sub(r"\2", step)).replace("`", "").strip()
    for _ in range(_MOST_MARKS):
        shorter = _once_unmarked(text, place)
        if shorter == text:
            break
        text = shorter
    return text


def _once_unmarked(text: str, place: int) -> str:
    text = _OPENING.sub("", _BULLET.sub("", _ITALIC.sub(r"\1", text)))
    if named := _NUMBERING.match(text):
        return text[named.end() :].strip()
    if (bare := _BARE_NUMBERING.match(text)) and int(bare[1] or bare[2]) - place in (0, 1):
        return text[bare.end() :].strip()
    return text
