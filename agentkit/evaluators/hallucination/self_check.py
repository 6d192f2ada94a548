"""The evaluator ``self_check``: what a model makes up differs from sample to sample (Manakul et al. 2023, arXiv 2303.08896)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agentkit import answers
from agentkit.answers import Convention, Kind
from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination import agreement, samples
from agentkit.evaluators.hallucination.calibrated import calibrated
from agentkit.evaluators.hallucination.entailment import follows, question_bounds
from agentkit.protocols import Model
from agentkit.text import Span
from agentkit.types import Bounds, Finding, Record, Score, Usage

VERSION = "1.0"
Method = Literal["auto", "answer", "words"]


class _Judged(NamedTuple):
    """How far the samples agree, which text was judged, what they do not agree with, and how it was found out."""

    value: float
    answer: str
    findings: tuple[Finding, ...]
    method: str
    usage: Usage = Usage()
    unread: int = 0


@dataclass(frozen=True, kw_only=True)
class SelfCheck:
    """Asks whether samples for the same question agree with ``record.output``; they are ``record.metadata["samples"]``.

    Without documents and, unless ``model`` is given, without a model. ``answer`` compares the final answers (``kind`` and
    ``convention`` as everywhere): the score is the share of samples that come to the same. ``words`` compares each sentence with
    the words of each sample: the score is the mean share that they have in common. ``auto`` takes the first where the samples
    are short or state an answer. With a ``model`` it is asked of each of up to ``max_sentences`` sentences and ``max_asked``
    samples whether the sample says so. Without an output the answer that most samples agree with is judged (with a
    ``model`` the first sample). ``label`` is ``consistent`` from ``threshold`` on, else ``inconsistent``; sentences below
    it are findings. Of more than ``max_samples`` samples the first are read. Agreement is not truth: what a model always
    gets wrong, its samples agree on.
    ``calibration`` is a file of ``agentkit calibrate``: the score becomes a probability by your own labels.
    """

    model: Model | None = None
    method: Method = "auto"
    kind: Kind = "auto"
    convention: Convention = "us"
    threshold: float = 0.5
    max_samples: int = 100
    max_sentences: int = 20
    max_asked: int = 5
    calibration: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"self_check: threshold must lie above 0 and at most at 1, not {self.threshold}")
        for name in ("max_samples", "max_sentences", "max_asked"):
            if getattr(self, name) < 1:
                raise ConfigError(f"self_check: {name} must be at least 1, not {getattr(self, name)}")

    def bounds(self) -> tuple[Bounds, ...]:
        """A question for each sentence and sample, where a model is asked."""
        return question_bounds(self.model, self.max_sentences * self.max_asked) if self.model else ()

    def parse(self, row: Any) -> Record:
        """The record of a row ``{samples: [...], answer?}``; raises ``InputError`` when it has no samples."""
        return samples.parse(row)

    async def evaluate(self, record: Record) -> Score:
        """The score; without two samples to compare, or without any answer in them, it is unscored with a reason."""
        began = time.perf_counter()
        pool = samples.pool(record, self.max_samples)
        if isinstance(pool, str):
            return _unscored(pool)
        if pool.answer is not None and not pool.answer.strip():
            return _unscored("the answer is empty")
        judged = await self._judge(pool, record)
        if isinstance(judged, str):
            return _unscored(judged)
        return calibrated(self._scored(judged, len(pool.samples), time.perf_counter() - began), self.calibration)

    async def _judge(self, pool: samples.Pool, record: Record) -> _Judged | str:
        texts = samples.said(pool.samples)
        if self.model is not None:
            question = record.input if isinstance(record.input, str) else ""
            return await self._asked(self.model, pool.answer, texts, question)
        if self.method == "answer" or (self.method == "auto" and agreement.are_answers([*texts, pool.answer])):
            return self._by_answer(pool.answer, texts)
        return self._by_words(pool.answer, texts)

    def _by_answer(self, answer: str | None, texts: Sequence[str | None]) -> _Judged | str:
        """The share of all samples, those that could not be parsed included, that come to the same answer."""
        found = agreement.final_answers([answer, *texts], self.kind, self.convention)
        groups = answers.classes(found, self.kind, convention=self.convention)
        if not groups or (answer is not None and found[0] is None):
            return "no final answer could be found to compare"
        home = max(groups, key=len) if answer is None else next(group for group in groups if 0 in group)
        value = sum(place > 0 for place in home) / len(texts)
        text = answer if answer is not None else texts[home[0] - 1] or ""
        whole = Span(0, len(text), text)
        findings = () if value >= self.threshold else (self._finding(whole, value, answer is not None),)
        return _Judged(value, text, findings, "answer")

    def _by_words(self, answer: str | None, texts: Sequence[str | None]) -> _Judged | str:
        held = [text for text in texts if text is not None]
        read = [agreement.terms(text) for text in held]
        place = agreement.medoid(read) if answer is None else -1
        text = held[place] if answer is None else answer
        others = [one for number, one in enumerate(read) if number != place]
        spans = agreement.statements(text, self.max_sentences)
        if not spans or not others:
            return "the answer says nothing that could be compared" if others else "only one sample holds a text"
        values = [
            sum(agreement.overlap(agreement.terms(span.text), other) for other in others) / len(others)
            for span in spans
        ]
        return _Judged(sum(values) / len(values), text, self._below(spans, values, answer is not None), "words")

    async def _asked(
        self, model: Model, answer: str | None, texts: Sequence[str | None], question: str
    ) -> _Judged | str:
        held = [text for text in texts if text is not None]
        text, others = (held[0], held[1:]) if answer is None else (answer, held)
        spans = agreement.statements(text, self.max_sentences)
        if not spans or not others:
            return "the answer says nothing that could be compared" if others else "only one sample holds a text"
        replies = [
            [await follows(model, other, span.text, question=question) for other in others[: self.max_asked]]
            for span in spans
        ]
        usage = sum((reply.usage for row in replies for reply in row), Usage())
        read = [[reply.follows for reply in row if reply.follows is not None] for row in replies]
        kept = [(span, sum(row) / len(row)) for span, row in zip(spans, read, strict=True) if row]
        if not kept:
            return f"{model.name} answered none of the questions with yes or no"
        values = [value for _, value in kept]
        findings = self._below([span for span, _ in kept], values, answer is not None)
        unread = sum(map(len, replies)) - sum(map(len, read))
        return _Judged(sum(values) / len(values), text, findings, "model", usage, unread)

    def _below(self, spans: Sequence[Span], values: Sequence[float], placed: bool) -> tuple[Finding, ...]:
        pairs = zip(spans, values, strict=True)
        return tuple(self._finding(span, value, placed) for span, value in pairs if value < self.threshold)

    def _finding(self, span: Span, value: float, placed: bool) -> Finding:
        return Finding(
            code="unconfirmed",
            kind="inconsistent",
            message=f"the samples agree with this to {value:.0%}",
            start=span.start if placed else None,
            end=span.end if placed else None,
            text=span.text,
            confidence=1 - value,
        )

    def _scored(self, judged: _Judged, count: int, seconds: float) -> Score:
        return Score(
            value=judged.value,
            label="consistent" if judged.value >= self.threshold else "inconsistent",
            findings=judged.findings,
            evaluator="self_check",
            version=VERSION,
            usage=judged.usage,
            seconds=seconds,
            metadata={"method": judged.method, "samples": count, "answer": judged.answer, "unread": judged.unread},
        )


def _unscored(reason: str) -> Score:
    return replace(Score(value=None, status="unscored", reason=reason), evaluator="self_check", version=VERSION)
