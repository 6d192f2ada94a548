"""The MCP servers that the user declared, in a file of the user's own; no graph file can name a command or a URL."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError, GraphError, InputError, ToolChangedError, did_you_mean
from agentkit.options import Converter, check, fields, plainly
from agentkit.tools.pins import Pin, Pins, read_lock
from agentkit.types import JSON
from agentkit.yaml_reader import MAX_BYTES, Source, read

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to reach an MCP server: a ``command`` that speaks over stdin and stdout, or the ``url`` of one on HTTP.

    The process gets the environment ``env`` and nothing else, and runs in ``folder``; ``headers`` go with every HTTP request.
    ``${env:NAME}`` in any of them is a variable of agentkit's own environment, read when the server is started. ``seconds``
    bounds a start and a call, ``bytes_limit`` a message. ``networks`` are private networks that this URL may lead to.
    """

    command: tuple[str, ...] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    bytes_limit: int = 1_000_000
    networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.command) == bool(self.url):
            raise ValueError("a server has either a 'command' or a 'url'")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"'url' must begin with http:// or https://, not {self.url[:40]!r}")
        if self.seconds <= 0 or self.bytes_limit <= 0:
            raise ValueError("'seconds' and 'bytes_limit' must be above 0")

    @property
    def at(self) -> str:
        """The fingerprint of where it is: secrets are in it by their names only."""
        return sha256(json.dumps([list(self.command), self.url]).encode()).hexdigest()


@dataclass(frozen=True)
class Servers:
    """The servers in ``file``, and the pins in the ``.lock`` beside it; nothing is read before it is asked for.

    ``networks`` are private networks that all of them may lead to.
    """

    file: Path
    networks: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def lock(self) -> Path:
        """Where the pins are."""
        return self.file.with_suffix(".lock")

    @cached_property
    def all(self) -> Mapping[str, Server]:
        """Every server by name, none where there is no file; raises ``InputError`` with every fault of the file."""
        try:
            with self.file.open("rb") as file:
                text = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"the servers in {self.file} cannot be read: {error.strerror}") from None
        try:
            return _servers(read(text, file=str(self.file)))
        except GraphError as error:
            raise InputError(problems=error.problems) from None

    @cached_property
    def pins(self) -> Mapping[str, Pins]:
        """The pins of every server."""
        return read_lock(self.lock)

    def get(self, name: str) -> Server:
        """The server; raises ``ConfigError`` for one that the user did not declare."""
        if name not in self.all:
            hint = did_you_mean(name, self.all)
            known = f"known: {', '.join(self.all)}" if self.all else "it names none"
            raise ConfigError(f"no MCP server is named {name!r} in {self.file}{hint} ({known})")
        return self.all[name]

    def tools(self, name: str) -> Mapping[str, Pin]:
        """The pinned tools of a server; raises ``ConfigError`` where there are none, or the server has moved since."""
        server = self.get(name)
        if name not in self.pins:
            raise ConfigError(f"the tools of the MCP server {name!r} are not pinned yet: agentkit tools lock {name}")
        if self.pins[name].at != server.at:
            raise ToolChangedError(
                f"the MCP server {name!r} has another command or URL than when its tools were pinned; "
                f"if you changed it: agentkit tools lock {name}"
            )
        return self.pins[name].tools

    def tool(self, name: str, tool: str) -> Pin:
        """One pinned tool; raises ``ConfigError`` where there is none of that name."""
        known = self.tools(name)
        if tool not in known:
            hint = did_you_mean(tool, known)
            raise ConfigError(f"the MCP server {name!r} has no pinned tool {tool!r}{hint} (it has {', '.join(known)})")
        return known[tool]

    def filled(self, server: Server) -> Server:
        """The server with its ``${env:NAME}`` filled in; raises ``ConfigError`` for a variable that is not set."""

        def fill(text: str) -> str:
            return _VARIABLE.sub(lambda found: self._variable(found[1]), text)

        return Server(
            command=tuple(fill(one) for one in server.command),
            url=fill(server.url),
            env={name: fill(value) for name, value in server.env.items()},
            folder=None if server.folder is None else self.file.parent / server.folder.expanduser(),
            headers={name: fill(value) for name, value in server.headers.items()},
            seconds=server.seconds,
            bytes_limit=server.bytes_limit,
            networks=(*server.networks, *self.networks),
        )

    def _variable(self, name: str) -> str:
        if name not in self.environ:
            raise ConfigError(f"{self.file}: the environment variable {name} is not set")
        return self.environ[name]


def default_file(environ: Mapping[str, str]) -> Path:
    """``$AGENTKIT_MCP``, else ``agentkit/mcp.yaml`` in the user's folder of configuration.

    Never one in the current folder: a repository that somebody downloads must not bring commands with it.
    """
    if named := environ.get("AGENTKIT_MCP"):
        return Path(named)
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "agentkit" / "mcp.yaml"


def _servers(source: Source) -> dict[str, Server]:
    problems = []

    def say(path: tuple[str | int, ...], message: str) -> None:
        problems.append(source.problem(path, message))

    data = source.data
    if not isinstance(data, Mapping) or set(data) != {"servers"} or not isinstance(data["servers"], Mapping):
        say((), "the file must hold one mapping, 'servers', of servers by name")
        raise InputError(problems=problems)
    found = {name: _server(name, item, say) for name, item in data["servers"].items()}
    if problems:
        raise InputError(problems=problems)
    return {name: one for name, one in found.items() if one is not None}


def _server(name: str, item: JSON, say: Callable[[tuple[str | int, ...], str], None]) -> Server | None:
    path = ("servers", name)
    if not _NAME.match(name):
        say(path, f"the name {name[:40]!r} must be lower_snake_case and at most 32 characters")
        return None
    if not isinstance(item, Mapping):
        say(path, f"must be a mapping with 'command' or 'url', not {plainly(item)}")
        return None
    faults = check(Server, item)
    for where, message in faults:
        say((*path, *where), message.replace("unknown option", "unknown key"))
    if faults:
        return None
    known = fields(Server)
    values: dict[str, Any] = {key: Converter(known[key].annotation).convert(value) for key, value in item.items()}
    return Server(**values)
