"""One record, run and judged: whatever goes wrong in it becomes part of its row and ends nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from agentkit.errors import EvaluationError, did_you_mean
from agentkit.evaluation.plain import plain
from agentkit.evaluation.row import Row
from agentkit.evaluation.task import Outcome, Task, derive_seed, takes_seed
from agentkit.protocols import Evaluator
from agentkit.runtime.redact import redact
from agentkit.types import JSON, Document, Record, Score

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Runs ``task`` on a record and lets ``evaluators`` judge the output.

    ``output`` names the output to judge (empty: ``answer``, or the only one); ``documents`` the output that holds the
    documents to judge it against, where the task gives any. ``timeout`` bounds the task, and each evaluator, in seconds.
    Cancelled work has ``grace`` seconds to close what it holds before it is left behind. ``cluster`` names a field of
    the metadata; ``attempts`` counts earlier runs of a row.
    """

    task: Task
    evaluators: Mapping[str, Evaluator]
    clock: Callable[[], float]
    output: str = ""
    documents: str = "documents"
    timeout: float | None = None
    grace: float = 0.8
    seed: int = 0
    cluster: str = ""
    attempts: Mapping[tuple[str, int], int] = field(default_factory=dict)

    async def __call__(self, record: Record, repeat: int) -> Row:
        """The row of this record; raises only when the evaluation itself is being stopped."""
        started = self.clock()
        outcome, error = await attempt(self._run(record, repeat), self.timeout, self.grace)
        outcome, judged = self._checked(record, outcome or Outcome(error=error))
        row = Row(
            id=record.id,
            repeat=repeat,
            attempt=self.attempts.get((record.id, repeat), 0) + 1,
            cluster=str(record.metadata.get(self.cluster, record.id)) if self.cluster else record.id,
            input=record.input,
            target=record.target,
            output=outcome.output,
            usage=outcome.usage,
            seconds=self.clock() - started,
        )
        if outcome.error is not None:
            return replace(row, output={}, error_type=type(outcome.error).__name__, error=sentence(outcome.error))
        return replace(row, scores={name: await self._judge(name, judged) for name in self.evaluators})

    async def _run(self, record: Record, repeat: int) -> Outcome:
        if takes_seed(self.task):
            return Outcome.of(await self.task(record, seed=derive_seed(self.seed, record.id, repeat)))
        return Outcome.of(await self.task(record))

    def _checked(self, record: Record, outcome: Outcome) -> tuple[Outcome, Record]:
        """The outcome as plain data and the record to judge, or the outcome with the error that this raised."""
        if outcome.error is not None:
            return outcome, record
        try:
            output = plain(outcome.output, "output")
            judged = replace(
                record, output=self._port(output), documents=_documents(record, output.get(self.documents))
            )
        except Exception as error:  # noqa: BLE001 - a property of junk can raise anything
            return replace(outcome, error=error), record
        return replace(outcome, output=output), judged

    def _port(self, output: Mapping[str, JSON]) -> JSON:
        if self.output and self.output not in output:
            raise EvaluationError(f"there is no output {self.output!r} to judge{did_you_mean(self.output, output)}")
        if not self.output and "answer" not in output:
            return next(iter(output.values())) if len(output) == 1 else output
        return output[self.output or "answer"]

    async def _judge(self, name: str, record: Record) -> Score:
        started = self.clock()
        score, error = await attempt(_score(self.evaluators[name], record), self.timeout, self.grace)
        if score is None:
            score = Score(value=None, status="error", reason=f"{type(error).__name__}: {sentence(error)}")
        return replace(score, evaluator=score.evaluator or name, seconds=score.seconds or self.clock() - started)


async def attempt(
    work: Coroutine[Any, Any, T], seconds: float | None, grace: float
) -> tuple[T | None, BaseException | None]:
    """The result of ``work``, or the error it raised instead: any error but a KeyboardInterrupt.

    It runs in an asyncio task of its own, so that one that cancels itself, exits, or hangs past ``seconds`` harms
    nobody else. When the caller is cancelled, the work is too; after ``grace`` seconds it is no longer waited for.
    """
    job = asyncio.ensure_future(_caught(work))
    try:
        await asyncio.wait({job}, timeout=seconds)
        if not job.done():
            return None, TimeoutError(f"no result within {seconds:g} s")
    finally:
        if not job.done():
            job.cancel()
            await asyncio.wait({job}, timeout=grace)
    if job.cancelled():
        return None, asyncio.CancelledError("it cancelled itself")
    return job.result()


async def _caught(work: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    try:
        return await work, None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit and its like end a record, not the evaluation
        return None, error


async def _score(evaluator: Evaluator, record: Record) -> Score:
    """The evaluator's score, made sure to be one."""
    score = await evaluator.evaluate(record)
    if not isinstance(score, Score):
        raise EvaluationError(f"the evaluator returned {type(score).__name__} instead of a Score")
    plain(score, "score")
    if score.value is not None and not 0 <= score.value <= 1:
        raise EvaluationError(f"the score {score.value} is not in [0, 1]")
    return score


def sentence(error: BaseException | None) -> str:
    """What the error says, without anything shaped like a key, or its name where it says nothing."""
    return redact(str(error)) or type(error).__name__


def _documents(record: Record, found: JSON) -> tuple[Document, ...]:
    """The documents the task gave, else those of the record."""
    if not isinstance(found, list) or not all(isinstance(one, dict) and "text" in one for one in found):
        return record.documents
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[Document, ...]).validate_python(found)
