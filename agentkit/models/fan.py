"""Many samples as many calls: each on its own, so that one failure or one cancellation does not touch the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from agentkit.protocols import SampleStream
from agentkit.runtime.concurrency import cancel
from agentkit.runtime.parts import part
from agentkit.types import Delta, GenerateRequest, Sample

_Queue = asyncio.Queue[Sample | Delta | BaseException | None]


async def fan_out(draw: Callable[[GenerateRequest], SampleStream], request: GenerateRequest) -> SampleStream:
    """The ``request.n`` samples of as many calls of ``draw`` at once, as each arrives.

    When a call fails the others go on, because they are paid for; the first failure is raised after their samples.
    Closing cancels every call still open and waits until each has let go.
    """
    queue: _Queue = asyncio.Queue()
    calls = [asyncio.create_task(_pump(draw(part(request, index, 1)), index, queue)) for index in range(request.n)]
    failure: BaseException | None = None
    running = len(calls)
    try:
        while running:
            item = await queue.get()
            if isinstance(item, (Sample, Delta)):
                yield item
            else:
                running -= 1
                failure = failure or item
        if failure is not None:
            raise failure
    finally:
        await cancel(calls)


async def _pump(stream: SampleStream, index: int, queue: _Queue) -> None:
    """Move a stream into the queue under its index, then its error or None."""
    try:
        async with aclosing(stream):
            async for item in stream:
                queue.put_nowait(replace(item, index=index))
        queue.put_nowait(None)
    except asyncio.CancelledError as error:
        queue.put_nowait(error)
        raise
    except Exception as error:  # noqa: BLE001 - carried to the consumer, who raises it
        queue.put_nowait(error)
