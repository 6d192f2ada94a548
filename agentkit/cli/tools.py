"""``agentkit tools``: the MCP servers you declared, what their tools say of themselves, and your agreement to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import AgentkitError

if TYPE_CHECKING:
    from agentkit.tools.pins import Change, Pin, Pins
    from agentkit.tools.servers import Servers

_file = click.option(
    "--mcp",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the servers are declared. [default: $AGENTKIT_MCP or agentkit/mcp.yaml in the folder of configuration]",
)


@click.group(name="tools")
def command() -> None:
    """List, check and pin the tools of your MCP servers."""


@command.command(name="list")
@_file
@click.option("--json", "as_json", is_flag=True, help="Print data.")
def list_tools(file: Path | None, as_json: bool) -> None:
    """List the servers and their pinned tools; nothing is started."""
    from agentkit.tools.pins import visible

    servers = _servers(file)
    rows = [_row(servers, name) for name in servers.all]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(f"no MCP servers are declared in {servers.file}", err=True)
    for row in rows:
        click.echo(f"{row['server']}: {visible(row['at'])}" + ("" if row["pinned"] else " (not pinned)"))
        for tool in row["tools"]:
            click.echo(f"  {tool['name']}: {visible(tool['description'].partition(chr(10))[0])}")


@command.command()
@click.argument("names", metavar="[SERVER]...", nargs=-1)
@_file
def check(names: tuple[str, ...], file: Path | None) -> None:
    """Ask the servers (default: all) what tools they have, and print what is not as it was pinned (exit code 1 if anything)."""
    servers = _servers(file)
    verdicts = [_checked(servers, name) for name in names or servers.all]
    if not all(verdicts):
        raise click.exceptions.Exit(1)


@command.command()
@click.argument("names", metavar="[SERVER]...", nargs=-1)
@_file
@click.option("--yes", "-y", is_flag=True, help="Agree to what changed without being asked.")
def lock(names: tuple[str, ...], file: Path | None, yes: bool) -> None:
    """Pin the tools of the servers (default: all) as they are now, after showing what changed."""
    from agentkit.tools.pins import Pins, write_lock

    servers = _servers(file)
    pins = {name: one for name, one in servers.pins.items() if name in servers.all}
    for name in names or servers.all:
        before, tools = _pinned(servers, name), _asked(servers, name)
        found = _compared(before, tools)
        _print(name, found, before is not None)
        if found and not yes:
            click.confirm(f"pin the tools of {name} as they are now?", abort=True, err=True)
        pins[name] = Pins(at=servers.get(name).at, tools=tools)
        write_lock(servers.lock, pins)
    click.echo(f"wrote {servers.lock}", err=True)


def _servers(file: Path | None) -> Servers:
    from agentkit.kit import Kit

    return Kit(mcp=file).servers


def _row(servers: Servers, name: str) -> dict[str, Any]:
    server = servers.get(name)
    pins = _pinned(servers, name)
    tools = [{"name": one.name, "description": one.description} for one in (pins or {}).values()]
    return {"server": name, "at": server.url or " ".join(server.command), "pinned": pins is not None, "tools": tools}


def _checked(servers: Servers, name: str) -> bool:
    """Whether a server is as it was pinned; one that cannot be asked is told and is not."""
    servers.get(name)  # a name that is not declared is a mistake of the command, not a server that is down
    before = _pinned(servers, name)
    try:
        found = _compared(before, _asked(servers, name))
    except AgentkitError as error:
        click.echo(f"{name}: {error}", err=True)
        return False
    _print(name, found, before is not None)
    return before is not None and all(one.before is None for one in found)


def _pinned(servers: Servers, name: str) -> dict[str, Pin] | None:
    """The pins of a server that is where it was when they were made."""
    known: Pins | None = servers.pins.get(name)
    return dict(known.tools) if known is not None and known.at == servers.get(name).at else None


def _asked(servers: Servers, name: str) -> dict[str, Pin]:
    from agentkit.runtime.concurrency import run_sync
    from agentkit.tools.mcp import list_tools as ask

    return run_sync(ask(name, servers.filled(servers.get(name))))


def _compared(before: dict[str, Pin] | None, after: dict[str, Pin]) -> list[Change]:
    from agentkit.tools.pins import changes

    return changes(before or {}, after)


def _print(name: str, found: Iterable[Change], pinned: bool) -> None:
    from agentkit.tools.pins import visible

    changes = list(found)
    if not changes:
        click.echo(f"{name}: as it was pinned" if pinned else f"{name}: it has no tools")
    for change in changes:
        click.echo(f"{name}: {visible(change.name)} is {change.word}")
        for line in change.lines() if change.after is not None else ():
            click.echo(f"  {line}")
