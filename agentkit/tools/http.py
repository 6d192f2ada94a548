"""Fetch a web resource from hosts that the graph allows, and from no address inside the machine or its network."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from agentkit.errors import ConfigError, MissingExtraError, ToolError
from agentkit.registry import provided
from agentkit.tools.addresses import resolve
from agentkit.types import JSON, ToolSpec

if TYPE_CHECKING:
    import aiohttp

_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Http:
    """A tool that fetches URLs of the ``hosts`` named (``example.org``, or ``*.example.org`` for what is below it).

    The host is resolved once and that address is used; loopback, private, link-local and other special addresses are refused,
    also after each redirect. ``bytes_limit`` bounds what is read, ``seconds`` the whole call. ``networks`` are special networks
    that the program (never a graph file) allows all the same, e.g. ``127.0.0.0/8``.
    """

    hosts: tuple[str, ...]
    methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = ("GET",)
    seconds: float = 20.0
    bytes_limit: int = 1_000_000
    networks: tuple[str, ...] = provided("networks")

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ConfigError("tool.http needs hosts: the names it may fetch from")

    @property
    def idempotent(self) -> bool:
        """Whether a second call does no harm: one that only reads, or that says the same again."""
        return not {"POST", "PATCH"} & set(self.methods)

    @property
    def spec(self) -> ToolSpec:
        """The arguments: url, method, query, and a JSON body."""
        properties = {
            "url": {"type": "string", "description": f"http(s) URL on one of: {', '.join(self.hosts)}"},
            "method": {"type": "string", "enum": list(self.methods)},
            "query": {"type": "object", "additionalProperties": {"type": "string"}},
            "body": {"description": "sent as JSON"},
        }
        schema = {"type": "object", "properties": properties, "required": ["url"], "additionalProperties": False}
        return ToolSpec(name="http", description="Fetch a web resource.", parameters=schema)

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """``{status, url, type, text}``; raises ``ToolError`` for a refused address, a failure or too large an answer."""
        try:
            import aiohttp
        except ImportError:
            raise MissingExtraError("aiohttp", "http", "tool.http") from None
        method = str(arguments.get("method", self.methods[0]))
        if method not in self.methods:
            raise ToolError(f"method {method} is not allowed; allowed: {', '.join(self.methods)}")
        url = str(arguments["url"])
        if query := arguments.get("query"):
            url += ("&" if "?" in url else "?") + urlencode(query)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._follow(method, url, arguments.get("body"))
        except TimeoutError:
            raise ToolError(f"{url} did not answer within {self.seconds:g} seconds") from None
        except aiohttp.ClientError as error:
            raise ToolError(f"{url} could not be fetched: {error}") from None

    async def _follow(self, method: str, url: str, body: JSON) -> JSON:
        for _ in range(_REDIRECTS + 1):
            target = self._checked(url)
            port = target.port or _PORTS[target.scheme]
            address = await resolve(target.hostname or "", port, self.networks or ())
            status, headers, text = await self._fetch(method, target, address, body)
            if status not in (301, 302, 303, 307, 308) or "Location" not in headers:
                return {"status": status, "url": url, "type": headers.get("Content-Type", ""), "text": text}
            url = urljoin(target.geturl(), headers["Location"])
            method, body = ("GET", None) if status in (301, 302, 303) else (method, body)
        raise ToolError(f"{url} redirects more than {_REDIRECTS} times")

    def _checked(self, url: str) -> SplitResult:
        """The parsed URL; it is parsed here once, and the parts are used from then on, so that no second parser disagrees."""
        if any(character in url for character in "\\\r\n\t ") or not url.isascii():
            raise ToolError(f"{url[:100]!r} is not a plain URL")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise ToolError(f"{url[:100]!r} is not a URL: {error}") from None
        if parts.scheme not in _PORTS or parts.username is not None or parts.password is not None:
            raise ToolError(f"{url[:100]!r} is refused: only http and https URLs without a user name are fetched")
        if not any(_matches(host, allowed) for allowed in self.hosts):
            raise ToolError(f"host {host!r} is not allowed; allowed: {', '.join(self.hosts)}")
        return parts

    async def _fetch(self, method: str, parts: SplitResult, address: str, body: JSON) -> tuple[int, Any, str]:
        import aiohttp

        connector = aiohttp.TCPConnector(resolver=_Pinned(address), use_dns_cache=False)  # type: ignore[arg-type]
        async with aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False) as session:
            data = None if body is None else json.dumps(body)
            sent = {"Accept-Encoding": "identity", **({"Content-Type": "application/json"} if data else {})}
            async with session.request(
                method, parts.geturl(), data=data, headers=sent, allow_redirects=False
            ) as answer:
                kept = b""
                async for piece in answer.content.iter_chunked(65536):
                    kept += piece
                    if len(kept) > self.bytes_limit:
                        raise ToolError(f"{parts.geturl()} is larger than {self.bytes_limit} bytes")
                return answer.status, answer.headers, kept.decode(answer.charset or "utf-8", "replace")


class _Pinned:
    """Answers every look-up with the one address that was checked."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[aiohttp.abc.ResolveResult]:
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        return [{"hostname": host, "host": self._address, "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        return None


def _matches(host: str, allowed: str) -> bool:
    host, allowed = host.lower().rstrip("."), allowed.lower()
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
