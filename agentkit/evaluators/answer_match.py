"""Right when the output gives the target answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agentkit import answers
from agentkit.types import JSON, Record, Score

Mode = Literal["equivalent", "exact", "contains"]


@dataclass(frozen=True, kw_only=True)
class AnswerMatch:
    """Scores 1 when ``record.output`` gives the target answer and 0 when it does not.

    ``equivalent`` takes the final answer out of the output and asks whether it says the same (``four`` beside ``4``,
    ``$1,200`` beside ``1200``); ``kind`` says what sort of answer is expected and ``convention`` how its numbers and
    dates are written. ``exact`` wants the same characters but for space around them, ``contains`` the target's words
    anywhere in the output, whatever their case. A target that is a list is met by any of its members. An output
    without an answer is wrong; a record without a target is ``unscored``.
    """

    mode: Mode = "equivalent"
    kind: answers.Kind = "auto"
    convention: answers.Convention = "us"

    async def evaluate(self, record: Record) -> Score:
        """The score, labelled ``right``, ``wrong`` or ``no answer``; ``metadata["answer"]`` is what was compared."""
        targets = [text for one in _each(record.target) if (text := _text(one))]
        if not targets:
            return self._unscored("the record has no target that is text or a number")
        if record.output is not None and _text(record.output) is None:
            return self._unscored("the output is no text: say which part of it is the answer")
        answer = self._answer(_text(record.output) or "")
        if answer is None:
            return self._score(0.0, "no answer", None)
        right = any(self._matches(answer, target) for target in targets)
        return self._score(float(right), "right" if right else "wrong", answer)

    def _answer(self, output: str) -> str | None:
        if self.mode == "equivalent":
            return answers.extract(output, self.kind, convention=self.convention)
        return output.strip() or None

    def _matches(self, answer: str, target: str) -> bool:
        return _MATCHES[self.mode](self, answer, target)

    def _equivalent(self, answer: str, target: str) -> bool:
        """Against the target as written, and against the answer in it where the target is a worked solution."""
        stated = answers.extract(target, self.kind, convention=self.convention) or target
        return any(self._same(one, wanted) for wanted in {target, stated} for one in self._readings(answer, wanted))

    def _readings(self, answer: str, target: str) -> Iterator[str]:
        """The answer and, where a bare number is wanted and it is a phrase with one number in it, that number."""
        yield answer
        reading = answers.read(target, self.kind, convention=self.convention)
        span = answers.numbers.first(answer)
        if reading.number is not None and not reading.mark and span and span == answers.numbers.last(answer):
            yield answer[span[0] : span[1]]

    def _same(self, answer: str, target: str) -> bool:
        return answers.equivalent(answer, target, self.kind, convention=self.convention)

    def _exact(self, answer: str, target: str) -> bool:
        return answer == target.strip()

    def _contains(self, answer: str, target: str) -> bool:
        """Whole words only: ``4`` is neither in ``24`` nor in ``4.5``."""
        words = re.escape(_folded(target))
        return re.search(rf"(?<!\w)(?<!\d[.,]){words}(?!\w)(?![.,]\d)", _folded(answer)) is not None

    def _score(self, value: float, label: str, answer: str | None) -> Score:
        return Score(value=value, label=label, evaluator="answer_match", version="1", metadata={"answer": answer})

    def _unscored(self, reason: str) -> Score:
        return Score(value=None, status="unscored", reason=reason, evaluator="answer_match", version="1")


_MATCHES: dict[Mode, Callable[[AnswerMatch, str, str], bool]] = {
    "equivalent": AnswerMatch._equivalent,
    "exact": AnswerMatch._exact,
    "contains": AnswerMatch._contains,
}


def _each(target: JSON) -> list[JSON]:
    return list(target) if isinstance(target, list | tuple) else [target]


def _text(value: JSON) -> str | None:
    """A text or number as text; None for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
