"""What a lint rule is: a function over a graph that loads, with a stable code, a name and a severity."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath

from agentkit.errors import Severity
from agentkit.expressions import Expression, parse
from agentkit.graph.backends import Backend, Backends
from agentkit.graph.kinds import Planned, Site, Workshop, kind_of
from agentkit.graph.plan import Assumptions, Plan, plan
from agentkit.graph.ports import Ports
from agentkit.graph.repeat import ports_around
from agentkit.graph.spec import INPUTS, Binding, EdgeSpec, GraphSpec, NodeSpec, Reference
from agentkit.graph.topology import Topology
from agentkit.types import JSON, Bounds, Path
from agentkit.yaml_reader import Source

Found = tuple[Path, str]
"""A place inside the graph and the sentence that says what is odd there, and what to do."""


@dataclass(frozen=True)
class Subject:
    """A graph with all that rules ask about; ``within`` is where it stands in its ``source``."""

    shop: Workshop
    backends: Backends
    source: Source
    within: Path = ()

    @property
    def spec(self) -> GraphSpec:
        """The graph."""
        return self.shop.spec

    @property
    def nodes(self) -> Mapping[str, NodeSpec]:
        """Its nodes."""
        return self.spec.nodes

    @cached_property
    def data(self) -> JSON:
        """What the file says."""
        data = self.source.data
        for key in self.within:
            data = data[key]
        return data

    @cached_property
    def topology(self) -> Topology:
        """Where one can go."""
        return Topology(tuple(self.nodes), self.spec.edges)

    @cached_property
    def edges(self) -> tuple[tuple[EdgeSpec, Path], ...]:
        """Its edges in the order they are tried, each with where it stands."""
        return tuple(zip(self.spec.edges, _places(self.spec, self.data), strict=True))

    @cached_property
    def plan(self) -> Plan:
        """What it will cost."""
        return plan(self.shop, self.backends, Assumptions())

    @cached_property
    def bounds(self) -> Mapping[str, tuple[Bounds, ...]]:
        """What each node asks of models, as far as it says."""
        found = {}
        for name, node in self.nodes.items():
            kind = kind_of(node, self.shop.registry)
            found[name] = (kind.bounds(node, self.shop) or ()) if isinstance(kind, Planned) else ()
        return found

    @cached_property
    def ports(self) -> Mapping[str, Ports]:
        """The ports of each node, those of the graph's inputs under their name."""
        site = Site(spec=self.spec, registry=self.shop.registry, read=self.shop.read)
        found = {INPUTS: Ports(outputs={name: one.type for name, one in self.spec.inputs.items()})}
        for name, node in self.nodes.items():
            found[name] = ports_around(node, kind_of(node, self.shop.registry).check(node, site).ports)
        return found

    @cached_property
    def conditions(self) -> Mapping[Path, Expression]:
        """Every ``when`` of the graph by its place."""
        found: dict[Path, Expression] = {
            (*place, "when"): parse(edge.when) for edge, place in self.edges if edge.when is not None
        }
        for name, node in self.nodes.items():
            if node.when is not None:
                found["nodes", name, "when"] = parse(node.when)
        return found

    @cached_property
    def bindings(self) -> Mapping[Path, Binding]:
        """Every place of the graph that takes a value, with where it comes from."""
        inputs: dict[Path, Binding] = {
            ("nodes", name, "in", port): one for name, node in self.nodes.items() for port, one in node.inputs.items()
        }
        return {**inputs, **{("outputs", name): one for name, one in self.spec.outputs.items()}}

    @cached_property
    def read(self) -> frozenset[tuple[str, str | None]]:
        """The nodes and ports that anything reads; the port is None where a node is read as a whole."""
        references = {
            (one.node, one.port) for binding in self.bindings.values() for one in binding if isinstance(one, Reference)
        }
        return frozenset(references | {(use.root, use.member) for one in self.conditions.values() for use in one.uses})

    def backend(self, model: str) -> Backend:
        """What is known of the backend of the graph's model ``model``."""
        return self.backends.of(self.spec.models[model].name)

    def at(self, node: str, *path: str) -> Path:
        """The place of an option of a node, or the nearest one around it that the file has."""
        return ("nodes", node, *path)


Check = Callable[[Subject], Iterable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule; ``about`` says what it finds and what to do, for the reference page."""

    code: str
    name: str
    severity: Severity
    about: str
    check: Check


RULES: dict[str, Rule] = {}
"""Every rule by its code."""


def rule(code: str, name: str, severity: Severity) -> Callable[[Check], Check]:
    """Makes a rule of a function, whose docstring is the rule's documentation."""

    def register(check: Check) -> Check:
        RULES[code] = Rule(code=code, name=name, severity=severity, about=inspect.getdoc(check) or "", check=check)
        return check

    return register


def _places(spec: GraphSpec, data: JSON) -> Iterator[Path]:
    """Where each edge stands, in the order in which the loader reads them."""
    if spec.implied:
        yield from (("nodes", edge.target, "in") for edge in spec.edges if not edge.error)
    else:
        for index, item in enumerate(data.get("edges") or ()):
            yield from [("edges", index)] * (item.count("->") if isinstance(item, str) else 1)
    yield from (("nodes", edge.source, "on_error") for edge in spec.edges if edge.error)


def stem(file: str) -> str:
    """The name of a file without its folder and ending."""
    return FilePath(file).stem
