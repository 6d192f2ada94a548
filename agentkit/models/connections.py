"""The HTTP connections of one model in one event loop: which of them may serve another request. Owner of aiohttp."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

    Post = AbstractAsyncContextManager[aiohttp.ClientResponse]

_KEEP_ALIVE_SECONDS = 4.0  # below the 5 s after which uvicorn, and with it vLLM, closes an idle connection
_TRUST_SECONDS = 0.25  # a server that closes after a stream has done so by then


class Connections:
    """Posts over connections that are used again where that is safe, and closes them with the loop or the model.

    A connection whose server closes it unannounced would lose the next request, which nobody may send again. Some servers
    (llama.cpp) do so after a stream. So a connection that carried one serves again only after one of this server's was
    found still open a quarter of a second later; until then, and for good once one was found closed, every stream has a
    connection of its own.
    """

    def __init__(self) -> None:
        self._whole, self._single = _session(_connector()), _session(_connector(force_close=True))
        after_streams, self._noted = _connector(), _Noted()
        self._streams, self._trial = _session(after_streams), _session(after_streams, self._noted)
        self._keeps: bool | None = None
        self._trying = False
        self._ended = float("-inf")
        loop = asyncio.get_running_loop()
        self._now = loop.time
        # an empty context, so that whatever the first caller carries in his is not kept alive with the sessions
        keeping = _keep(self._whole, self._single, self._streams, self._trial)
        owner = loop.create_task(keeping, context=contextvars.Context())
        weakref.finalize(self, _dismiss, loop, owner).atexit = False

    def post(self, url: str, *, stream: bool, **settings: Any) -> Post:
        """A request about to be sent; entering it sends it."""
        if not stream:
            return self._whole.post(url, **settings)
        if self._keeps:
            return self._again(url, **settings)
        if self._keeps is False or self._trying or self._now() - self._ended < _TRUST_SECONDS:
            return self._single.post(url, **settings)
        return self._try(url, **settings)

    @asynccontextmanager
    async def _again(self, url: str, **settings: Any) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """On a connection that may have carried a stream before; the first one found dead ends the trust in all."""
        import aiohttp

        call = self._streams.post(url, **settings)
        try:
            response = await call.__aenter__()
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            self._keeps = False
            raise
        async with response:
            yield response

    @asynccontextmanager
    async def _try(self, url: str, **settings: Any) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Leave a connection after a stream, or, when there should be one left from the last time, see whether there is."""
        left = self._now() - self._ended < _KEEP_ALIVE_SECONDS - _TRUST_SECONDS
        self._trying, self._noted.reuse, self._ended = True, False, float("-inf")
        try:
            async with self._trial.post(url, **settings) as response:
                if left:
                    self._keeps = self._noted.reuse
                yield response
                if response.status == 200 and response.content.at_eof():
                    self._ended = self._now()
        finally:
            self._trying = False


class _Noted:
    """Whether the last request went over a connection that had served before."""

    reuse = False

    async def see(self, *_: object) -> None:
        """Take aiohttp's word for it."""
        self.reuse = True


def _connector(*, force_close: bool = False) -> aiohttp.TCPConnector:
    import aiohttp

    # no limit here: how many calls may be open is for ``Limited`` to say
    idle = None if force_close else _KEEP_ALIVE_SECONDS
    return aiohttp.TCPConnector(limit=0, force_close=force_close, keepalive_timeout=idle)


def _session(connector: aiohttp.TCPConnector, noted: _Noted | None = None) -> aiohttp.ClientSession:
    import aiohttp

    traces = []
    if noted is not None:
        traces.append(aiohttp.TraceConfig())
        traces[0].on_connection_reuseconn.append(noted.see)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=traces)


async def _keep(*sessions: aiohttp.ClientSession) -> None:
    """Own the sessions until cancelled: by ``asyncio.run`` when the loop ends, or when the model is gone before."""
    async with AsyncExitStack() as owned:  # closes them all, though it be cancelled again in between
        for session in sessions:
            owned.push_async_callback(session.close)
        await asyncio.Event().wait()


def _dismiss(loop: asyncio.AbstractEventLoop, owner: asyncio.Task[None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(owner.cancel)
