"""A real vLLM server over loopback, driven by ``openai_http``."""

import asyncio
import json
import re
import urllib.request
from contextlib import aclosing
from dataclasses import replace

import pytest

from agentkit.models.openai_http import OpenAIHTTP
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing.conformance import check_model
from agentkit.types import Delta, GenerateRequest, Message, Sample

pytestmark = [pytest.mark.vllm, pytest.mark.gpu, pytest.mark.timeout(400)]

ASK = GenerateRequest(
    messages=(Message("user", "Tom has 3 apples and buys 4 more. How many apples has he now?"),),
    max_tokens=48,
    temperature=0.0,
)


@pytest.fixture
def remote(server: str) -> OpenAIHTTP:
    return OpenAIHTTP(model="smollm2", base_url=f"{server}/v1")


def running(server: str) -> float:
    """Requests that the server is drawing now, by its own count."""
    with urllib.request.urlopen(f"{server}/metrics", timeout=5) as response:
        return float(re.search(r"^vllm:num_requests_running\{[^}]*\} ([\d.]+)", response.read().decode(), re.M)[1])


async def test_it_keeps_the_contract_of_a_model(remote):
    await check_model(lambda: remote, seconds=300)


async def test_eight_samples_come_with_logprobs_and_usage(remote):
    samples = await draw_all(remote, replace(ASK, n=8, temperature=0.8, seed=3, logprobs=2))
    assert len({sample.text for sample in samples}) > 1
    for sample in samples:
        assert sample.usage.output_tokens == len(sample.logprobs)
        assert all(len(token.top) == 2 for token in sample.logprobs)


async def test_the_answer_keeps_to_a_schema(remote):
    schema = {"type": "object", "properties": {"apples": {"type": "integer"}}, "required": ["apples"]}
    assert isinstance(json.loads((await draw(remote, replace(ASK, schema=schema))).text)["apples"], int)


async def test_a_last_message_of_the_assistant_is_continued(remote):
    fields = {"continue_final_message": True, "add_generation_prompt": False}
    begun = (*ASK.messages, Message("assistant", "He has 3 + 4 ="))
    sample = await draw(replace(remote, continues=fields), replace(ASK, messages=begun, max_tokens=4))
    assert sample.text.strip().startswith("7")


async def test_a_dropped_stream_stops_the_server_within_half_a_second(remote, server):
    request = replace(ASK, n=4, max_tokens=1500, temperature=1.0, stream=True)
    async with aclosing(remote.generate(request)) as stream:
        async for item in stream:
            assert isinstance(item, Delta)
            break
        assert await asyncio.to_thread(running, server) > 0
    for _ in range(10):
        if not await asyncio.to_thread(running, server):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the server draws on")


async def test_a_vote_that_is_decided_stops_the_others(remote, server):
    async with aclosing(remote.generate(replace(ASK, n=4, max_tokens=400, temperature=1.2))) as stream:
        async for item in stream:
            assert isinstance(item, Sample)
            break
    for _ in range(10):
        if not await asyncio.to_thread(running, server):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the server draws on")
