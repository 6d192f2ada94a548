"""The wire to an MCP server: messages as lines of a process, or over HTTP that cannot be turned inwards; all of it bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.errors import ToolError
from agentkit.runtime.redact import redact
from agentkit.tools.addresses import resolve
from agentkit.tools.child import Child
from agentkit.tools.pins import visible
from agentkit.tools.servers import Server

if TYPE_CHECKING:
    import httpx2
    from mcp.client._transport import TransportStreams

_SSE = "text/event-stream"


@dataclass(slots=True)
class Line:
    """The wire to a server: whether it is ``broken``, and the process at its other end, if there is one.

    ``left``: we let go of it, so that it ended is no reason for anything.
    """

    broken: asyncio.Event = field(default_factory=asyncio.Event)
    child: Child | None = None
    fault: str = ""
    left: bool = False

    def why(self, server: Server) -> str:
        """What is known about the end of it, without the secrets that the server was given."""
        ended = self.child.ended if self.child and not self.left else ""
        tail = visible(self.child.tail.rpartition("\n")[2]) if self.child else ""
        told = ": ".join(part for part in (self.fault or ended, tail) if part)
        return redact(told, [*server.env.values(), *server.headers.values()])


def transport_to(server: Server, line: Line) -> AbstractAsyncContextManager[TransportStreams]:
    """The streams of messages from and to a server; entered and left by one and the same task."""
    return _over_stdio(server, line) if server.command else _over_http(server)


@asynccontextmanager
async def _over_stdio(server: Server, line: Line) -> AsyncGenerator[TransportStreams, None]:
    """Messages as lines of a process. The SDK's own transport passes on parts of our environment and bounds nothing."""
    import anyio

    child = await Child.start(server.command, env=server.env, folder=server.folder, limit=server.bytes_limit)
    line.child = child
    heard, reading = anyio.create_memory_object_stream[Any](0)
    writing, said = anyio.create_memory_object_stream[Any](0)
    tasks = [asyncio.create_task(_read(child, heard, line)), asyncio.create_task(_write(child, said, line))]
    try:
        yield reading, writing
    finally:
        line.left = not line.broken.is_set()
        try:
            await child.stop()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for stream in (heard, reading, writing, said):
                stream.close()


async def _read(child: Child, heard: Any, line: Line) -> None:
    from mcp.shared.message import SessionMessage
    from mcp.types import jsonrpc_message_adapter

    try:
        async for text in child.lines():
            try:
                message: Any = SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
            except ValueError as error:
                message = error
            await heard.send(message)
    except ToolError as error:
        line.fault = str(error)
    finally:
        line.broken.set()
        heard.close()


async def _write(child: Child, said: Any, line: Line) -> None:
    try:
        async for message in said:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            await child.send(text.encode() + b"\n")
    except ToolError as error:
        line.fault = line.fault or str(error)
        line.broken.set()


@asynccontextmanager
async def _over_http(server: Server) -> AsyncGenerator[TransportStreams, None]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    timeout = httpx2.Timeout(server.seconds)
    headers = dict(server.headers)
    async with httpx2.AsyncClient(
        transport=_pinning(server), headers=headers, timeout=timeout, trust_env=False
    ) as client:
        async with streamable_http_client(
            server.url, http_client=client, max_sse_event_size=server.bytes_limit
        ) as streams:
            yield streams


def _pinning(server: Server) -> httpx2.AsyncBaseTransport:
    """A transport that looks every host up once, refuses private addresses, and bounds what is read."""
    import httpx2

    class Pinning(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            url = request.url
            try:
                address = await resolve(url.host, url.port or (443 if url.scheme == "https" else 80), server.networks)
            except ToolError as error:
                raise httpx2.ConnectError(str(error), request=request) from None
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=address)
            response = await super().handle_async_request(request)
            request.url = url
            if not response.headers.get("content-type", "").startswith(_SSE):
                response.stream = bounded(response.stream)
            return response

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for piece in self.inner:
                size += len(piece)
                if size > server.bytes_limit:
                    raise httpx2.ReadError(f"the answer has more than {server.bytes_limit:,} bytes")
                yield piece

        async def aclose(self) -> None:
            await self.inner.aclose()

    def bounded(stream: Any) -> Any:
        return Bounded(stream)

    return Pinning(trust_env=False)
