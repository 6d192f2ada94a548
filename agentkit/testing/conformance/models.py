"""The contract of a model: exactly n samples, honest usage, deltas that add up, and nothing left running when closed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import aclosing

from agentkit.protocols import Model
from agentkit.testing.conformance.checks import demand, run_checks
from agentkit.types import Capabilities, Delta, GenerateRequest, Message, Sample, Usage


async def check_model(make_model: Callable[[], Model], *, seconds: float = 60.0) -> None:
    """Check a model that answers any request with some text; raises ``AssertionError`` with what it does wrong."""
    await run_checks(make_model, MODEL_CHECKS, seconds=seconds)


async def says_what_it_is(model: Model) -> None:
    """It has a name and capabilities."""
    demand(isinstance(model.name, str) and model.name, f"a model must have a name, not {model.name!r}")
    demand(isinstance(model.capabilities, Capabilities), f"{model.name}: capabilities must be Capabilities")


async def draws_exactly_n(model: Model) -> None:
    """It gives n samples under the indexes 0 to n - 1, and no deltas unasked."""
    for n in (1, 3):
        items = await _all(model, _request(n=n))
        demand(
            all(isinstance(item, Sample) for item in items),
            f"{model.name}: yields deltas that the request did not ask for",
        )
        indexes = sorted(item.index for item in items)
        demand(len(items) == n, f"{model.name}: asked for {n} samples, it gave {len(items)}")
        demand(
            indexes == list(range(n)), f"{model.name}: {n} samples must have the indexes 0 to {n - 1}, not {indexes}"
        )


async def counts_its_calls(model: Model) -> None:
    """Usage tells of between one call in all and one call a sample, and holds no negative or impossible numbers."""
    samples = [item for item in await _all(model, _request(n=3)) if isinstance(item, Sample)]
    total = sum((sample.usage for sample in samples), Usage())
    demand(1 <= total.calls <= 3, f"{model.name}: 3 samples cost 1 to 3 calls, its usage says {total.calls}")
    numbers = (
        total.input_tokens,
        total.output_tokens,
        total.cached_tokens,
        total.reasoning_tokens,
        total.seconds,
        total.usd,
    )
    demand(all(math.isfinite(one) and one >= 0 for one in numbers), f"{model.name}: impossible usage {total}")
    demand(total.unpriced_calls <= total.calls, f"{model.name}: more unpriced calls than calls in {total}")


async def streams_what_it_says(model: Model) -> None:
    """With ``stream`` the deltas of a sample come before it and join to its text and reasoning."""
    if not model.capabilities.stream:
        return
    text, reasoning = {0: "", 1: ""}, {0: "", 1: ""}
    finished: set[int] = set()
    for item in await _all(model, _request(n=2, stream=True)):
        demand(
            item.index not in finished, f"{model.name}: yields something of sample {item.index} after the sample itself"
        )
        if isinstance(item, Delta):
            text[item.index] += item.text
            reasoning[item.index] += item.reasoning
            continue
        finished.add(item.index)
        said = (text[item.index], reasoning[item.index])
        demand(said == (item.text, item.reasoning), f"{model.name}: deltas {said!r} do not join to {item.text!r}")


async def closing_cancels(model: Model) -> None:
    """Closed early, before or after the first item, it returns, leaves no task running and can be asked again."""
    await _leave_early(model)
    before = len(asyncio.all_tasks())
    for _ in range(3):
        await _leave_early(model)
    for _ in range(100):
        if len(asyncio.all_tasks()) <= before:
            break
        await asyncio.sleep(0.02)
    left = len(asyncio.all_tasks()) - before
    demand(left <= 0, f"{model.name}: {left} tasks still run after its streams were closed")


async def cancelling_cancels(model: Model) -> None:
    """When the task that waits for it is cancelled, it ends as cancelled and can be asked again."""
    waiting = asyncio.create_task(_all(model, _request(n=2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    results = await asyncio.gather(waiting, return_exceptions=True)
    cancelled = isinstance(results[0], (asyncio.CancelledError, list))
    demand(cancelled, f"{model.name}: a cancelled call ended with {results[0]!r}")
    demand(len(await _all(model, _request())) == 1, f"{model.name}: does not answer after a call was cancelled")


MODEL_CHECKS = (
    says_what_it_is,
    draws_exactly_n,
    counts_its_calls,
    streams_what_it_says,
    closing_cancels,
    cancelling_cancels,
)


def _request(*, n: int = 1, stream: bool = False) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", "Say hello, please."),), n=n, stream=stream, max_tokens=16)


async def _all(model: Model, request: GenerateRequest) -> list[Sample | Delta]:
    async with aclosing(model.generate(request)) as stream:
        return [item async for item in stream]


async def _leave_early(model: Model) -> None:
    await model.generate(_request(n=4)).aclose()
    async with aclosing(model.generate(_request(n=4))) as stream:
        demand(await anext(stream, None), f"{model.name}: yields nothing, perhaps because a stream was closed before")
