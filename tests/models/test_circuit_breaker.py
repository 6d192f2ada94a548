"""A server that keeps failing is left alone for a while."""

import asyncio
from contextlib import aclosing

import pytest

from agentkit.errors import AuthenticationError, CircuitOpenError, ConfigError, ServerError
from agentkit.models.circuit_breaker import CircuitBreaker
from agentkit.models.fallback import Fallback
from agentkit.models.retry import Retrying
from agentkit.runtime.sampling import draw
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import GenerateRequest, Message

ASK = GenerateRequest(messages=(Message("user", "Hi"),))
DOWN = ServerError("down")


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def scripted(*script: object) -> ScriptedModel:
    return ScriptedModel(name="m", script=script)


async def failing(model: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerError):
            await draw(model, ASK)


async def test_it_keeps_the_contract_of_a_model() -> None:
    await check_model(lambda: CircuitBreaker(ScriptedModel(script=lambda request: "Hello there.")))


async def test_after_failures_in_a_row_the_server_is_not_asked() -> None:
    with scripted(DOWN, DOWN) as server:
        model = CircuitBreaker(server, failures=2, clock=Clock())
        await failing(model, 2)
        with pytest.raises(CircuitOpenError, match=r"m failed 2 times in a row and is not asked for another 30\.0 s"):
            await draw(model, ASK)
    assert len(server.requests) == 2


async def test_a_success_in_between_begins_the_count_anew() -> None:
    with scripted(DOWN, "yes", DOWN, "yes") as server:
        model = CircuitBreaker(server, failures=2, clock=Clock())
        for _ in range(2):
            await failing(model, 1)
            assert (await draw(model, ASK)).text == "yes"


async def test_a_request_that_is_itself_wrong_does_not_open_the_circuit() -> None:
    with scripted(AuthenticationError("no key"), AuthenticationError("no key"), "yes") as server:
        model = CircuitBreaker(server, failures=1, clock=Clock())
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                await draw(model, ASK)
        assert (await draw(model, ASK)).text == "yes"


async def test_after_the_cooldown_one_probe_closes_the_circuit() -> None:
    clock = Clock()
    with scripted(DOWN, "back", "and again") as server:
        model = CircuitBreaker(server, failures=1, cooldown=10, clock=clock)
        await failing(model, 1)
        clock.now = 10
        assert (await draw(model, ASK)).text == "back"
        assert (await draw(model, ASK)).text == "and again"


async def test_a_probe_that_fails_begins_the_cooldown_anew() -> None:
    clock = Clock()
    with scripted(DOWN, DOWN) as server:
        model = CircuitBreaker(server, failures=1, cooldown=10, clock=clock)
        await failing(model, 1)
        clock.now = 10
        await failing(model, 1)
        clock.now = 19
        with pytest.raises(CircuitOpenError):
            await draw(model, ASK)


async def test_while_a_probe_is_under_way_nobody_else_is_let_through() -> None:
    clock = Clock()
    server = ScriptedModel(script=[DOWN, "back"], delay=0.01)
    model = CircuitBreaker(server, failures=1, cooldown=10, clock=clock)
    await failing(model, 1)
    clock.now = 10
    probe = asyncio.create_task(draw(model, ASK))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(CircuitOpenError):
        await draw(model, ASK)
    assert (await probe).text == "back"


async def test_a_cancelled_probe_lets_the_next_one_through() -> None:
    clock = Clock()
    server = ScriptedModel(script=lambda request: next(replies), delay=0.01)
    replies = iter([DOWN, "lost", "back"])
    model = CircuitBreaker(server, failures=1, cooldown=10, clock=clock)
    await failing(model, 1)
    clock.now = 10
    probe = asyncio.create_task(draw(model, ASK))
    await asyncio.sleep(0.005)
    probe.cancel()
    await asyncio.wait([probe])
    assert (await draw(model, ASK)).text == "back"


async def test_a_fallback_answers_at_once_while_the_circuit_is_open() -> None:
    with scripted(DOWN) as server, scripted("b", "b") as other:
        model = Fallback((CircuitBreaker(server, failures=1, clock=Clock()), other))
        assert [(await draw(model, ASK)).text for _ in range(2)] == ["b", "b"]
    assert len(server.requests) == 1


async def test_a_retry_waits_for_the_cooldown() -> None:
    clock, waits = Clock(), []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.now += seconds

    with scripted(DOWN, "back") as server:
        inner = CircuitBreaker(server, failures=1, cooldown=10, clock=clock)
        model = Retrying(inner, attempts=3, clock=clock, sleep=sleep)
        async with aclosing(model.generate(ASK)) as stream:
            assert [item.text async for item in stream] == ["back"]
    assert sum(waits) >= 10


def test_it_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match="at least 1 failure"):
        CircuitBreaker(scripted(), failures=0)
