"""Any provider that litellm knows. Owner of litellm, which is imported when the first call is made and never before."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from agentkit.errors import ConfigError, MissingExtraError, ModelError, RequestRefusedError
from agentkit.models.endpoint import Endpoint, server_of
from agentkit.models.fan import fan_out
from agentkit.models.prices import prices
from agentkit.models.reading import Reading
from agentkit.models.wire import UNREADABLE, to_request, to_samples
from agentkit.protocols import SampleStream
from agentkit.runtime.price import Price, priced
from agentkit.runtime.redact import redact, secrets_in
from agentkit.types import Capabilities, GenerateRequest, Sample

T = TypeVar("T")

_NO_CONNECTION = {"ConnectError", "ConnectTimeout", "ClientConnectorError"}
_NO_ANSWER = {"TimeoutError", "Timeout", "APITimeoutError", "ReadTimeout"}
_BROKEN = {"ReadError", "RemoteProtocolError", "ServerDisconnectedError", "ClientPayloadError"}
_NO_KEY = re.compile(r"api[ _-]?key|credentials", re.IGNORECASE)
_WRAPPING = re.compile(r"(?:Exception|Error) - | Original exception:")


@dataclass(frozen=True, kw_only=True)
class LiteLLM:
    """A model of any provider that litellm knows: ``model`` is written ``provider/model``, e.g. ``openai/gpt-4o-mini``.

    The key is ``api_key``, or the environment variable that litellm reads for the provider. ``timeout`` is the longest that
    one whole answer may take, in seconds. Samples, streaming and cancelling are as with ``openai_http``; litellm's own retries
    are off. Without a ``price`` that of the table which agentkit ships holds; no table is ever fetched.

    Raises ``ModelError`` in its kinds, ``ConfigError`` for a model without a provider, ``MissingExtraError`` without litellm.
    """

    model: str
    api_base: str = ""
    api_key: str = field(default="", repr=False)
    timeout: float = 600.0
    stream: bool = True
    price: Price | None = None

    @property
    def name(self) -> str:
        """``litellm/`` and the model's name."""
        return f"litellm/{self.model}"

    @property
    def capabilities(self) -> Capabilities:
        """What litellm says the model's provider takes."""
        takes = set(_litellm(self.name).get_supported_openai_params(self.model) or ())
        return Capabilities(
            n=True,
            logprobs="logprobs" in takes,
            tools="tools" in takes,
            schema="response_format" in takes,
            seed="seed" in takes,
            reasoning="reasoning_effort" in takes,
            stream=True,
        )

    def __post_init__(self) -> None:
        if self.price is None:
            object.__setattr__(self, "price", prices().of(self.model))

    def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples of as many calls at once, as each finishes."""
        return self._draw(request) if request.n == 1 else fan_out(self._draw, request)

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        """One call: its deltas where wanted, then its sample."""
        litellm, now = _litellm(self.name), asyncio.get_running_loop().time
        started, reading = now(), Reading(deltas=request.stream)
        call = _Call(
            litellm=litellm,
            endpoint=partial(self._endpoint, litellm),
            end=started + self.timeout,
            timeout=self.timeout,
            keyed=bool(self.api_key),
        )
        answer = await call.wait(litellm.acompletion(**self._arguments(litellm, request)))
        if self._streams(request):
            async with aclosing(answer):
                while (chunk := await call.wait(anext(answer, None))) is not None:
                    if (delta := call.read(reading.take, chunk)) and request.stream:
                        yield delta
            sample = reading.sample(model=self.model)
        else:
            sample = call.read(self._sample, answer)
        usage = replace(call.said(sample).usage, seconds=now() - started)
        if not usage.tokens:  # nobody counted, so nobody knows
            usage = replace(usage, unpriced_calls=usage.calls)
        yield replace(sample, usage=priced(usage, self.price))

    def _sample(self, payload: Mapping[str, Any]) -> Sample:
        return to_samples(payload, model=self.model)[0]

    def _streams(self, request: GenerateRequest) -> bool:
        return self.stream or request.stream

    def _arguments(self, litellm: Any, request: GenerateRequest) -> dict[str, Any]:
        """What ``litellm.acompletion`` is called with: the request, who to ask, and never to ask twice."""
        if request.max_reasoning_tokens is not None:
            raise RequestRefusedError(f"{self.name} cannot bound reasoning tokens: use effort instead")
        return {
            **to_request(request, model=self.model, stream=self._streams(request)),
            "api_base": self.api_base or None,
            "api_key": self._key(litellm),
            "timeout": self.timeout,
            "num_retries": 0,
            "max_retries": 0,
            # otherwise a request with tools imports litellm.proxy, and fails unless the package mcp is installed
            "_skip_mcp_handler": True,
        }

    def _key(self, litellm: Any) -> str | None:
        """The key given; for a server of one's own that needs none, a word in its place, because litellm insists on one."""
        if self.api_key or not self.api_base or not _missing_keys(litellm, self.model):
            return self.api_key.strip() or None
        return "none"

    def _endpoint(self, litellm: Any) -> Endpoint:
        try:
            provider = litellm.get_llm_provider(self.model, api_base=self.api_base or None)[1]
        except litellm.BadRequestError:
            raise ConfigError(
                f"litellm knows no provider for model {self.model!r}: write provider/model, e.g. openai/gpt-4o-mini"
            ) from None
        key = self.api_key.strip()
        secrets = (*([key] if key else []), *secrets_in(os.environ))
        server = server_of(self.api_base) if self.api_base else str(provider)
        return Endpoint(server=server, model=self.model, keyed=True, secrets=secrets)


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call under way: everything awaited or read goes through here, and comes out as a value or an error of ours."""

    litellm: Any
    endpoint: Callable[[], Endpoint]
    end: float
    timeout: float
    keyed: bool

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """The awaited value, in time."""
        try:
            async with asyncio.timeout_at(self.end):
                return await awaitable
        except Exception as error:  # noqa: BLE001 - litellm raises whatever its providers' clients do
            failure = self._failure(error)
        # raised outside of ``except``, so that litellm's error, which may quote the key, does not travel along
        raise failure

    def read(self, parse: Callable[[Mapping[str, Any]], T], answer: Any) -> T:
        """What ``parse`` makes of litellm's object."""
        try:
            return parse(answer.model_dump())
        except UNREADABLE as error:
            raise self.endpoint().unreadable(f"{type(error).__name__}: {error}") from None

    def said(self, sample: Sample) -> Sample:
        """The sample, unless nothing was said and nothing or something else was counted: litellm passes broken answers on."""
        silent = not (sample.text or sample.reasoning or sample.tool_calls)
        if silent and sample.usage.output_tokens != 1:
            raise self.endpoint().unreadable("it holds no completion")
        return sample

    def _failure(self, error: Exception) -> ModelError:
        links, endpoint = list(_chain(error)), self.endpoint()
        names = {type(link).__name__ for link in links}
        if names & _NO_CONNECTION:
            return endpoint.unreachable(str(links[-1]))
        if names & _NO_ANSWER:
            return endpoint.silent(self.timeout)
        status, message = int(getattr(error, "status_code", None) or 500), _message(error)
        if missing := self._missing_keys(endpoint.model, status, message):
            return endpoint.no_key(missing)
        if names & _BROKEN:
            return endpoint.broke_off()
        if isinstance(error, self.litellm.ContextWindowExceededError):
            return endpoint.too_long(message)
        return endpoint.refusal(status, message, getattr(error, "litellm_response_headers", None))

    def _missing_keys(self, model: str, status: int, message: str) -> list[str]:
        """The variables whose lack explains the failure."""
        about_key = status in (401, 403) or _NO_KEY.search(message)
        return _missing_keys(self.litellm, model) if about_key and not self.keyed else []


def _message(error: Exception) -> str:
    """What the provider said, without the names that litellm wraps around it."""
    parts = [part for part in _WRAPPING.split(str(error)) if part.strip()]
    return parts[1] if len(parts) > 1 else str(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _missing_keys(litellm: Any, model: str) -> list[str]:
    """The environment variables for a key that litellm would read and does not find, or finds empty."""
    found = litellm.validate_environment(model)
    empty = [name for name, value in os.environ.items() if not value.strip()]
    provider = model.partition("/")[0].upper()
    missing = [*found["missing_keys"], *(name for name in empty if name.startswith(provider))]
    return [name for name in missing if name.endswith("_API_KEY")]


def _litellm(name: str) -> Any:
    """litellm, imported without its calls to the network, its reading of ``.env`` files and its advertisements."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import litellm
    except ImportError:
        raise MissingExtraError("litellm", "litellm", f"the model {name}") from None
    # litellm imports more of itself at the first call, and pydantic then warns of litellm's own types
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic\.")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    _LOGGER.addFilter(_without_secrets)  # once: a logger takes the same filter only one time
    return litellm


_LOGGER = logging.getLogger("LiteLLM")


def _without_secrets(record: logging.LogRecord) -> bool:
    """What litellm tells its log, without the keys that a provider may have repeated."""
    record.msg, record.args = redact(record.getMessage(), secrets_in(os.environ)), ()
    return True
