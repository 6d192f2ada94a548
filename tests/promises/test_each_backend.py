"""Promises of every backend that asks over HTTP, alone and under the models that choose: counted on the wire."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib.util import find_spec

import pytest

from agentkit.errors import ModelError, ModelTimeoutError
from agentkit.models.balance import Balance
from agentkit.models.cascade import Cascade
from agentkit.models.fallback import Fallback
from agentkit.models.litellm import LiteLLM
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.models.retry import Retrying
from agentkit.protocols import Model
from agentkit.runtime.sampling import draw
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.testing import Completion, FakeProvider, Refusal
from agentkit.types import Delta, GenerateRequest, Message

Backend = Callable[..., Model]

ASK = GenerateRequest(messages=(Message("user", "What is 6 times 7?"),))
WITHIN = 0.5
HANGS = Completion(text="never to the end", fault="hang_mid_stream")
LATE = Completion(text="never begun", fault="hang_before_headers")


def openai_http(provider: FakeProvider, **options: object) -> Model:
    return OpenAIHTTP(model="gpt-4o-mini", base_url=provider.base_url, **options)


def litellm(provider: FakeProvider, **options: object) -> Model:
    return LiteLLM(model="openai/gpt-4o-mini", api_base=provider.base_url, api_key="none", **options)


MISSING = pytest.mark.skipif(find_spec("litellm") is None, reason="the extra 'litellm' is not installed")
BACKENDS = [openai_http, pytest.param(litellm, marks=[MISSING, pytest.mark.filterwarnings("ignore")])]
each_backend = pytest.mark.parametrize("backend", BACKENDS)


async def gone(provider: FakeProvider, count: int, since: float) -> None:
    """So many calls were aborted, each soon after ``since``."""
    await provider.until(lambda seen: seen.aborted == count)
    ended = [call.ended - since for call in provider.calls if call.outcome == "aborted"]
    assert all(seconds < WITHIN for seconds in ended), ended


@pytest.mark.parametrize(
    ("reply", "stream"),
    [
        pytest.param(HANGS, False, id="whole answer"),
        pytest.param(LATE, True, id="before the first token"),
        pytest.param(HANGS, True, id="in the middle of a stream"),
    ],
)
@each_backend
async def test_p3_a_cancelled_call_is_closed_at_the_provider(backend: Backend, reply: Completion, stream: bool) -> None:
    async with FakeProvider([reply]) as provider:
        task = asyncio.create_task(draw(backend(provider, stream=stream), ASK))
        await provider.until(lambda seen: seen.received == 1)
        await asyncio.sleep(0.05)
        since = time.monotonic()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await gone(provider, 1, since)


@each_backend
async def test_p3_a_call_out_of_time_is_closed_at_the_provider(backend: Backend) -> None:
    async with FakeProvider(["warm", HANGS]) as provider:
        await draw(backend(provider), ASK)
        with pytest.raises(ModelTimeoutError):
            await draw(backend(provider, timeout=0.3), ASK)
        await gone(provider, 1, time.monotonic())


@each_backend
async def test_p3_the_calls_of_a_vote_that_is_decided_are_closed_at_the_provider(backend: Backend) -> None:
    replies = iter([*["The answer is 42."] * 4, *[HANGS] * 20])
    async with FakeProvider(lambda body: next(replies)) as provider:
        vote = SelfConsistency(samples=6, stop="certain", ahead=6)
        solution = await vote.solve("What is 6 times 7?", model=backend(provider))
        assert solution.answer == "42"
        assert provider.completed == 4
        await gone(provider, provider.received - 4, time.monotonic())
        assert provider.aborted > 0


@each_backend
async def test_p3_when_the_client_has_gone_its_call_is_closed_at_the_provider(backend: Backend) -> None:
    async with FakeProvider([HANGS]) as provider:
        async with aclosing(backend(provider).generate(replace(ASK, stream=True))) as stream:
            assert isinstance(await anext(stream), Delta)
            since = time.monotonic()
        await gone(provider, 1, since)


def retrying(model: Model) -> Model:
    return Retrying(model, attempts=2, first_delay=0)


CHOOSING = {
    "alone": (retrying, 3),
    "fallback": (lambda model: Fallback((retrying(model), retrying(model))), 6),
    "balance": (lambda model: retrying(Balance(models=(model, model), failures=9)), 3),
    # two samples of the cheap model and one of the strong one, three times each
    "cascade": (lambda model: Cascade(models=(retrying(model), retrying(model)), samples=2), 9),
}


@pytest.mark.parametrize("way", CHOOSING)
@each_backend
async def test_p7_requests_on_the_wire_are_one_and_the_stated_attempts(backend: Backend, way: str) -> None:
    compose, count = CHOOSING[way]
    async with FakeProvider(lambda body: Refusal(status=503, retry_after=0)) as provider:
        with pytest.raises(ModelError):
            await draw(compose(backend(provider)), ASK)
        assert provider.received == count


@each_backend
async def test_p7_what_is_wrong_in_itself_is_sent_once(backend: Backend) -> None:
    async with FakeProvider(lambda body: Refusal(status=422)) as provider:
        with pytest.raises(ModelError):
            await draw(retrying(backend(provider)), ASK)
        assert provider.received == 1
