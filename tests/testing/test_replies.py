"""The bytes that a reply turns into."""

import json

import pytest

from agentkit.testing import Completion, Refusal
from agentkit.testing.replies import HalfClose, Hang, Reset, Wait, chunks_of, payload_of, plan, usage_of
from agentkit.types import TokenLogprob, ToolCall

BODY = {"messages": [{"role": "user", "content": "one two three"}]}
STREAM = {**BODY, "stream": True, "stream_options": {"include_usage": True}}


def sent(reply: Completion, body: dict = STREAM) -> bytes:
    return b"".join(step for step in plan(reply, body) if isinstance(step, bytes))


def test_a_streamed_answer_says_the_same_as_a_whole_one() -> None:
    call = ToolCall(id="c", name="add", arguments='{"a": 1}')
    reply = Completion(text="Hello there", reasoning="Be kind", tool_calls=(call,))
    whole = payload_of(reply, BODY, "m")["choices"][0]
    deltas = [choice["delta"] for chunk in chunks_of(reply, STREAM, "m") for choice in chunk["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == whole["message"]["content"]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == whole["message"]["reasoning_content"]
    pieces = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas if "tool_calls" in delta]
    assert "".join(pieces) == whole["message"]["tool_calls"][0]["function"]["arguments"]
    assert whole["finish_reason"] == "tool_calls"


def test_usage_counts_words_and_comes_as_the_last_chunk_when_asked_for() -> None:
    reply = Completion(text="Hello there")
    assert usage_of(reply, BODY)["prompt_tokens"] == 3
    assert usage_of(reply, BODY)["completion_tokens"] == 2
    assert chunks_of(reply, STREAM, "m")[-1]["usage"] == usage_of(reply, BODY)
    assert "usage" not in chunks_of(reply, {**BODY, "stream": True}, "m")[-1]


def test_n_choices_say_one_text_each() -> None:
    payload = payload_of(Completion(text=("a", "b")), {**BODY, "n": 2}, "m")
    assert [(one["index"], one["message"]["content"]) for one in payload["choices"]] == [(0, "a"), (1, "b")]


def test_logprobs_are_sent_only_when_asked_for() -> None:
    reply = Completion(logprobs=(TokenLogprob(token="a", logprob=-1.0),))
    assert payload_of(reply, BODY, "m")["choices"][0]["logprobs"] is None
    asked = payload_of(reply, {**BODY, "logprobs": True}, "m")["choices"][0]
    assert asked["message"]["content"] == "a"
    assert asked["logprobs"]["content"][0]["logprob"] == -1.0


def test_an_ordinary_stream_ends_with_done() -> None:
    data = sent(Completion(text="x"))
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"data: [DONE]\n\n\r\n0\r\n\r\n" in data


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        ("hang_before_headers", Hang),
        ("hang_mid_stream", Hang),
        ("reset_before_headers", Reset),
        ("reset_mid_stream", Reset),
        ("half_close", HalfClose),
    ],
)
def test_a_break_comes_before_the_end(fault: str, last: type) -> None:
    for body in (BODY, STREAM):
        steps = plan(Completion(text="one two three", fault=fault), body)
        assert isinstance(steps[-1], last)
        assert b"".join(step for step in steps if isinstance(step, bytes)) != sent(
            Completion(text="one two three"), body
        )


def test_the_other_faults_are_in_the_bytes() -> None:
    assert b"[DONE]" not in sent(Completion(text="x", fault="no_done"))
    assert b"usage" not in sent(Completion(text="x", fault="no_usage"))
    assert b": still working" in sent(Completion(text="x", fault="comments"))
    assert b"the engine died" in sent(Completion(text="x", fault="error_in_200"))
    assert b"text/html" in sent(Completion(text="x", fault="wrong_content_type"))
    assert b'"choices": []' in sent(Completion(text="x", fault="empty_choices"), BODY)
    duplicated = sent(Completion(text="x", fault="duplicate_chunk"))
    assert len(duplicated) > len(sent(Completion(text="x")))
    with pytest.raises(ValueError, match=r"."):
        json.loads(sent(Completion(text="x", fault="bad_json"), BODY).partition(b"\r\n\r\n")[2])


def test_split_utf8_puts_no_two_bytes_of_a_character_into_one_chunk() -> None:
    data = sent(Completion(text="мир", fault="split_utf8"))
    assert "м".encode() not in data
    assert b"1\r\n\xd0\r\n1\r\n" in data


def test_a_drip_is_the_same_answer_byte_by_byte() -> None:
    steps = plan(Completion(text="x", fault="drip", pause=0.5), BODY)
    assert sent(Completion(text="x", fault="drip"), BODY) == sent(Completion(text="x"), BODY)
    assert steps[2::2] == [Wait(0.5)] * (len(steps) // 2)


def test_a_refusal_says_its_status_and_wait() -> None:
    _, data = plan(Refusal(status=529, message="overloaded", retry_after="Sun, 22 Nov 2026 12:00:07 GMT"), BODY)
    assert isinstance(data, bytes)
    assert data.startswith(b"HTTP/1.1 529 ")
    assert b"Retry-After: Sun, 22 Nov 2026 12:00:07 GMT\r\n" in data
