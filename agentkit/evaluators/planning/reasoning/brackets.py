"""Bracket signs in prose: which run of them is a symbol, which a stack, which only punctuation."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

CLOSER = {"(": ")", "[": "]", "{": "}", "<": ">"}
OPENER = {closer: opener for opener, closer in CLOSER.items()}
_SHAPES = {
    "(": r"round|paren(?:thes[ie]s)?",
    "[": r"square",
    "{": r"curly|brace",
    "<": r"angle|angled|pointed|chevron",
}
_SPOKEN = [
    (re.compile(rf"\b(?:{side})[ -](?:{shape})(?:[ -](?:brackets?|braces?|paren(?:thes[ie]s)?))?(?!\w)", re.I), sign)
    for opener, shape in _SHAPES.items()
    for side, sign in (("open|opening|left", opener), ("close|closing|right", CLOSER[opener]))
]
_ARROW = re.compile(r"-+>|=+>|<-+|<=+(?!>)|[→⇒⟶]|&gt;|&lt;")
_ASIDE = re.compile(r"\((?=[^\W\d_])([^()<>{}\[\]]*)(?<=[^\W\d_])\)")
_LIST_START = re.compile(r"(?<![\"'“‘])[\[(](?=\s*[\"'“‘][\[\](){}<>][\"'”’])")
_LIST_END = re.compile(r"(?<=[\"'“‘][\[\](){}<>][\"'”’])\s*[\])](?![\"'”’])")
_LIST = re.compile(r"\[((?:\s*[(\[{<]\s*,)+\s*[(\[{<]\s*)\]|(?<![\w(\[{<] )\[([(\[{<])\]")
_NOTHING = re.compile(
    r"(?<![^\s\"'])(?:\[\]|\{\}|\(\))(?=[\s.,;|\"']|$)|∅|ε|\b(?:non[- ]?empty)\b|"
    r"\b(?:empty|emptied|nothing|none|no (?:open(?:ing)? brackets?|elements?|items?|closers?)|blank|"
    r"bare|vacant|пуст\w*|ничего)\b",
    re.I,
)
_PIECE = re.compile(r"(?P<sign>[\[\](){}<>])|(?P<nothing>\x00)|(?P<word>[^\W_]+)|(?P<other>[^\s\w])")
_LOOSE_WORDS = "and then followed by"
_LOOSE = frozenset(_LOOSE_WORDS.split())
_QUOTES = frozenset("\"'“”‘’`,")


@dataclass(frozen=True, slots=True)
class Run:
    """Signs that stand together (none: ``empty`` was said), the words since the run before, and those up to the next one."""

    signs: tuple[str, ...]
    before: str
    after: str = ""


def runs(text: str) -> list[Run]:
    """The runs of bracket signs in ``text``, in order; ``empty`` is a run of no signs."""
    plain = _prepared(text)
    found: list[Run] = []
    signs: list[str] = []
    words: list[str] = []
    between: list[str] = []
    for piece in _PIECE.finditer(plain):
        if piece["sign"]:
            if signs and _parts(between):
                found.append(Run(_unlisted(signs, plain), " ".join(words)))
                signs, words = [], between
            elif not signs:
                words += between
            signs.append(piece[0])
            between = []
        elif piece["nothing"]:
            if signs:
                found.append(Run(_unlisted(signs, plain), " ".join(words)))
                signs, words = [], []
            found.append(Run((), " ".join([*words, *between])))
            words, between = [], []
        else:
            between.append(piece[0].casefold())
    if signs:
        found.append(Run(_unlisted(signs, plain), " ".join(words)))
    else:
        between = [*words, *between]
    afters = [run.before for run in found[1:]] + [" ".join(between)] * bool(found)
    return [replace(run, after=after) for run, after in zip(found, afters, strict=True)]


def rest(text: str) -> str:
    """The words of ``text`` alone."""
    return " ".join(re.findall(r"[^\W_]+", text)).casefold()


def _prepared(text: str) -> str:
    for spoken, sign in _SPOKEN:
        text = spoken.sub(f" {sign} ", text)
    text = _ARROW.sub(" ; ", text)
    text = _LIST.sub(lambda found: f" {found[1] or found[2]} ", text)
    text = _LIST_END.sub(" ", _LIST_START.sub(" ", text))
    text = _ASIDE.sub(r" \1 ", text)
    return _NOTHING.sub(
        lambda found: "" if found[0].casefold().startswith("non") and "mpty" in found[0] else "\x00", text
    )


def _parts(between: list[str]) -> bool:
    """Whether what stands between two signs parts them: anything but commas, quotes and "and"."""
    return any(piece not in _QUOTES and piece not in _LOOSE for piece in between)


def _unlisted(signs: list[str], text: str) -> tuple[str, ...]:
    """A run written as a list, ``[<, {]``, without the brackets of the list."""
    wrapped = len(signs) > 1 and CLOSER.get(signs[0]) == signs[-1] and all(sign in CLOSER for sign in signs[1:-1])
    if (
        wrapped
        and re.search(r"[\[(][<{(\[][^\n]*,|[\[(](?:[<{(\[]\s?)+[\])](?:\W|$)", text)
        and " ".join(signs) not in text
    ):
        return tuple(signs[1:-1])
    return tuple(signs)
