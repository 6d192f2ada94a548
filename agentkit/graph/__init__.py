"""Graphs: a strict YAML file, checked at load, compiled to langgraph, run with one stream of events."""

from agentkit.graph.graph import Graph
from agentkit.graph.load import load, load_text
from agentkit.graph.spec import GraphSpec

__all__ = ["Graph", "GraphSpec", "load", "load_text"]
