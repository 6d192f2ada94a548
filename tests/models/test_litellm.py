"""litellm under our contract, against a fake provider that counts on the wire. One module: its import takes seconds."""

import asyncio
import logging
import subprocess
import sys
import time
import traceback
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec

import pytest

if find_spec("litellm") is None:  # looked up, not imported: only agentkit knows how to import it quietly
    pytest.skip("the extra 'litellm' is not installed", allow_module_level=True)

from agentkit.errors import (
    AuthenticationError,
    ConfigError,
    ContextWindowError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    RateLimitError,
    RequestRefusedError,
    ServerError,
)
from agentkit.models.litellm import LiteLLM
from agentkit.models.retry import Retrying
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.price import price_of
from agentkit.testing import Completion, FakeProvider, Refusal
from agentkit.testing.conformance import check_model
from agentkit.testing.replies import Reply
from agentkit.types import Delta, GenerateRequest, Message, Sample, TokenLogprob, ToolCall, ToolSpec

# litellm and the libraries that it loads on its first call warn of their own affairs
pytestmark = pytest.mark.filterwarnings("ignore")

ASK = GenerateRequest(messages=(Message("user", "Say hello, please."),))
ABORTED_WITHIN = 0.5
KEY = "canary-7f3a9c51e2"
both_ways = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def model(provider: FakeProvider, **options: object) -> LiteLLM:
    return LiteLLM(**{"model": "openai/gpt-4o-mini", "api_base": provider.base_url, "api_key": KEY, **options})


async def draw(one: object, request: GenerateRequest = ASK) -> list[Sample]:
    return [item async for item in one.generate(request) if isinstance(item, Sample)]


async def ask(reply: Reply, request: GenerateRequest = ASK, **options: object) -> Sample:
    async with FakeProvider([reply]) as provider:
        (sample,) = await draw(model(provider, **options), request)
        return sample


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """litellm loads much of itself on the first call, which must not count as the provider's delay."""
    for stream in (True, False):
        run_sync(ask("x", stream=stream))


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@both_ways
async def test_it_keeps_the_contract_of_a_model(stream: bool) -> None:
    async with FakeProvider(lambda body: "Hello there, friend.") as provider:
        await check_model(lambda: model(provider, stream=stream))


@both_ways
async def test_text_reasoning_usage_and_price_arrive(stream: bool) -> None:
    reply = Completion(text="Hello, мир 😀", reasoning="Be kind.", usage=(1000, 100), cached_tokens=500)
    sample = await ask(reply, stream=stream)
    assert (sample.text, sample.reasoning) == ("Hello, мир 😀", "Be kind.")
    assert (sample.usage.calls, sample.usage.input_tokens, sample.usage.output_tokens) == (1, 1000, 100)
    assert sample.usage.cached_tokens == 500
    assert sample.usage.usd == pytest.approx(500 * 1.5e-7 + 500 * 7.5e-8 + 100 * 6e-7)
    assert sample.usage.unpriced_calls == 0
    assert sample.usage.seconds > 0


async def test_a_model_without_a_price_is_counted_as_unpriced() -> None:
    sample = await ask("x", model="openai/my-own-model")
    assert (sample.usage.usd, sample.usage.unpriced_calls) == (0.0, 1)


async def test_prices_come_from_the_table_that_is_shipped() -> None:
    price = price_of(LiteLLM(model="openai/gpt-4o-mini"))
    assert price is not None
    assert (price.input, price.output, price.cached_input) == (1.5e-7, 6e-7, 7.5e-8)
    assert price_of(LiteLLM(model="openai/my-own-model")) is None


async def test_capabilities_are_those_of_the_provider() -> None:
    assert LiteLLM(model="openai/gpt-4o-mini").capabilities.seed
    assert not LiteLLM(model="anthropic/claude-3-opus-20240229").capabilities.logprobs


@both_ways
async def test_logprobs_and_tool_calls_arrive(stream: bool) -> None:
    tokens = (
        TokenLogprob(token="He", logprob=-0.1, top=(("He", -0.1), ("Ho", -2.5))),
        TokenLogprob(token="y", logprob=-1.0),
    )
    sample = await ask(Completion(logprobs=tokens), replace(ASK, logprobs=2), stream=stream)
    assert sample.logprobs == tokens
    calls = (ToolCall(id="c1", name="add", arguments='{"a": 1}'),)
    tool = ToolSpec(name="add", description="Adds", parameters={"type": "object", "properties": {}})
    async with FakeProvider([Completion(tool_calls=calls)]) as provider:
        (sample,) = await draw(model(provider, stream=stream), replace(ASK, tools=(tool,)))
        assert set(provider.calls[0].body) <= {"model", "messages", "tools", "stream", "stream_options"}
    assert (sample.tool_calls, sample.finish_reason) == (calls, "tool_calls")


async def test_deltas_join_to_the_sample() -> None:
    async with FakeProvider([Completion(text="one two three")]) as provider:
        *deltas, sample = [item async for item in model(provider).generate(replace(ASK, stream=True))]
    assert all(isinstance(item, Delta) for item in deltas)
    assert "".join(item.text for item in deltas) == sample.text == "one two three"


async def test_each_sample_is_a_call_of_its_own_with_its_own_seed() -> None:
    async with FakeProvider(lambda body: f"seed {body['seed']}") as provider:
        samples = await draw(model(provider), replace(ASK, n=3, seed=7))
    assert {sample.index: sample.text for sample in samples} == {0: "seed 7", 1: "seed 8", 2: "seed 9"}


# Retries: litellm's and its clients' own are off, on the wire.


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


@pytest.mark.parametrize("attempts", [1, 2])
async def test_requests_on_the_wire_are_one_and_the_stated_attempts(attempts: int) -> None:
    async with FakeProvider([Refusal(status=500)] * (1 + attempts)) as provider:
        with pytest.raises(ServerError):
            await draw(Retrying(model(provider), attempts=attempts, first_delay=0.0))
        assert provider.received == 1 + attempts


async def test_the_wait_that_the_provider_asks_for_is_carried() -> None:
    with pytest.raises(RateLimitError) as caught:
        await ask(Refusal(status=429, retry_after=7))
    assert caught.value.retry_after == 7.0


async def test_a_prompt_that_does_not_fit_is_told_apart() -> None:
    message = "This model's maximum context length is 10 tokens."
    with pytest.raises(ContextWindowError, match="maximum context length"):
        await ask(Refusal(status=400, message=message, code="context_length_exceeded"))


@pytest.mark.parametrize(
    "fault", ["reset_mid_stream", "half_close", "bad_json", "wrong_content_type", "error_in_200", "empty_choices"]
)
@both_ways
async def test_a_broken_answer_is_a_server_error_and_is_not_asked_again(fault: str, stream: bool) -> None:
    async with FakeProvider([Completion(text="one two three", fault=fault)]) as provider:
        with pytest.raises(ServerError, match=r"http://127\.0\.0\.1"):
            await draw(model(provider, stream=stream))
        assert provider.received == 1


@pytest.mark.parametrize("fault", ["no_usage", "no_done", "comments", "split_utf8", "duplicate_chunk"])
async def test_what_is_merely_odd_is_no_error(fault: str) -> None:
    assert (await ask(Completion(text="Привет, мир 😀!", fault=fault))).text == "Привет, мир 😀!"


# Users' mistakes


@pytest.mark.parametrize(
    ("name", "variable"), [("openai/gpt-4o-mini", "OPENAI_API_KEY"), ("anthropic/claude-x", "ANTHROPIC_API_KEY")]
)
async def test_a_missing_key_is_named_by_its_variable(name: str, variable: str) -> None:
    with pytest.raises(AuthenticationError, match=variable):
        await draw(LiteLLM(model=name))


async def test_a_server_of_ones_own_needs_no_key() -> None:
    assert (await ask("x", api_key="")).text == "x"


async def test_an_unreachable_server_is_named() -> None:
    async with FakeProvider() as provider:
        base_url = provider.base_url
    with pytest.raises(ModelUnreachableError, match=base_url.removesuffix("/v1")):
        await draw(LiteLLM(model="openai/gpt-4o-mini", api_base=base_url, api_key=KEY))


async def test_a_model_without_a_provider_is_refused() -> None:
    with pytest.raises(ConfigError, match="provider/model"):
        await draw(LiteLLM(model="nobodys-model"))


# Cancelling: the provider sees the connection close within half a second.

SLOW = [
    pytest.param(Completion(text="a b c d", delay=60), False, id="whole answer"),
    pytest.param(Completion(text="a b c d", delay=60), True, id="before the first token"),
    pytest.param(Completion(text="a b c d", fault="hang_mid_stream"), True, id="in the middle of the stream"),
]


async def aborted(provider: FakeProvider, count: int, since: float) -> None:
    await provider.until(lambda seen: seen.aborted == count)
    assert provider.completed == 0
    assert all((call.ended or 0.0) - since < ABORTED_WITHIN for call in provider.calls)


@pytest.mark.parametrize(("reply", "stream"), SLOW)
async def test_cancelling_the_task_aborts_at_the_provider(reply: Completion, stream: bool) -> None:
    async with FakeProvider(lambda body: reply) as provider:
        task = asyncio.create_task(draw(model(provider, stream=stream), replace(ASK, n=2)))
        await provider.until(lambda seen: seen.received == 2)
        since = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await aborted(provider, 2, since)


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
        with pytest.raises(ModelTimeoutError, match=r"within 0\.5 s"):
            await draw(model(provider, timeout=0.5, stream=stream))
        await aborted(provider, 1, time.monotonic())


# Secrets, imports, loops


@pytest.mark.parametrize(
    "reply",
    [
        Refusal(status=401, message=f"Incorrect API key provided: {KEY}"),
        Refusal(status=500, message=f"Authorization: Bearer {KEY}"),
        Completion(text=KEY, fault="bad_json"),
    ],
)
@both_ways
async def test_the_key_is_in_no_error_repr_or_log(reply: Reply, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with FakeProvider([reply]) as provider:
        one = model(provider, stream=stream)
        with pytest.raises(ModelError) as caught:
            await draw(one)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = [repr(one), str(one), repr(error), caplog.text, *traceback.format_exception(error)]
    assert not any(KEY in text for text in shown)


async def test_a_key_from_the_environment_is_cut_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(AuthenticationError) as caught:
        await ask(Refusal(status=401, message=f"Incorrect API key provided: {KEY}"), api_key="")
    assert KEY not in str(caught.value)


def test_one_model_serves_one_event_loop_after_another() -> None:
    with FakeProvider(lambda body: "x") as provider:
        one = model(provider)
        for _ in range(3):
            assert [sample.text for sample in run_sync(draw(one, replace(ASK, n=2)))] == ["x", "x"]


QUIET = """
import socket, sys
def refuse(*args): raise AssertionError(f"a call to the network: {args}")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from agentkit.models.litellm import LiteLLM
assert "litellm" not in sys.modules, "naming the class must not import litellm"
LiteLLM(model="openai/gpt-4o-mini").capabilities
assert "litellm" in sys.modules
assert "litellm.proxy.proxy_server" not in sys.modules
"""


def test_importing_litellm_opens_no_connection_and_no_proxy() -> None:
    subprocess.run([sys.executable, "-c", QUIET], check=True)
