"""Reading a streamed completion, on recorded and awkward chunks."""

import json
from pathlib import Path

import pytest

from agentkit.models.reading import Reading
from agentkit.models.sse import EventStream
from agentkit.models.wire import UNREADABLE
from agentkit.types import Delta, ToolCall, Usage


def delta(said: dict, **choice: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": said, **choice}]})


def read(*events: str) -> tuple[Reading, list[Delta]]:
    reading = Reading()
    return reading, [one for event in events if (one := reading.take_event(event))]


def test_a_recorded_stream_of_llama_cpp_becomes_its_sample() -> None:
    data = (Path(__file__).parent / "recorded/llama_cpp_stream.sse").read_bytes()
    reading, deltas = read(*EventStream().feed(data))
    sample = reading.sample(model="asked")
    assert reading.complete
    assert reading.ended
    assert sample.text == "".join(one.text for one in deltas) == "The three colours in one line are:"
    assert sample.model == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert sample.finish_reason == "length"
    assert sample.usage.input_tokens == 38
    assert sample.usage.output_tokens == 8
    assert sample.logprobs is not None
    assert "".join(token.token for token in sample.logprobs) == sample.text


def test_tool_calls_are_put_together_from_their_pieces() -> None:
    reading, _ = read(
        delta({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]}),
        delta({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
        delta({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "sub", "arguments": "{}"}}]}),
        delta({"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]}),
        delta({}, finish_reason="tool_calls"),
    )
    assert reading.sample(model="m").tool_calls == (
        ToolCall(id="c1", name="add", arguments='{"a": 1}'),
        ToolCall(id="c2", name="sub", arguments="{}"),
    )


def test_tool_calls_without_a_place_are_told_apart_by_their_ids() -> None:
    reading, _ = read(
        delta({"tool_calls": [{"id": "c1", "function": {"name": "add", "arguments": '{"a":'}}]}),
        delta({"tool_calls": [{"function": {"arguments": " 1}"}}]}),
        delta({"tool_calls": [{"id": "c2", "function": {"name": "sub", "arguments": "{}"}}]}),
    )
    assert [call.arguments for call in reading.sample(model="m").tool_calls] == ['{"a": 1}', "{}"]


@pytest.mark.parametrize("word", ["reasoning_content", "reasoning"])
def test_the_thought_is_kept_apart_from_the_text(word: str) -> None:
    reading, deltas = read(delta({word: "Hm. "}), delta({word: "Yes."}), delta({"content": "7"}, finish_reason="stop"))
    sample = reading.sample(model="m")
    assert (sample.reasoning, sample.text) == ("Hm. Yes.", "7")
    assert [one.reasoning for one in deltas] == ["Hm. ", "Yes.", ""]


def test_a_thought_between_tags_is_kept_apart_from_the_text_as_it_arrives() -> None:
    pieces = ["<thi", "nk>Hm. ", "Yes.</", "think>\n", "\n<answer>", "7</answer>"]
    reading, deltas = read(*(delta({"content": one}) for one in pieces), delta({}, finish_reason="stop"))
    sample = reading.sample(model="m")
    assert (sample.reasoning, sample.text) == ("Hm. Yes.", "7")
    assert "".join(one.reasoning for one in deltas) == "Hm. Yes."
    assert "".join(one.text for one in deltas) == "7"


def test_what_might_have_become_a_tag_is_said_at_the_end() -> None:
    reading, deltas = read(delta({"content": "<thi"}), delta({}, finish_reason="stop"))
    assert reading.sample(model="m").text == "<thi"
    assert "".join(one.text for one in deltas) == "<thi"


def test_usage_said_twice_counts_once() -> None:
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    reading, _ = read(delta({"content": "x"}, finish_reason="stop"), usage, usage)
    assert reading.sample(model="m").usage == Usage(calls=1, input_tokens=3, output_tokens=1)


def test_without_usage_only_the_call_is_counted() -> None:
    reading, _ = read(delta({"content": "x"}, finish_reason="stop"))
    assert reading.sample(model="m").usage == Usage(calls=1)


def test_a_reason_to_stop_completes_it_without_done() -> None:
    reading, _ = read(delta({"content": "x"}), delta({}, finish_reason="stop"))
    assert reading.complete
    assert not reading.ended


def test_text_without_a_reason_to_stop_is_complete_only_with_done() -> None:
    reading, _ = read(delta({"content": "x"}))
    assert not reading.complete
    reading.take_event("[DONE]")
    assert reading.complete


def test_done_alone_is_no_completion() -> None:
    reading, _ = read(json.dumps({"choices": []}), "[DONE]")
    assert reading.ended
    assert not reading.complete


def test_an_error_in_the_middle_is_kept() -> None:
    reading, _ = read(delta({"content": "x"}), json.dumps({"error": {"message": "out of memory"}}))
    assert reading.error == {"message": "out of memory"}


@pytest.mark.parametrize("event", ["{", "[]", "7", '{"choices": [7]}', '{"choices": [{"delta": {"content": 7}}]}'])
def test_nonsense_is_told_apart_from_our_own_faults(event: str) -> None:
    with pytest.raises(UNREADABLE):
        read(event)
