"""The client for OpenAI-compatible servers, against a fake provider that counts on the wire."""

import asyncio
import logging
import time
import traceback
from contextlib import aclosing
from dataclasses import replace

import pytest

from agentkit.errors import (
    AuthenticationError,
    ConfigError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    RateLimitError,
    RequestRefusedError,
    ServerError,
)
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.price import Price
from agentkit.testing import Completion, FakeProvider, Refusal
from agentkit.testing.conformance import check_model
from agentkit.testing.replies import Reply
from agentkit.types import Delta, GenerateRequest, Message, Sample, TokenLogprob, ToolCall, ToolSpec

ASK = GenerateRequest(messages=(Message("user", "Say hello, please."),))
ABORTED_WITHIN = 0.5
both_ways = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def model(provider: FakeProvider, **options: object) -> OpenAIHTTP:
    return OpenAIHTTP(model="m", base_url=provider.base_url, **options)


async def draw(one: OpenAIHTTP, request: GenerateRequest = ASK) -> list[Sample]:
    return [item async for item in one.generate(request) if isinstance(item, Sample)]


async def ask(reply: Reply, request: GenerateRequest = ASK, **options: object) -> Sample:
    async with FakeProvider([reply]) as provider:
        (sample,) = await draw(model(provider, **options), request)
        return sample


@both_ways
async def test_it_keeps_the_contract_of_a_model(stream: bool) -> None:
    async with FakeProvider(lambda body: "Hello there, friend.") as provider:
        await check_model(lambda: model(provider, stream=stream))


@both_ways
async def test_text_reasoning_usage_and_model_arrive(stream: bool) -> None:
    reply = Completion(text="Hello, мир 😀", reasoning="Be kind.", usage=(9, 5), cached_tokens=4, reasoning_tokens=2)
    sample = await ask(reply, stream=stream)
    assert (sample.text, sample.reasoning, sample.model) == ("Hello, мир 😀", "Be kind.", "m")
    usage = sample.usage
    assert (usage.calls, usage.input_tokens, usage.output_tokens) == (1, 9, 5)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (4, 2)
    assert usage.seconds > 0
    assert usage.unpriced_calls == 1


async def test_a_price_of_ones_own_prices_the_call() -> None:
    sample = await ask(Completion(text="x", usage=(1000, 100)), price=Price(input=1e-6, output=2e-6))
    assert sample.usage.usd == pytest.approx(0.0012)
    assert sample.usage.unpriced_calls == 0


@both_ways
async def test_logprobs_arrive_with_their_alternatives(stream: bool) -> None:
    tokens = (
        TokenLogprob(token="He", logprob=-0.1, top=(("He", -0.1), ("Ho", -2.5))),
        TokenLogprob(token="y", logprob=-1.0),
    )
    sample = await ask(Completion(logprobs=tokens), replace(ASK, logprobs=2), stream=stream)
    assert sample.text == "Hey"
    assert sample.logprobs == tokens


@both_ways
async def test_tool_calls_arrive_whole(stream: bool) -> None:
    calls = (ToolCall(id="c1", name="add", arguments='{"a": 1, "b": 2}'), ToolCall(id="c2", name="now", arguments="{}"))
    tool = ToolSpec(name="add", description="Adds", parameters={"type": "object"})
    sample = await ask(Completion(tool_calls=calls), replace(ASK, tools=(tool,)), stream=stream)
    assert sample.tool_calls == calls
    assert sample.finish_reason == "tool_calls"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@both_ways
async def test_the_reason_to_stop_arrives(reason: str, stream: bool) -> None:
    assert (await ask(Completion(text="cut", finish_reason=reason), stream=stream)).finish_reason == reason


@both_ways
async def test_deltas_join_to_the_sample(stream: bool) -> None:
    async with FakeProvider([Completion(text="one two three", reasoning="hm hm")]) as provider:
        items = [item async for item in model(provider, stream=stream).generate(replace(ASK, stream=True))]
    *deltas, sample = items
    assert all(isinstance(item, Delta) for item in deltas)
    assert "".join(item.text for item in deltas) == sample.text == "one two three"
    assert "".join(item.reasoning for item in deltas) == "hm hm"


async def test_each_sample_is_a_call_of_its_own_with_its_own_seed() -> None:
    async with FakeProvider(lambda body: f"seed {body['seed']}") as provider:
        samples = await draw(model(provider), replace(ASK, n=3, seed=7))
        assert provider.received == 3
    assert {sample.index: sample.text for sample in samples} == {0: "seed 7", 1: "seed 8", 2: "seed 9"}


async def test_the_request_on_the_wire_is_what_was_asked() -> None:
    async with FakeProvider(["x"]) as provider:
        await draw(model(provider, api_key=" key-1 ", extra_body={"top_k": 3}), replace(ASK, max_tokens=5))
        (call,) = provider.calls
    assert call.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Say hello, please."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "top_k": 3,
    }
    assert call.headers["authorization"] == "Bearer key-1"


async def test_without_a_key_no_authorization_is_sent() -> None:
    async with FakeProvider(["x"]) as provider:
        await draw(model(provider))
        assert "authorization" not in provider.calls[0].headers


@pytest.mark.parametrize(
    "fault", ["no_usage", "no_done", "comments", "split_utf8", "duplicate_chunk", "drip", "closes"]
)
@both_ways
async def test_what_is_merely_odd_is_no_error(fault: str, stream: bool) -> None:
    sample = await ask(Completion(text="Привет, мир 😀!", usage=(3, 4), fault=fault), stream=stream)
    assert sample.text == "Привет, мир 😀!"
    assert sample.usage.tokens == (0 if fault == "no_usage" else 7)
    assert sample.usage.calls == 1


@pytest.mark.parametrize(
    "fault",
    [
        "reset_before_headers",
        "reset_mid_stream",
        "half_close",
        "bad_json",
        "wrong_content_type",
        "error_in_200",
        "empty_choices",
    ],
)
@both_ways
async def test_a_broken_answer_is_a_server_error_and_is_not_asked_again(fault: str, stream: bool) -> None:
    async with FakeProvider([Completion(text="one two three", fault=fault)]) as provider:
        with pytest.raises(ServerError, match=r"http://127\.0\.0\.1"):
            await draw(model(provider, stream=stream))
        assert provider.received == 1


@both_ways
async def test_an_answer_without_end_is_given_up_in_one_sentence(stream: bool) -> None:
    async with FakeProvider([Completion(fault="huge")]) as provider:
        with pytest.raises(ServerError, match="longer than max_megabytes, 1"):
            await draw(model(provider, stream=stream, max_megabytes=1))
        await provider.until(lambda seen: seen.aborted == 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefusedError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, RequestRefusedError),
        (422, RequestRefusedError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (529, ServerError),
    ],
)
@both_ways
async def test_a_refusal_has_its_class_and_is_not_sent_again(status: int, kind: type[ModelError], stream: bool) -> None:
    async with FakeProvider([Refusal(status=status, message="not today")]) as provider:
        with pytest.raises(kind, match="not today"):
            await draw(model(provider, stream=stream))
        assert provider.received == 1


async def test_the_wait_that_the_server_asks_for_is_carried() -> None:
    for said, seconds in [(3, 3.0), ("Sun, 22 Nov 2026 12:00:09 GMT", 9.0), (None, None)]:
        with pytest.raises(RateLimitError) as caught:
            await ask(Refusal(status=429, retry_after=said))
        assert caught.value.retry_after == seconds


async def test_a_redirect_is_not_followed() -> None:
    async with FakeProvider([Refusal(status=307)]) as provider:
        with pytest.raises(RequestRefusedError, match="redirects"):
            await draw(model(provider, api_key="canary-key-1"))


async def test_an_unreachable_server_is_named() -> None:
    async with FakeProvider() as provider:
        base_url = provider.base_url
    with pytest.raises(ModelUnreachableError, match=base_url.removesuffix("/v1")):
        await draw(OpenAIHTTP(model="m", base_url=base_url))


async def test_a_bound_on_reasoning_tokens_is_refused_before_the_send() -> None:
    async with FakeProvider() as provider:
        with pytest.raises(RequestRefusedError, match="reasoning tokens"):
            await draw(model(provider), replace(ASK, max_reasoning_tokens=10))


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "http://"},
        {"base_url": "http://me:hidden-word@host/v1"},
        {"api_key": "hidden-word\x00"},
        {"extra_body": {"n": 3}},
        {"extra_body": {"prompt_embeds": "hidden-word"}},
    ],
)
def test_wrong_options_are_refused_without_showing_them(options: dict) -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAIHTTP(**{"model": "m", "base_url": "http://host/v1", **options})
    assert "hidden-word" not in str(caught.value)


# Cancelling: the provider sees the connection close within half a second.

SLOW = [
    pytest.param(Completion(text="a b c d", delay=60), False, id="whole answer"),
    pytest.param(Completion(text="a b c d", delay=60), True, id="before the first token"),
    pytest.param(Completion(text="a b c d", fault="hang_mid_stream"), True, id="in the middle of the stream"),
    pytest.param(Completion(text="a b c d", fault="hang_mid_stream"), False, id="in the middle of a whole answer"),
]


async def aborted(provider: FakeProvider, count: int, since: float) -> None:
    await provider.until(lambda seen: seen.aborted == count)
    assert provider.completed == 0
    assert all((call.ended or 0.0) - since < ABORTED_WITHIN for call in provider.calls)


@pytest.mark.parametrize(("reply", "stream"), SLOW)
async def test_cancelling_the_task_aborts_at_the_provider(reply: Completion, stream: bool) -> None:
    async with FakeProvider(lambda body: reply) as provider:
        task = asyncio.create_task(draw(model(provider, stream=stream), replace(ASK, n=3)))
        await provider.until(lambda seen: seen.received == 3)
        since = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await aborted(provider, 3, since)


async def test_closing_the_stream_aborts_the_samples_not_needed() -> None:
    slow_but_first = iter([Completion(text="quick"), *[Completion(text="a b", fault="hang_mid_stream")] * 3])
    async with FakeProvider(lambda body: next(slow_but_first)) as provider:
        async with aclosing(model(provider).generate(replace(ASK, n=4))) as stream:
            first = await anext(stream)
            assert first.text == "quick"
            since = time.monotonic()
        await provider.until(lambda seen: seen.aborted == 3)
        assert provider.completed == 1
        assert all((call.ended or 0.0) - since < ABORTED_WITHIN for call in provider.calls)


async def test_leaving_after_a_delta_aborts_the_rest_of_the_sample() -> None:
    async with FakeProvider([Completion(text="a b c d", fault="hang_mid_stream")]) as provider:
        async with aclosing(model(provider).generate(replace(ASK, stream=True))) as stream:
            assert isinstance(await anext(stream), Delta)
            since = time.monotonic()
        await aborted(provider, 1, since)


@pytest.mark.parametrize("fault", ["hang_before_headers", "hang_mid_stream"])
@both_ways
async def test_a_timeout_is_an_error_and_aborts_at_the_provider(fault: str, stream: bool) -> None:
    async with FakeProvider([Completion(text="a b c d", fault=fault)]) as provider:
        with pytest.raises(ModelTimeoutError, match=r"within 0\.2 s"):
            await draw(model(provider, timeout=0.2, stream=stream))
        await aborted(provider, 1, time.monotonic())


async def test_a_slow_drip_does_not_outlast_the_timeout() -> None:
    async with FakeProvider([Completion(text="a b c d", fault="drip", pause=0.05)]) as provider:
        with pytest.raises(ModelTimeoutError):
            await draw(model(provider, timeout=0.2))
        await aborted(provider, 1, time.monotonic())


def test_one_model_serves_one_event_loop_after_another() -> None:
    with FakeProvider(lambda body: "x") as provider:
        one = model(provider)
        for _ in range(3):
            assert [sample.text for sample in run_sync(draw(one, replace(ASK, n=2)))] == ["x", "x"]
        run_sync(provider.until(lambda seen: seen.completed == 6))


async def test_a_whole_answer_leaves_its_connection_for_the_next() -> None:
    async with FakeProvider(lambda body: "x") as provider:
        one = model(provider, stream=False)
        for _ in range(3):
            await draw(one)
        assert len({call.port for call in provider.calls}) == 1


async def ports_of_streams(fault: str | None, *, calls: int) -> list[int]:
    """The connections of streamed calls that are far enough apart for a server's way with them to show."""
    async with FakeProvider(lambda body: Completion(text="x", fault=fault)) as provider:
        one = model(provider)
        for _ in range(calls):
            await draw(one)
            await asyncio.sleep(0.3)
        return [call.port for call in provider.calls]


async def test_a_stream_leaves_its_connection_for_the_next_once_the_server_was_seen_to_keep_it() -> None:
    assert len(set(await ports_of_streams(None, calls=4))) == 1


async def test_at_a_server_that_closes_after_a_stream_each_has_a_connection_of_its_own_and_none_is_lost() -> None:
    assert len(set(await ports_of_streams("closes", calls=4))) == 4


async def test_before_the_server_is_known_streams_side_by_side_and_at_once_after_have_connections_of_their_own() -> (
    None
):
    async with FakeProvider(lambda body: Completion(text="x", fault="closes")) as provider:
        one = model(provider)
        for _ in range(5):
            await draw(one, replace(ASK, n=3))
        assert provider.completed == 15
        assert len({call.port for call in provider.calls}) == 15


async def test_a_server_that_begins_to_close_after_streams_costs_one_error_at_most_and_nothing_is_sent_twice() -> None:
    faults = iter([None, None, "closes"])
    async with FakeProvider(lambda body: Completion(text="x", fault=next(faults, "closes"))) as provider:
        one, failed = model(provider), 0
        for _ in range(2):
            await draw(one)
            await asyncio.sleep(0.3)
        for _ in range(8):
            try:
                await draw(one)
            except ServerError:
                failed += 1
        assert failed <= 1
        assert provider.received in (10, 10 - failed)


KEY = "canary-7f3a9c51e2"


@pytest.mark.parametrize(
    "reply",
    [
        Refusal(status=401, message=f"Incorrect API key provided: {KEY}"),
        Refusal(status=500, message=f"Authorization: Bearer {KEY}"),
        Completion(text="x", fault="reset_before_headers"),
        Completion(text=KEY, fault="bad_json"),
    ],
)
@both_ways
async def test_the_key_is_in_no_error_repr_or_log(reply: Reply, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeProvider([reply]) as provider:
        one = model(provider, api_key=KEY, stream=stream)
        with pytest.raises(ModelError) as caught:
            await draw(one)
    shown = [repr(one), str(one), repr(caught.value), caplog.text, *traceback.format_exception(caught.value)]
    assert not any(KEY in text for text in shown)
