"""At most so many calls of a server at once."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError, ServerError
from agentkit.models.limit import Limited
from agentkit.protocols import SampleStream
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import Capabilities, GenerateRequest, Message, Sample

ASK = GenerateRequest(messages=(Message("user", "Hi"),))


class Counting:
    """Counts the calls in flight, and their most."""

    name = "counting"
    capabilities = Capabilities()

    def __init__(self) -> None:
        self.open, self.most = 0, 0

    async def generate(self, request: GenerateRequest) -> SampleStream:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await asyncio.sleep(0)
            for index in range(request.n):
                yield Sample(text=str(request.seed), index=index)
        finally:
            self.open -= 1


async def test_it_keeps_the_contract_of_a_model() -> None:
    await check_model(lambda: Limited(ScriptedModel(script=lambda request: "Hello there."), concurrency=2))


@settings(deadline=None, max_examples=30)
@given(concurrency=st.integers(1, 5), requests=st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_never_more_calls_than_allowed_and_never_fewer_than_possible(concurrency: int, requests: list[int]) -> None:
    model = Counting()
    limited = Limited(model, concurrency=concurrency)

    async def all_at_once() -> None:
        await asyncio.gather(*(draw_all(limited, replace(ASK, n=n)) for n in requests))

    run_sync(all_at_once())
    assert model.most == min(concurrency, sum(requests))
    assert model.open == 0


async def test_each_sample_keeps_its_seed_and_place() -> None:
    samples = await draw_all(Limited(Counting(), concurrency=2), replace(ASK, n=4, seed=5))
    assert [(sample.index, sample.text) for sample in samples] == [(0, "5"), (1, "6"), (2, "7"), (3, "8")]


async def test_a_consumer_may_ask_again_before_it_takes_the_rest() -> None:
    limited = Limited(Counting(), concurrency=1)
    async with aclosing(limited.generate(replace(ASK, n=3))) as stream:
        async for _ in stream:
            await draw(limited, ASK)


async def test_a_failed_or_closed_call_gives_its_place_back() -> None:
    limited = Limited(ScriptedModel(script=[ServerError("no"), "a", "b", "c"]), concurrency=1)
    with pytest.raises(ServerError):
        await draw(limited, ASK)
    async with aclosing(limited.generate(replace(ASK, n=2))) as stream:
        await anext(stream)
    assert (await draw(limited, ASK)).text in "bc"


def test_it_serves_one_event_loop_after_another() -> None:
    limited = Limited(Counting(), concurrency=1)
    for _ in range(3):
        assert len(run_sync(draw_all(limited, replace(ASK, n=5)))) == 5


def test_no_calls_at_all_is_no_limit() -> None:
    with pytest.raises(ConfigError, match="concurrency"):
        Limited(ScriptedModel(), concurrency=0)
