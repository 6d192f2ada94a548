"""Graphs that an agent calls: arguments checked, failures told, budgets and records the agent's, questions asked inside."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from agentkit.errors import BudgetExceededError, NodeError, ServerError
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall

TEAM = dedent(
    """\
    schema: agentkit/v1
    name: test
    inputs: {question: string}
    models: {small: fake/x}
    outputs: {answer: lead.answer, calls: lead.tool_calls}
    nodes:
      lead:
        use: agent
        with:
          prompt: "{{question}}"
          tools:
            - use: graph
              name: double
              description: Says it twice.
              graph:
                inputs: {text: string, times: {type: integer, default: 2, description: How often.}}
                outputs: {said: say.text}
                nodes: {say: {use: model, with: {prompt: "Twice: {{text}}"}, in: {text: inputs.text}}}
        in: {question: inputs.question}
    """
)


def call(arguments: str, name: str = "double") -> Sample:
    return Sample(text="", tool_calls=(ToolCall(id="1", name=name, arguments=arguments),), finish_reason="tool_calls")


async def test_the_model_is_told_the_inputs_and_gets_the_output(bench: Any) -> None:
    model = ScriptedModel(script=[call('{"text": "a"}'), "a a", "done"])
    run = await bench.graph(TEAM, model).run(question="q")
    (spec,) = model.requests[0].tools
    assert (spec.name, spec.description) == ("double", "Says it twice.")
    assert spec.parameters["properties"] == {
        "text": {"type": "string"},
        "times": {"type": "integer", "description": "How often."},
    }
    assert model.requests[1].messages[-1].content == "Twice: a"
    assert "a a" in model.requests[2].messages[-1].content
    assert run.output["answer"] == "done"


async def test_a_resumed_run_calls_no_finished_graph_again(bench: Any) -> None:
    events: list[Any] = []
    with pytest.raises(NodeError):
        await bench.graph(TEAM, [call('{"text": "a"}'), "a a", ValueError("gone")], keep=True).execute(
            {"question": "q"}, emit=events.append
        )
    again = ScriptedModel(script=["done"])
    run = await bench.graph(TEAM, again, keep=True).run(resume=events[0].scope.run)
    assert (run.output["answer"], len(again.requests)) == ("done", 1)


async def test_a_wrong_argument_and_a_failing_graph_are_told_to_the_model(bench: Any) -> None:
    text = TEAM.replace('use: model, with: {prompt: "Twice: {{text}}"}, in: {text: ', "use: probe, in: {a: ")
    text = text.replace("say.text", "say.value").replace("{text: string,", "{text: number,")

    def act(label: str) -> None:
        raise RuntimeError("broken")

    bench.probe.act = act
    model = ScriptedModel(script=[call('{"text": "a"}'), call('{"text": 1}'), "sorry"])
    run = await bench.graph(text, model).run(question="q")
    assert (
        model.requests[1]
        .messages[-1]
        .content.startswith("error: the arguments do not fit double: text: must be number")
    )
    assert "double failed: node 'double/say': broken" in model.requests[2].messages[-1].content
    assert run.output["answer"] == "sorry"


async def test_a_failing_provider_ends_the_agent(bench: Any) -> None:
    text = TEAM.replace("models: {small: fake/x}", "models: {small: {use: fake, model: x, retry: {attempts: 0}}}")
    with pytest.raises(NodeError, match="node 'double/say': overloaded"):
        await bench.graph(text, [call('{"text": "a"}'), ServerError("overloaded")]).run(question="q")


async def test_what_a_graph_spends_counts_against_the_run_and_its_own_budget_is_its_own(bench: Any) -> None:
    own = TEAM.replace("inputs: {text", "budget: {tokens: 1}\n            inputs: {text")
    model = ScriptedModel(script=[call('{"text": "a"}'), "sorry"])
    await bench.graph(own, model).run(question="q")
    assert (
        "double failed: node 'double': the tokens budget of graph 'lead' is spent"
        in model.requests[1].messages[-1].content
    )
    whole = TEAM.replace("models:", "budget: {calls: 2}\nmodels:")
    with pytest.raises(BudgetExceededError, match="the calls budget of the run is spent"):
        await bench.graph(whole, [call('{"text": "a"}'), "a a"]).run(question="q")


async def test_a_person_can_be_asked_inside(bench: Any) -> None:
    text = TEAM.replace('{use: model, with: {prompt: "Twice: {{text}}"}', '{use: human, with: {ask: "Twice: {{text}}"}')
    text = text.replace("say.text", "say.answer")
    first = await bench.graph(text, [call('{"text": "a"}')], keep=True).run(question="q")
    assert [one.id for one in first.pending] == ["lead/tool:0/say:0"]
    model = ScriptedModel(script=["done"])
    run = await bench.graph(text, model, keep=True).run(resume=first.id, answers={"lead/say": "b b"})
    assert "b b" in model.requests[0].messages[-1].content
    assert run.output["answer"] == "done"


async def test_a_hand_over_to_nobody_is_told_to_the_model(bench: Any) -> None:
    text = TEAM.replace('prompt: "{{question}}"', 'prompt: "{{question}}"\n      handover: {writer: to write}')
    model = ScriptedModel(script=[call('{"to": "nobody"}', "hand_over"), "sorry"])
    await bench.graph(text, model).run(question="q")
    assert model.requests[1].messages[-1].content == "error: hand over with one call alone, and to one of: writer"
