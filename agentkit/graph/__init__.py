"""Graphs: a strict YAML file, checked at load, compiled to langgraph, run with one stream of events."""

from agentkit.graph.builder import GraphBuilder
from agentkit.graph.graph import Graph
from agentkit.graph.load import load, load_source, load_text
from agentkit.graph.spec import CacheSpec, GraphSpec, MapSpec, RetrySpec, SampleSpec
from agentkit.graph.write import to_yaml
from agentkit.runtime.budget import Budget

__all__ = [
    "Budget",
    "CacheSpec",
    "Graph",
    "GraphBuilder",
    "GraphSpec",
    "MapSpec",
    "RetrySpec",
    "SampleSpec",
    "load",
    "load_source",
    "load_text",
    "to_yaml",
]
