"""What an evaluation runs: any async function of a record, and how graphs and strategies become one."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, is_dataclass, replace
from hashlib import sha256
from typing import Any

from agentkit.errors import ConfigError, EvaluationError, InputError, QuestionsPendingError, did_you_mean
from agentkit.events import Event, Spent
from agentkit.protocols import Model, SampleStream, Strategy
from agentkit.runtime.codec import fingerprint
from agentkit.types import JSON, Capabilities, GenerateRequest, Problem, Record, Sample, Usage

_READABLE = ("id", "input", "documents", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a task made of a record: its outputs by name and what they cost; ``error`` ended it, where it failed."""

    output: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    error: BaseException | None = None

    @classmethod
    def of(cls, result: object) -> Outcome:
        """The outcome itself, or the one with these outputs; a bare text is the output called ``output``."""
        if isinstance(result, Outcome):
            return result
        if isinstance(result, str):
            return cls(output={"output": result})
        if isinstance(result, Mapping):
            return cls(output=result)
        raise EvaluationError(f"the task returned {type(result).__name__} instead of a mapping of outputs")


Task = Callable[..., Awaitable[Outcome | Mapping[str, Any] | str]]
"""``async (record) -> outputs``. A task that draws at random also takes ``seed``: another one for every record and
repeat, the same ones in every run. An attribute ``identity`` says in words what it is; they change when it does."""


def identity(task: Task) -> str:
    """What the task says it is, or its qualified name."""
    named = getattr(task, "identity", None)
    return str(named) if named else f"{task.__module__}.{getattr(task, '__qualname__', type(task).__qualname__)}"


def takes_seed(task: Task) -> bool:
    """Whether the task wants to be told its seed."""
    return "seed" in inspect.signature(task).parameters


def derive_seed(seed: int, record: str, repeat: int) -> int:
    """A seed in [0, 2**31) that depends on nothing but these three: not on order, nor on what else is run."""
    return int.from_bytes(sha256(f"{seed}/{record}/{repeat}".encode()).digest()[:4]) >> 1


@dataclass(frozen=True, kw_only=True)
class StrategyTask:
    """Lets ``strategy`` solve the record's input with ``model``; its outputs are answer, confidence, votes and stopped."""

    strategy: Strategy
    model: Model

    @property
    def identity(self) -> str:
        """The strategy with its options, and the model's name."""
        return f"{self.strategy!r} on {self.model.name}"

    async def __call__(self, record: Record, *, seed: int) -> Outcome:
        """Solve it; what a failed attempt drew is counted all the same."""
        model = _Metered(self.model)
        try:
            solution = await _seeded(self.strategy, seed).solve(_problem(record), model=model)
        except Exception as error:  # noqa: BLE001 - whatever a strategy raises is the record's error
            return Outcome(usage=model.usage, error=error)
        output = {
            "answer": solution.answer,
            "confidence": solution.confidence,
            "votes": {vote.answer: vote.count for vote in solution.votes},
            "samples": len(solution.samples),
            "stopped": solution.stopped,
        }
        return Outcome(output=output, usage=solution.usage)


class _Metered:
    """A model that adds up what its samples cost."""

    def __init__(self, inner: Model) -> None:
        self.inner = inner
        self.usage = Usage()

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def generate(self, request: GenerateRequest) -> SampleStream:
        async with aclosing(self.inner.generate(request)) as stream:
            async for item in stream:
                if isinstance(item, Sample):
                    self.usage += item.usage
                yield item


@dataclass(frozen=True, kw_only=True)
class GraphTask:
    """Runs ``graph`` on the record; ``inputs`` is the mapping of ``inputs_of``."""

    graph: Any
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The graph with all that its file says, and where its inputs come from."""
        return f"graph {self.graph.spec.name} {fingerprint(self.graph.spec.data())} with {dict(self.inputs)}"

    async def __call__(self, record: Record, *, seed: int) -> Outcome:
        """Run it, keeping nothing but the outcome; what a failed run spent is counted all the same."""
        values = inputs_of(record, self.inputs, self.graph.spec.inputs)
        spent = Usage()

        def watch(event: Event) -> None:
            nonlocal spent
            if isinstance(event, Spent):
                spent = event.total

        try:
            run = await self.graph.execute(values, emit=watch, seed=seed, keep=False)
        except Exception as error:  # noqa: BLE001 - whatever a graph raises is the record's error
            return Outcome(usage=spent, error=error)
        waiting = QuestionsPendingError(run.pending) if run.pending else None
        return Outcome(output=run.output, usage=run.usage, error=waiting)


def as_task(task: Any, inputs: Mapping[str, str]) -> Task:
    """The task itself, or the one that runs this graph with its ``inputs``."""
    if hasattr(task, "spec") and hasattr(task, "execute"):
        for name in inputs.keys() - task.spec.inputs.keys():
            raise InputError(f"{task.spec.name} has no input {name!r}{did_you_mean(name, task.spec.inputs)}")
        return GraphTask(graph=task, inputs=inputs)
    if callable(task):
        return task  # type: ignore[no-any-return]
    raise ConfigError(f"cannot evaluate {type(task).__name__}: give a graph or an async function of a record")


def inputs_of(record: Record, mapping: Mapping[str, str], declared: Mapping[str, Any]) -> dict[str, JSON]:
    """The values of a graph's ``declared`` inputs, read from the record.

    ``mapping`` says ``{graph input: place in the record}``: ``input``, ``input.question``, ``documents``,
    ``metadata.language``. Without it an object is taken key by key, and anything else is the graph's only input.
    Raises ``InputError`` when the record lacks what the graph needs.
    """
    if mapping:
        return {name: _read(record, place) for name, place in mapping.items()}
    if isinstance(record.input, Mapping):
        return {name: value for name, value in record.input.items() if name in declared}
    if len(declared) == 1:
        return dict.fromkeys(declared, record.input)
    raise InputError(f"the graph takes {', '.join(declared)}: say which part of a record is which under 'inputs'")


def check_place(place: str) -> str:
    """Why ``place`` cannot be read from a record, or the empty string."""
    root = place.split(".")[0]
    if root == "target":
        return "the target is for evaluators only: a graph that saw it could copy it"
    if root not in _READABLE:
        return f"a record has no {root!r}{did_you_mean(root, _READABLE)}"
    return ""


def _read(record: Record, place: str) -> JSON:
    if problem := check_place(place):
        raise InputError(problem)
    root, *path = place.split(".")
    value = getattr(record, root)
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            raise InputError(f"record {record.id!r} has no {place!r}")
        value = value[part]
    return value


def _seeded(strategy: Strategy, seed: int) -> Strategy:
    if is_dataclass(strategy) and not isinstance(strategy, type) and hasattr(strategy, "seed"):
        return replace(strategy, seed=seed)
    return strategy


def _problem(record: Record) -> Problem:
    if not isinstance(record.input, str):
        raise InputError(
            f"record {record.id!r}: a strategy solves a text, but the input is {type(record.input).__name__}"
        )
    return replace(Problem.of(record.input), documents=record.documents)
