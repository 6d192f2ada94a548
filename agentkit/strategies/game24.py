"""Game of 24: make 24 of four numbers with + - * /, each used once. Thoughts are operations, checked exactly.

The prompts are those of Yao et al. 2023 (github.com/princeton-nlp/tree-of-thought-llm, MIT, Copyright 2023 Shunyu Yao).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from agentkit.answers import numbers
from agentkit.answers.game24 import TARGET, Operation, left_after, makes_24, read, show
from agentkit.errors import InputError
from agentkit.runtime.estimate import TOKENS_A_MESSAGE, text_tokens
from agentkit.strategies.prompts import fill
from agentkit.strategies.thoughts import Step, worth
from agentkit.types import Message, Problem

_MOST_NUMBERS = 6

_PROPOSE = "Input: {{state}}\nPossible next steps:"
_EVALUATE = "Evaluate if given numbers can reach 24 (sure/likely/impossible)\n{{state}}"
_VOTE = (
    "Use numbers and basic operations (+ - * /) to obtain 24. Numbers left:\n\n{{state}}\n\nFrom which choice can 24 be reached "
    "most surely? Compare them briefly, then write on the last line: The best choice is N, where N is its number."
)

_NEXT_STEPS = """2 + 8 = 10 (left: 8 10 14)
8 / 2 = 4 (left: 4 8 14)
14 + 2 = 16 (left: 8 8 16)
2 * 8 = 16 (left: 8 14 16)
8 - 2 = 6 (left: 6 8 14)
14 - 8 = 6 (left: 2 6 8)
14 /  2 = 7 (left: 7 8 8)
14 - 2 = 12 (left: 8 8 12)"""
_IN_RANGE = "I cannot obtain 24 now, but numbers are within a reasonable range\nlikely"

_EXAMPLES = {
    _PROPOSE: {"2 8 8 14": _NEXT_STEPS},
    _EVALUATE: {
        "10 14": "10 + 14 = 24\nsure",
        "11 12": "11 + 12 = 23\n12 - 11 = 1\n11 * 12 = 132\n11 / 12 = 0.91\nimpossible",
        "4 4 10": "4 + 4 + 10 = 8 + 10 = 18\n4 * 10 - 4 = 40 - 4 = 36\n(10 - 4) * 4 = 6 * 4 = 24\nsure",
        "4 9 11": "9 + 11 + 4 = 20 + 4 = 24\nsure",
        "5 7 8": f"5 + 7 + 8 = 12 + 8 = 20\n(8 - 5) * 7 = 3 * 7 = 21\n{_IN_RANGE}",
        "5 6 6": f"5 + 6 + 6 = 17\n(6 - 5) * 6 = 1 * 6 = 6\n{_IN_RANGE}",
        "10 10 11": "10 + 10 + 11 = 31\n(11 - 10) * 10 = 10\n10 10 10 are all too big\nimpossible",
        "1 3 3": "1 * 3 * 3 = 9\n(1 + 3) * 3 = 12\n1 3 3 are all too small\nimpossible",
    },
}
"""The worked examples of each prompt, as turns of a conversation: small chat models follow those and not one long text."""


@dataclass(frozen=True, kw_only=True)
class Game24:
    """States are the numbers left, smallest first; a proposal counts when its operands are among them.

    Results are worked out here, as fractions, so a slip of the model's arithmetic or rounding does no harm.
    """

    propose: str = _PROPOSE
    evaluate: str = _EVALUATE
    conclude: str = ""
    vote: str = _VOTE

    def question(self, problem: Problem) -> str:
        """The numbers as they were put."""
        return problem.question

    def messages(self, problem: Problem, template: str, text: str) -> tuple[Message, ...]:
        """After the worked examples of the published prompts; a prompt of the user's own stands alone."""
        examples = _EXAMPLES.get(template, {}).items()
        asked = [
            (Message("user", fill(template, state=state)), Message("assistant", reply)) for state, reply in examples
        ]
        return (*(turn for pair in asked for turn in pair), Message("user", text))

    def start(self, problem: Problem) -> str:
        """The numbers in the question; raises ``InputError`` for fewer than two or more than six."""
        return show(given(problem))

    def steps(self, state: str, reply: str) -> Sequence[Step]:
        """The operations in a reply that can be done on ``state``."""
        found = (read(line, _numbers(state)) for line in reply.splitlines())
        return [_step(one, _numbers(state)) for one in found if one]

    def key(self, state: str) -> str:
        """States are normal already."""
        return state

    def verdict(self, step: Step) -> bool | None:
        """A single number left is 24 or it is not."""
        return step.state == str(TARGET) if step.final else None

    def closing(self, state: str) -> bool:
        """With two numbers left."""
        return len(state.split()) == 2

    def value(self, reply: str) -> float:
        """See ``worth``."""
        return worth(reply)

    def fan(self, depth: int) -> int:
        """Six operations on each pair of the numbers left, of six at the start."""
        left = max(0, _MOST_NUMBERS - depth)
        return 3 * left * (left - 1)

    def overhead(self, template: str) -> int:
        """The worked examples."""
        turns = [text for pair in _EXAMPLES.get(template, {}).items() for text in pair]
        return sum(text_tokens(template) + text_tokens(text) + TOKENS_A_MESSAGE for text in turns)

    def answer(self, problem: Problem, path: Sequence[str]) -> str | None:
        """The operations as one expression, None unless it makes 24 of exactly the numbers given."""
        expression = _expression(given(problem), path)
        return expression if expression and makes_24(expression, given(problem)) else None


def given(problem: Problem) -> list[Fraction]:
    """The numbers of a puzzle, such as ``4 5 6 10``; a 24 beyond four of them is the target and left out."""
    found = [Fraction(one) for one in re.findall(r"\d+", problem.question)]
    if len(found) == 5 and TARGET in found:
        found.remove(Fraction(TARGET))
    if not 2 <= len(found) <= _MOST_NUMBERS:
        raise InputError(f"game24 needs the numbers to play with, such as '4 5 6 10', not {problem.question[:60]!r}")
    return found


def _numbers(state: str) -> list[Fraction]:
    return [Fraction(one) for one in state.split()]


def _step(operation: Operation, state: list[Fraction]) -> Step:
    left = left_after(operation, state)
    shown = show(left)
    return Step(f"{operation} = {numbers.spell(operation.result)} (left: {shown})", shown, final=len(left) == 1)


def _expression(start: Sequence[Fraction], path: Sequence[str]) -> str | None:
    """``4 - 2 = 2 (left: 2 12)``, ``2 * 12 = 24 (left: 24)`` as ``(4 - 2) * 12``; None unless one number is left."""
    terms = [(value, numbers.spell(value)) for value in start]
    for line in path:
        operation = read(line, [value for value, _ in terms])
        if operation is None:
            return None
        left, right = _take(terms, operation.left), _take(terms, operation.right)
        terms.append((operation.result, f"({left} {operation.sign} {right})"))
    return terms[0][1].removeprefix("(").removesuffix(")") if len(terms) == 1 else None


def _take(terms: list[tuple[Fraction, str]], value: Fraction) -> str:
    """Take the first term of this value out of ``terms``: its text."""
    place = next(place for place, term in enumerate(terms) if term[0] == value)
    return terms.pop(place)[1]
