"""Ways of asking a chat server, each in a process of its own. Run as a script by the Python that has its library.

    python wire_subjects.py URL CONCURRENCY NAME

It prints the version of what it measures and then, for every line ``CALLS`` on its standard input, the CPU and wall-clock seconds
that so many calls took. It imports nothing of agentkit but in agentkit's own subjects.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wire_server import TEXT

PROMPT = "A train leaves Leipzig at nine and takes two hours to Berlin. When is it there? Answer in one sentence."
MESSAGES = [{"role": "system", "content": "You answer briefly."}, {"role": "user", "content": PROMPT}]

Call = Callable[[], Awaitable[str]]


async def aiohttp(url: str, undo: AsyncExitStack, *, stream: bool) -> Call:
    """The HTTP library alone, on kept connections; a stream is read to its end and each of its events decoded."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    session = await undo.enter_async_context(aiohttp.ClientSession(connector=connector))
    body: dict[str, Any] = {"model": "fake-model", "messages": MESSAGES, "stream": stream, "max_tokens": 64}

    async def whole() -> str:
        async with session.post(f"{url}/chat/completions", json=body) as response:
            return str((await response.json())["choices"][0]["message"]["content"])

    async def streamed() -> str:
        async with session.post(f"{url}/chat/completions", json=body) as response:
            events = [line[6:] for line in (await response.read()).split(b"\n") if line.startswith(b"data: {")]
        chunks = [json.loads(event)["choices"] for event in events]
        return "".join(one[0]["delta"].get("content", "") for one in chunks if one)

    return streamed if stream else whole


async def agentkit(url: str, undo: AsyncExitStack, *, stream: bool = True, stack: bool = False) -> Call:
    """``openai_http``, alone or as in a run: budget, journal on disk, and events."""
    from agentkit.events import Scope
    from agentkit.models.openai_http import OpenAIHTTP
    from agentkit.protocols import Model
    from agentkit.runtime.budget import Budget, Ledger
    from agentkit.runtime.price import Price
    from agentkit.runtime.sampling import draw
    from agentkit.runtime.stack import bind
    from agentkit.runtime.store import Store
    from agentkit.types import GenerateRequest, Message

    price = Price(input=1e-6, output=2e-6)
    model: Model = OpenAIHTTP(model="fake-model", base_url=url, stream=stream, price=price)
    if stack:
        home = Path(undo.enter_context(tempfile.TemporaryDirectory()))
        journal = undo.enter_context(Store(home=home).create(graph="wire", inputs={}))
        ledger = Ledger(Budget(calls=10**9, tokens=10**12, usd=10**9, seconds=10**6))
        scope = Scope(run="wire", node="ask")
        model = bind(model, scope=scope, journal=journal, ledger=ledger, emit=journal.timeline.see)
    messages = tuple(Message(one["role"], one["content"]) for one in MESSAGES)  # type: ignore[arg-type]
    request = GenerateRequest(messages=messages, max_tokens=64)

    async def call() -> str:
        return (await draw(model, request)).text

    return call


async def openai(url: str, undo: AsyncExitStack, *, stream: bool) -> Call:
    """The provider's own library, its retries off."""
    from openai import AsyncOpenAI

    client = await undo.enter_async_context(AsyncOpenAI(base_url=url, api_key="none", max_retries=0))
    settings: dict[str, Any] = {"model": "fake-model", "messages": MESSAGES, "max_tokens": 64}

    async def whole() -> str:
        answer = await client.chat.completions.create(**settings)
        return str(answer.choices[0].message.content)

    async def streamed() -> str:
        usage = {"include_usage": True}
        stream = await client.chat.completions.create(**settings, stream=True, stream_options=usage)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    return streamed if stream else whole


async def litellm(url: str, undo: AsyncExitStack, *, stream: bool) -> Call:
    """litellm, its retries off and its price table its own."""
    import os

    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    settings: dict[str, Any] = {"model": "openai/fake-model", "api_base": url, "api_key": "none", "max_retries": 0}
    settings |= {"messages": MESSAGES, "max_tokens": 64, "num_retries": 0}

    async def whole() -> str:
        answer: Any = await litellm.acompletion(**settings)
        return str(answer.choices[0].message.content)

    async def streamed() -> str:
        usage = {"include_usage": True}
        stream: Any = await litellm.acompletion(**settings, stream=True, stream_options=usage)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    return streamed if stream else whole


SUBJECTS: dict[str, tuple[Callable[..., Awaitable[Call]], dict[str, bool]]] = {
    "aiohttp, whole": (aiohttp, {"stream": False}),
    "aiohttp, streamed": (aiohttp, {"stream": True}),
    "openai_http, whole": (agentkit, {"stream": False}),
    "openai_http, streamed": (agentkit, {"stream": True}),
    "budget + journal + events, whole": (agentkit, {"stream": False, "stack": True}),
    "budget + journal + events, streamed": (agentkit, {"stream": True, "stack": True}),
    "openai SDK, whole": (openai, {"stream": False}),
    "openai SDK, streamed": (openai, {"stream": True}),
    "litellm, whole": (litellm, {"stream": False}),
    "litellm, streamed": (litellm, {"stream": True}),
}


async def calls(call: Call, count: int, concurrency: int) -> dict[str, float]:
    """``count`` calls, ``concurrency`` at a time: seconds of CPU in this process, and on the clock."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            assert await call() == TEXT

    spent, started = time.process_time(), time.perf_counter()
    async with asyncio.TaskGroup() as workers:
        for _ in range(concurrency):
            workers.create_task(worker())
    return {"cpu": time.process_time() - spent, "wall": time.perf_counter() - started}


async def main(url: str, concurrency: int, name: str) -> None:
    make, options = SUBJECTS[name]
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as undo:
        try:
            call = await make(url, undo, **options)
        except ImportError:
            print(json.dumps({"missing": make.__name__}), flush=True)
            return
        print(json.dumps({"version": version(make.__name__)}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await calls(call, int(line), concurrency)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
