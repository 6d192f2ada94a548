"""Only allowed hosts, and never an address inside the machine, not even through a redirect."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from agentkit.errors import ConfigError, ToolError
from agentkit.tools.http import Http

EVERY_HOST = (
    "localhost",
    "127.0.0.1",
    "::1",
    "169.254.169.254",
    "0x7f000001",
    "2130706433",
    "127.1",
    "::ffff:127.0.0.1",
)
INSIDE = [
    "http://127.0.0.1/",
    "http://localhost:11434/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://127.1/",
    "http://[::ffff:127.0.0.1]/",
]
MALFORMED = [
    "http://allowed.example@127.0.0.1/",
    "http://127.0.0.1\\@allowed.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "ftp://127.0.0.1/",
    "http://allowed.example/\r\nHost: evil",
    "http://[::1",
    "",
]


@asynccontextmanager
async def server(answer: Callable[[str], str], host: str = "127.0.0.1") -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.write(answer(head).encode())
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(serve, host, 0)
    async with running:
        yield f"http://{host}:{running.sockets[0].getsockname()[1]}"


def ok(text: str) -> Callable[[str], str]:
    return lambda head: f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}"


@pytest.mark.parametrize("url", INSIDE)
async def test_an_address_inside_the_machine_is_refused_even_for_an_allowed_host(url: str) -> None:
    with pytest.raises(ToolError, match=r"inside this machine|cannot be resolved"):
        await Http(hosts=EVERY_HOST).call({"url": url})


@pytest.mark.parametrize("url", MALFORMED)
async def test_a_url_with_two_readings_is_refused(url: str) -> None:
    with pytest.raises(ToolError):
        await Http(hosts=(*EVERY_HOST, "allowed.example")).call({"url": url})


@pytest.mark.parametrize("host", ["evil.org", "example.org.evil.org", "notexample.org"])
async def test_a_host_that_is_not_named_is_refused(host: str) -> None:
    with pytest.raises(ToolError, match="not allowed"):
        await Http(hosts=("*.example.org", "example.org")).call({"url": f"http://{host}/"})


async def test_an_allowed_resource_is_returned_as_data() -> None:
    async with server(ok("hello")) as url:
        got = await Http(hosts=("127.0.0.1",), networks=("127.0.0.0/8",)).call(
            {"url": url + "/a", "query": {"q": "x y"}}
        )
    assert got == {"status": 200, "url": url + "/a?q=x+y", "type": "text/plain", "text": "hello"}


async def test_a_redirect_to_an_address_that_is_not_allowed_is_refused() -> None:
    async with server(ok("secret")) as inside:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {inside}/\r\nContent-Length: 0\r\n\r\n"
        async with server(lambda head: answer, "127.0.0.2") as outside:
            tool = Http(hosts=("127.0.0.1", "127.0.0.2"), networks=("127.0.0.2/32",))
            with pytest.raises(ToolError, match="inside this machine"):
                await tool.call({"url": outside})


async def test_redirects_end() -> None:
    async with server(lambda head: "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n") as url:
        with pytest.raises(ToolError, match="more than 5 times"):
            await Http(hosts=("127.0.0.1",), networks=("127.0.0.0/8",)).call({"url": url})


async def test_too_large_an_answer_is_not_read_to_its_end() -> None:
    async with server(ok("x" * 5000)) as url:
        with pytest.raises(ToolError, match="larger than 1000 bytes"):
            await Http(hosts=("127.0.0.1",), networks=("127.0.0.0/8",), bytes_limit=1000).call({"url": url})


async def test_a_silent_server_is_left_in_time() -> None:
    async with server(ok("x")) as url:
        tool = Http(hosts=("127.0.0.1",), networks=("127.0.0.0/8",), seconds=0.0)
        with pytest.raises(ToolError, match="did not answer"):
            await tool.call({"url": url})


async def test_a_method_that_is_not_named_is_refused() -> None:
    with pytest.raises(ToolError, match="method POST is not allowed"):
        await Http(hosts=("example.org",)).call({"url": "http://example.org", "method": "POST"})


def test_hosts_must_be_named() -> None:
    with pytest.raises(ConfigError, match="hosts"):
        Http(hosts=())
