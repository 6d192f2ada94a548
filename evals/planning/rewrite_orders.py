"""Says the steps of a deduced order in other words: converse comparisons, other names of places, other forms of the list."""

from __future__ import annotations

import re
from typing import Protocol


class Drawn(Protocol):
    """What is drawn once for a chain."""

    form: int

    def pick(self, *options: str) -> str:
        """One of the phrasings."""
        ...


_ORDINALS_WORDS = "first second third fourth fifth sixth seventh eighth ninth"
_ORDINALS = _ORDINALS_WORDS.split()
_SHORT = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th"]
_CONVERSE = {
    "to the left of": "to the right of", "to the right of": "to the left of", 
    "newer than": "older than", "older than": "newer than",
    "above": "below", "below": "above", 
    "more expensive than": "less expensive than", "less expensive than": "more expensive than",
}  # fmt: skip
_SYNONYMS = {
    "to the left of": ("to the left of", "left of", "somewhere to the left of"),
    "to the right of": ("to the right of", "right of", "somewhere to the right of"),
    "newer than": ("newer than", "more recent than", "younger than"),
    "older than": ("older than", "less recent than", "not as new as"),
    "above": ("above", "ahead of", "better than"),
    "below": ("below", "behind", "after"),
    "more expensive than": ("more expensive than", "pricier than", "costlier than"),
    "less expensive than": ("less expensive than", "cheaper than", "less costly than"),
}
_COMPARED = re.compile(
    r"^((?:The )?[\w -]+?) ((?:is|are|finished)) (to the left of|to the right of|newer than|older than|above|below|"
    r"more expensive than|"
    r"less expensive than) ((?:the )?[\w -]+?)(?=[.,]|$)"
)
_NAMES = {
    "leftmost": ("leftmost", "first from the left", "furthest left"),
    "rightmost": ("rightmost", "first from the right", "furthest right"),
    "cheapest": ("cheapest", "least expensive"), "most expensive": ("most expensive", "priciest"),
}  # fmt: skip


def order_step(step: str, style: Drawn) -> str:
    """The step in other words."""
    if step.startswith("To answer the question, I need to identify"):
        return style.pick(
            "I will use the fixed positions first, then the relative ones.",
            "Plan: start with the absolute statements.",
            step,
        )
    return " ".join(_sentence(sentence, style) for sentence in re.split(r"(?<=\.) (?=[A-Z])", step))


def _sentence(sentence: str, style: Drawn) -> str:
    if found := re.match(r"So from (.+?) to (.+?): (.+?)\.?$", sentence):
        return _listing(found[1], found[2], found[3], style)
    if found := re.match(r"By process of elimination, (.+?) must be (.+?)\.?$", sentence):
        return style.pick(
            f"By elimination, {found[1]} has to be {found[2]}.",
            f"The only one left for it: {found[1]} must be {found[2]}.",
            f"Eliminating the others, {found[1]} is {found[2]}.",
        )
    if found := re.match(r"So the answer is \((\w)\)", sentence):
        return style.pick(
            f"Answer: ({found[1]})",
            f"Therefore ({found[1]}) is correct: the answer is ({found[1]})",
            f"The answer is ({found[1]}).",
            f"So it is option ({found[1]}).",
        )
    if found := re.match(r"According to this ordering, (.+?)\.?$", sentence):
        return style.pick(f"In this order, {found[1]}.", f"Reading it off, {found[1]}.", f"Thus {found[1]}.")
    return _statement(sentence, style)


def _statement(sentence: str, style: Drawn) -> str:
    if found := _COMPARED.match(sentence):
        said = _compared(found[1], found[2], found[3], found[4], style)
        rest = sentence[found.end() :]
        sentence = said + _places(
            re.sub(r"\bit\b", found[1][0].lower() + found[1][1:] if found[1].startswith("The") else found[1], rest),
            style,
        )
    else:
        sentence = _places(sentence, style)
    sentence = sentence.replace(" cannot be ", style.pick(" cannot be ", " can't be ", " is not ", " could not be "))
    return sentence.replace(", so ", style.pick(", so ", ", which means ", ", hence ", "; therefore "))


def _compared(one: str, verb: str, comparison: str, other: str, style: Drawn) -> str:
    if style.form // 61 % 3 == 0:
        one, other, comparison = _upper(other), _lower(one), _CONVERSE[comparison]
        verb = verb if verb == "finished" else ("are" if other.endswith("s") else "is")
    names = _SYNONYMS[comparison]
    word = names[style.form // 67 % len(names)]
    if verb == "finished":
        verb = ("finished", "placed", "came in")[style.form // 71 % 3]
    return f"{one} {verb} {word} {other}"


def _places(text: str, style: Drawn) -> str:
    for name, options in _NAMES.items():
        text = re.sub(rf"(?<!second-)(?<!third-)(?<!fourth-)\b{name}\b", options[style.form // 73 % len(options)], text)
    if style.form // 79 % 3 == 0:
        text = re.sub(r"\b(second|third|fourth|fifth|sixth)-(newest|oldest|cheapest|most)", r"\1 \2", text)
    if style.form // 83 % 3 == 0:
        text = re.sub(
            r"\b(first|second|third|fourth|fifth|sixth|seventh)(?=[ -](?:newest|oldest|cheapest|most|from|to-last)|\b)",
            lambda found: _SHORT[_ORDINALS.index(found[1])],
            text,
        )
    if style.form // 89 % 3 == 0:
        text = re.sub(r"\b(\w+) finished\b", r"\1 came in", text)
    return text


def _listing(low: str, high: str, text: str, style: Drawn) -> str:
    items = re.split(r",? then |, but ", text)
    lead = style.pick(
        f"So, {low} to {high}: ",
        f"Order from {low} to {high} so far: ",
        f"This gives, from {low} to {high}: ",
        f"Hence ({low} to {high}) ",
    )
    joint = ("; ", ", then ", ", ", ". Then ", "; ")[style.form // 97 % 5]
    return lead + joint.join(_item(item, style) for item in items) + "."


def _item(item: str, style: Drawn) -> str:
    found = re.match(
        r"^((?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|, | and | or | to | through )+) "
        r"(can be|is|are|must be) (.+)$",
        item,
    )
    if not found:
        return item
    spot, verb, what = found[1], found[2], found[3]
    place = style.form // 101 % 4
    if place == 1:
        spot = re.sub(r"\w+", lambda word: _SHORT[_ORDINALS.index(word[0])] if word[0] in _ORDINALS else word[0], spot)
    elif place == 2:
        spot = ("position " if " " not in spot else "positions ") + re.sub(
            r"\w+", lambda word: str(_ORDINALS.index(word[0]) + 1) if word[0] in _ORDINALS else word[0], spot
        )
    if re.match(r"any \w+$|an unknown|unknown", what):
        what = (what, "anything", "still open", what, "unknown")[style.form // 103 % 5]
        verb = (
            "can be"
            if what.startswith("any") and verb == "can be"
            else "is"
            if " " not in spot.removeprefix("position ")
            else "are"
        )
    if place == 2 and style.form // 107 % 2:
        return f"{spot}: {what}"
    return f"{spot} {verb} {what}"


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _lower(text: str) -> str:
    return text[0].lower() + text[1:] if text.startswith("The ") else text
