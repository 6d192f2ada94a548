"""The evaluator ``reasoning_steps``: the first wrong step of a chain of reasoning, exactly and without a model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentkit.errors import ConfigError, InputError
from agentkit.evaluators.planning.reasoning.chain import Chain, Flaw, Reading
from agentkit.evaluators.planning.reasoning.route import read
from agentkit.types import Finding, Record, Score

VERSION = "1.0"
_STEPS = ("steps", "output", "answer", "response", "solution")
_QUESTIONS = ("input", "question", "problem", "query")


@dataclass(frozen=True, kw_only=True)
class ReasoningSteps:
    """Finds the first wrong step of ``record.output``, a list of steps or a text with one step a line, for ``record.input``.

    The score is 1 without a mistake and 0 with one; ``label`` is ``no_mistake`` or ``mistake``, and the step is
    ``metadata["first_error"]`` (0-based, None without). A chain that no checker can read is ``unscored`` with label
    ``unparsed``; so is one in which no mistake was found but less than ``least_checked`` of the steps say anything that can be
    checked, and one of more than ``max_steps`` steps or ``max_characters`` characters. ``metadata["checked"]`` holds the steps
    that were checked. The same chain always gets the same verdict.
    """

    least_checked: float = 0.5
    max_steps: int = 1000
    max_characters: int = 100_000

    def __post_init__(self) -> None:
        if not 0 <= self.least_checked <= 1:
            raise ConfigError(f"reasoning_steps: least_checked must be between 0 and 1, not {self.least_checked}")
        for name in ("max_steps", "max_characters"):
            if getattr(self, name) < 1:
                raise ConfigError(f"reasoning_steps: {name} must be at least 1, not {getattr(self, name)}")

    def parse(self, row: Any) -> Record:
        """The record of a row ``{task, input, steps: [...]}``; raises ``InputError`` when it has no steps."""
        if not isinstance(row, dict):
            raise InputError(f"a row must be a JSON object, not {type(row).__name__}")
        steps = next((row[key] for key in _STEPS if row.get(key) is not None), None)
        if steps is None:
            raise InputError('the row has no "steps": give a list of texts')
        question = next((row[key] for key in _QUESTIONS if row.get(key) is not None), "")
        return Record(id=str(row.get("id", "")), input=question, output=steps, metadata={"task": row.get("task") or ""})

    def render(self, score: Score) -> Mapping[str, Any]:
        """The verdict as a line of output: ``first_error`` on top, null without a mistake and when nothing could be read."""
        return {
            "status": score.status,
            "first_error": score.metadata.get("first_error"),
            "score": score.value,
            "label": score.label,
            "findings": [
                {"code": one.code, "step": one.step, "evidence": one.message, "repair": one.metadata["repair"],
                 "minor": one.kind == "remark"}
                for one in score.findings
            ],
            "family": score.metadata.get("family", ""),
            "checked": score.metadata.get("checked", []),
            "steps": score.metadata.get("steps", 0),
            "reason": score.reason,
            "evaluator": score.evaluator,
            "version": score.version,
            "seconds": round(score.seconds, 6),
        }  # fmt: skip

    async def evaluate(self, record: Record) -> Score:
        """The score of the chain; without readable steps it is unscored with a reason."""
        began = time.perf_counter()
        score = self._score(record)
        return replace(score, seconds=time.perf_counter() - began)

    def check(self, chain: Chain) -> Reading:
        """What the checkers find in ``chain``; ``obstacle`` says why it was not checked."""
        size = len(chain.question) + sum(map(len, chain.steps))
        if not any(step.strip() for step in chain.steps):
            return Reading("", obstacle="there are no steps")
        if len(chain.steps) > self.max_steps:
            return Reading("", obstacle=f"there are {len(chain.steps):,} steps; at most {self.max_steps:,} are checked")
        if size > self.max_characters:
            return Reading(
                "", obstacle=f"the chain has {size:,} characters; at most {self.max_characters:,} are checked"
            )
        return read(chain)

    def _score(self, record: Record) -> Score:
        steps = _steps(record.output)
        if steps is None:
            return _unscored(f"the steps must be a list of texts or a text, not {type(record.output).__name__}", 0)
        task = str(record.metadata.get("task") or "")
        return self._scored(self.check(Chain(task=task, question=_text(record.input), steps=steps)), steps)

    def _scored(self, reading: Reading, steps: tuple[str, ...]) -> Score:
        first, count = reading.first_error, len(steps)
        if reading.obstacle:
            return _unscored(reading.obstacle, count, reading)
        if first is None and len(reading.checked) < max(1, self.least_checked * count):
            reason = f"only {len(reading.checked)} of {count} steps say anything that can be checked"
            return _unscored(reason, count, reading)
        return Score(
            value=1.0 if first is None else 0.0,
            label="no_mistake" if first is None else "mistake",
            findings=tuple(_finding(flaw, first, steps) for flaw in reading.flaws),
            evaluator="reasoning_steps",
            version=VERSION,
            metadata=_metadata(reading, first, count),
        )


def _finding(flaw: Flaw, first: int | None, steps: tuple[str, ...]) -> Finding:
    later = first is not None and flaw.step > first and not flaw.minor
    kind = "remark" if flaw.minor else ("later" if later else "first")
    return Finding(
        code=flaw.code, message=flaw.evidence, kind=kind, step=flaw.step, text=steps[flaw.step],
        metadata={"repair": flaw.repair},
    )  # fmt: skip


def _metadata(reading: Reading, first: int | None, count: int) -> dict[str, Any]:
    return {"first_error": first, "family": reading.family, "checked": sorted(reading.checked), "steps": count}


def _unscored(reason: str, count: int, reading: Reading | None = None) -> Score:
    return Score(
        value=None, status="unscored", label="unparsed", reason=reason, evaluator="reasoning_steps", version=VERSION,
        metadata=_metadata(reading or Reading(""), None, count),
    )  # fmt: skip


def _steps(output: Any) -> tuple[str, ...] | None:
    if isinstance(output, str):
        return tuple(line for line in output.splitlines() if line.strip())
    if isinstance(output, list | tuple):
        texts = [one.get("text", one.get("content")) if isinstance(one, dict) else one for one in output]
        return tuple(map(str, texts)) if all(isinstance(text, str) for text in texts) else None
    return None


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return str(next((value[key] for key in _QUESTIONS if value.get(key)), ""))
    return value if isinstance(value, str) else "" if value is None else str(value)
