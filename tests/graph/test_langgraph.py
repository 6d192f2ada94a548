"""Compiling outward: the same graph as a plain langgraph object."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

TEXT = """
    schema: agentkit/v1
    name: outward
    inputs: {question: string}
    outputs: {text: d.text}
    nodes:
      a: {use: join, in: {left: inputs.question}}
      b: {use: join, in: {left: a.text, right: b}}
      c: {use: join, in: {left: a.text, right: c}}
      d: {use: join, in: {left: b.text, right: c.text}}
    edges: [a -> b -> d, a -> c -> d]
"""


async def test_anyone_can_compile_and_run_the_state_graph(bench: Any) -> None:
    from langgraph.graph import StateGraph

    graph = bench.graph(TEXT).to_langgraph()
    assert isinstance(graph, StateGraph)
    state = await graph.compile().ainvoke({"inputs": {"question": "q"}})
    assert state["@outputs"]["d"] == {"text": "q+b+q+c"}
    assert state["@visits"] == {"a": 1, "b": 1, "c": 1, "d": 1}


async def test_the_state_is_plain_data(bench: Any) -> None:
    import json

    state = await bench.graph(TEXT).to_langgraph().compile().ainvoke({"inputs": {"question": "q"}})
    assert json.loads(json.dumps(state)) == state


def test_langgraph_can_draw_it(bench: Any) -> None:
    drawn = bench.graph(TEXT).to_langgraph().compile().get_graph().draw_mermaid()
    assert "d@join" in drawn or "d\\40join" in drawn


def test_loading_and_importing_leave_langgraph_alone() -> None:
    code = "import sys, agentkit.graph; print(sorted(m for m in ('langgraph', 'pydantic', 'cel', 'yaml') if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_it_streams_like_any_langgraph_graph(bench: Any) -> None:
    compiled = bench.graph(TEXT).to_langgraph().compile()
    seen = [
        name async for step in compiled.astream({"inputs": {"question": "q"}}, stream_mode="updates") for name in step
    ]
    assert [name for name in seen if "@" not in name] == ["a", "b", "c", "d"]


async def test_it_is_a_part_of_a_graph_of_ones_own(bench: Any) -> None:
    from typing import TypedDict

    from langgraph.graph import END, START, StateGraph

    class State(TypedDict, total=False):
        question: str
        answer: str

    inner = bench.graph(TEXT).to_langgraph().compile()

    async def ask(state: State) -> State:
        found = await inner.ainvoke({"inputs": {"question": state["question"]}})
        return {"answer": found["@outputs"]["d"]["text"]}

    outer = StateGraph(State)
    outer.add_node("ask", ask)
    outer.add_edge(START, "ask")
    outer.add_edge("ask", END)
    assert (await outer.compile().ainvoke({"question": "q"}))["answer"] == "q+b+q+c"


async def test_it_keeps_checkpoints_of_langgraphs_own_when_asked_to(bench: Any) -> None:
    from langgraph.checkpoint.memory import InMemorySaver

    compiled = bench.graph(TEXT).to_langgraph().compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    await compiled.ainvoke({"inputs": {"question": "q"}}, config)
    kept = await compiled.aget_state(config)
    assert kept.values["@outputs"]["d"] == {"text": "q+b+q+c"}
