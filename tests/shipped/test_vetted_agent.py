"""graphs/vetted_agent.yaml, with a script for the model: a call is vetoed, repaired, or put before a person."""

import json
from pathlib import Path

from agentkit import Kit
from agentkit.testing import ScriptedModel
from agentkit.traces import read
from agentkit.types import Sample, ToolCall

GRAPH = Path(__file__).parents[2] / "graphs" / "vetted_agent.yaml"
QUESTION = "A room costs 245 euros a night. What do 3 nights cost?"


def calls(*expressions):
    made = [
        ToolCall(id=f"c{n}", name="calculator", arguments=json.dumps({"expression": e}))
        for n, e in enumerate(expressions)
    ]
    return Sample(text="", tool_calls=tuple(made), finish_reason="tool_calls")


async def run(tmp_path, *replies):
    with ScriptedModel(script=replies) as model:
        done = await Kit(home=tmp_path).graph(GRAPH, models={"main": model}).run(question=QUESTION)
    return done, model


async def test_calls_that_are_right_are_let_through(tmp_path):
    done, _ = await run(tmp_path, calls("245 * 3"), "735 euros.")
    assert (done.output["answer"], done.output["ask"], done.output["findings"]) == ("735 euros.", None, [])


async def test_a_call_with_an_invented_number_is_vetoed_and_the_repair_goes_back_to_the_agent(tmp_path):
    done, model = await run(tmp_path, calls("254 * 3"), "762 euros.", calls("245 * 3"), "735 euros.")
    assert done.output["answer"] == "735 euros."
    advice = model.requests[2].messages[-1].content
    assert "254 * 3" in advice
    assert "look 'expression' up or ask for it before calling calculator" in advice


async def test_a_loop_is_stopped_and_a_person_is_asked(tmp_path):
    loop = [calls("245 * 3")] * 5
    done, model = await run(tmp_path, *loop, "735.", *loop, "735.", *loop, "735.")
    assert done.output["answer"] is None
    assert "for the 5th time with the same arguments" in done.output["ask"]
    assert len(model.requests) == 18


async def test_the_recorded_run_reads_as_a_trace(tmp_path):
    done, _ = await run(tmp_path, calls("245 * 3"), "735 euros.")
    with Kit(home=tmp_path) as kit:
        (trace,) = read(json.dumps(kit.runs.export(done.id)))
    assert (trace.source, trace.task, trace.id) == ("agentkit", QUESTION, done.id)
    assert [(step.kind, step.agent) for step in trace.steps][:5] == [
        ("message", "system"),
        ("message", "user"),
        ("call", "work"),
        ("result", "tool"),
        ("message", "work"),
    ]
    assert trace.steps[3].result == "735"
