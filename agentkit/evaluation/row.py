"""One line of a result file: what became of one record in one repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from agentkit.evaluation.plain import plain
from agentkit.runtime.codec import dumps
from agentkit.runtime.redact import Redactor
from agentkit.types import JSON, Score, Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = "agentkit-results/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: what the rows are results of. Two runs with equal headers but for ``created`` may share a file.

    ``task`` says what was run and ``evaluators`` what judged it, in words that change when either does;
    ``dataset`` is the digest of all records. ``output`` and ``cluster`` are those of ``evaluate``.
    """

    schema: str = SCHEMA
    name: str = ""
    task: str = ""
    dataset: str = ""
    evaluators: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    cluster: str = ""
    seed: int = 0
    agentkit: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record's result: its scores by evaluator, or the ``error`` that took the place of an output.

    ``attempt`` counts the runs this row took, from 1; ``usage`` is the task's cost, the scores carry their own;
    ``seconds`` is wall time of the task. ``cluster`` names the group the record belongs to, else it is the id.
    """

    id: str
    repeat: int = 0
    attempt: int = 1
    cluster: str = ""
    input: JSON = None
    target: JSON = None
    output: Mapping[str, JSON] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    error_type: str = ""
    error: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What there is exactly one row of."""
        return self.id, self.repeat

    @property
    def failed(self) -> bool:
        """Whether the task or an evaluator went wrong."""
        return bool(self.error_type) or any(score.status == "error" for score in self.scores.values())


def encode(line: Header | Row, redactor: Redactor) -> bytes:
    """The line with its end, without secrets; raises ``EvaluationError`` when it holds what is not plain data."""
    return dumps(redactor.data(plain(line, type(line).__name__.lower()))).encode() + b"\n"


@cache
def decoder(kind: type[Any]) -> TypeAdapter[Any]:
    """Checks parsed JSON and makes a dataclass of it; unknown keys, from a later release, are passed over."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
