"""Says the steps of a chain of reasoning in other words, without changing what they say.

``rewrite(task, steps, random)`` draws a style for the chain (numbering, markdown, signs or words, casing) and a phrasing for each
step. What a step claims (numbers, signs, holders, orders, letters, answers) is carried over as it stands, mistakes included.
A step that fits no known form keeps its words and gets the style only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from rewrite_orders import order_step

Step = Callable[[str, "Style"], str]


class Style:
    """What is drawn once for a chain: how steps are numbered, which signs are used, how states are listed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.prefix = random.choice(
            ("", "", "Step {n}: ", "{n}. ", "{n}) ", "**Step {n}.** ", "- ", "Step {n} - ", "({n}) ")
        )
        self.lower = random.random() < 0.2
        self.bold = random.random() < 0.15
        self.form = random.randrange(10**6)
        self.number = 0

    def pick(self, *options: str) -> str:
        """One of the phrasings; a chain mostly keeps to one, as a writer does."""
        if self.random.random() < 0.7:
            return options[self.form % len(options)]
        return self.random.choice(options)

    def dress(self, text: str) -> str:
        """The step with its number and casing."""
        if self.lower and text[:1].isupper() and not re.match(r"[A-Z]\b|[A-Z][a-z]+ (?:and|swaps|trades|↔)", text):
            text = text[0].lower() + text[1:]
        if self.bold:
            text = re.sub(r"(?i)\b(answer|stack|swap|sort)\b", r"**\1**", text, count=1)
        return self.prefix.format(n=self.number + 1) + text


def rewrite(task: str, steps: Sequence[str], random: Random) -> list[str]:
    """The steps in other words; ``task`` is one of the five names of BIG-Bench Mistake."""
    style = Style(random)
    said = []
    for number, step in enumerate(steps):
        style.number = number
        said.append(style.dress(_STEP[task](step, style)))
    return said


# Sums


def _sum_step(step: str, style: Style) -> str:
    if found := re.fullmatch(r'This equation can be written as "(.+?)", where (.+)\.', step):
        return _signs(_set_up(found[1], _definitions(found[2]), style), style)
    if found := re.fullmatch(r"Let's calculate (\w) = (.+)\.", step):
        return _signs(_calculation(found[1], found[2].split(" = "), style), style)
    if found := re.fullmatch(r"Then, the final equation is (.+?)\. So the answer is (\S+)", step):
        return _signs(_final_sum(found[1].split(" = "), found[2], style), style)
    return step


def _definitions(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"(\w) = (.+?)(?=,? and [A-Z] = |, [A-Z] = |$)", text)
    return [(name, value.rstrip(",")) for name, value in found]


def _set_up(formula: str, meant: list[tuple[str, str]], style: Style) -> str:
    listed = ", ".join(f"{name} = {value}" for name, value in meant)
    return style.pick(
        f"Let {listed}; the expression is then {formula}.",
        f"Break the problem into pieces: {formula} with "
        + "; ".join(f"{name} = {value}" for name, value in meant)
        + ".",
        f"We need {formula}. Here " + " and ".join(f"{name} stands for {value}" for name, value in meant) + ".",
        "Set " + ", ".join(f"{name} := {value}" for name, value in meant) + f". What is asked is {formula}.",
        "Call " + ", ".join(f"{value} {name}" for name, value in meant) + f". Then we want {formula}.",
        f"Rewrite it as {formula}, " + ", ".join(f"{name} being {value}" for name, value in meant) + ".",
    )


def _calculation(name: str, parts: list[str], style: Style) -> str:
    last = parts[-1]
    return style.pick(
        f"{name} = " + " = ".join(parts),
        f"Work out {name}: " + " → ".join(parts),
        f"For {name} we get {parts[0]}" + "".join(f", which is {part}" for part in parts[1:]) + ".",
        f"Evaluating {name}: " + " equals ".join(parts) + ".",
        f"Now {name}. " + " = ".join(parts) + f", so {name} is {last}.",
        f"{name} is {parts[0]}." + "".join(f" That becomes {part}." for part in parts[1:]),
        f"Next compute {name}, that is, " + ", then ".join(parts) + f". Hence {name} = {last}.",
    )


def _final_sum(parts: list[str], answer: str, style: Style) -> str:
    chained = " = ".join(parts)
    return style.pick(
        f"Putting it together, {chained}, so the result is {answer}.",
        f"Combine them: {' → '.join(parts)}. Answer: {answer}",
        f"Substituting gives {chained}. The answer is {answer}.",
        f"Finally {parts[0]}" + "".join(f", which gives {part}" for part in parts[1:]) + f". Final answer: {answer}.",
        f"So {chained}. Therefore the answer must be {answer}",
    )


def _signs(text: str, style: Style) -> str:
    times = (" * ", " × ", " · ", " times ", " * ")[style.form // 7 % 5]
    text = text.replace(" * ", times)
    if style.form // 11 % 4 == 0:
        text = re.sub(r"(?<=[\s(])-(?=[\d(\s])", "−", text)
    if style.form // 13 % 6 == 0:
        text = text.replace(" + ", " plus ")
    return text


# Swaps

_SWAP = re.compile(r"^(\w+) and (\w+) (swap|trade|switch)(?: (\w+))?[:,] ?(.*)$")
_END = re.compile(
    r"^At the end of the \w+, (\w+) (?:has|is playing|is dancing with)(?: the)? (.+?)\.? So the answer is \((\w)\)"
)


def _swap_step(step: str, style: Style) -> str:
    if found := _END.match(step):
        return _ended(found[1], found[2], found[3], style)
    body, _, answer = step.partition("So the answer is (")
    if found := _SWAP.match(body.strip()):
        held = _held(found[5])
        said = _swapped(found[1], found[2], style) + (_holdings(held, style) if held else f": {found[5]}")
    elif held := _held(re.sub(r"^At the start: ", "", body)):
        said = (_start(style) if body.startswith("At the start") else "") + _holdings(held, style)
    else:
        said = body
    return (said.strip() + (" " + _option(answer[0], style) if answer else "")).strip()


def _held(text: str) -> list[tuple[str, str]]:
    parts = [re.fullmatch(r"\s*(\w+)(?::| has) (.+?)\.?\s*", part) for part in text.strip().rstrip(".").split(", ")]
    return [(part[1], part[2]) for part in parts if part] if all(parts) else []


def _swapped(one: str, other: str, style: Style) -> str:
    if style.random.random() < 0.3:
        one, other = other, one
    return style.pick(
        f"After {one} and {other} swap: ", f"{one} trades with {other}, so now ", f"{one} ↔ {other}. ",
        f"Next, {one} and {other} exchange what they have. ", f"The swap between {one} and {other} leaves ",
        f"{other} switches with {one}; ",
    )  # fmt: skip


def _start(style: Style) -> str:
    return style.pick("Initially, ", "To begin with: ", "Starting state - ", "At first ", "The game starts with ")


def _holdings(held: list[tuple[str, str]], style: Style) -> str:
    if style.form // 17 % 3 == 0:
        held = style.random.sample(held, len(held))
    if style.form // 19 % 7 == 0 and len(held) > 1:
        return f"{_and([who for who, _ in held])} have {_and([what for _, what in held])} respectively."
    form = (
        "{0}: {1}",
        "{0} has {1}",
        "{0} -> {1}",
        "{0} = {1}",
        "{1} is with {0}",
        "{0} holds {1}",
        "{1} ({0})",
        "{0} now has the {1}",
    )
    joint = (", ", "; ", " | ", ", ")[style.form // 23 % 4]
    chosen = form[style.form // 29 % len(form)]
    return joint.join(chosen.format(who, what) for who, what in held) + "."


def _ended(who: str, what: str, letter: str, style: Style) -> str:
    return style.pick(
        f"In the end {who} has {what}. {_option(letter, style)}",
        f"So {who} ends up with {what}, which is option ({letter}).",
        f"{who} finishes with {what}; {_option(letter, style)}",
        f"Final state: {what} belongs to {who}. {_option(letter, style)}",
    )


def _option(letter: str, style: Style) -> str:
    return style.pick(
        f"The answer is ({letter})",
        f"Answer: ({letter})",
        f"So it is option ({letter}).",
        f"Hence the answer is ({letter}).",
    )


def _and(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)


# Brackets

_SIGN = r"[\[\](){}<>]"


def _bracket_step(step: str, style: Style) -> str:
    if step.startswith("We should process"):
        return style.pick(
            "Go through the input one symbol at a time, keeping a stack.",
            "I will track the stack symbol by symbol.",
            step,
        )
    if step == "stack: empty":
        return style.pick("The stack is empty at the start.", "Start with an empty stack.", "Initial stack: (empty)")
    if found := re.fullmatch(rf"({_SIGN}) ?; stack: ?(.*)", step):
        return _read_sign(found[1], found[2].strip(), style)
    if found := re.match(r"Now, we have reached the end\. The final stack is (.+?)\.?$", step):
        stack = _stack(found[1].strip('" '), style)
        return style.pick(
            f"The input is over, and the stack is {stack}.",
            f"End of input; stack = {stack}.",
            f"That was the last symbol. What remains on the stack: {stack}.",
        )
    return _closing(step, style)


def _closing(step: str, style: Style) -> str:
    if found := re.fullmatch(r"We will need to pop out (.+?),? one by one in that order\.", step):
        signs = re.findall(_SIGN, found[1])
        return style.pick(
            f"Pop them in the order {_and(_quoted(signs))}.",
            f"Taking them off the stack gives {', '.join(signs)} in that order.",
            f"Remove {' then '.join(_quoted(signs))}.",
        )
    if found := re.fullmatch(r"So, we need (.+?)\. So the answer is ?(.*)", step):
        signs = re.findall(_SIGN, found[1])
        needed = style.pick(
            f"The matching closers are {_and(_quoted(signs))}.",
            f"Hence we need {', '.join(_quoted(signs))}.",
            f"These are closed by {' '.join(signs)}.",
        )
        return f"{needed} {style.pick('The answer is', 'Answer:', 'Final answer:')} {found[2]}"
    if found := re.fullmatch(r"So the answer is ?(.*)", step):
        return f"{style.pick('The answer is', 'Answer:', 'Therefore the answer is')} {found[1]}"
    return step


def _read_sign(sign: str, stack: str, style: Style) -> str:
    shown = _stack(stack, style)
    act = "opens, so push it" if sign in "([{<" else "closes the top, so pop"
    return style.pick(
        f"Read {sign}. Stack: {shown}", f"Next symbol {sign} → stack {shown}", f"After '{sign}' the stack is {shown}.",
        f'We see "{sign}", so the stack becomes {shown}', f"{sign} {act}. Now the stack is {shown}.",
        f"Symbol: {sign} | Stack: {shown}", f"The stack is {shown} after reading {sign}.",
    )  # fmt: skip


def _stack(stack: str, style: Style) -> str:
    signs = re.findall(_SIGN, stack)
    if not signs:
        return ("empty", "(empty)", "now empty", "[]", "empty")[style.form // 31 % 5]
    return (" ".join(signs), ", ".join(signs), " ".join(signs), '"' + " ".join(signs) + '"', ", ".join(_quoted(signs)),
            "[" + ", ".join(f"'{sign}'" for sign in signs) + "]", "".join(signs))[style.form // 37 % 7]  # fmt: skip


def _quoted(signs: Sequence[str]) -> list[str]:
    return [f'"{sign}"' for sign in signs]


# Words to sort

_GROUP = re.compile(r'(?:\((\d+)\) )?(\[[^\]]*\]|"[^"]*")')


def _sort_step(step: str, style: Style) -> str:
    first, *others = re.split(r"(?<=[.\"]) (?=Hence, we have|The (?:\w+) letter:)", step)
    if found := re.match(r"I should start by looking at the first letter", first):
        return _letters_of(
            "first",
            others[0],
            style,
            style.pick("Begin with the first letters. ", "First letter of every word: ", "Initial letters - "),
        )
    if found := re.match(r"Now let's sort this subpart (\[.+?\]) by looking at their (\w+) letters\.", first):
        words = re.findall(r'"([^"]+)"', found[1])
        return _letters_of(found[2], others[0], style, _aim(words, found[2], style)) if others else step
    if found := re.match(r"We now have: (.+?)(?: for the subpart)?\.?$", first):
        part = "for the subpart" in first
        said = (
            style.pick("Within this group: ", "That gives ", "For the group we get ")
            if part
            else style.pick("So the order is ", "This gives ", "We have ")
        )
        said += _ordering(found[1], style) + "."
        if others and others[0].startswith("Hence"):
            rest = re.sub(r"^Hence, we have ", "", others[0]).rstrip(".")
            said += (
                style.pick(" So the whole list is now ", " Overall: ", " Hence the full order is ")
                + _ordering(rest, style)
                + "."
            )
        return said
    if found := re.match(r"I have now sorted all the words\. The answer is (.+)", first):
        words = found[1]
        return style.pick(
            f"Everything is sorted. Answer: {words}",
            f"All words are in order now; the answer is {words}",
            f"Done. The final answer is {words}",
        )
    return step


def _aim(words: Sequence[str], which: str, style: Style) -> str:
    names = [f'"{word}"' for word in words]
    return style.pick(
        f"Next, order the group [{' ? '.join(names)}] by the {which} letter. ",
        f"Compare {_and(names)} on their {which} letters. ",
        f"The group {{{', '.join(names)}}} is still tied, so look at the {which} letters: ",
        f"Turn to {' / '.join(names)} and look at the {which} letter of each. ",
    )


def _letters_of(which: str, text: str, style: Style, lead: str) -> str:
    found = re.findall(r'"([^"]+)": "(\w)" \((\d+)\)', text)
    form = (
        '"{0}" → {1} ({2})',
        '"{0}": {1} ({2})',
        '"{0}" has "{1}" ({2})',
        '"{0}" = {1}',
        '"{0}" is {1} (number {2})',
        '"{0}": "{1}" ({2})',
    )
    chosen, joint = form[style.form // 41 % len(form)], (", ", "; ", ". ")[style.form // 43 % 3]
    return lead + joint.join(chosen.format(*one) for one in found) + "."


def _ordering(text: str, style: Style) -> str:
    groups = [(number, re.findall(r'"([^"]+)"', body)) for number, body in _GROUP.findall(text)]
    if not groups or any(not words for _, words in groups):
        return text
    tie = ("[{}]", "{{{}}}", "({})", "[{}]")[style.form // 47 % 4]
    sign = (" ? ", ", ", " / ", " or ")[style.form // 47 % 4]
    joint = (" < ", " then ", " < ", ", then ", " → ")[style.form // 53 % 5]
    form = ("({0}) {1}", "({0}) {1}", "{0}: {1}", "#{0} {1}")[style.form // 59 % 4]
    shown = []
    for number, words in groups:
        names = [f'"{word}"' for word in words]
        body = tie.format(sign.join(names)) if len(names) > 1 else names[0]
        shown.append(form.format(number, body) if number else body)
    return joint.join(shown)


_STEP: dict[str, Step] = {
    "multistep_arithmetic": _sum_step,
    "tracking_shuffled_objects": _swap_step,
    "dyck_languages": _bracket_step,
    "word_sorting": _sort_step,
    "logical_deduction": order_step,
}
