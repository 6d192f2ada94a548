"""Graphs written in Python: the same checks as for a file, mistakes told with the line that made them, and functions as nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pytest

from agentkit import Graph, GraphBuilder, Kit
from agentkit.errors import ConfigError, GraphError, InputError, NodeError, ToolError
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall


def line() -> int:
    import inspect

    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(home=tmp_path / "home", installed=False)


def asking() -> GraphBuilder:
    graph = GraphBuilder("asking", description="Ask, and shout the answer.")
    question = graph.input("question")
    graph.model("small", "local/smollm2")
    ask = graph.node("ask", "model", {"prompt": "Say: {{q}}"}, inputs={"q": question})
    say = graph.node("say", "template", {"template": "{{text}}!"}, inputs={"text": ask["text"]})
    graph.output("text", say["text"])
    return graph


async def test_a_built_graph_runs_like_one_from_a_file(kit: Kit, tmp_path: Path) -> None:
    built = kit.graph(asking(), models={"small": ScriptedModel(script=["hello"])})
    path = tmp_path / "graph.yaml"
    path.write_text(asking().to_yaml())
    loaded = kit.graph(path, models={"small": ScriptedModel(script=["hello"])})
    assert (await built.run(question="q")).output == (await loaded.run(question="q")).output == {"text": "hello!"}
    with pytest.raises(ConfigError, match=r"models\.small: it is an object of the program"):
        built.to_yaml()
    assert kit.graph(path).to_yaml() == path.read_text()


def test_from_builder_is_the_same_door(kit: Kit) -> None:
    graph = Graph.from_builder(asking(), kit, models={"small": ScriptedModel(script=["hello"])})
    assert graph.run_sync(question="q").output == {"text": "hello!"}


def test_a_mistake_is_told_with_the_line_that_made_it(kit: Kit) -> None:
    graph = GraphBuilder("wrong")
    graph.model("small", "local/smollm2")
    graph.node("ask", "model", {"promt": "x"})
    first = line() - 1
    graph.node("say", "template", {"template": "{{text}}"}, inputs={"text": graph.input("q")})
    second = line() - 1
    graph.edge("ask", "sai")
    third = line() - 1
    with pytest.raises(GraphError) as caught:
        kit.graph(graph)
    told = [(one.line, one.path) for one in caught.value.problems]
    assert (first, "nodes.ask.with.promt") in told
    assert (third, "edges.0.to") in told
    assert caught.value.problems[0].file == __file__
    assert second not in [place for place, _ in told]
    assert "did you mean 'say'?" in str(caught.value)


def test_a_mistake_in_a_graph_inside_a_node_has_its_own_line(kit: Kit) -> None:
    inner = GraphBuilder("inner")
    inner.node("say", "template", {"templat": "x"})
    place = line() - 1
    outer = GraphBuilder("outer")
    outer.node("part", "graph", {"graph": inner})
    with pytest.raises(GraphError) as caught:
        kit.graph(outer)
    assert (place, "nodes.part.with.graph.nodes.say.with.templat") in [
        (one.line, one.path) for one in caught.value.problems
    ]


async def test_functions_of_graphs_inside_are_known_and_two_of_one_name_are_refused(kit: Kit) -> None:
    inner = GraphBuilder("inner")
    inner.output("x", inner.function("twice", double, inputs={"number": inner.input("n", "integer")})["result"])
    outer = GraphBuilder("outer")
    part = outer.node("part", "graph", {"graph": inner}, inputs={"n": outer.input("n", "integer")})
    outer.output("x", part["x"])
    assert (await kit.graph(outer).run(n=4)).output == {"x": 8}
    with pytest.raises(ConfigError, match="outer: two functions are the node 'twice'; give one another name"):
        outer.function("twice", split)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda graph: graph.node("ask", "model"), "wrong: nodes.ask is there already"),
        (lambda graph: graph.node("b", "model", whn="x"), "nodes.b: a node has the policies when, retry"),
        (lambda graph: graph.edge("ask"), "an edge leads from one node to another"),
        (lambda graph: graph.on_error("aks", "ask"), "wrong: no node is named 'aks'; did you mean 'ask'?"),
        (lambda graph: graph.model("big"), "wrong: models.big: a model is written backend/name"),
        (lambda graph: graph.tool(lambda *rest: rest), "needs a name of its own and an annotation"),
    ],
)
def test_what_can_be_told_at_once_is_told_at_once(make: Any, sentence: str) -> None:
    graph = GraphBuilder("wrong")
    graph.node("ask", "model")
    with pytest.raises(ConfigError, match=sentence):
        make(graph)


def test_values_that_no_file_can_hold_are_refused_with_their_place(kit: Kit) -> None:
    graph = GraphBuilder("wrong")
    graph.node("ask", "set", {"x": "1"}, inputs={"a": object()})
    with pytest.raises(ConfigError, match=r"nodes\.ask\.in\.a: a object cannot be written in a file"):
        kit.graph(graph)


class Parts(TypedDict):
    head: str
    length: int


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


def split(text: str, *, at: int = 3) -> Parts:
    """Cut a text."""
    return {"head": text[:at], "length": len(text)}


async def double(number: int) -> int:
    return 2 * number


async def test_functions_are_nodes_with_ports_from_their_annotations(kit: Kit) -> None:
    graph = GraphBuilder("functions")
    text = graph.input("text")
    cut = graph.function("cut", split, inputs={"text": text, "at": 2})
    twice = graph.function("twice", double, inputs={"number": cut["length"]})
    graph.output("head", cut["head"])
    graph.output("twice", twice["result"])
    assert (await kit.graph(graph).run(text="abcde")).output == {"head": "ab", "twice": 10}


def test_the_ports_of_a_function_are_checked_when_the_graph_is_made(kit: Kit) -> None:
    graph = GraphBuilder("functions")
    text = graph.input("text")
    graph.function("twice", double, inputs={"number": text})
    graph.function("cut", split)
    with pytest.raises(GraphError) as caught:
        kit.graph(graph)
    sentences = [one.message for one in caught.value.problems]
    assert "inputs.text is string, and this input takes integer" in sentences
    assert any("input 'text' is missing" in one for one in sentences)


async def test_a_function_that_raises_fails_its_node(kit: Kit) -> None:
    def fall(text: str) -> str:
        raise ValueError(f"no {text}")

    graph = GraphBuilder("functions")
    graph.function("fall", fall, inputs={"text": "way"})
    with pytest.raises(NodeError, match="node 'fall': no way"):
        await kit.graph(graph).run()


async def test_functions_are_tools_of_an_agent(kit: Kit) -> None:
    seen: list[Any] = []

    def move(to: Point, fast: bool = False) -> str:
        """Move to a point."""
        if to.x < 0:
            raise ToolError("there is a wall")
        seen.append((to, fast))
        return "moved"

    graph = GraphBuilder("agent")
    graph.model("small", "local/smollm2")
    act = graph.node("act", "agent", {"tools": ["calculator", graph.tool(move)], "prompt": "Move."})
    graph.output("answer", act["answer"])
    calls = [
        ToolCall(id=str(n), name="move", arguments=text)
        for n, text in enumerate(('{"to": {"x": 1}}', '{"to": {"x": -1}}', '{"to": 1}'))
    ]
    model = ScriptedModel(script=[Sample(text="", tool_calls=tuple(calls), finish_reason="tool_calls"), "done"])
    run = await kit.graph(graph, models={"small": model}).run()
    assert run.output == {"answer": "done"}
    assert seen == [(Point(1), False)]
    spec = model.requests[0].tools[1]
    assert (spec.name, spec.description, spec.parameters["required"]) == ("move", "Move to a point.", ["to"])
    first, second, third = [one.content for one in model.requests[1].messages[-3:]]
    assert "moved" in first
    assert "there is a wall" in second
    assert "do not fit move" in third


def test_a_graph_with_functions_says_that_it_cannot_be_written(kit: Kit) -> None:
    graph = GraphBuilder("functions")
    graph.model("small", "local/smollm2")
    graph.function("cut", split, inputs={"text": "abc"})
    graph.node("act", "agent", {"tools": [graph.tool(double)], "prompt": "x"})
    for write in (graph.to_yaml, kit.graph(graph).to_yaml):
        with pytest.raises(
            ConfigError, match=r"functions uses Python functions of this program \(nodes\.cut, nodes\.act\)"
        ):
            write()


async def test_prompts_are_read_beside_the_python_file(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "say.md").write_text("Say {{q}}.")
    code = (
        "from agentkit import GraphBuilder\n"
        "graph = GraphBuilder('files')\n"
        "graph.model('small', 'local/smollm2')\n"
        "graph.output('t', graph.node('ask', 'model', {'prompt': {'file': 'say.md'}}, inputs={'q': 'x'})['text'])\n"
    )
    (tmp_path / "flow.py").write_text(code)
    names: dict[str, Any] = {}
    exec(compile(code, str(tmp_path / "flow.py"), "exec"), names)
    model = ScriptedModel(script=["x"])
    await kit.graph(names["graph"], models={"small": model}).run()
    assert model.requests[0].messages[-1].content == "Say x."


async def test_a_run_of_a_built_graph_is_resumed_with_the_builder(kit: Kit) -> None:
    model = ScriptedModel(script=["hello"])
    graph = kit.graph(asking(), models={"small": model})
    run = await graph.run(question="q")
    again = kit.graph(asking(), models={"small": ScriptedModel(script=[])})
    assert (await again.execute({}, resume=run.id)).output == run.output
    with pytest.raises(InputError, match="was not made from a graph file"):
        kit.runs.graph(run.id)
