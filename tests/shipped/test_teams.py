"""The shipped teams, carried out with models that say what a test tells them to: a supervisor with its graphs, and peers."""

from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall

GRAPHS = Path(__file__).parents[2] / "graphs"


def call(name: str, arguments: str) -> Sample:
    return Sample(text="", tool_calls=(ToolCall(id="1", name=name, arguments=arguments),), finish_reason="tool_calls")


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(home=tmp_path, installed=False)


async def test_a_supervisor_sends_its_team_back_until_they_agree(kit: Kit) -> None:
    script = [
        call("solver", '{"question": "17 * 23?"}'),
        "It is 381.",
        call("checker", '{"question": "17 * 23?", "answer": "It is 381."}'),
        "The last digit of 7 * 3 is 1, but 381 is too small.",
        call("solver", '{"question": "17 * 23?", "objection": "too small"}'),
        call("calculator", '{"expression": "17 * 23"}'),
        "It is 391.",
        call("checker", '{"question": "17 * 23?", "answer": "It is 391."}'),
        "agreed",
        "17 times 23 is 391.",
    ]
    with ScriptedModel(script=script) as model:
        run = await kit.graph(GRAPHS / "supervisor.yaml", models={"main": model}).run(question="17 * 23?")
    assert run.output["answer"] == "17 times 23 is 391."
    assert [one["name"] for one in run.output["calls"]] == ["solver", "checker", "solver", "checker"]
    assert run.usage.calls == len(script)
    told = model.requests[4].messages[-1].content
    assert "381 is too small" in told
    assert [one.name for one in model.requests[0].tools] == ["solver", "checker"]
    assert model.requests[0].tools[0].parameters["required"] == ["question"]


async def test_peers_hand_over_with_a_message_and_know_what_was_said(kit: Kit) -> None:
    script = [
        call("hand_over", '{"to": "writer", "message": "a note on the sum"}'),
        call("hand_over", '{"to": "sums"}'),
        call("calculator", '{"expression": "40 + 2"}'),
        call("hand_over", '{"to": "writer"}'),
        "Dear all, it is 42.",
    ]
    with ScriptedModel(script=script) as model:
        run = await kit.graph(GRAPHS / "peers.yaml", models={"main": model}).run(question="Write them the sum.")
    assert run.output == {"answer": "Dear all, it is 42."}
    said = [one.content for one in model.requests[-1].messages]
    assert "handed over to writer: a note on the sum" in said
    assert any("42" in one for one in said)
    assert [one.role for one in model.requests[-1].messages].count("system") == 1
