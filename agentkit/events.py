"""What happened in a run, as typed values on one stream: the CLI, the SDK and plugins all read the same.

An event says only what is new; readers add it up. ``scope`` tells where: the run, the node, and the path inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agentkit.types import JSON, Document, Finding, Question, RunStatus, Score, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A place in a run. ``visit`` counts a node's executions from 0; ``path`` names what is inside a node (``sample:3``)."""

    run: str = ""
    node: str = ""
    visit: int = 0
    path: str = ""

    def inner(self, part: str) -> Scope:
        """The place ``part`` inside this one."""
        path = f"{self.path}/{part}" if self.path else part
        return Scope(run=self.run, node=self.node, visit=self.visit, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The common part: where it happened."""

    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run began (or went on, where ``resumed``)."""

    graph: str
    inputs: Mapping[str, JSON]
    nodes: tuple[str, ...]
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """A run ended: ``status`` is succeeded, failed, cancelled, interrupted or exhausted; ``questions`` wait for answers."""

    status: RunStatus
    output: Mapping[str, JSON]
    usage: Usage
    seconds: float
    error: str = ""
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    """A node began."""

    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFinished(Event):
    """A node ended with ``outputs`` (plain data), or with ``error``, and ``next`` are the nodes that follow.

    ``recorded``: taken from the journal, not run. ``skipped``: passed over, because its condition did not hold.
    """

    use: str
    outputs: Mapping[str, JSON]
    seconds: float
    error: str = ""
    recorded: bool = False
    skipped: bool = False
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDrawn(Event):
    """A model finished a sample."""

    model: str
    text: str
    finish_reason: str
    usage: Usage
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDrawn(Event):
    """A piece of a sample arrived."""

    model: str
    text: str
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCast(Event):
    """A sample's answer was counted; ``answer`` is None for an abstention. ``counts`` is the tally after it."""

    answer: str | None
    counts: Mapping[str, int]
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtScored(Event):
    """A search valued a thought."""

    depth: int
    text: str
    value: float
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsRetrieved(Event):
    """A retriever found passages."""

    query: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Event):
    """An agent called a tool; ``result`` is the text that the model got, ``arguments`` the JSON that it wrote, or a person."""

    name: str
    arguments: str
    result: str
    failed: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsReused(Event):
    """The outputs of an earlier run were taken, at no cost; ``usage`` is what they had cost then."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded(Event):
    """A budget got short, and the node goes on in its cheaper form; ``reason`` says which budget."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked(Event):
    """A person is asked; this branch of the run goes on once there is an answer."""

    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered(Event):
    """A question has its answer: that of a ``person``, or the ``default`` because nobody answered in time."""

    question: str
    value: JSON
    by: str = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """An evaluator noticed something."""

    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(Event):
    """A call was settled against the budget; ``total`` is the run's usage after it."""

    usage: Usage
    total: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried(Event):
    """A call failed and will be tried again after ``delay`` seconds."""

    model: str
    attempt: int
    delay: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationStarted(Event):
    """An evaluation began: ``total`` rows are wanted (None: unknown), of which ``done`` were there from before."""

    name: str
    total: int | None
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvaluated(Event):
    """A record has its row: the scores by evaluator, or the ``error`` that took their place."""

    record: str
    repeat: int
    scores: Mapping[str, Score]
    usage: Usage
    seconds: float
    error: str = ""


Emit = Callable[[Event], None]
"""Takes an event; must be quick and must not raise."""


def ignore(event: Event) -> None:
    """The sink for whoever does not listen."""
