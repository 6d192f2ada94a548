"""Any server that speaks the OpenAI chat format: vLLM, SGLang, llama.cpp, Ollama, hosted ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentkit.errors import ConfigError, MissingExtraError, RequestRefusedError
from agentkit.models.connections import Connections
from agentkit.models.endpoint import Endpoint, server_of
from agentkit.models.fan import fan_out
from agentkit.models.loops import PerLoop
from agentkit.models.prices import price_at
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
_LAST_BYTES_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class OpenAIHTTP:
    """A model on a server that speaks the OpenAI chat format.

    ``base_url`` usually ends in ``/v1``. ``timeout`` is the longest that one whole answer may take, in seconds.
    ``extra_body`` adds fields of the server's own to every request, and ``price`` says what its tokens or seconds cost;
    without it, the price of a model at a known provider's address is that of the table that agentkit ships.
    ``continues`` are the fields with which the server goes on with a last message of the assistant's: ``{}`` where it does so
    by itself (llama.cpp), ``{continue_final_message: true, add_generation_prompt: false}`` for vLLM and SGLang; None where it
    cannot. ``opened_thought`` says that the chat template ends with ``<think>``, so that every answer begins inside a thought and
    the server does not tell it apart itself. ``max_megabytes`` is the longest that one answer may be on the wire.

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
    max_megabytes: int = 128
    _connections: PerLoop[Connections] = field(
        default_factory=lambda: PerLoop(Connections), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ConfigError(
                f"base_url of model {self.model!r} must look like http://host:port/v1, without a user name or password"
            )
        if not self.api_key.strip().isascii() or not self.api_key.strip().isprintable():
            raise ConfigError(f"api_key of model {self.model!r} holds characters that no key has")
        if self.price is None:
            object.__setattr__(self, "price", price_at(self.base_url, self.model))
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
        started, reading = now(), Reading(opened=self.opened_thought, deltas=request.stream)
        with self._in_our_words(endpoint):
            async with self._post(request) as response:
                if response.status != 200 or response.content_type != "text/event-stream":
                    sample = _whole(endpoint, response, await self._body(endpoint, response), self.opened_thought)
                    if request.stream:
                        yield Delta(text=sample.text, reasoning=sample.reasoning, logprobs=sample.logprobs or ())
                else:
                    async with aclosing(self._deltas(endpoint, response, reading)) as deltas:
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
        return self._connections.get().post(
            f"{self.base_url.rstrip('/')}/chat/completions",
            stream=stream,
            json=to_request(request, model=self.model, stream=stream, extra_body=self._extra(request)),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self.timeout, sock_connect=min(_CONNECT_SECONDS, self.timeout)),
            allow_redirects=False,
        )

    async def _body(self, endpoint: Endpoint, response: aiohttp.ClientResponse) -> str:
        """The text of an answer that is not streamed."""
        pieces, size = [], 0
        while piece := await response.content.readany():
            pieces.append(piece)
            size = self._longer(endpoint, size, piece)
        return b"".join(pieces).decode(errors="replace")

    async def _deltas(
        self, endpoint: Endpoint, response: aiohttp.ClientResponse, reading: Reading
    ) -> AsyncGenerator[Delta, None]:
        """What a streamed answer says, piece by piece, into ``reading``; raises ``ServerError`` when it ends too early."""
        events, size = EventStream(), 0
        while piece := await _piece(response, reading):
            size = self._longer(endpoint, size, piece)
            for delta in _take(endpoint, reading, events.feed(piece)):
                yield delta
        for delta in _take(endpoint, reading, events.end()):
            yield delta
        if not reading.complete:
            raise endpoint.unreadable("it holds no completion") if reading.ended else endpoint.broke_off()

    def _longer(self, endpoint: Endpoint, size: int, piece: bytes) -> int:
        """The size of an answer with one more piece; raises ``ServerError`` when that is too much."""
        size += len(piece)
        if size > self.max_megabytes * 1_000_000:
            raise endpoint.unreadable(f"it is longer than max_megabytes, {self.max_megabytes}")
        return size

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
