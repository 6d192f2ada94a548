"""A chain of trivial nodes in each engine. Run as a script by the Python that has it: prints CPU seconds and bytes as JSON.

    python subjects.py NODES ROUNDS NAME...

It imports nothing of agentkit but in agentkit's own subjects, so that a peer can live in an environment of its own.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

Go = Callable[[], Awaitable[Any]]


async def agentkit(nodes: int, home: Path, undo: AsyncExitStack, *, keep: bool, durability: str = "process") -> Go:
    """Nodes of one class, run by a graph file."""
    from dataclasses import dataclass
    from typing import TypedDict

    from agentkit.graph import Graph, load_text
    from agentkit.registry import Registry
    from agentkit.runtime.runstore import open_store

    class Number(TypedDict):
        x: int

    @dataclass(frozen=True, kw_only=True)
    class Add:
        async def run(self, *, x: int) -> Number:
            return {"x": x + 1}

    Add.run.__annotations__["return"] = Number
    registry = Registry()
    registry.add("node", "add", Add, plugin="overhead")
    lines = ["schema: agentkit/v1", "name: chain", "inputs: {x: integer}", f"outputs: {{x: n{nodes - 1}.x}}", "nodes:"]
    lines += [f"  n{i}: {{use: add, in: {{x: {f'n{i - 1}.x' if i else 'inputs.x'}}}}}" for i in range(nodes)]
    store = open_store(home, durability=durability)  # type: ignore[arg-type]
    spec = load_text("\n".join(lines), registry=registry)
    graph = Graph(spec, registry=registry, open_model=lambda entry: None, store=store if keep else None)  # type: ignore[arg-type,return-value]

    async def go() -> int:
        return int((await graph.run(x=0)).output["x"])

    return go


async def langgraph(nodes: int, home: Path, undo: AsyncExitStack, *, durability: str | None = None) -> Go:
    """Async functions over one state key; ``durability`` saves checkpoints to SQLite."""
    from typing import TypedDict

    from langgraph.graph import START, StateGraph

    Number = TypedDict("Number", {"x": int})  # noqa: UP013 - langgraph reads it

    async def add(state: Any) -> Any:
        return {"x": state["x"] + 1}

    graph: Any = StateGraph(Number)
    for i in range(nodes):
        graph.add_node(f"n{i}", add)
        graph.add_edge(f"n{i - 1}" if i else START, f"n{i}")
    saver = None
    if durability is not None:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        saver = await undo.enter_async_context(AsyncSqliteSaver.from_conn_string(str(home / "checkpoints.db")))
    compiled = graph.compile(checkpointer=saver)
    threads = iter(range(1_000_000))
    settings = {} if durability is None else {"durability": durability}

    async def go() -> int:
        config = {"recursion_limit": nodes + 2, "configurable": {"thread_id": str(next(threads))}}
        return int((await compiled.ainvoke({"x": 0}, config, **settings))["x"])

    return go


async def haystack(nodes: int, home: Path, undo: AsyncExitStack) -> Go:
    """Components in a pipeline."""
    from haystack import Pipeline, component

    @component
    class Add:
        @component.output_types(x=int)
        def run(self, x: int) -> dict[str, int]:
            return {"x": x + 1}

    pipeline = Pipeline()
    for i in range(nodes):
        pipeline.add_component(f"n{i}", Add())
        if i:
            pipeline.connect(f"n{i - 1}.x", f"n{i}.x")

    async def go() -> int:
        return int(pipeline.run({"n0": {"x": 0}})[f"n{nodes - 1}"]["x"])

    return go


async def pydantic_graph(nodes: int, home: Path, undo: AsyncExitStack) -> Go:
    """Steps of a built graph."""
    from pydantic_graph import GraphBuilder

    builder: Any = GraphBuilder(input_type=int, output_type=int)

    async def add(context: Any) -> int:
        return int(context.inputs) + 1

    steps = [builder.step(add, node_id=f"n{i}") for i in range(nodes)]
    ways = [builder.start_node, *steps, builder.end_node]
    builder.add(*(builder.edge_from(before).to(after) for before, after in pairwise(ways)))
    graph = builder.build()

    async def go() -> int:
        return int(await graph.run(inputs=0))

    return go


SUBJECTS: dict[str, tuple[str, Callable[..., Awaitable[Go]], dict[str, Any]]] = {
    "agentkit": ("agentkit", agentkit, {"keep": False}),
    "agentkit, journal": ("agentkit", agentkit, {"keep": True}),
    "agentkit, journal synced": ("agentkit", agentkit, {"keep": True, "durability": "power"}),
    "langgraph": ("langgraph", langgraph, {}),
    "langgraph, SQLite exit": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "exit"}),
    "langgraph, SQLite async": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "async"}),
    "langgraph, SQLite sync": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "sync"}),
    "haystack": ("haystack-ai", haystack, {}),
    "pydantic-graph": ("pydantic-graph", pydantic_graph, {}),
}


async def measure(names: list[str], nodes: int, rounds: int) -> dict[str, Any]:
    """By subject: CPU seconds of each round after one to warm up, and the bytes that a run leaves; missing ones are left out.

    The subjects take turns, round by round.
    """
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as undo:
            going = {name: go for name in names if (go := await made(name, nodes, Path(folder), undo))}
            spent: dict[str, list[float]] = {name: [] for name in going}
            for _ in range(rounds + 1):
                for name, go in going.items():
                    started = time.process_time()
                    result = await go()
                    spent[name].append(time.process_time() - started)
                    assert result == nodes, result
        for name in going:
            written = sum(path.stat().st_size for path in home_of(name, Path(folder)).rglob("*") if path.is_file())
            package = SUBJECTS[name][0]
            found[name] = {
                "spent": spent[name][1:],
                "bytes": round(written / (rounds + 1)),
                "version": f"{package} {version(package)}",
            }
    return found


async def made(name: str, nodes: int, folder: Path, undo: AsyncExitStack) -> Go | None:
    """A subject ready to go; None where its package is not installed."""
    package, make, options = SUBJECTS[name]
    home = home_of(name, folder)
    home.mkdir()
    try:
        version(package)
        return await make(nodes, home, undo, **options)
    except ImportError:
        return None


def home_of(name: str, folder: Path) -> Path:
    """Where a subject writes."""
    return folder / name.replace(",", "").replace(" ", "-")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[3:], int(sys.argv[1]), int(sys.argv[2])))))
