"""An OpenAI-compatible chat server on 127.0.0.1 that says what its script says and counts what really crosses the wire."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from agentkit.testing.replies import (
    Close,
    Flood,
    HalfClose,
    Hang,
    Refusal,
    Reply,
    Reset,
    Step,
    Wait,
    plan,
    response,
)

Script = Iterable[Reply] | Callable[[dict[str, Any]], Reply]
Outcome = Literal["open", "completed", "aborted", "broken"]

_WAITING = 4096  # connections that may wait to be taken: with the usual 100 a thousand callers at once try again a second later
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(kw_only=True)
class Call:
    """A request as the server saw it; times are ``time.monotonic()`` seconds, ``port`` is the client's end of the connection.

    ``outcome`` is ``completed`` when the whole reply was sent, ``aborted`` when the client went away before, ``broken`` when
    the script broke the connection.
    """

    body: dict[str, Any]
    headers: dict[str, str]
    port: int
    received: float
    ended: float | None = None
    outcome: Outcome = "open"

    def end(self, outcome: Outcome) -> None:
        """Note how it ended, unless that is known already."""
        if self.outcome == "open":
            self.outcome, self.ended = outcome, time.monotonic()


@dataclass
class FakeProvider:
    """Replies in order from ``script``, one a request, or by a function of the request body.

    ``async with FakeProvider(["Yes."]) as provider:`` serves from the running event loop; ``with FakeProvider(...)`` serves
    from a thread of its own, for ordinary code and for other processes. ``base_url`` is what a client needs, ``calls`` keeps
    every request, and ``received``, ``completed`` and ``aborted`` count them. At the end it raises ``AssertionError`` when
    it was asked for more than its script holds, or for less.
    """

    script: Script = ()
    model: str = "fake-model"
    calls: list[Call] = field(default_factory=list, init=False)
    base_url: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._answer = self.script if callable(self.script) else None
        self._replies = [] if callable(self.script) else list(self.script)
        self._asked = 0
        self._failure: Exception | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def received(self) -> int:
        """Requests that arrived."""
        return len(self.calls)

    @property
    def completed(self) -> int:
        """Requests whose whole reply was sent."""
        return self._count("completed")

    @property
    def aborted(self) -> int:
        """Requests whose client went away before the reply was sent."""
        return self._count("aborted")

    def _count(self, outcome: Outcome) -> int:
        return sum(call.outcome == outcome for call in self.calls)

    async def until(self, condition: Callable[[FakeProvider], bool], *, seconds: float = 5.0) -> None:
        """Wait for something to be true of the counts; ``AssertionError`` when it is not within ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            if time.monotonic() > deadline:
                outcomes = [call.outcome for call in self.calls]
                raise AssertionError(f"the provider did not see it within {seconds} s; its calls: {outcomes}")
            await asyncio.sleep(0.005)

    async def __aenter__(self) -> FakeProvider:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()
        if error is None:
            self._check()

    def __enter__(self) -> FakeProvider:
        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(ready),), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if error is None:
            self._check()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._open()
        ready.set()
        await self._stop.wait()
        await self._close()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(_Watch(), self._connected), "127.0.0.1", 0, backlog=_WAITING
        )
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._asked > len(self._replies):
            raise AssertionError(f"{self._asked} requests arrived for a script of {len(self._replies)} replies")
        if self._asked < len(self._replies):
            raise AssertionError(
                f"{len(self._replies) - self._asked} of {len(self._replies)} replies were never asked for"
            )

    def _next(self, body: dict[str, Any]) -> Reply:
        if self._answer is not None:
            return self._by_function(self._answer, body)
        self._asked += 1
        if self._asked > len(self._replies):
            return Refusal(status=500, message=f"the script of {len(self._replies)} replies is used up")
        return self._replies[self._asked - 1]

    def _by_function(self, answer: Callable[[dict[str, Any]], Reply], body: dict[str, Any]) -> Reply:
        try:
            return answer(body)
        except Exception as error:  # noqa: BLE001 - kept, and raised where the test can see it
            self._failure = error
            return Refusal(status=500, message=f"the script failed: {error}")

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        assert isinstance(reader, _Watch)
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, reader: _Watch, writer: StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: _Watch, writer: StreamWriter) -> bool:
        """Answer one request; whether the connection is still good for another."""
        path, headers, data = await _read_request(reader)
        if not path.endswith("/chat/completions"):
            writer.write(self._side_answer(path))
            return True
        port = writer.get_extra_info("peername")[1]
        call = Call(body=json.loads(data), headers=headers, port=port, received=time.monotonic())
        self.calls.append(call)
        steps = plan(self._next(call.body), call.body, model=self.model)
        await _perform(call, steps, reader, writer)
        return call.outcome == "completed"

    def _side_answer(self, path: str) -> bytes:
        if not path.endswith("/models"):
            return response(404, json.dumps({"error": {"message": f"no such path: {path}"}}).encode())
        known = {
            "object": "list",
            "data": [{"id": self.model, "object": "model", "created": 0, "owned_by": "agentkit"}],
        }
        return response(200, json.dumps(known).encode())


class _Watch(StreamReader):
    """A reader that tells when the client has gone, without reading what it may send next."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


async def _read_request(reader: StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Path, headers (names in lower case) and body of the next request."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return first.split(" ")[1], headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def _perform(call: Call, steps: list[Step], reader: _Watch, writer: StreamWriter) -> None:
    """Take the steps until they end or the client goes away, whichever comes first."""
    work = asyncio.ensure_future(_take(call, steps, writer))
    gone = asyncio.ensure_future(reader.gone.wait())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        call.end("aborted")
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _take(call: Call, steps: list[Step], writer: StreamWriter) -> None:
    for step in steps:
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Hang():
                await asyncio.Event().wait()
            case Flood(data):
                while True:
                    writer.write(data)
                    await writer.drain()
            case Close():
                writer.close()
            case HalfClose():
                writer.write_eof()
                return call.end("broken")
            case Reset():
                _reset(writer)
                return call.end("broken")
    return call.end("completed")


def _reset(writer: StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
