"""Several replicas of one model."""

import asyncio
from dataclasses import replace

import pytest

from agentkit.errors import CircuitOpenError, ConfigError, ServerError
from agentkit.models.balance import Balance
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.models.retry import Retrying
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing import Completion, FakeProvider, Refusal, ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import GenerateRequest, Message

ASK = GenerateRequest(messages=(Message("user", "Hi"),))


def replica(name: str, delay: float = 0.0) -> ScriptedModel:
    return ScriptedModel(name=name, script=lambda request: name, delay=delay)


async def test_it_keeps_the_contract_of_a_model() -> None:
    await check_model(lambda: Balance(models=(replica("a"), replica("b"))))


async def test_calls_go_round_while_nobody_is_busy() -> None:
    model = Balance(models=(replica("a"), replica("b"), replica("c")))
    assert [(await draw(model, ASK)).text for _ in range(6)] == ["a", "b", "c"] * 2


async def test_samples_of_one_request_are_spread() -> None:
    first, second = replica("a", 0.01), replica("b", 0.01)
    samples = await draw_all(Balance(models=(first, second)), replace(ASK, n=6))
    assert sorted(sample.text for sample in samples) == ["a"] * 3 + ["b"] * 3


async def test_a_slow_replica_gets_fewer_calls() -> None:
    slow, fast = replica("slow", 0.2), replica("fast")
    model = Balance(models=(slow, fast))
    hanging = asyncio.create_task(draw(model, ASK))
    await asyncio.sleep(0.01)
    assert [(await draw(model, ASK)).text for _ in range(5)] == ["fast"] * 5
    assert (await hanging).text == "slow"


async def test_a_dead_replica_is_left_alone_and_a_retry_finds_the_living_one() -> None:
    async with FakeProvider(lambda body: Refusal(status=500)) as dead, FakeProvider(lambda body: "alive") as living:
        servers = tuple(OpenAIHTTP(model="m", base_url=one.base_url) for one in (dead, living))
        model = Retrying(Balance(models=servers, failures=2), attempts=3, first_delay=0.0)
        assert [(await draw(model, ASK)).text for _ in range(10)] == ["alive"] * 10
        assert (dead.received, living.received) == (2, 10)


async def test_when_all_are_dead_the_error_says_so() -> None:
    dead = ScriptedModel(name="a", script=[ServerError("down")])
    model = Balance(models=(dead,), failures=1)
    with pytest.raises(ServerError):
        await draw(model, ASK)
    with pytest.raises(CircuitOpenError, match=r"every replica of balance\(a\) keeps failing"):
        await draw(model, ASK)


async def test_a_lost_sample_frees_its_replica() -> None:
    async with FakeProvider(lambda body: Completion(text="slow", delay=30)) as provider:
        model = Balance(models=(OpenAIHTTP(model="m", base_url=provider.base_url), replica("b")))
        task = asyncio.create_task(draw(model, ASK))
        await provider.until(lambda seen: seen.received == 1)
        task.cancel()
        await asyncio.wait([task])
        await provider.until(lambda seen: seen.aborted == 1)
    assert model._busy == [0, 0]


def test_it_needs_models() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        Balance(models=())
