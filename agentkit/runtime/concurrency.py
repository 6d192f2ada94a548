"""The few touches of the event loop: run to completion, and gather with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from agentkit.errors import ConfigError

T = TypeVar("T")


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to completion from ordinary code; inside an event loop, say what to do instead."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    coroutine.close()
    raise ConfigError("an event loop is already running here: await the async method instead of its _sync twin")


async def gather(jobs: Iterable[Callable[[], Awaitable[T]]], *, limit: int | None = None) -> list[T]:
    """The results of ``jobs`` in order, at most ``limit`` at a time; the first failure cancels the rest and is raised bare."""
    gate = asyncio.Semaphore(limit) if limit else None

    async def run(job: Callable[[], Awaitable[T]]) -> T:
        if gate is None:
            return await job()
        async with gate:
            return await job()

    tasks = [asyncio.ensure_future(run(job)) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await cancel(tasks)


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks that still run and wait until each has closed what it held; how they ended is nobody's business."""
    known = list(tasks)
    for task in known:
        task.cancel()
    await asyncio.gather(*known, return_exceptions=True)
