"""Samples survive a trip through JSON unchanged, and keys stay what they are from release to release."""

import json
import math
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.runtime.codec import decode, decode_usage, dumps, encode, encode_usage, fingerprint, request_key
from agentkit.types import GenerateRequest, Message, Sample, TokenLogprob, ToolCall, ToolSpec, Usage

anything = st.text(st.characters())  # lone surrogates, controls and all
numbers = st.floats(allow_nan=False)
costs = st.floats(0, allow_nan=False)
counts = st.integers(0, 2**53)
usages = st.builds(
    Usage,
    calls=counts,
    input_tokens=counts,
    output_tokens=counts,
    cached_tokens=counts,
    reasoning_tokens=counts,
    unpriced_calls=counts,
    seconds=costs,
    usd=costs,
)
tokens = st.builds(TokenLogprob, token=anything, logprob=numbers, top=st.lists(st.tuples(anything, numbers)).map(tuple))
samples = st.builds(
    Sample,
    text=anything,
    reasoning=anything,
    tool_calls=st.lists(st.builds(ToolCall, id=anything, name=anything, arguments=anything)).map(tuple),
    logprobs=st.none() | st.lists(tokens, max_size=3).map(tuple),
    usage=usages,
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter", "cancelled"]),
    index=counts,
    model=anything,
)


@given(samples)
def test_a_sample_written_and_read_is_the_same(sample: Sample) -> None:
    text = dumps(encode(sample))
    assert decode(json.loads(text.encode().decode())) == sample


@given(usages)
def test_a_usage_written_and_read_is_the_same(usage: Usage) -> None:
    assert decode_usage(json.loads(dumps(encode_usage(usage)))) == usage


def test_a_logprob_that_is_not_a_number_survives() -> None:
    sample = Sample(text="", logprobs=(TokenLogprob(token="a", logprob=math.nan),))
    (token,) = decode(json.loads(dumps(encode(sample)))).logprobs or ()
    assert math.isnan(token.logprob)


def test_defaults_take_no_room() -> None:
    assert encode(Sample(text="hi", usage=Usage(calls=1))) == {"text": "hi", "usage": {"calls": 1}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["text", "tool_calls", "logprobs", "usage", "finish_reason", "index", "model", "calls", "usd"])


@given(json_values | st.dictionaries(fields, json_values))
def test_whatever_else_is_in_a_row_is_a_sample_or_a_value_error(data: object) -> None:
    with suppress(ValueError, OverflowError):
        sample = decode(data)
        assert decode(encode(sample)) == sample or "nan" in dumps(encode(sample))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "without text"),
        ({"text": 5}, "text must be str, not int"),
        ({"text": "", "finish_reason": "bored"}, "finish_reason 'bored' is not one of"),
        ({"text": "", "usage": {"calls": -3}}, "below 0"),
        ({"text": "", "usage": {"calls": True}}, "calls must be int, not bool"),
        ({"text": "", "logprobs": [["a", "much"]]}, "'much' is not a number"),
        ({"text": "", "tool_calls": ["os.system"]}, "a tool call must be dict, not str"),
    ],
)
def test_a_forged_row_says_what_is_wrong(data: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(data)


def test_text_is_written_as_it_reads() -> None:
    assert dumps({"a": "Привет 机器 \u2028"}) == '{"a":"Привет 机器 \u2028"}'
    assert dumps("\ud800") == '"\\ud800"'


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, b"x", object()])
def test_what_is_not_plain_data_is_not_written(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        dumps({"a": value})


REQUEST = GenerateRequest(
    messages=(
        Message("system", "Be brief."),
        Message("user", "2+2?"),
        Message("assistant", "", tool_calls=(ToolCall(id="1", name="add", arguments="{}"),)),
        Message("tool", "4", tool_call_id="1"),
    ),
    n=4,
    temperature=0.7,
    max_tokens=64,
    seed=1,
    stop=("\n",),
    tools=(ToolSpec(name="add", description="Adds", parameters={"type": "object"}),),
    schema={"type": "object", "required": ["a"]},
)


def test_the_key_of_a_request_never_changes_between_releases() -> None:
    assert request_key("local/smollm2", REQUEST) == "649468f33e32768387f63b000162cd97ce85c85b8160d2e7b7645c93c2a03c31"
    plain = GenerateRequest(messages=(Message("user", "hi"),))
    assert request_key("m", plain) == "ab61c09ac59039ea924278379047b1c41408b8404ccce3b044bf139d8a422538"


def test_the_key_is_the_same_for_any_number_of_samples_streamed_or_not() -> None:
    key = request_key("m", REQUEST)
    assert request_key("m", replace(REQUEST, n=1, stream=True)) == key
    assert request_key("m", replace(REQUEST, schema=MappingProxyType({"required": ["a"], "type": "object"}))) == key
    assert request_key("m", replace(REQUEST, temperature=0.70)) == key


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.8},
        {"temperature": None},
        {"seed": 2},
        {"stop": ()},
        {"tools": ()},
        {"schema": None},
        {"logprobs": 0},
        {"effort": "low"},
        {"messages": REQUEST.messages[:-1]},
    ],
)
def test_any_other_change_of_the_request_changes_its_key(change: dict) -> None:
    assert request_key("m", replace(REQUEST, **change)) != request_key("m", REQUEST)
    assert request_key("m", REQUEST) != request_key("another", REQUEST)


def test_a_whole_number_is_the_same_temperature() -> None:
    assert request_key("m", replace(REQUEST, temperature=1)) == request_key("m", replace(REQUEST, temperature=1.0))


def test_a_fingerprint_does_not_look_at_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [1]}) == fingerprint({"b": [1], "a": 1}) != fingerprint({"b": [2], "a": 1})
    with pytest.raises(TypeError):
        fingerprint({"a": object()})
