"""A second, independent set of phrasings, farther from the recorded ones, to see how a checker takes words it was not made on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

_SIGN = r"[\[\](){}<>]"
_ORDINALS_WORDS = "first second third fourth fifth sixth seventh eighth ninth"
_ORDINALS = _ORDINALS_WORDS.split()
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def rewrite_second(task: str, steps: Sequence[str], random: Random) -> list[str]:
    """The steps in other words; ``task`` is one of the five names of BIG-Bench Mistake."""
    prefix = random.choice(("", "Step {n}: ", "#{n} ", "{n}. ", "", "* ", "### Step {n}\n"))
    form = random.randrange(10**6)
    return [prefix.format(n=number + 1) + _STEP[task](step, _Drawn(form, random)) for number, step in enumerate(steps)]


class _Drawn:
    def __init__(self, form: int, random: Random) -> None:
        self.form, self.random = form, random

    def pick(self, *options: str) -> str:
        return options[self.form % len(options)] if self.random.random() < 0.7 else self.random.choice(options)


def _sums(step: str, drawn: _Drawn) -> str:
    if found := re.fullmatch(r'This equation can be written as "(.+?)", where (.+)\.', step):
        meant = [
            (name, value.rstrip(","))
            for name, value in re.findall(r"(\w) = (.+?)(?=,? and [A-Z] = |, [A-Z] = |$)", found[2])
        ]
        said = drawn.pick(
            f"Define {' and '.join(f'{name} as {value}' for name, value in meant)}; we are after {found[1]}.",
            f"Split the expression as {found[1]} ({'; '.join(f'{name} is {value}' for name, value in meant)}).",
            f"Write {found[1]}, in which {', and '.join(f'{name} equals {value}' for name, value in meant)}.",
            f"Parts: {' | '.join(f'{name}: {value}' for name, value in meant)}. Goal: {found[1]}",
        )
    elif found := re.fullmatch(r"Let's calculate (\w) = (.+)\.", step):
        name, parts = found[1], found[2].split(" = ")
        said = drawn.pick(
            f"Compute {name}. We have {parts[0]}." + "".join(f" This equals {part}." for part in parts[1:]),
            f"Part {name}: " + " ⇒ ".join(parts),
            f"{name} comes out as {parts[0]}" + "".join(f"; simplified, that is {part}" for part in parts[1:]),
            f"{name}: {parts[0]}" + "".join(f", giving {part}" for part in parts[1:]) + ".",
            f"{' = '.join(parts)}. That is {name}.",
            f"{parts[0]}"
            + "".join(f" simplifies to {part}" for part in parts[1:])
            + f"; {name} is therefore {parts[-1]}.",
        )
    elif found := re.fullmatch(r"Then, the final equation is (.+?)\. So the answer is (\S+)", step):
        parts = found[1].split(" = ")
        said = drawn.pick(
            f"We end up with {found[2]}, since {' = '.join(parts)}.",
            f"Plug in: {parts[0]} is {parts[1]}."
            + "".join(f" That simplifies to {part}." for part in parts[2:])
            + f" Result: {found[2]}",
            f"{' ⇒ '.join(parts)}. Our answer is {found[2]}.",
        )
    else:
        return step
    times = (" * ", " x ", " ⋅ ")[drawn.form // 7 % 3]
    return said.replace(" * ", times)


_SWAP = re.compile(r"^(\w+) and (\w+) (?:swap|trade|switch)(?: \w+)?[:,] ?(.*)$")
_END = re.compile(
    r"^At the end of the \w+, (\w+) (?:has|is playing|is dancing with)(?: the)? (.+?)\.? So the answer is \((\w)\)"
)


def _swaps(step: str, drawn: _Drawn) -> str:
    if found := _END.match(step):
        return drawn.pick(
            f"At the finish, {found[1]} is left with {found[2]}; the right choice is ({found[3]}).",
            f"({found[3]}) is the answer, because {found[1]} has {found[2]}.",
            f"{found[1]}'s final item: {found[2]}. Choice ({found[3]}).",
        )
    body, _, answer = step.partition("So the answer is (")
    ending = f" {drawn.pick('Choice', 'Correct option:', 'Answer →')} ({answer[0]})" if answer else ""
    found = _SWAP.match(body.strip())
    held = [
        re.fullmatch(r"\s*(\w+)(?::| has) (.+?)\.?\s*", part)
        for part in (found[3] if found else re.sub("^At the start: ", "", body)).strip().rstrip(".").split(", ")
    ]
    if not all(held):
        return body.strip() + ending
    pairs = [(one[1], one[2]) for one in held if one]
    form = (
        "{0}={1}",
        "{0} is holding {1}",
        "{1} belongs to {0}",
        "{0} ({1})",
        "{1}: {0}",
        "{0} keeps {1}",
        "{0} ends up with {1}",
    )[drawn.form // 11 % 7]
    shown = (", ", " / ", "; ", "\n")[drawn.form // 13 % 4].join(form.format(*pair) for pair in pairs)
    if not found:
        return (
            (drawn.pick("Before any swap: ", "Setup: ", "") if body.startswith("At the start") else "") + shown + ending
        )
    lead = drawn.pick(
        f"Swap ({found[1]}, {found[2]}): ", f"Once {found[1]} has traded with {found[2]}: ",
        f"Following the exchange of {found[1]} and {found[2]}, ",
        f"{found[1]} ⇄ {found[2]} gives ", f"{found[2]} and {found[1]} change places. Result - ",
    )  # fmt: skip
    return lead + shown + ending


def _brackets(step: str, drawn: _Drawn) -> str:
    if step.startswith("We should process"):
        return drawn.pick("Walk over the sequence and remember what is open.", "Let me simulate a stack.")
    if step == "stack: empty":
        return drawn.pick(
            "Nothing is on the stack yet.", "stack = []", "Initially no bracket is open, i.e. the stack is empty."
        )
    if found := re.fullmatch(rf"({_SIGN}) ?; stack: ?(.*)", step):
        signs = re.findall(_SIGN, found[2])
        stack = (
            (" ".join(signs), ",".join(signs), "`" + "".join(signs) + "`", "|".join(signs))[drawn.form // 17 % 3]
            if signs
            else "empty"
        )
        push = found[1] in "([{<"
        return drawn.pick(
            f"Token {found[1]} comes in; stack now: {stack}",
            f"{found[1]} gets {'pushed' if push else 'matched and popped'}, leaving {stack}",
            f"Processing {found[1]} leaves {stack}", f"symbol={found[1]}, stack={stack}",
            f"With {found[1]} the stack turns into {stack}.",
        )  # fmt: skip
    if found := re.match(r"Now, we have reached the end\. The final stack is (.+?)\.?$", step):
        signs = " ".join(re.findall(_SIGN, found[1])) or "empty"
        return drawn.pick(
            f"All symbols are read. Still open: {signs}.",
            f"No symbols are left; the stack holds {signs}.",
            f"We are done reading, final stack {signs}.",
        )
    if found := re.fullmatch(r"We will need to pop out (.+?),? one by one in that order\.", step):
        signs = re.findall(_SIGN, found[1])
        return drawn.pick(f"Innermost first, we pop {', '.join(signs)}.", f"The popping order is {' '.join(signs)}.")
    if found := re.fullmatch(r"So, we need (.+?)\. So the answer is ?(.*)", step):
        signs = re.findall(_SIGN, found[1])
        return (
            drawn.pick(f"We must append {' '.join(signs)}.", f"Closing them takes {', '.join(signs)}.")
            + f" So the answer: {found[2]}"
        )
    return step


def _words(step: str, drawn: _Drawn) -> str:
    first, *others = re.split(r"(?<=[.\"]) (?=Hence, we have|The (?:\w+) letter:)", step)
    found = re.match(
        r"(?:Now let's sort this subpart (\[.+?\]) by looking at their|I should start by looking at the) (\w+) letter",
        first,
    )
    if found and others:
        letters = re.findall(r'"([^"]+)": "(\w)" \((\d+)\)', others[0])
        form = ("{0}: {1}, {2}", "{0} - {1} ({2})", "{1} ({2}) for {0}", "{0} [{1}, {2}]")[drawn.form // 19 % 3]
        said = ("; ").join(form.format(*one) for one in letters) + "."
        if not found[1]:
            return (
                drawn.pick("Letter 1 of each word. ", "Look at every word's first letter: ", "First letters. ") + said
            )
        names = ", ".join(re.findall(r'"([^"]+)"', found[1]))
        which = found[2]
        return (
            drawn.pick(
                f"Still tied: {names}. Their {which} letters: ",
                f"Break the tie between {names} using the {which} letter. ",
                f"To order {names} we check letter {_ORDINALS.index(which) + 1}. ",
            )
            + said
        )
    if found := re.match(r"We now have: (.+?)(?: for the subpart)?\.?$", first):
        part = "for the subpart" in first
        said = drawn.pick("Among these: ", "So locally ") if part else drawn.pick("Ordered so far: ", "Thus ")
        said += _order(found[1], drawn) + "."
        if others and others[0].startswith("Hence"):
            said += (
                drawn.pick(" All words: ", " Full list: ")
                + _order(re.sub(r"^Hence, we have ", "", others[0]).rstrip("."), drawn)
                + "."
            )
        return said
    if found := re.match(r"I have now sorted all the words\. The answer is (.+)", first):
        return drawn.pick(
            f"Sorted list: {', '.join(found[1].replace(',', ' ').split())}",
            f"Nothing is tied any more. Final answer: {found[1]}",
        )
    return step


def _order(text: str, drawn: _Drawn) -> str:
    groups = [
        (number, re.findall(r'"([^"]+)"', body))
        for number, body in re.findall(r'(?:\((\d+)\) )?(\[[^\]]*\]|"[^"]*")', text)
    ]
    if not groups or any(not words for _, words in groups):
        return text
    tie = ("[{}]", "({})", "{{{}}}")[drawn.form // 23 % 3]
    joint = (" < ", ", ", " → ", " before ")[drawn.form // 29 % 4]
    shown = [
        (f"({number}) " if number else "") + (tie.format(", ".join(words)) if len(words) > 1 else words[0])
        for number, words in groups
    ]
    return joint.join(shown)


_RELATIONS = {
    "to the left of": ("on the left of", "left of"), "to the right of": ("on the right of", "right of"),
    "newer than": ("newer than",),
    "older than": ("older than",), "above": ("ahead of", "before"), "below": ("behind", "after"),
    "more expensive than": ("pricier than", "more costly than"), "less expensive than": ("cheaper than", "less costly than"),
}  # fmt: skip


def _orders(step: str, drawn: _Drawn) -> str:
    if step.startswith("To answer the question, I need to identify"):
        return drawn.pick("Let us look at absolute positions, then at relative ones.", "I go through the clues.")
    return " ".join(_order_sentence(sentence, drawn) for sentence in re.split(r"(?<=\.) (?=[A-Z])", step))


def _order_sentence(sentence: str, drawn: _Drawn) -> str:
    if found := re.match(r"So from (.+?) to (.+?): (.+?)\.?$", sentence):
        items = [_item(item, drawn) for item in re.split(r",? then |, but ", found[3])]
        lead = drawn.pick(
            f"Current picture, {found[1]} to {found[2]}: ",
            f"From {found[1]} to {found[2]} we have ",
            f"Line-up ({found[1]} to {found[2]}): ",
        )
        return lead + (", ", "; ", " / ")[drawn.form // 31 % 3].join(items) + "."
    if found := re.match(r"By process of elimination, (.+?) must be (.+?)\.?$", sentence):
        return drawn.pick(f"That leaves {found[1]} as {found[2]}.", f"Nothing else fits, so {found[1]} is {found[2]}.")
    if found := re.match(r"So the answer is \((\w)\)", sentence):
        return drawn.pick(f"I choose ({found[1]})", f"Correct option: ({found[1]})", f"So the answer: ({found[1]})")
    for relation, options in _RELATIONS.items():
        sentence = re.sub(rf"\b{relation}\b(?! and)", options[drawn.form // 37 % len(options)], sentence, count=1)
    sentence = re.sub(r"^(\w+) finished ", rf"\1 {('was', 'ended up', 'placed')[drawn.form // 41 % 3]} ", sentence)
    sentence = sentence.replace(", so ", drawn.pick(", thus ", ". Consequently, ", ", so that "))
    return sentence.replace(" cannot be ", drawn.pick(" can never be ", " cannot possibly be ", " may not be "))


def _item(item: str, drawn: _Drawn) -> str:
    found = re.match(
        r"^((?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|, | and | or | to | through )+) "
        r"(?:can be|is|are|must be) (.+)$",
        item,
    )
    if not found:
        return item
    style = drawn.form // 43 % 4
    spot = re.sub(r"\w+", lambda word: _spot(word[0], style), found[1])
    what = re.sub(r"^any \w+$", ("anyone", "anything", "free", "not known yet")[drawn.form // 47 % 4], found[2])
    return f"{spot}: {what}" if style else f"{spot} is {what}"


def _spot(word: str, style: int) -> str:
    if word not in _ORDINALS:
        return word
    number = _ORDINALS.index(word)
    return (word, f"slot {number + 1}", f"#{number + 1}", f"place {_NUMBERS[number]}")[style]


_STEP: dict[str, Any] = {
    "multistep_arithmetic": _sums, "tracking_shuffled_objects": _swaps, "dyck_languages": _brackets, "word_sorting": _words,
    "logical_deduction": _orders,
}  # fmt: skip
