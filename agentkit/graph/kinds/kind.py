"""What a kind of node is: it says which ports a node has and what is wrong with it, and makes the function that runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agentkit.graph.context import NodeContext, RunContext
from agentkit.graph.ports import Ports
from agentkit.graph.spec import GraphSpec, NodeSpec
from agentkit.options import Fault
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a node may refer to while it is checked; ``read`` gives the text of a file of the graph, or ``ConfigError``.

    ``provided`` is what the Kit fills into components.
    """

    spec: GraphSpec
    registry: Registry
    read: Callable[[str], str]
    provided: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where paths in the graph begin, and what they may not leave."""
        return Path(self.spec.file).parent


Walk = Callable[[Mapping[str, JSON], RunContext], Awaitable[None]]
"""Carries a run of a graph to its end on checked inputs; what its nodes put out is then in the context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a node is made with; ``provided`` is what the Kit fills into components, ``walk`` makes a graph inside a node run."""

    spec: GraphSpec
    registry: Registry
    walk: Callable[[Workshop], Walk]
    provided: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where paths in the graph begin, and what they may not leave."""
        return Path(self.spec.file).parent

    def read(self, file: str) -> str:
        """The text of a file of the graph, as it was when the graph was loaded."""
        return self.spec.files[file]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The ports of a node, and what is wrong with it (paths inside the node)."""

    ports: Ports = field(default_factory=Ports)
    faults: list[Fault] = field(default_factory=list)


Run = Callable[[Mapping[str, JSON], NodeContext], Awaitable[Mapping[str, JSON]]]
"""Runs a node once: plain inputs in (those that are present), plain outputs out."""


class Kind(Protocol):
    """A kind of node."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The node's ports and faults."""
        ...

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """The function that runs the node; the node has been checked."""
        ...


@runtime_checkable
class Described(Protocol):
    """A kind that also says what may stand under ``with:``, so that an editor can complete it."""

    def describe(self, registry: Registry, name: str) -> dict[str, JSON]:
        """The JSON Schema of ``with:`` where the node uses the component ``name`` (empty for a kind that needs none)."""
        ...


@runtime_checkable
class Planned(Protocol):
    """A kind that also says what a run of its node will ask of models."""

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """The samples of one run, ``Bounds.model`` being the name of a model of the graph; None where nobody says."""
        ...
