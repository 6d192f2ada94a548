"""The fake provider: what it says, what it counts, and that it holds its script to account."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from contextlib import suppress

import aiohttp
import pytest

from agentkit.testing import Completion, FakeProvider, Refusal

BODY = {"model": "m", "messages": [{"role": "user", "content": "two words"}]}


async def post(provider: FakeProvider, **extra: object) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{provider.base_url}/chat/completions", json={**BODY, **extra}) as response:
            return response.status, await response.text()


async def test_replies_come_in_order_and_requests_are_kept() -> None:
    async with FakeProvider(["one", Completion(text="two")]) as provider:
        texts = [json.loads((await post(provider))[1])["choices"][0]["message"]["content"] for _ in range(2)]
        assert texts == ["one", "two"]
        assert (provider.received, provider.completed, provider.aborted) == (2, 2, 0)
        assert provider.calls[0].body == BODY
        assert provider.calls[0].headers["content-type"] == "application/json"
        assert provider.calls[0].received <= (provider.calls[0].ended or 0)


async def test_a_function_answers_by_the_request() -> None:
    async with FakeProvider(lambda body: body["messages"][0]["content"].upper()) as provider:
        assert "TWO WORDS" in (await post(provider))[1]


async def test_a_refusal_is_an_http_error_with_its_wait() -> None:
    async with FakeProvider([Refusal(status=429, message="slow", retry_after=3)]) as provider:
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{provider.base_url}/chat/completions", json=BODY) as response:
                assert (response.status, response.headers["Retry-After"]) == (429, "3")
                assert (await response.json())["error"]["message"] == "slow"


async def test_models_are_listed_and_not_counted() -> None:
    async with FakeProvider(model="tiny") as provider:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{provider.base_url}/models") as response:
                assert [one["id"] for one in (await response.json())["data"]] == ["tiny"]
            async with session.get(f"{provider.base_url}/nowhere") as response:
                assert response.status == 404
        assert provider.received == 0


async def test_a_client_that_leaves_is_counted_as_aborted() -> None:
    async with FakeProvider([Completion(text="x", delay=60)]) as provider:
        call = asyncio.create_task(post(provider))
        await provider.until(lambda seen: seen.received == 1)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await provider.until(lambda seen: seen.aborted == 1)
        assert provider.completed == 0


@pytest.mark.parametrize("fault", ["reset_before_headers", "reset_mid_stream", "half_close"])
async def test_a_connection_that_the_script_breaks_is_neither_completed_nor_aborted(fault: str) -> None:
    async with FakeProvider([Completion(text="x y z", fault=fault)]) as provider:
        with pytest.raises(aiohttp.ClientError):
            await post(provider, stream=True)
        assert [call.outcome for call in provider.calls] == ["broken"]


async def test_many_clients_are_served_at_once() -> None:
    async with FakeProvider(lambda body: Completion(text="x", delay=0.01)) as provider:
        await asyncio.gather(*(post(provider) for _ in range(50)))
        assert provider.completed == 50


async def unused() -> None:
    async with FakeProvider(["one", "two"]) as provider:
        await post(provider)


async def over_asked() -> None:
    async with FakeProvider([]) as provider:
        status, text = await post(provider)
        assert status == 500
        assert "used up" in text


async def failing_script() -> None:
    async with FakeProvider(lambda body: body["no such key"]) as provider:
        assert (await post(provider))[0] == 500


async def test_replies_never_asked_for_fail_the_test() -> None:
    with pytest.raises(AssertionError, match="1 of 2 replies"):
        await unused()


async def test_asking_for_more_than_the_script_holds_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="script of 0"):
        await over_asked()


async def test_a_script_that_raises_fails_the_test_with_its_own_error() -> None:
    with pytest.raises(KeyError, match="no such key"):
        await failing_script()


async def test_waiting_in_vain_says_what_was_seen() -> None:
    async with FakeProvider() as provider:
        with pytest.raises(AssertionError, match="its calls: "):
            await provider.until(lambda seen: seen.received == 1, seconds=0.01)


def test_it_serves_ordinary_code_from_a_thread_of_its_own() -> None:
    with FakeProvider(["hello"]) as provider:
        request = urllib.request.Request(f"{provider.base_url}/chat/completions", json.dumps(BODY).encode())
        with urllib.request.urlopen(request) as response:
            assert b"hello" in response.read()
        asyncio.run(provider.until(lambda seen: seen.completed == 1))


def test_it_serves_other_processes_and_sees_them_killed() -> None:
    code = (
        "import json, sys, urllib.request;"
        "urllib.request.urlopen(urllib.request.Request(sys.argv[1], json.dumps({'messages': []}).encode()))"
    )
    with FakeProvider([Completion(text="x", delay=60)]) as provider:
        with subprocess.Popen([sys.executable, "-c", code, f"{provider.base_url}/chat/completions"]) as client:
            asyncio.run(provider.until(lambda seen: seen.received == 1, seconds=30))
            client.kill()
            asyncio.run(provider.until(lambda seen: seen.aborted == 1))


def test_in_a_thread_it_holds_its_script_to_account_as_well() -> None:
    with pytest.raises(AssertionError, match="1 of 1 replies"), FakeProvider(["unused"]):
        pass


async def test_an_error_in_the_test_is_not_hidden_by_the_account() -> None:
    with pytest.raises(ZeroDivisionError):
        async with FakeProvider(["unused"]):
            raise ZeroDivisionError
