"""A third rewriting of recorded chains, written without sight of the other two; the meaning of every step is kept.

A chain gets one manner for the whole of it (plain, passive, symbolic, Markdown, LaTeX, verbose) and one of several phrasings
a step; what no pattern knows is left as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def rewrite_third(task: str, steps: Sequence[str], rng: Random) -> list[str]:
    """The steps in other words, as many as before and in the same order."""
    manner = _MANNERS[task](rng)
    decorate = rng.choice(_DECORATIONS)
    return [decorate(number, manner(step)) for number, step in enumerate(steps)]


def _bare(_: int, text: str) -> str:
    return text


def _numbered(number: int, text: str) -> str:
    return f"{number + 1}) {text}"


def _bulleted(_: int, text: str) -> str:
    return f"* {text}"


def _headed(number: int, text: str) -> str:
    return f"**Step {number + 1}.** {text}"


def _then(number: int, text: str) -> str:
    return f"Next: {text}" if number else f"To begin: {text}"


_DECORATIONS = (_bare, _bare, _numbered, _bulleted, _headed, _then)


def _brackets(rng: Random) -> Callable[[str], str]:
    row = rng.choice(
        (
            "read {x} → the stack is now {s}",
            "After {x} has been consumed, the stack holds {s}.",
            "| {x} | {s} |",
            "Next symbol `{x}`, which leaves `{s}` on the stack.",
            "{x} => {s}",
            "Handling {x}. Still open (bottom to top): {s}",
            "The stack becomes {s} once {x} is processed.",
            "Input: {x}; contents of the stack afterwards: {s}",
            "The character {x} is taken, giving the stack {s}",
        )
    )
    nothing = rng.choice(("empty", "∅", "(nothing)", "empty"))
    shown = rng.choice((str, str, lambda s: ", ".join(s.split()), lambda s: s.replace(" ", "")))

    def stack(text: str) -> str:
        return nothing if text.strip() in ("empty", "") else shown(text.strip())

    def manner(step: str) -> str:
        if found := re.fullmatch(r"(\S) ; stack: (.+)", step):
            return row.format(x=found[1], s=stack(found[2]))
        step = step.replace(
            "We should process each input one by one and keep track of the stack configuration.",
            rng.choice(
                (
                    "I go through the symbols from left to right and note what remains open.",
                    "The input is scanned symbol by symbol while the stack is recorded.",
                )
            ),
        )
        if step == "stack: empty":
            return rng.choice(
                (
                    "Initially nothing is on the stack.",
                    "At the outset the stack is empty.",
                    "Start with an empty stack.",
                )
            )
        if found := re.fullmatch(r"Now, we have reached the end\. The final stack is (.+)\.", step):
            return rng.choice(
                (
                    "The input is exhausted; what is left on the stack is {s}.",
                    "End of input: the stack still holds {s}.",
                    "No symbols remain, and the stack at this point reads {s}.",
                )
            ).format(s=stack(found[1].strip('"')))
        step = re.sub(
            r"We will need to pop out (.+?)(?: one by one in that order)?\.",
            lambda m: rng.choice(
                (
                    "Popping in sequence takes off {s}.",
                    "From the top down we have to remove {s}.",
                    "These come off the stack one after another: {s}.",
                )
            ).format(s=m[1]),
            step,
        )
        step = re.sub(
            r"So, we need (.+?)\. So",
            lambda m: rng.choice(
                (
                    "Accordingly {s} must be appended. So",
                    "The closers required are {s}. So",
                    "Hence we must write {s}. So",
                )
            ).format(s=m[1]),
            step,
        )
        return _answer(step, rng)

    return manner


def _answer(step: str, rng: Random) -> str:
    return re.sub(
        r"So the answer is (.*)$",
        lambda m: rng.choice(
            ("Answer: {a}", "Therefore the answer is {a}", "The final answer: {a}", "This makes the answer {a}")
        ).format(a=m[1]),
        step,
    )


def _sums(rng: Random) -> Callable[[str], str]:
    times = rng.choice(("*", "×", "·", r"\times", r"\cdot"))
    joined = rng.choice((" = ", " = ", " => ", " → ")) if times in "*×·" else " = "
    wrap = (lambda text: f"${text}$") if times.startswith("\\") else str
    part = rng.choice(
        (
            "Compute {n}: {e}.",
            "{n} evaluates as follows: {e}.",
            "Now for {n}. We get {e}.",
            "The value of {n} is worked out: {e}",
            "Evaluating {n}, {e}.",
        )
    )

    def maths(text: str) -> str:
        head, *rest = text.split(" = ")
        return (
            wrap(" = ".join((head, joined.join(rest))).replace("*", times)) if rest else wrap(text.replace("*", times))
        )

    def manner(step: str) -> str:
        if found := re.fullmatch(r"Let's calculate ([A-Z]) = (.+?)\.?", step):
            return part.format(n=found[1], e=maths(f"{found[1]} = {found[2]}"))
        if found := re.fullmatch(r'This equation can be written as "(.+?)", where (.+?)\.?', step):
            named = re.sub(r",? and (?=[A-Z] =)|, (?=[A-Z] =)", "; ", found[2])
            defined = "; ".join(maths(one) for one in named.split("; "))
            return rng.choice(
                (
                    "Put {d}. The expression is then {w}.",
                    "Write the expression as {w} with {d}.",
                    "The task has the shape {w}, letting {d}.",
                )
            ).format(d=defined, w=maths(found[1]))
        if found := re.fullmatch(r"Then, the final equation is (.+?)\. So the answer is (.+)", step):
            said = rng.choice(("Putting the parts together: {e}.", "Substituting back, {e}.", "Combined: {e}.")).format(
                e=maths(found[1])
            )
            return f"{said} {_answer(f'So the answer is {found[2]}', rng)}"
        return _answer(step, rng)

    return manner


def _swaps(rng: Random) -> Callable[[str], str]:
    move = rng.choice(
        (
            "Once {a} and {b} have swapped",
            "{a} ↔ {b}",
            "An exchange takes place between {a} and {b}",
            "{a} trades with {b}",
            "{b} and {a} change over",
            "{a} gives theirs to {b} and takes what {b} had",
            "The two involved are {a} and {b}",
        )
    )
    pair = rng.choice(("{p} has {t}", "{p} → {t}", "{p} = {t}", "{p} now with {t}", "{t} is with {p}", "{p}({t})"))
    glue = rng.choice(("; ", ", "))
    first = rng.random() < 0.2

    def state(text: str) -> str:
        pairs = re.findall(r"([A-Z]\w*): ([^,.]+)", text)
        return glue.join(pair.format(p=p, t=t.strip()) for p, t in pairs)

    def manner(step: str) -> str:
        tail = re.search(r" ?(?:So the answer is|At the end of).*$", step)
        body, ending = (step[: tail.start()], tail[0].strip()) if tail else (step, "")
        if found := re.fullmatch(
            r"(\w+) and (\w+) (?:swap|switch|trade)[^:,]*[:,] ?((?:[A-Z]\w*: [^,.]+(?:, |\.| |$))+)", body
        ):
            said = move.format(a=found[1], b=found[2])
            body = f"{state(found[3])} (after this: {said})" if first else f"{said}: {state(found[3])}."
        elif found := re.fullmatch(r"At the start: ((?:[A-Z]\w*: [^,.]+(?:, |\.| |$))+)", body):
            body = rng.choice(("To begin with, {s}.", "Initial situation: {s}.", "Before any swap: {s}.")).format(
                s=state(found[1])
            )
        ending = re.sub(
            r"At the end of the \w+, ", lambda m: rng.choice(("When all is done, ", "Finally, ", "In the end ")), ending
        )
        return f"{body} {_answer(ending, rng)}".strip()

    return manner


def _words(rng: Random) -> Callable[[str], str]:
    entry = rng.choice(
        ("{w} → {l} ({n})", "{w} has {l} = {n}", "{w}: {l}, number {n}", "`{w}` gives {l} ({n})", "{w}/{l}/{n}")
    )
    less = rng.choice((" < ", " then ", " ≺ ", ", then ", " → ", " comes before "))
    tie = rng.choice((", ", " / ", " ? ", " vs "))
    numbered = rng.random() < 0.5

    def chain(text: str) -> str:
        if " = " in text:
            return text
        return less.join(_link(one, tie, numbered) for one in text.split(" < "))

    def manner(step: str) -> str:
        if found := re.fullmatch(
            r"I should start by looking at the first letter of the words in the list\. The first letter: (.+)", step
        ):
            return rng.choice(
                (
                    "Initial letters come first. {e}",
                    "Sort on the opening letter of each word: {e}",
                    "Listing every word with letter one: {e}",
                )
            ).format(e=_entries(found[1], entry))
        if found := re.fullmatch(
            r"Now let's sort this subpart (\[.+?\]) by looking at their (\w+) letters\. The \w+ letter: (.+)", step
        ):
            group = tie.join(re.findall(r'"([^"]*)"', found[1]))
            nth = found[2]
            return rng.choice(
                (
                    "To separate [{g}], compare the {n} letter: {e}",
                    "The tie [{g}] is broken on letter {k}: {e}",
                    "For [{g}] the {n} letters are examined. {e}",
                )
            ).format(g=group, n=nth, k=_ORDINALS.index(nth) + 1, e=_entries(found[3], entry))
        if found := re.fullmatch(r"We now have: (.+?)\.?(?: for the subpart\.(?: Hence, we have (.+?)\.?)?)?", step):
            return _order(step, found[1], found[2], chain, rng)
        if found := re.fullmatch(r"I have now sorted all the words\. The answer is (.*)", step):
            return rng.choice(
                ("All words are in place. Answer: {a}", "Sorting is complete; the list reads: {a}", "Final order: {a}")
            ).format(a=found[1])
        return step

    return manner


def _order(step: str, part: str, whole: str | None, chain: Callable[[str], str], rng: Random) -> str:
    if "for the subpart" not in step:
        return rng.choice(("This yields {c}.", "The order so far: {c}.", "Grouped, that is {c}.")).format(c=chain(part))
    said = rng.choice(("Within this group: {c}.", "The group is thereby ordered {c}.", "So those go {c}.")).format(
        c=chain(part)
    )
    if not whole:
        return said
    return f"{said} {rng.choice(('Overall:', 'Put back into the list:', 'The complete order becomes'))} {chain(whole)}."


def _entries(text: str, entry: str) -> str:
    return "; ".join(
        entry.format(w=w, l=letter, n=n) for w, letter, n in re.findall(r'"([^"]*)": "([^"]*)" \((\d+)\)', text)
    )


def _link(text: str, tie: str, numbered: bool) -> str:
    number = re.match(r"\((\d+)\)", text)
    words = re.findall(r'"([^"]*)"', text)
    if not words:
        return text
    body = f"[{tie.join(words)}]" if "[" in text else words[0]
    return f"({number[1]}) {body}" if number and numbered else body


def _orders(rng: Random) -> Callable[[str], str]:
    changes = _ORDER_CHANGES
    chosen = [(pattern, rng.choice(options)) for pattern, options in changes]
    slots = rng.choice(("{o}: {v}", "{o} = {v}", "in {o} place {v}", "{o} is {v}"))

    def manner(step: str) -> str:
        step = re.sub(
            r"(?<=[:,] )(?:then )?(" + "|".join(_ORDINALS) + r") is ((?:the )?[\w ]+?)(?=[,.])",
            lambda m: slots.format(o=m[1], v=m[2]),
            step,
        )
        for pattern, change in chosen:
            step = re.sub(pattern, change, step)
        return _answer(step, rng)

    return manner


_ORDER_CHANGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"To answer the question, I need to identify .*",
        ("I collect the fixed places first and fill in the rest by what is left over.",),
    ),
    (
        r"By process of elimination, ",
        ("That leaves one possibility: ", "Everything else being ruled out, ", "Hence, eliminating the others, "),
    ),
    (r"So from ", ("Listed from ", "Hence, reading from ", "This gives, from ")),
    (r"\bcan be any (\w+)", (r"may be whichever \1", r"is open to any \1", r"could be any \1")),
    (r"is to the left of", ("stands left of", "is somewhere left of", "lies to the left of")),
    (r"is to the right of", ("stands right of", "is somewhere right of", "lies to the right of")),
    (r"are more expensive than", ("cost more than", "have a higher price than", "are pricier than")),
    (r"are less expensive than", ("cost less than", "have a lower price than", "are cheaper than")),
    (r"is newer than", ("is more recent than", "was made after")),
    (r"is older than", ("is of an earlier date than", "was made before")),
    (r"finished above", ("came in ahead of", "placed higher than", "beat")),
    (r"finished below", ("came in behind", "placed lower than", "lost to")),
    (r", so the (.+?) cannot be the ", (r"; it follows that the \1 is not the ", r", which rules out the \1 as the ")),
    (r"must be the ", ("has to be the ", "is necessarily the ")),
    (r"According to this ordering, ", ("Reading this off, ", "In this arrangement, ")),
)

_MANNERS: dict[str, Callable[[Random], Callable[[str], str]]] = {
    "dyck_languages": _brackets,
    "logical_deduction": _orders,
    "multistep_arithmetic": _sums,
    "tracking_shuffled_objects": _swaps,
    "word_sorting": _words,
}
