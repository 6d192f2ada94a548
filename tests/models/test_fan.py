"""Many samples as many calls, each on its own."""

import asyncio
from contextlib import aclosing

import pytest

from agentkit.errors import ServerError
from agentkit.models.fan import fan_out
from agentkit.protocols import SampleStream
from agentkit.types import Delta, GenerateRequest, Message, Sample

ASK = GenerateRequest(messages=(Message("user", "Hi"),))


class Server:
    """Draws the sample whose seed it is asked with, after that many turns of the loop; ``bad`` seeds fail."""

    def __init__(self, *, bad: tuple[int, ...] = ()) -> None:
        self.bad, self.open = bad, 0

    async def draw(self, request: GenerateRequest) -> SampleStream:
        seed = request.seed or 0
        assert request.n == 1
        self.open += 1
        try:
            for _ in range(seed):
                await asyncio.sleep(0)
            if seed in self.bad:
                raise ServerError(f"no {seed}")
            yield Delta(text=str(seed))
            yield Sample(text=str(seed))
        finally:
            self.open -= 1


def request(n: int, seed: int = 0) -> GenerateRequest:
    return GenerateRequest(messages=ASK.messages, n=n, seed=seed)


async def test_each_sample_has_its_own_seed_and_index() -> None:
    items = [item async for item in fan_out(Server().draw, request(4, seed=10))]
    assert sorted((item.index, item.text) for item in items if isinstance(item, Sample)) == [
        (0, "10"),
        (1, "11"),
        (2, "12"),
        (3, "13"),
    ]


async def test_samples_come_as_they_finish_with_their_deltas_before() -> None:
    items = [item async for item in fan_out(Server().draw, request(3))]
    assert [(type(item), item.index) for item in items] == [
        (Delta, 0),
        (Sample, 0),
        (Delta, 1),
        (Sample, 1),
        (Delta, 2),
        (Sample, 2),
    ]


async def test_a_failed_call_does_not_cost_the_others() -> None:
    drawn = []

    async def consume() -> None:
        async for item in fan_out(Server(bad=(1, 3)).draw, request(5)):
            if isinstance(item, Sample):
                drawn.append(item.index)

    with pytest.raises(ServerError, match="no 1"):
        await consume()
    assert drawn == [0, 2, 4]


async def test_closing_ends_every_call_that_is_open() -> None:
    server = Server()
    async with aclosing(fan_out(server.draw, request(50))) as stream:
        await anext(stream)
        assert server.open > 40
    assert server.open == 0


async def test_cancelling_the_consumer_ends_every_call_that_is_open() -> None:
    server = Server()

    async def consume() -> None:
        async for _ in fan_out(server.draw, request(1000)):
            pass

    task = asyncio.create_task(consume())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.open == 0


async def test_a_call_that_is_cancelled_from_within_does_not_hang_the_rest() -> None:
    async def draw(request: GenerateRequest) -> SampleStream:
        raise asyncio.CancelledError
        yield

    with pytest.raises(asyncio.CancelledError):
        async for _ in fan_out(draw, request(2)):
            pass
