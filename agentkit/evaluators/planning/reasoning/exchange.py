"""The question of an exchange puzzle: who holds what at the start, who swaps with whom, what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SWAP = (
    r"(?:swap|trad(?:e|ing)|switch|exchang|interchang|barter|flip(?:s|ped)?\b|chang(?:e|es|ed|ing) (?:places|partners|"
    r"positions)|↔|⇄|⇆|⇔|<-+>|<=+>|меня(?:ю|е)|обмен|поменя)"
)
_NAME = r"[^\W\d_a-zа-яё][\w'’-]*"
_LIST = re.compile(rf"({_NAME}(?:\s*,\s*{_NAME})*),?\s+(?:and|&|и)\s+({_NAME})\b")
_OPTION = re.compile(r"^\s*\(?([A-Z])\)\s*(.+?)\.?\s*$", re.M)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_HOLLOW_WORDS = "a an the of in on and one her his their its new with to as is has ball book present gift"
_HOLLOW = frozenset(_HOLLOW_WORDS.split())
_JOINED = re.compile(r"\s*(?:and|&|with|/|–|-|,|hands?|gives?|passes|и|с)\s*", re.I)
_NEAR = 30
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+|\n")


@dataclass(frozen=True, slots=True)
class Exchange:
    """People, what each holds at the start, the pairs that swap in order, the options by letter and whom it asks about."""

    people: tuple[str, ...]
    start: Mapping[str, str]
    swaps: tuple[frozenset[str], ...]
    options: Mapping[str, str]
    asked: str | None


def exchange_of(question: str) -> Exchange | None:
    """The puzzle that the question tells, or None when it tells none."""
    story, _, tail = question.partition("Options:")
    options = dict(_OPTION.findall(tail))
    people = _people(story)
    if len(people) < 2:
        return None
    swaps = tuple(_swaps(story, people))
    start = _start(story, people)
    if not swaps or len(start) != len(people):
        return None
    named = {letter: item for letter, text in options.items() if (item := _closest(text, start.values()))}
    last = re.findall(r"\b(" + "|".join(map(re.escape, people)) + r")\b", _SENTENCE.split(story.strip())[-1])
    return Exchange(people, start, swaps, named, last[-1] if last else None)


def pairs_in(sentence: str, people: Sequence[str]) -> tuple[list[frozenset[str]], str]:
    """The pairs of people who are said to swap, in the order of the text, and the text without them."""
    names = "|".join(map(re.escape, sorted(people, key=len, reverse=True)))
    found = re.compile(rf"(?<!\w)({names})(?!\w)(?:'s|’s)?(.{{1,40}}?)(?<!\w)({names})(?!\w)", re.S | re.I)
    spelling = {name.casefold(): name for name in people}
    pairs, kept = [], []
    place = done = 0
    while (match := found.search(sentence, place)) is not None:
        after = re.split(rf"(?i)[.,;:!?\n]|(?<!\w)(?:{names})(?!\w)", sentence[match.end() :][:_NEAR])[0]
        before = re.split(r"[.,;:!?\n]", sentence[place : match.start()])[-1][-40:]
        one, other = (spelling[match[number].casefold()] for number in (1, 3))
        if one != other and _swapping(before, match[2], after):
            pairs.append(frozenset((one, other)))
            kept.append(sentence[done : match.start()])
            place = done = match.end()
        else:
            place = match.start(3)
    return pairs, " , ".join([*kept, sentence[done:]])


def _swapping(before: str, between: str, after: str) -> bool:
    """Whether the words around and between two names say that they swap."""
    if re.search(r"[.;:!?\n]", between):
        return False
    if re.search(SWAP, between, re.I):
        return True
    return _JOINED.fullmatch(between) is not None and re.search(SWAP, f"{before} {after}", re.I) is not None


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return [word.casefold() for word in _WORD.findall(text)]


def _people(story: str) -> tuple[str, ...]:
    for found in _LIST.finditer(story):
        names = (*re.split(r"\s*,\s*", found[1]), found[2])
        if len(set(names)) == len(names) and all(
            len(re.findall(rf"\b{re.escape(name)}\b", story)) > 1 for name in names
        ):
            return names
    return ()


def _swaps(story: str, people: Sequence[str]) -> list[frozenset[str]]:
    """Those of the sentences that name two people only: a sentence that introduces everyone tells no swap."""
    found = []
    for sentence in _SENTENCE.split(story):
        pairs, _ = pairs_in(sentence, people)
        named = {name for name in people if re.search(rf"\b{re.escape(name)}\b", sentence)}
        if len(named) == 2 or len(pairs) > 1:
            found += pairs
    return found


def _start(story: str, people: Sequence[str]) -> dict[str, str]:
    """What stands behind each name in the sentence that gives everyone something, less the words common to all."""
    names = "|".join(map(re.escape, people))
    for sentence in _SENTENCE.split(story):
        pieces = re.findall(rf"\b({names})\b(?!,? and\b)([^,;.]*?)(?=,|;|\.|$|\s+and\s+(?:{names})\b)", sentence)
        held = {name: words(text) for name, text in pieces if len(words(text)) > 1}
        if len(held) == len(people) and not re.search(SWAP, sentence, re.I):
            return _without_common(held)
    return {}


def _without_common(held: Mapping[str, list[str]]) -> dict[str, str]:
    texts = [[word for word in text if word not in ("a", "an")] for text in held.values()]
    front = _shared(texts)
    back = _shared([text[front:][::-1] for text in texts])
    return {name: " ".join(text[front : len(text) - back]) for name, text in zip(held, texts, strict=True)}


def _shared(texts: Sequence[Sequence[str]]) -> int:
    count = 0
    while all(len(text) > count + 1 for text in texts) and len({text[count] for text in texts}) == 1:
        count += 1
    return count


def _closest(text: str, items: object) -> str | None:
    said = set(words(text))
    found = [item for item in items if telling(item) and telling(item) <= said]  # type: ignore[attr-defined]
    return max(found, key=len, default=None)


def telling(item: str) -> frozenset[str]:
    """The words of an item that tell it from others."""
    return frozenset(words(item)) - _HOLLOW
