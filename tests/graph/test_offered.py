"""What an agent is given beside plain tools: retrievers, and the tools of MCP servers that the user declared and pinned."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from agentkit import Kit
from agentkit.errors import GraphError, NodeError
from agentkit.events import DocumentsRetrieved, ToolCalled
from agentkit.testing import ScriptedModel
from agentkit.tools.mcp import list_tools
from agentkit.tools.pins import Pin, Pins, write_lock
from agentkit.tools.servers import Server, Servers
from agentkit.types import Sample, ToolCall

SCRIPT = Path(__file__).parents[1] / "tools" / "mcp_server.py"
HEAD = "schema: agentkit/v1\nname: test\ninputs: {question: string}\nmodels: {small: fake/x}\n"


def agent(tools: str) -> str:
    return HEAD + dedent(
        f"""\
        outputs: {{answer: act.answer}}
        nodes:
          act:
            use: agent
            with: {{tools: {tools}, prompt: "{{{{question}}}}"}}
            in: {{question: inputs.question}}
        """
    )


def wants(*calls: tuple[str, str]) -> Sample:
    made = tuple(ToolCall(id=f"c{place}", name=name, arguments=given) for place, (name, given) in enumerate(calls))
    return Sample(text="", tool_calls=made, finish_reason="tool_calls")


async def test_a_retriever_is_a_tool_that_the_model_asks_by_itself(bench: Any) -> None:
    text = agent("[{use: retriever.shelf, top_k: 1, name: look_up, description: Look in the shelf.}]")
    model = ScriptedModel(script=[wants(("look_up", '{"query": "bees"}')), "done"])
    events = await bench.events(bench.graph(text, model), {"question": "q"})
    (spec,) = model.requests[0].tools
    assert (spec.name, spec.description, spec.parameters["required"]) == ("look_up", "Look in the shelf.", ["query"])
    assert '[{"title": "One", "text": "about bees"}]' in model.requests[1].messages[-1].content
    (found,) = [one for one in events if isinstance(one, DocumentsRetrieved)]
    assert (found.query, found.scope.path) == ("bees", "tool:0")


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ("[retriever.shelff]", "no retriever is named 'shelff'; did you mean 'shelf'? (known: shelf)"),
        ("[{use: retriever.shelf, top: 1}]", "unknown option; did you mean 'top_k'?"),
        ("[{use: retriever.shelf, name: look up}]", "a tool's name has letters, digits, - and _ only, not 'look up'"),
        ("[retriever.shelf, retriever.shelf]", "two of the tools are called 'search'"),
    ],
)
def test_what_is_wrong_with_a_retriever_is_told_at_its_place(bench: Any, tools: str, sentence: str) -> None:
    with pytest.raises(GraphError) as caught:
        bench.load(agent(tools))
    assert sentence in [one.message for one in caught.value.problems]
    assert caught.value.problems[0].path.startswith("nodes.act.with.tools")


pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")


@pytest.fixture(scope="module")
def pins() -> dict[str, Pin]:
    return asyncio.run(list_tools("other", Server(command=(sys.executable, str(SCRIPT)))))


@pytest.fixture
def home(tmp_path: Path, pins: dict[str, Pin]) -> Path:
    declare(tmp_path, pins)
    return tmp_path


def declare(folder: Path, pins: dict[str, Pin], behaviour: str = "good") -> None:
    file = folder / "mcp.yaml"
    file.write_text(
        f"servers:\n  other:\n    command: {[sys.executable, str(SCRIPT), behaviour, str(folder / 'trace')]!r}\n"
    )
    servers = Servers(file)
    write_lock(servers.lock, {"other": Pins(at=servers.get("other").at, tools=pins)})


def graph(folder: Path, text: str, *script: Any) -> Any:
    path = folder / "graph.yaml"
    path.write_text(text.replace("fake/x", "local/smollm2"))
    kit = Kit(home=folder / "home", mcp=folder / "mcp.yaml", installed=False)
    return kit.graph(path, models={"small": ScriptedModel(script=list(script))} if "small:" in text else {})


async def test_an_agent_calls_the_tools_of_a_server_through_one_process_for_the_run(home: Path) -> None:
    script = (
        wants(("other_add", '{"a": 1, "b": 2}'), ("other_say", '{"text": "x"}')),
        wants(("other_add", '{"a": 3, "b": 4}')),
        "done",
    )
    one = graph(home, agent("[{use: mcp, server: other}]"), *script)
    events = [event async for event in one.stream(question="q")]
    called = [event.result for event in events if isinstance(event, ToolCalled)]
    assert [text.split("\n")[1] for text in called] == ['{"result": 3}', '{"result": "x"}', '{"result": 7}']
    started = (home / "trace").read_text().splitlines()
    assert len(started) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(started[0].split()[1]), 0)


async def test_a_tool_node_has_the_ports_that_are_pinned(home: Path) -> None:
    text = (
        "schema: agentkit/v1\nname: t\noutputs: {sum: add.result}\n"
        "nodes:\n  add: {use: tool.mcp, with: {server: other, tool: add}, in: {a: 2, b: 3}}\n"
    )
    assert (await graph(home, text).run()).output == {"sum": {"result": 5}}
    with pytest.raises(GraphError, match="must be integer, not string"):
        graph(home, text.replace("b: 3", "b: three"))
    with pytest.raises(GraphError, match="input 'b' is missing"):
        graph(home, text.replace(", b: 3", ""))


async def test_a_tool_that_changed_since_it_was_pinned_ends_the_run(tmp_path: Path, pins: dict[str, Pin]) -> None:
    declare(tmp_path, pins, "changed")
    one = graph(tmp_path, agent("[{use: mcp, server: other, tool: add}]"), wants(("other_add", '{"a": 1, "b": 2}')))
    with pytest.raises(
        NodeError, match=r"(?s)is changed since it was pinned, and is not called.*\+ Add two numbers. Before"
    ):
        await one.run(question="q")


async def test_a_server_that_dies_is_told_to_the_model_and_comes_back(home: Path) -> None:
    script = (wants(("other_die", "{}")), wants(("other_say", '{"text": "back"}')), "done")
    one = graph(home, agent("[{use: mcp, server: other}]"), *script)
    events = [event async for event in one.stream(question="q")]
    first, second = [event for event in events if isinstance(event, ToolCalled)]
    assert first.failed
    assert "went away during the call" in first.result
    assert '{"result": "back"}' in second.result


async def test_a_cancelled_run_leaves_no_process(home: Path) -> None:
    one = graph(home, agent("[{use: mcp, server: other}]"), wants(("other_wait", '{"seconds": 1000}')))
    task = asyncio.create_task(one.run(question="q"))
    while not (home / "trace").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((home / "trace").read_text().split()[1]), 0)


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ("[{use: mcp, server: othr}]", "no MCP server is named 'othr'"),
        (
            "[{use: mcp, server: other, tool: ad}]",
            "the MCP server 'other' has no pinned tool 'ad'; did you mean 'add'?",
        ),
        ("[{use: mcp, server: other, command: [sh]}]", "unknown option"),
        (
            "[{use: mcp, server: other}, {use: mcp, server: other, tool: add}]",
            "two of the tools are called 'other_add'",
        ),
    ],
)
def test_a_graph_can_name_what_the_user_declared_and_nothing_else(home: Path, tools: str, sentence: str) -> None:
    with pytest.raises(GraphError) as caught:
        graph(home, agent(tools))
    assert sentence in str(caught.value)


def test_a_server_with_another_command_than_when_it_was_pinned_is_not_used(home: Path) -> None:
    file = home / "mcp.yaml"
    file.write_text(file.read_text().replace("good", "http"))
    with pytest.raises(GraphError, match="has another command or URL than when its tools were pinned"):
        graph(home, agent("[{use: mcp, server: other}]"))


def test_a_file_of_servers_in_the_current_folder_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("AGENTKIT_MCP", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    assert Kit(home=home, installed=False).servers.all == {}
