"""The one form of a trace: a task and the steps taken on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentkit.types import JSON, ToolSpec

StepKind = Literal["message", "thought", "plan", "call", "result", "action", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an agent; its number is its place in the trace, from 0.

    ``text`` is what was said, ``name`` and ``arguments`` what was called (``arguments`` None: none were readable),
    ``result`` what came back, ``call`` the id that ties a result to its call, ``state`` what the agent said the state of
    its world was. ``origin`` is the number of the step in the log it was read from.
    """

    kind: StepKind
    agent: str = ""
    text: str = ""
    name: str = ""
    arguments: Mapping[str, JSON] | None = None
    result: JSON = None
    call: str = ""
    state: JSON = None
    origin: int | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was asked and the steps taken. ``tools`` are those the agent could call, ``policy`` the rules it was given.

    ``outcome`` says whether the task was solved, None where nobody knows.
    """

    task: str
    steps: tuple[Step, ...]
    tools: tuple[ToolSpec, ...] = ()
    policy: str = ""
    outcome: bool | None = None
    id: str = ""
    source: str = ""
    metadata: Mapping[str, JSON] = field(default_factory=dict)
