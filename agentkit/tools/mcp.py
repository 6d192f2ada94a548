"""Tools of MCP servers (Model Context Protocol), over the official SDK, which only this file and ``mcp_wire.py`` know.

The servers are the user's (``servers.py``), their tools are pinned (``pins.py``); a graph names both and nothing else. No
server gets to ask a model, to ask the user, or to tell a model how to behave: what it says of itself is never passed on.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agentkit.errors import ConfigError, MissingExtraError, ToolError
from agentkit.registry import provided
from agentkit.tools.mcp_wire import Line, transport_to
from agentkit.tools.pins import Change, Pin, changes, pinned, refuse, visible
from agentkit.tools.servers import Server, Servers
from agentkit.types import JSON, ToolSpec

if TYPE_CHECKING:
    from mcp import Client, MCPError

_PAGES = 50
_MOST_TOOLS = 1_000
_STOP = 10.0  # seconds for a connection to close
_SESSION_LOST = (-32000, -32600)  # the connection closed; the session is unknown, as after a restart
_ODD = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, kw_only=True)
class Mcp:
    """A tool of an MCP server that you declared in ``mcp.yaml`` and pinned with ``agentkit tools lock``.

    ``server`` and ``tool`` are names, nothing else can be said here. An agent that leaves out ``tool`` gets all pinned tools
    of the server. The calls of a run share one connection.
    """

    server: str
    tool: str | None = None
    servers: Servers | None = provided("mcp")

    @property
    def tools(self) -> tuple[Mcp, ...]:
        """The tools that this stands for, one each."""
        if self.tool is not None:
            return (self,)
        return tuple(replace(self, tool=name) for name in self._servers.tools(self.server))

    @property
    def spec(self) -> ToolSpec:
        """The pinned description, under the server's name: another server cannot pass a tool of its own off for this one."""
        pin = self._pin
        name = _ODD.sub("_", f"{self.server}_{pin.name}")[:64]
        return ToolSpec(name=name, description=pin.description, parameters=pin.parameters)

    @property
    def connection(self) -> str:
        """What the calls of a run share."""
        return f"mcp:{self.server}"

    def connect(self) -> Connection:
        """A connection for ``call_over``; it opens with the first call."""
        servers = self._servers
        return Connection(self.server, servers.filled(servers.get(self.server)), servers.tools(self.server))

    async def call_over(self, connection: Connection, arguments: dict[str, JSON]) -> JSON:
        """``call`` over a connection that is there."""
        return await connection.call(self._pin.name, arguments)

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """The structured result where there is one, else its text.

        Raises ``ToolError`` for a tool or server that failed, ``ToolChangedError`` for a tool that is not as it was pinned.
        """
        connection = self.connect()
        try:
            return await self.call_over(connection, arguments)
        finally:
            await connection.aclose()

    @property
    def _servers(self) -> Servers:
        if self.servers is None:
            raise ConfigError("tool.mcp needs the servers of a Kit")
        return self.servers

    @property
    def _pin(self) -> Pin:
        if self.tool is None:
            names = ", ".join(self._servers.tools(self.server))
            raise ConfigError(f"'tool' is missing: the MCP server {self.server!r} has {names}")
        return self._servers.tool(self.server, self.tool)


class Connection:
    """One session with a server, shared by whoever calls: opened when first needed, and anew when the server has died."""

    def __init__(self, name: str, server: Server, pins: Mapping[str, Pin]) -> None:
        self.name, self.server, self._pins = name, server, pins
        self._opening = asyncio.Lock()
        self._link: _Link | None = None

    async def call(self, tool: str, arguments: Mapping[str, JSON]) -> JSON:
        """The result of a tool that is as it was pinned; a call that was under way when the server died is not repeated."""
        link = await self._open()
        if change := link.changed.get(tool):
            raise refuse(self.name, change)
        text = await self._asked(link, tool, arguments)
        if len(text) > self.server.bytes_limit:
            raise ToolError(f"{tool} of {self.name} gave more than {self.server.bytes_limit:,} characters")
        return json.loads(text)

    async def aclose(self) -> None:
        """End the session, and a process that was started for it."""
        if self._link is not None:
            await self._link.close()
            self._link = None

    async def _open(self) -> _Link:
        async with self._opening:
            if self._link is not None and self._link.over:
                await self.aclose()
            if self._link is None:
                link = _Link(self.name, self.server)
                self._link = link
                try:
                    await link.ready()
                except BaseException:
                    await self.aclose()
                    raise
            if self._link.stale:
                await self._link.look()
            self._link.compare(self._pins)
            return self._link

    async def _asked(self, link: _Link, tool: str, arguments: Mapping[str, JSON]) -> str:
        """The result as JSON text."""
        from mcp import MCPError

        try:
            async with asyncio.timeout(self.server.seconds):
                found = await link.client.call_tool(tool, dict(arguments))
        except TimeoutError:
            raise ToolError(f"{tool} of {self.name} did not answer within {self.server.seconds:g} seconds") from None
        except MCPError as error:
            raise ToolError(f"{tool} of {self.name} failed: {await link.reason(error)}") from None
        except (RuntimeError, ValueError) as error:  # a result that does not fit what the server itself declares
            raise ToolError(f"{tool} of {self.name} sent no proper result: {visible(str(error))}") from None
        if found.is_error:
            raise ToolError(visible(_text(found.content)) or f"{tool} of {self.name} failed and did not say why")
        given = found.structured_content if found.structured_content is not None else _text(found.content)
        return json.dumps(given)


class _Link:
    """A session that is up, held by a task of its own: the SDK wants it closed by the task that opened it."""

    def __init__(self, name: str, server: Server) -> None:
        self.name, self.server = name, server
        self.tools: dict[str, Pin] = {}
        self.changed: dict[str, Change] = {}
        self.stale = False
        self.client: Client
        self._line = Line()
        self._up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end = asyncio.Event()
        self._task = asyncio.create_task(self._hold())

    @property
    def over(self) -> bool:
        """Whether it can no longer be used."""
        return self._task.done() or self._line.broken.is_set()

    async def ready(self) -> None:
        """Wait until it is up; raises ``ToolError`` when it does not come up in time."""
        try:
            async with asyncio.timeout(self.server.seconds):
                await asyncio.shield(self._up)
        except TimeoutError:
            raise ToolError(f"the MCP server {self.name!r} did not start within {self.server.seconds:g} s") from None

    async def look(self) -> None:
        """Read the list of tools."""
        self.stale = False
        self.tools = pinned(self.name, await _listed(self.client))

    def compare(self, pins: Mapping[str, Pin]) -> None:
        """Note which of the pinned tools are not as they were."""
        self.changed = {one.name: one for one in changes(pins, self.tools) if one.before is not None}

    async def reason(self, error: MCPError) -> str:
        """Why a call failed: in the words of the server, or how it died."""
        if self.server.url:
            if error.code in _SESSION_LOST:
                self._line.broken.set()
            return visible(str(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):  # its end and the end of its output are told apart by a moment
                await self._line.broken.wait()
        if not self._line.broken.is_set():
            return visible(str(error))
        return f"the server went away during the call ({self._line.why(self.server)}), which may have done its work"

    async def close(self) -> None:
        """End it; returns when nothing of it is left."""
        self._end.set()
        done, _ = await asyncio.wait([self._task], timeout=_STOP if self._up.done() else 0)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()

    async def _hold(self) -> None:
        from mcp import Client

        try:
            require_sdk()
            transport = transport_to(self.server, self._line)
            async with Client(transport, message_handler=self._hear, cache=None) as self.client:
                await self.look()
                self._up.set_result(None)
                await _first(self._end, self._line.broken)
        except BaseException as error:
            self._line.broken.set()
            if self._up.done():
                self._line.fault = self._line.fault or str(self._failure(error))
            else:
                self._up.set_exception(self._failure(error))
                self._up.exception()  # whoever waits is told; nobody may wait any more
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _hear(self, message: object) -> None:
        from mcp.types import ToolListChangedNotification

        self.stale = self.stale or isinstance(message, ToolListChangedNotification)

    def _failure(self, error: BaseException) -> Exception:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, ConfigError):
            return error
        why = self._line.why(self.server) or visible(str(error)) or type(error).__name__
        return ToolError(f"the MCP server {self.name!r} cannot be used: {why}")


async def list_tools(name: str, server: Server) -> dict[str, Pin]:
    """What a server says now of its tools; ``server`` is one with its variables filled in."""
    link = _Link(name, server)
    try:
        await link.ready()
        return link.tools
    finally:
        await link.close()


def require_sdk() -> None:
    """Raises ``MissingExtraError`` where the SDK is not installed."""
    try:
        import mcp  # noqa: F401
    except ImportError:
        raise MissingExtraError("mcp", "mcp", "tool.mcp") from None


async def _listed(client: Client) -> list[Pin]:
    found: list[Pin] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [
            Pin(name=one.name, description=one.description or "", parameters=one.input_schema) for one in page.tools
        ]
        cursor = page.next_cursor
        if cursor is None or len(found) > _MOST_TOOLS:
            break
    if cursor is not None or len(found) > _MOST_TOOLS:
        raise ToolError(f"it has more than {_MOST_TOOLS:,} tools, or its list of them does not end")
    return found


def _text(content: Sequence[Any]) -> str:
    """The texts of a result; of anything else only what it is."""
    return "\n".join(one.text if one.type == "text" else f"[{one.type}]" for one in content)


async def _first(*events: asyncio.Event) -> None:
    """Until one of the events is set."""
    waits = [asyncio.create_task(one.wait()) for one in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
