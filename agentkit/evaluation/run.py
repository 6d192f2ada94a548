"""Run a task over a data set and judge what comes out: no record lost, none counted twice, no error the end of it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError
from agentkit.evaluation.dataset import Dataset, as_dataset
from agentkit.evaluation.report import Report
from agentkit.evaluation.results import ResultFile, Unkept
from agentkit.evaluation.row import Header, Row
from agentkit.evaluation.task import Task, as_task, identity
from agentkit.evaluation.trial import Trial
from agentkit.events import Emit, EvaluationStarted, RecordEvaluated, Scope, ignore
from agentkit.protocols import Evaluator
from agentkit.runtime.concurrency import gather
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.types import Record

Evaluators = Iterable[Evaluator] | Mapping[str, Evaluator]


async def evaluate(task: Task, dataset: Iterable[Record], evaluators: Evaluators, **settings: Any) -> Report:
    """Run ``task`` on every record and let ``evaluators`` judge each output; the settings are ``Evaluation``'s fields.

    ``task`` is a graph, or any ``async (record) -> outputs`` (see ``Task``).
    """
    return await Evaluation(**settings).run(task, dataset, evaluators)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a data set is run and judged.

    * ``inputs`` says which part of a record is which input of a graph: ``{"question": "input.text"}``.
    * ``output`` names the output to judge (default: ``answer``, or the only one), ``documents`` the output that holds
      what it should rest on, if the task gives any.
    * ``repeats`` runs each record that often, each time with another seed; ``limit`` takes the first records only.
    * ``concurrency`` is the most records in flight, ``timeout`` the most seconds for the task and for each evaluator.
    * ``cluster`` names the metadata field whose values group records that are not independent.
    * ``folder`` keeps every row as it comes: a rerun goes on where the last one ended, ``fresh`` starts over and
      ``retry_errors`` runs failed rows again.
    * ``emit`` hears of every row, ``clock`` measures seconds, ``created`` is the date to note in the results.
    """

    name: str = "evaluation"
    inputs: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    documents: str = "documents"
    repeats: int = 1
    limit: int | None = None
    concurrency: int = 8
    timeout: float | None = None
    cluster: str = ""
    seed: int = 0
    folder: str | Path | None = None
    fresh: bool = False
    retry_errors: bool = False
    emit: Emit = ignore
    clock: Callable[[], float] = time.monotonic
    created: str = ""

    def __post_init__(self) -> None:
        for name in ("repeats", "concurrency"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")

    async def run(self, task: Task, dataset: Iterable[Record], evaluators: Evaluators) -> Report:
        """One row for every record and repeat; an exception, a hang or junk from the task becomes the row's error.

        Raises ``InputError`` for two records with one id, ``EvaluationError`` when the folder holds results of
        something else, ``StoreError`` when they cannot be written. Cancelled, it keeps the rows it has.
        """
        records = as_dataset(dataset)
        judges, runner = named_evaluators(evaluators), as_task(task, self.inputs)
        header = self._header(runner, records, judges)
        wanted = records.take(self.limit)
        with self._store(header) as store:
            keys = {(record.id, repeat) for record in wanted for repeat in range(self.repeats)}
            rows = [row for row in store.rows if row.key in keys]
            self.emit(EvaluationStarted(name=self.name, total=len(keys), done=len(rows)))
            trials = self._trials(wanted, {row.key for row in rows})
            trial = self._trial(runner, judges, store)

            async def work() -> None:
                for record, repeat in trials:  # shared: each worker pulls the next one when it is free
                    row = await trial(record, repeat)
                    store.append(row)
                    rows.append(row)
                    self._tell(row)

            await gather([work] * min(self.concurrency, len(keys) or 1))
        return Report.of(header, rows, wanted=len(keys), path=str(store.path))

    def _trials(self, records: Dataset, done: set[tuple[str, int]]) -> Iterator[tuple[Record, int]]:
        for record in records:
            for repeat in range(self.repeats):
                if (record.id, repeat) not in done:
                    yield record, repeat

    def _trial(self, task: Task, evaluators: Mapping[str, Evaluator], store: ResultFile | Unkept) -> Trial:
        return Trial(
            task=task,
            evaluators=evaluators,
            clock=self.clock,
            output=self.output,
            documents=self.documents,
            timeout=self.timeout,
            seed=self.seed,
            cluster=self.cluster,
            attempts=store.attempts,
        )

    def _store(self, header: Header) -> ResultFile | Unkept:
        if self.folder is None:
            return Unkept()
        redactor = Redactor(secrets_in(os.environ), shapes=False)
        return ResultFile(self.folder, header, redactor=redactor, fresh=self.fresh, retry_errors=self.retry_errors)

    def _header(self, task: Task, records: Dataset, evaluators: Mapping[str, Evaluator]) -> Header:
        return Header(
            name=self.name,
            task=_settled(identity(task)),
            dataset=records.digest,
            evaluators={name: _settled(repr(one)) for name, one in evaluators.items()},
            output=self.output,
            cluster=self.cluster,
            seed=self.seed,
            agentkit=_version(),
            created=self.created,
        )

    def _tell(self, row: Row) -> None:
        self.emit(
            RecordEvaluated(
                scope=Scope(run=self.name, path=row.id),
                record=row.id,
                repeat=row.repeat,
                scores=row.scores,
                usage=row.usage,
                seconds=row.seconds,
                error=row.error,
            )
        )


def named_evaluators(evaluators: Evaluators) -> dict[str, Evaluator]:
    """The evaluators by name: their own where they come in a mapping, else that of their class; a second one gets ``_2``."""
    if isinstance(evaluators, Mapping):
        return dict(evaluators)
    named: dict[str, Evaluator] = {}
    for evaluator in evaluators:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(evaluator).__name__).lower()
        same = sum(other == name or re.fullmatch(rf"{name}_\d+", other) is not None for other in named)
        named[f"{name}_{same + 1}" if same else name] = evaluator
    return named


def _settled(description: str) -> str:
    """Without memory addresses, which differ between two runs of the same thing."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", description)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("agentkit")
    except PackageNotFoundError:
        return ""
