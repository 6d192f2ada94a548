"""Any server that speaks the OpenAI chat format: vLLM, SGLang, llama.cpp, Ollama, hosted ones. Owner of aiohttp."""

from __future__ import annotations

import asyncio
import contextvars
import json
import weakref
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentkit.errors import ConfigError, MissingExtraError, RequestRefusedError
from agentkit.models.endpoint import Endpoint, server_of
from agentkit.models.fan import fan_out
from agentkit.models.loops import PerLoop
from agentkit.models.reading import Reading
from agentkit.models.sse import EventStream
from agentkit.models.wire import UNREADABLE, to_request, to_samples
from agentkit.protocols import SampleStream
from agentkit.runtime.price import Price, priced
from agentkit.types import Capabilities, Delta, GenerateRequest, Sample

if TYPE_CHECKING:
    import aiohttp

_OURS = frozenset({"messages", "n", "stream", "stream_options", "prompt_embeds"})
_CONNECT_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 4.0  # below the 5 s after which uvicorn, and with it vLLM, closes an idle connection
_LAST_BYTES_SECONDS = 5.0


class _Connections:
    """The HTTP sessions of the running event loop: ``kept`` uses a connection again, ``single`` does not.

    A task owns them and closes them when cancelled: by ``asyncio.run`` when the loop ends, or here when the model is gone
    before.
    """

    def __init__(self) -> None:
        self.kept, self.single = _session(force_close=False), _session(force_close=True)
        loop = asyncio.get_running_loop()
        # an empty context, so that whatever the first caller carries in his is not kept alive with the sessions
        owner = loop.create_task(_keep(self.kept, self.single), context=contextvars.Context())
        weakref.finalize(self, _dismiss, loop, owner).atexit = False


def _session(*, force_close: bool) -> aiohttp.ClientSession:
    import aiohttp

    # no limit here: how many calls may be open is for ``Limited`` to say
    idle = None if force_close else _KEEP_ALIVE_SECONDS
    connector = aiohttp.TCPConnector(limit=0, force_close=force_close, keepalive_timeout=idle)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def _keep(*sessions: aiohttp.ClientSession) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        for session in sessions:
            await session.close()


def _dismiss(loop: asyncio.AbstractEventLoop, owner: asyncio.Task[None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(owner.cancel)


@dataclass(frozen=True, kw_only=True)
class OpenAIHTTP:
    """A model on a server that speaks the OpenAI chat format.

    ``base_url`` usually ends in ``/v1``. ``timeout`` is the longest that one whole answer may take, in seconds.
    ``extra_body`` adds fields of the server's own to every request, and ``price`` says what its tokens or seconds cost.
    ``continues`` are the fields with which the server goes on with a last message of the assistant's: ``{}`` where it does so
    by itself (llama.cpp), ``{continue_final_message: true, add_generation_prompt: false}`` for vLLM and SGLang; None where it
    cannot. ``opened_thought`` says that the chat template ends with ``<think>``, so that every answer begins inside a thought and
    the server does not tell it apart itself.

    Each sample is a call of its own, streamed (unless ``stream`` is off and nobody wants deltas): closing the generator
    drops the connections of the samples not needed any more, and the server stops drawing them. Nothing is ever sent
    twice; trying again is for ``Retrying``.

    Raises ``ModelError`` in its kinds, and ``MissingExtraError`` without aiohttp.
    """

    model: str
    base_url: str
    api_key: str = field(default="", repr=False)
    timeout: float = 600.0
    stream: bool = True
    extra_body: Mapping[str, Any] = field(default_factory=dict, hash=False)
    price: Price | None = None
    continues: Mapping[str, Any] | None = field(default=None, hash=False)
    opened_thought: bool = False
    _connections: PerLoop[_Connections] = field(
        default_factory=lambda: PerLoop(_Connections), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ConfigError(
                f"base_url of model {self.model!r} must look like http://host:port/v1, without a user name or password"
            )
        if not self.api_key.strip().isascii() or not self.api_key.strip().isprintable():
            raise ConfigError(f"api_key of model {self.model!r} holds characters that no key has")
        if taken := sorted(_OURS & set(self.extra_body)):
            raise ConfigError(f"extra_body of model {self.model!r} may not set {', '.join(taken)}")

    @property
    def name(self) -> str:
        """``openai_http/`` and the model's name."""
        return f"openai_http/{self.model}"

    @property
    def capabilities(self) -> Capabilities:
        """What the format can say; a server that cannot do it refuses the request."""
        return Capabilities(
            n=True,
            logprobs=True,
            tools=True,
            schema=True,
            seed=True,
            reasoning=True,
            stream=True,
            continues=self.continues is not None,
        )

    def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples of as many calls at once, as each finishes."""
        return self._draw(request) if request.n == 1 else fan_out(self._draw, request)

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        """One call: its deltas where wanted, then its sample."""
        endpoint, now = self._endpoint(), asyncio.get_running_loop().time
        started, reading = now(), Reading(opened=self.opened_thought)
        with self._in_our_words(endpoint):
            async with self._post(request) as response:
                if response.status != 200 or response.content_type != "text/event-stream":
                    sample = _whole(endpoint, response, await response.text(errors="replace"), self.opened_thought)
                    if request.stream:
                        yield Delta(text=sample.text, reasoning=sample.reasoning, logprobs=sample.logprobs or ())
                else:
                    async with aclosing(_deltas(endpoint, response, reading)) as deltas:
                        async for delta in deltas:
                            if request.stream:
                                yield delta
                    sample = reading.sample(model=self.model)
        yield replace(sample, usage=priced(replace(sample.usage, seconds=now() - started), self.price))

    def _endpoint(self) -> Endpoint:
        key = self.api_key.strip()
        secrets = (key,) if key else ()
        return Endpoint(server=server_of(self.base_url), model=self.model, keyed=bool(key), secrets=secrets)

    def _extra(self, request: GenerateRequest) -> Mapping[str, Any]:
        continued = request.messages and request.messages[-1].role == "assistant"
        return {**self.extra_body, **(self.continues or {})} if continued else self.extra_body

    def _post(self, request: GenerateRequest) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The request, about to be sent."""
        import aiohttp

        if request.max_reasoning_tokens is not None:
            raise RequestRefusedError(
                f"{self.name} cannot bound reasoning tokens: the format has no word for it; use extra_body if the server has"
            )
        stream, key = self.stream or request.stream, self.api_key.strip()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        connections = self._connections.get()
        # llama.cpp closes a connection after a stream without having said so: a second request on it would be lost
        session = connections.single if stream else connections.kept
        return session.post(
            f"{self.base_url.rstrip('/')}/chat/completions",
            json=to_request(request, model=self.model, stream=stream, extra_body=self._extra(request)),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self.timeout, sock_connect=min(_CONNECT_SECONDS, self.timeout)),
            allow_redirects=False,
        )

    @contextmanager
    def _in_our_words(self, endpoint: Endpoint) -> Iterator[None]:
        """Faults of the connection as errors of ours."""
        try:
            import aiohttp
        except ImportError:
            raise MissingExtraError("aiohttp", "http", f"the model {self.name}") from None
        try:
            yield
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer"
            raise endpoint.unreachable(reason) from error
        except TimeoutError as error:
            raise endpoint.silent(self.timeout) from error
        except (aiohttp.ClientError, OSError) as error:
            raise endpoint.broke_off() from error


def _whole(endpoint: Endpoint, response: aiohttp.ClientResponse, text: str, opened: bool) -> Sample:
    """The sample of an answer that was not streamed; raises the error that it tells of."""
    if response.status != 200:
        raise endpoint.refusal(response.status, text, response.headers)
    try:
        payload = json.loads(text)
        if payload.get("error"):
            raise endpoint.reported(payload["error"])
        return to_samples(payload, model=endpoint.model, opened=opened)[0]
    except UNREADABLE as error:
        raise endpoint.unreadable(f"{response.content_type or 'no content type'}, {text[:100]!r}") from error


async def _deltas(
    endpoint: Endpoint, response: aiohttp.ClientResponse, reading: Reading
) -> AsyncGenerator[Delta, None]:
    """What a streamed answer says, piece by piece, into ``reading``; raises ``ServerError`` when it ends too early."""
    events = EventStream()
    while piece := await _piece(response, reading):
        for delta in _take(endpoint, reading, events.feed(piece)):
            yield delta
    for delta in _take(endpoint, reading, events.end()):
        yield delta
    if not reading.complete:
        raise endpoint.unreadable("it holds no completion") if reading.ended else endpoint.broke_off()


async def _piece(response: aiohttp.ClientResponse, reading: Reading) -> bytes:
    """The next bytes, none at the end; once the answer is complete, a server that fails to close it cannot spoil it."""
    import aiohttp

    if not reading.complete:
        return await response.content.readany()
    try:
        async with asyncio.timeout(_LAST_BYTES_SECONDS):
            return await response.content.readany()
    except (aiohttp.ClientError, OSError):
        return b""


def _take(endpoint: Endpoint, reading: Reading, events: list[str]) -> Iterator[Delta]:
    """What the events add to ``reading``."""
    for data in events:
        try:
            if delta := reading.take_event(data):
                yield delta
        except UNREADABLE as error:
            raise endpoint.unreadable(data[:100]) from error
        if reading.error is not None:
            raise endpoint.reported(reading.error)
