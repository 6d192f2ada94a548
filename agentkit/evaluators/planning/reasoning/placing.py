"""A sentence about an order as tokens: things, places, comparisons, ``any``, ``not``, ``or``, ``it``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agentkit.evaluators.planning.reasoning.axes import HIGH, LOW, Axis

Kind = Literal[
    "thing",
    "place",
    "many",
    "compare",
    "any",
    "not",
    "or",
    "and",
    "to",
    "except",
    "it",
    "because",
    "so",
    "comma",
    "stop",
]

_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_ORDINAL_WORDS = _ORDINALS.split()
_CARDINALS = "one two three four five six seven eight nine ten eleven twelve"
_CARDINAL_WORDS = _CARDINALS.split()
_ORDINAL = "|".join(_ORDINAL_WORDS) + r"|\d{1,2}(?:st|nd|rd|th)"
_CARDINAL = "|".join(_CARDINAL_WORDS) + r"|\d{1,2}"
_SPOT = r"(?:places?|positions?|spots?|slots?|ranks?|seats?|pos\.?|numbers?|no\.|#)"
_ANY = (
    r"any(?:one|body|thing|where)?(?: (?:of the )?(?:\w+))?|unknown(?: \w+)?|undetermined|undecided|"
    r"unclear|not (?:yet )?"
    r"(?:known|determined|decided|fixed|clear|settled)|open|free|tbd|unassigned|unfilled|unspecified|"
    r"vacant|still to be (?:found|determined)|"
    r"whichever|whoever|(?:the |some )?(?:remaining|other|leftover) \w+|\?+|_+"
)
_NEVER = (
    r"rul(?:es?|ed|ing) out(?: as)?|preclud(?:es?|ed|ing)|prevent(?:s|ed|ing)?|unable|won't|wouldn't|shouldn't|mustn't|"
    r"anything but|impossible"
)
_SO = (
    r"so|therefore|hence|thus|which means|meaning|that means|it follows(?: that)?|it means(?: that)?|this means|implying|"
    r"consequently|as a result|then"
)
_FIXED = (
    ("any", rf"(?:an? )?(?:{_ANY})"),
    ("not", rf"(?:{_NEVER}|can(?:no|')?t|cannot|can not|could ?n[o']t|isn't|aren't|wasn't|not|never|neither|nor)"),
    ("except", r"(?:except(?: for)?|but not|other than|excluding|save|apart from)"),
    ("or", r"(?:either|or|one of|/)"),
    ("and", r"(?:and|&|both)"),
    ("to", r"(?:to|through|thru|until|–|—|-)"),
    ("it", r"(?:it(?! (?:follows|means|turns|is clear|must be that))|they|he|she)"),
    ("so", rf"(?:{_SO})"),
    ("because", r"(?:because|since)"),
    ("comma", r"[,;:|()]"),
    ("stop", r"[.!?\n]"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """``things`` and ``places`` hold indices from 0; ``side`` is that of a comparison; ``anchored`` places name their end."""

    kind: Kind
    start: int
    end: int
    thing: int = -1
    places: frozenset[int] = frozenset()
    side: int = 0
    anchored: bool = False


class Scanner:
    """Cuts sentences about ``names`` (in the order of their indices) on ``axis`` into tokens."""

    def __init__(self, names: Sequence[str], nouns: str, axis: Axis) -> None:
        self.size = len(names)
        self._axis = axis
        things = "|".join(
            rf"(?P<t{number}>{_thing(name, nouns)})"
            for number, name in sorted(enumerate(names), key=lambda one: -len(one[1]))
        )
        ends = rf"(?:{axis.lowest}|{axis.highest})"
        sides = rf"(?:{axis.low}|{axis.high})"
        noun = rf"(?:\s+(?:{nouns}))?" if nouns else ""
        someone = rf"(?:an?|some|another|one)\s+(?:{nouns or 'thing'})|"
        fixed = "|".join(
            rf"(?P<{name}>{_bounded((someone if name == 'any' else '') + pattern)})" for name, pattern in _FIXED
        )
        many = rf"(?:other\s+)?(?:{nouns or 'things?'}|things?|ones?|others?|objects?|people)(?:\s+(?:that|which|who))?"
        verbs = r"(?:\s+(?:is|are|was|were|come|came|finish|finished|stand|rank|ranked|placed?))?"
        self._pattern = re.compile(
            rf"(?P<many>\b(?P<mnumber>no|{_CARDINAL})\s+{many}{verbs}(?=\s+(?:(?P<msooner>{axis.sooner})|"
            rf"(?P<mlater>{axis.later}))(?!\w)))|"
            rf"(?<![\w-])(?:(?:the|a|an)\s+)?(?:{things})(?![\w-])"
            rf"|(?P<count>\b(?P<cside>first|last|top|bottom|{ends})\s+(?P<cnumber>{_CARDINAL})\b(?:\s+{_SPOT}|\s+\w+)?)"
            rf"|(?P<from>\b(?P<fnumber>{_ORDINAL})(?:\s+{_SPOT})?{noun}[\s-]+(?:in[\s-]+)?(?:to|"
            rf"from)[\s-]+(?:the[\s-]+)?(?P<fside>{sides})\b)"
            rf"|(?P<end>\b(?:(?P<enumber>{_ORDINAL})[\s-]+)?(?P<eside>{ends})(?!\s+than)\b(?:\s+{_SPOT})?)"
            rf"|(?P<bare>\b(?P<bnumber>{_ORDINAL})\b(?:\s+{_SPOT})?|\b{_SPOT}\s*#?(?P<pnumber>{_CARDINAL})\b|"
            rf"#(?P<hnumber>\d{{1,2}})\b|(?<![\w.])(?P<dnumber>\d{{1,2}})(?=\s*[:=)]|\s*[-–—]\s*\d|\s*(?:is|->|"
            rf"→))|(?:(?<=\bto )|(?<=\bor )|(?<=\band )|(?<=\bthrough )|(?<=\d[-–—])|"
            rf"(?<=\d, ))(?P<lnumber>\d{{1,2}})\b(?!\s+(?!can|is|are|and|or|must|may|could|remain|stay)\w))"
            rf"|(?P<sooner>\b{axis.sooner}(?!\w))|(?P<later>\b{axis.later}(?!\w))|"
            rf"(?P<orless>\bor\s+(?P<oside>\w+)\b(?!\s+than))"
            rf"|{fixed}",
            re.I,
        )
        self._direction = re.compile(
            rf"\b(?:from\s+|in\s+)?(?:the\s+)?(?P<one>{ends}|{sides})(?:\s+{_SPOT})?\s*[- ]?(?:to|→|->|–|"
            rf"-)[- ]?\s*(?:the\s+)?(?P<two>{ends}|{sides})(?:\s+\w+\b(?=\s*[:,]))?",
            re.I,
        )

    def direction(self, sentence: str) -> int:
        """In which direction places are counted: ``LOW`` first, ``HIGH`` first, or 0 where nothing is said."""
        for found in self._direction.finditer(sentence):
            sides = self._axis.side(found["one"]), self._axis.side(found["two"])
            if sides[0] and sides[1] and sides[0] != sides[1] and not re.fullmatch(_ORDINAL, found["one"], re.I):
                return sides[0]
            if found["one"].casefold() == "first" and found["two"].casefold() == "last":
                return LOW
        return 0

    def tokens(self, sentence: str, direction: int) -> list[Token]:
        """The tokens of a sentence whose bare ordinals count in ``direction``."""
        text = self._direction.sub(self._blank, sentence)
        return list(self._scan(text, direction))

    def _blank(self, found: re.Match[str]) -> str:
        """Spaces for ``from left to right``, so that its words are no places."""
        sides = self._axis.side(found["one"]), self._axis.side(found["two"])
        both = sides[0] * sides[1] == -1 or (found["one"].casefold(), found["two"].casefold()) == ("first", "last")
        return " " * len(found[0]) if both else found[0]

    def _scan(self, text: str, direction: int) -> Iterator[Token]:
        for found in self._pattern.finditer(text):
            start, end = found.span()
            thing = next((n for n in range(self.size) if found[f"t{n}"]), None)
            if thing is not None:
                yield Token("thing", start, end, thing=thing)
            elif found["many"]:
                count = 0 if found["mnumber"].casefold() == "no" else _cardinal(found["mnumber"])
                place = self._from(count, LOW if found["msooner"] else HIGH)
                yield Token("many", start, end, places=frozenset((place,)))
            elif found["sooner"] or found["later"]:
                yield Token("compare", start, end, side=LOW if found["sooner"] else HIGH)
            elif found["orless"]:
                yield self._or_further(found, direction)
            elif places := self._places(found, direction):
                yield places
            else:
                kind = next((name for name, _ in _FIXED if found[name]), None)
                if kind is not None:
                    yield Token(kind, start, end)  # type: ignore[arg-type]

    def _or_further(self, found: re.Match[str], direction: int) -> Token:
        """``or higher`` behind a place stretches it; any other ``or`` is one."""
        side = {
            "higher": LOW,
            "better": LOW,
            "above": LOW,
            "earlier": LOW,
            "lower": HIGH,
            "worse": HIGH,
            "below": HIGH,
            "later": HIGH,
        }
        word = found["oside"].casefold()
        if word in side and self._axis.name in ("rank", "space", "age"):
            return Token("to", found.start(), found.end(), side=side[word])
        return Token("or", found.start(), found.start() + 2)

    def _places(self, found: re.Match[str], direction: int) -> Token | None:
        start, end = found.span()
        if found["count"]:
            count = _cardinal(found["cnumber"])
            side = (
                self._axis.side(found["cside"])
                or {"first": LOW, "top": LOW, "last": HIGH, "bottom": HIGH}[found["cside"].casefold()]
            )
            return Token(
                "place",
                start,
                end,
                places=frozenset(self._from(number, side) for number in range(count)),
                anchored=True,
            )
        if found["from"]:
            side = self._axis.side(found["fside"])
            place = self._from(_ordinal(found["fnumber"]), side)
            return Token("place", start, end, places=frozenset((place,)), anchored=True)
        if found["end"]:
            side = self._axis.side(found["eside"])
            number = _ordinal(found["enumber"]) if found["enumber"] else 0
            return Token("place", start, end, places=frozenset((self._from(number, side),)), anchored=True)
        if found["bare"]:
            written = found["bnumber"]
            number = (
                _ordinal(written)
                if written
                else _cardinal(found["pnumber"] or found["hnumber"] or found["dnumber"] or found["lnumber"]) - 1
            )
            return Token("place", start, end, places=frozenset((self._from(number, direction or LOW),)))
        return None

    def _from(self, number: int, side: int) -> int:
        return number if side != HIGH else self.size - 1 - number


def _thing(name: str, nouns: str) -> str:
    stem = re.sub(r"(?<=[^s])s$", "", name)
    words = r"[\s-]+".join(map(re.escape, stem.split()))
    tail = rf"(?:\s+(?:{nouns}|one))?" if nouns else ""
    return rf"{words}(?:s|es)?(?:'s)?{tail}"


def _bounded(pattern: str) -> str:
    return rf"(?<!\w)(?:{pattern})(?!\w)" if pattern[0] != "[" else pattern


def _ordinal(text: str) -> int:
    return (
        _ORDINAL_WORDS.index(text.casefold()) if text.casefold() in _ORDINAL_WORDS else int(re.sub(r"\D", "", text)) - 1
    )


def _cardinal(text: str) -> int:
    return _CARDINAL_WORDS.index(text.casefold()) + 1 if text.casefold() in _CARDINAL_WORDS else int(text)
