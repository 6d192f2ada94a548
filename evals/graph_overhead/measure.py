"""CPU milliseconds a node of a chain of trivial nodes: agentkit beside plain langgraph.

python evals/graph_overhead/measure.py --nodes 20
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

from agentkit.graph import Graph, load_text
from agentkit.registry import Registry

RESULTS = Path(__file__).parents[1] / "results"


class Text(TypedDict):
    """The state of the plain graph, and the outputs of our node."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Hands its text on."""

    async def run(self, *, text: str) -> Text:
        """The same text."""
        return {"text": text}


def chain(nodes: int) -> str:
    """A graph file of ``nodes`` nodes in a row."""
    lines = [
        "schema: agentkit/v1",
        "name: chain",
        "inputs: {text: string}",
        f"outputs: {{text: n{nodes - 1}.text}}",
        "nodes:",
    ]
    for number in range(nodes):
        source = f"n{number - 1}.text" if number else "inputs.text"
        lines.append(f"  n{number}: {{use: pass, in: {{text: {source}}}}}")
    return "\n".join(lines)


def ours(nodes: int, home: Path | None) -> Callable[[], Awaitable[Any]]:
    """A run of the chain by agentkit."""
    registry = Registry()
    registry.add("node", "pass", Pass, plugin="measure")
    spec = load_text(chain(nodes), registry=registry)
    graph = Graph(spec, registry=registry, open_model=lambda entry: None, home=home)  # type: ignore[arg-type,return-value]
    return lambda: graph.run(text="hello")


def langgraph(nodes: int) -> Callable[[], Awaitable[Any]]:
    """A run of the chain by langgraph alone."""
    from langgraph.graph import START, StateGraph

    async def step(state: Text) -> Text:
        return {"text": state["text"]}

    graph = StateGraph(Text)
    for number in range(nodes):
        graph.add_node(f"n{number}", step)
        graph.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    compiled = graph.compile()
    config: Any = {"recursion_limit": nodes + 2}
    return lambda: compiled.ainvoke({"text": "hello"}, config)


async def measure(subjects: dict[str, Callable[[], Awaitable[Any]]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every round of every subject, which take turns."""
    spent: dict[str, list[float]] = {name: [] for name in subjects}
    for round_ in range(rounds + 1):
        for name, run in subjects.items():
            started = time.process_time()
            await run()
            if round_:
                spent[name].append(time.process_time() - started)
    return spent


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=RESULTS / f"{date.today()}-graph-overhead.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        subjects = {
            "langgraph": langgraph(arguments.nodes),
            "agentkit, in memory": ours(arguments.nodes, None),
            "agentkit, kept": ours(arguments.nodes, Path(home)),
        }
        spent = asyncio.run(measure(subjects, arguments.rounds))
    figures = {name: round(median(times) / arguments.nodes * 1000, 4) for name, times in spent.items()}
    for name, figure in figures.items():
        print(f"{name:22} {figure:.3f} ms a node, {figure / figures['langgraph']:.2f} x langgraph")
    report = {
        "date": str(date.today()),
        "nodes": arguments.nodes,
        "rounds": arguments.rounds,
        "cpu_ms_a_node": figures,
        "versions": {name: version(name) for name in ("agentkit", "langgraph")} | {"python": platform.python_version()},
        "load": os.getloadavg()[0],
    }
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
