"""Graphs of trivial nodes in each engine. Run as a script by the Python that has it: prints CPU seconds and bytes as JSON.

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


def chain(nodes: int) -> dict[str, list[str]]:
    """The nodes in order, and those that each follows."""
    return {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(nodes)}


def forks(nodes: int) -> dict[str, list[str]]:
    """Five nodes again and again: one, three side by side, and one where they meet."""
    found: dict[str, list[str]] = {}
    last: list[str] = []
    for i in range(0, nodes, 5):
        sides = [f"n{i + side}" for side in (1, 2, 3)]
        found |= {f"n{i}": last, **{side: [f"n{i}"] for side in sides}, f"n{i + 4}": sides}
        last = [f"n{i + 4}"]
    return found


def depth(after: dict[str, list[str]]) -> int:
    """What a graph of nodes that add one arrives at."""
    reached: dict[str, int] = {}
    for name, before in after.items():
        reached[name] = 1 + max((reached[one] for one in before), default=0)
    return max(reached.values())


Shape = Callable[[int], dict[str, list[str]]]


async def agentkit(
    nodes: int,
    home: Path,
    undo: AsyncExitStack,
    *,
    keep: bool = False,
    durability: str = "process",
    shape: Shape = chain,
) -> Go:
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
    lines = ["schema: agentkit/v1", "name: adding", "inputs: {x: integer}", f"outputs: {{x: n{nodes - 1}.x}}", "nodes:"]
    for name, before in shape(nodes).items():
        values = ", ".join(f"{one}.x" for one in before) or "inputs.x"
        lines.append(f"  {name}: {{use: add, in: {{x: [{values}]}}}}")
    store = open_store(home, durability=durability)  # type: ignore[arg-type]
    spec = load_text("\n".join(lines), registry=registry)
    graph = Graph(spec, registry=registry, open_model=lambda entry: None, store=store if keep else None)  # type: ignore[arg-type,return-value]

    async def go() -> int:
        return int((await graph.run(x=0)).output["x"])

    return go


async def langgraph(
    nodes: int, home: Path, undo: AsyncExitStack, *, durability: str | None = None, shape: Shape = chain
) -> Go:
    """Async functions over one state key; ``durability`` saves checkpoints to SQLite."""
    from typing import Annotated, TypedDict

    from langgraph.graph import START, StateGraph

    def greater(a: int, b: int) -> int:
        return max(a, b)

    number = int if shape is chain else Annotated[int, greater]  # branches that write the same key need a reducer
    Number = TypedDict("Number", {"x": number})  # noqa: UP013 - langgraph reads it

    async def add(state: Any) -> Any:
        return {"x": state["x"] + 1}

    graph: Any = StateGraph(Number)
    for name, before in shape(nodes).items():
        graph.add_node(name, add)
        graph.add_edge(before if len(before) > 1 else (before or [START])[0], name)
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
    "agentkit": ("agentkit", agentkit, {}),
    "agentkit, journal": ("agentkit", agentkit, {"keep": True}),
    "agentkit, journal synced": ("agentkit", agentkit, {"keep": True, "durability": "power"}),
    "langgraph": ("langgraph", langgraph, {}),
    "langgraph, SQLite exit": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "exit"}),
    "langgraph, SQLite async": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "async"}),
    "langgraph, SQLite sync": ("langgraph-checkpoint-sqlite", langgraph, {"durability": "sync"}),
    "agentkit, forks": ("agentkit", agentkit, {"shape": forks}),
    "agentkit, forks, journal": ("agentkit", agentkit, {"shape": forks, "keep": True}),
    "langgraph, forks": ("langgraph", langgraph, {"shape": forks}),
    "langgraph, forks, SQLite sync": ("langgraph-checkpoint-sqlite", langgraph, {"shape": forks, "durability": "sync"}),
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
                    shape = SUBJECTS[name][2].get("shape", chain)
                    assert result == depth(shape(nodes)), result
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
