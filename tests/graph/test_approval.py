"""Calls of tools that a person must allow: shown with their arguments, allowed, changed or refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import pytest

from agentkit.errors import InputError
from agentkit.events import ToolCalled
from agentkit.graph.runs import Runs
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import JSON, Sample, ToolCall, ToolSpec

AGENT = dedent(
    """\
    schema: agentkit/v1
    name: test
    inputs: {question: string}
    models: {small: fake/x}
    outputs: {answer: act.answer, calls: act.tool_calls}
    nodes:
      act:
        use: agent
        with: {tools: [adder, send], prompt: "{{question}}", approve: [send]}
        in: {question: inputs.question}
    """
)


def calls(*pairs: tuple[str, str]) -> Sample:
    made = tuple(ToolCall(id=f"c{place}", name=name, arguments=given) for place, (name, given) in enumerate(pairs))
    return Sample(text="", tool_calls=made, finish_reason="tool_calls")


@dataclass
class Send:
    sent: list[str] = field(default_factory=list)

    @property
    def spec(self) -> ToolSpec:
        schema = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
        return ToolSpec(name="send", description="Sends.", parameters={**schema, "additionalProperties": False})

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        self.sent.append(arguments["to"])
        return "sent"


@pytest.fixture
def send(bench: Any) -> Send:
    tool = Send()

    def make() -> Send:
        return tool

    bench.registry.add("tool", "send", make, plugin="tests")
    return tool


ASKED = calls(("adder", '{"a": 1}'), ("send", '{"to": "ann"}'))


async def test_a_call_waits_for_a_person_while_the_others_are_made(bench: Any, send: Send) -> None:
    first = await bench.graph(AGENT, [ASKED], keep=True).run(question="q")
    assert first.status == "interrupted"
    (question,) = first.pending
    assert (question.id, question.kind, question.tool) == ("act/tool:1", "approve", "send")
    assert question.text == "act wants to call send. May it?"
    assert question.arguments == {"to": "ann"}
    assert send.sent == []
    model = ScriptedModel(script=["done"])
    second = await bench.graph(AGENT, model, keep=True).run(resume=first.id, answers={"act": True})
    assert second.output["answer"] == "done"
    assert send.sent == ["ann"]
    again = await bench.graph(AGENT, [], keep=True).run(resume=first.id)
    assert (again.output, send.sent) == (second.output, ["ann"])


async def test_a_refusal_goes_back_to_the_model_with_its_reason(bench: Any, send: Send) -> None:
    answers = {"act/tool:1": {"approved": False, "comment": "not to Ann"}}
    model = ScriptedModel(script=[ASKED, "then not"])
    run = await bench.graph(AGENT, model).run(question="q", answers=answers)
    assert model.requests[1].messages[-1].content == "error: a person refused this call: not to Ann"
    assert (send.sent, run.output["calls"][1]["failed"]) == ([], True)


async def test_changed_arguments_are_used_and_told_to_the_model(bench: Any, send: Send) -> None:
    answers = {"act/tool:1": {"approved": True, "arguments": {"to": "bob"}}}
    model = ScriptedModel(script=[ASKED, "done"])
    events: list[Any] = []
    run = await bench.graph(AGENT, model).execute({"question": "q"}, answers=answers, emit=events.append)
    assert send.sent == ["bob"]
    said = model.requests[1].messages[-1].content
    assert said.startswith('a person changed the arguments of this call to {"to": "bob"}\n(result ')
    assert run.output["calls"][1] == {"name": "send", "arguments": '{"to": "bob"}', "failed": False}
    assert [one.arguments for one in events if isinstance(one, ToolCalled)] == ['{"a": 1}', '{"to": "bob"}']


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("yes", "must be true, false or {approved: ..., comment: ...}, not the text 'yes'"),
        ({"approved": True, "arguments": {"to": 3}}, "do not fit send: to: must be string, not 3"),
        ({"approved": True, "arguments": []}, "do not fit send: must be object, not a list"),
        ({"approved": False, "arguments": {"to": "bob"}}, "cannot refuse a call and change its arguments at once"),
    ],
)
async def test_a_wrong_decision_is_refused_and_nothing_is_called(
    bench: Any, send: Send, answer: JSON, message: str
) -> None:
    first = await bench.graph(AGENT, [ASKED], keep=True).run(question="q")
    with pytest.raises(InputError) as refused:
        Runs(Store(home=bench.home), lambda *_, **__: None).answer(first.id, {"act": answer})
    assert message in str(refused.value)
    assert send.sent == []


async def test_all_asks_for_every_call_and_wrong_calls_trouble_nobody(bench: Any, send: Send) -> None:
    text = AGENT.replace("approve: [send]", "approve: all")
    script = [calls(("adder", '{"a": "x"}'), ("sned", "{}")), ASKED]
    first = await bench.graph(text, script, keep=True).run(question="q")
    assert [one.id for one in first.pending] == ["act/tool:2", "act/tool:3"]


async def test_every_sample_of_an_agent_asks_for_itself(bench: Any, send: Send) -> None:
    text = AGENT.replace("    in: {question", "    sample: {n: 2, stop: fixed, vote: answer}\n    in: {question")
    first = await bench.graph(text, lambda request: ASKED, keep=True).run(question="q")
    assert [one.id for one in first.pending] == ["act/sample:0/tool:1", "act/sample:1/tool:1"]
