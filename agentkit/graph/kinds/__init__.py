"""The kinds of nodes, one small class each: their ports, their check and the function that runs them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agentkit.errors import ConfigError, did_you_mean
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds.agent import AgentKind
from agentkit.graph.kinds.computed import SetKind, SwitchKind, TemplateKind
from agentkit.graph.kinds.evaluator import EvaluatorKind
from agentkit.graph.kinds.graph import GraphKind
from agentkit.graph.kinds.human import HumanKind
from agentkit.graph.kinds.kind import Checked, Described, Kind, Planned, Run, Site, Walk, Workshop
from agentkit.graph.kinds.model import ModelKind
from agentkit.graph.kinds.retriever import RetrieverKind
from agentkit.graph.kinds.step import StepKind
from agentkit.graph.kinds.strategy import StrategyKind
from agentkit.graph.kinds.tool import ToolKind
from agentkit.graph.spec import NodeSpec
from agentkit.registry import Registry

__all__ = [
    "Checked",
    "Described",
    "Kind",
    "NodeContext",
    "Planned",
    "Run",
    "Site",
    "Walk",
    "Workshop",
    "kind_of",
    "uses",
]

_USE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?\Z")

_WITH_COMPONENT: Mapping[str, Kind] = {
    "strategy": StrategyKind(),
    "retriever": RetrieverKind(),
    "evaluator": EvaluatorKind(),
    "tool": ToolKind(),
    "rag": StepKind("rag"),
}
_ALONE: Mapping[str, Kind] = {
    "model": ModelKind(),
    "template": TemplateKind(),
    "set": SetKind(),
    "switch": SwitchKind(),
    "graph": GraphKind(),
    "agent": AgentKind(),
    "human": HumanKind(),
}


def kind_of(node: NodeSpec, registry: Registry) -> Kind:
    """The kind that ``use`` names; raises ``ConfigError`` for a name that nothing is registered under."""
    if not _USE.match(node.use):
        raise ConfigError(
            f"{node.use[:100]!r} is no component: a graph file names registered components only, like strategy.self_consistency"
        )
    if node.component:
        return _with_component(node, registry)
    if node.use in _ALONE:
        return _ALONE[node.use]
    if node.use in registry.names("node"):
        return StepKind("node")
    raise ConfigError(_unknown(node, registry))


def uses(registry: Registry) -> dict[str, Kind]:
    """Everything that ``use`` can say, with the kind of node it makes."""
    named = {f"{kind}.{name}": one for kind, one in _WITH_COMPONENT.items() for name in registry.names(kind)}
    return {**_ALONE, **named, **{name: StepKind("node") for name in registry.names("node")}}


def _with_component(node: NodeSpec, registry: Registry) -> Kind:
    if node.kind in _WITH_COMPONENT:
        return _WITH_COMPONENT[node.kind]
    if node.kind in _ALONE:
        raise ConfigError(f"{node.kind!r} takes no name after a dot; write 'use: {node.kind}'")
    raise ConfigError(_unknown(node, registry))


def _unknown(node: NodeSpec, registry: Registry) -> str:
    if node.use in _WITH_COMPONENT:
        names = ", ".join(registry.names(node.use)) or "none"
        return f"{node.use!r} needs a name: {node.use}.NAME (known: {names})"
    kinds = sorted([*_WITH_COMPONENT, *_ALONE, *registry.names("node")])
    return f"there is no node kind {node.kind!r}{did_you_mean(node.kind, kinds)} (known: {', '.join(kinds)})"
