"""Translation to and from the OpenAI chat format, on recorded payloads."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentkit.models.wire import UNREADABLE, to_request, to_samples
from agentkit.types import GenerateRequest, Message, TokenLogprob, ToolCall, ToolSpec, Usage

RECORDED = Path(__file__).parent / "recorded"
ASK = GenerateRequest(messages=(Message("user", "Hi"),))


def test_a_bare_request_says_only_what_was_asked() -> None:
    assert to_request(ASK, model="m", stream=False) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }


def test_every_knob_has_its_word() -> None:
    request = replace(
        ASK,
        n=5,
        temperature=0.0,
        top_p=0.9,
        max_tokens=7,
        seed=3,
        stop=("\n",),
        tools=(ToolSpec(name="add", description="Adds", parameters={"type": "object"}),),
        schema={"type": "object"},
        logprobs=2,
        effort="low",
    )
    body = to_request(request, model="m", stream=True, extra_body={"top_k": 4})
    assert body.pop("messages")
    function = {"name": "add", "description": "Adds", "parameters": {"type": "object"}}
    assert body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "top_p": 0.9,
        "max_tokens": 7,
        "seed": 3,
        "stop": ["\n"],
        "tools": [{"type": "function", "function": function}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "top_k": 4,
    }


def test_zero_alternatives_still_ask_for_the_drawn_tokens_logprob() -> None:
    body = to_request(replace(ASK, logprobs=0), model="m", stream=False)
    assert body["logprobs"] is True
    assert "top_logprobs" not in body


def test_a_conversation_with_tool_calls_keeps_its_shape() -> None:
    call = ToolCall(id="c1", name="add", arguments='{"a": 1}')
    messages = (Message("assistant", "", tool_calls=(call,)), Message("tool", "2", tool_call_id="c1"))
    body = to_request(replace(ASK, messages=messages), model="m", stream=False)
    assert body["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "content": "2", "tool_call_id": "c1"},
    ]


def test_extra_body_has_the_last_word() -> None:
    assert to_request(ASK, model="m", stream=False, extra_body={"model": "other"})["model"] == "other"


def test_a_recorded_answer_of_llama_cpp_becomes_its_samples() -> None:
    payload = json.loads((RECORDED / "llama_cpp_whole.json").read_text())
    first, second = to_samples(payload, model="asked")
    assert (first.index, second.index) == (0, 1)
    assert first.text == "The three colours in one line are:"
    assert first.finish_reason == "length"
    assert first.usage == Usage(calls=1, input_tokens=38, output_tokens=8, cached_tokens=37)
    assert second.usage == Usage()
    assert first.logprobs is not None
    assert first.logprobs[0] == TokenLogprob(
        token="The", logprob=-2.068114995956421, top=(("The", -2.068114995956421), ("1", -2.7069222927093506))
    )
    assert "".join(token.token for token in first.logprobs) == first.text


def test_tool_calls_reasoning_and_detailed_usage_are_read() -> None:
    message = {
        "content": None,
        "reasoning_content": "Let me add.",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    payload = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": usage}
    (sample,) = to_samples(payload, model="asked")
    assert (sample.text, sample.reasoning, sample.model) == ("", "Let me add.", "asked")
    assert sample.tool_calls == (ToolCall(id="c1", name="add", arguments="{}"),)
    assert sample.finish_reason == "tool_calls"
    assert sample.usage == Usage(calls=1, input_tokens=9, output_tokens=5, reasoning_tokens=3)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    (sample,) = to_samples({"choices": [{"message": {"content": parts}}]}, model="m")
    assert sample.text == "Hello"


@pytest.mark.parametrize(
    ("said", "ours"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("eos", "stop"), (None, "stop")],
)
def test_the_reason_to_stop_is_one_of_ours(said: str | None, ours: str) -> None:
    (sample,) = to_samples({"choices": [{"message": {"content": "x"}, "finish_reason": said}]}, model="m")
    assert sample.finish_reason == ours


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "text",
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"tool_calls": [{}]}}]},
        {"choices": [{"message": {}, "logprobs": {"content": [{"token": "x", "logprob": "much"}]}}]},
    ],
)
def test_nonsense_is_told_apart_from_our_own_faults(payload: object) -> None:
    with pytest.raises(UNREADABLE):
        to_samples(payload, model="m")  # type: ignore[arg-type]


def test_a_thought_within_the_text_joins_the_one_beside_it() -> None:
    message = {"role": "assistant", "content": "<think>more</think>7", "reasoning_content": "some"}
    [sample] = to_samples({"choices": [{"message": message, "finish_reason": "stop"}]}, model="m")
    assert (sample.reasoning, sample.text) == ("some\nmore", "7")
