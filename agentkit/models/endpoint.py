"""A server that answers for a model, and the errors it can give: each a class and one sentence."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from agentkit.errors import (
    AuthenticationError,
    ContextWindowError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    RateLimitError,
    RequestRefusedError,
    ServerError,
)
from agentkit.runtime.redact import redact

_TOO_LONG = re.compile(
    r"context.{0,3}(length|window|size)|maximum context|prompt is too long|too many (input )?tokens|max_model_len",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota|credit balance", re.IGNORECASE)
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MOST = 300


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Who is asked for what, in sentences; ``secrets`` are cut from everything it says, however they are encoded.

    ``keyed`` says whether a key was sent.
    """

    server: str
    model: str
    keyed: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def refusal(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> ModelError:
        """The error for an HTTP answer that is not a completion."""
        told, said = headers or {}, self._said(status, body)
        if status == 429 and _NO_CREDIT.search(body):
            return AuthenticationError(
                f"the account at {self.server} has no credit left ({said}): check its plan and billing"
            )
        if status == 429:
            return RateLimitError(f"{self.server} asks to slow down ({said}){_wait(told)}", retry_after(told))
        if status in (401, 403):
            return AuthenticationError(self._unauthorised(said))
        if status == 408:
            return ModelTimeoutError(f"{self.server} gave up waiting ({said})")
        if status >= 500:
            return ServerError(f"{self.server} failed to answer for model {self.model!r} ({said})", retry_after(told))
        return self._wrong_request(status, body, said)

    def _unauthorised(self, said: str) -> str:
        if self.keyed:
            return f"{self.server} refused the API key for model {self.model!r} ({said}): check api_key"
        return f"{self.server} wants an API key for model {self.model!r} ({said}): set api_key, best as ${{env:NAME}}"

    def _wrong_request(self, status: int, body: str, said: str) -> ModelError:
        if status in (400, 413, 422) and _TOO_LONG.search(body):
            return self.too_long(said)
        if status == 404:
            hint = "check model, and base_url, which usually ends in /v1"
            return RequestRefusedError(f"{self.server} has no model {self.model!r} or no such path ({said}): {hint}")
        if 300 <= status < 400:
            return RequestRefusedError(f"{self.server} redirects elsewhere ({said}): set base_url to the final address")
        return RequestRefusedError(f"{self.server} refused the request for model {self.model!r} ({said})")

    def _said(self, status: int, body: str) -> str:
        message = self.clean(message_of(body))
        return f"{status}: {message}" if message else str(status)

    def too_long(self, said: str) -> ContextWindowError:
        """The error for a prompt beyond the context window."""
        return ContextWindowError(
            f"the prompt does not fit model {self.model!r} at {self.server} ({self.clean(said)}): "
            "shorten the conversation or the documents, or ask for fewer max_tokens"
        )

    def reported(self, error: Any) -> ModelError:
        """The error for ``{"error": ...}`` inside an answer that began with 200."""
        body = json.dumps({"error": error})
        return self.refusal(_status_of(error), body)

    def unreadable(self, what: str) -> ServerError:
        """The error for an answer that cannot be understood."""
        return ServerError(
            f"{self.server} sent an answer for model {self.model!r} that cannot be read: {self.clean(what)}"
        )

    def broke_off(self) -> ServerError:
        """The error for a connection that ended before the answer did."""
        return ServerError(f"{self.server} broke off before the answer of model {self.model!r} was complete")

    def no_key(self, variables: Sequence[str]) -> AuthenticationError:
        """The error for a key that is in none of the environment variables where it is looked for."""
        return AuthenticationError(
            f"there is no API key for model {self.model!r}: set the environment variable {' or '.join(variables)}, or api_key"
        )

    def unreachable(self, reason: str) -> ModelUnreachableError:
        """The error for no connection."""
        return ModelUnreachableError(
            f"cannot reach {self.server} for model {self.model!r} ({self.clean(reason)}): "
            "check the address and that the server is running"
        )

    def silent(self, seconds: float) -> ModelTimeoutError:
        """The error for no answer in time."""
        return ModelTimeoutError(
            f"{self.server} did not finish an answer of model {self.model!r} within {seconds:g} s: raise timeout, or ask for less"
        )

    def clean(self, text: str) -> str:
        """One short line fit for people, without the secrets."""
        text = redact(text, self.secrets)
        line = _NOT_SHOWN.sub(" ", text).strip()
        return line if len(line) <= _MOST else line[:_MOST] + "…"


def server_of(url: str) -> str:
    """Scheme, host and port of an address, without a user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def message_of(body: str) -> str:
    """What the server says, in any form in use: ``error.message``, ``error``, ``message``, ``detail`` or plain text."""
    try:
        said = json.loads(body)
    except ValueError:
        return body
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if said.get(key)), str(said))
    return said if isinstance(said, str) else json.dumps(said)


def _status_of(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        return code
    told = json.dumps(error)
    if "rate_limit" in told:
        return 429
    return 400 if _TOO_LONG.search(told) or "invalid_request" in told else 500


def _wait(headers: Mapping[str, str]) -> str:
    seconds = retry_after(headers)
    return "" if seconds is None else f"; it says to wait {seconds:g} s"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that ``Retry-After`` asks for: a number, or a date compared with the answer's own ``Date``; None if unsaid."""
    said = headers.get("retry-after") or headers.get("Retry-After")
    if said is None:
        return None
    try:
        return _seconds(float(said))
    except ValueError:
        return _until(said, headers.get("date") or headers.get("Date"))


def _seconds(value: float) -> float | None:
    return max(0.0, value) if math.isfinite(value) else None


def _until(then: str, now: str | None) -> float | None:
    try:
        return _seconds((parsedate_to_datetime(then) - parsedate_to_datetime(now or "")).total_seconds())
    except (ValueError, TypeError):
        return None
