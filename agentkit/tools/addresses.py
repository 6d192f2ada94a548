"""Where a name on the network leads: looked up once, refused when it leads inside this machine or its network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

from agentkit.errors import ToolError


async def resolve(host: str, port: int, networks: Sequence[str] = ()) -> str:
    """The address to connect to; use it and ask no second time, so that the name cannot be made to lead elsewhere.

    Raises ``ToolError`` for a name that cannot be resolved or leads to a loopback, private, link-local or other special
    address that is not in one of ``networks``.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ToolError(f"host {host!r} cannot be resolved: {error.strerror or error}") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        _check(host, address, networks)
    return addresses[0]


def _check(host: str, address: str, networks: Sequence[str]) -> None:
    number = ipaddress.ip_address(address.partition("%")[0])
    number = getattr(number, "ipv4_mapped", None) or number
    if any(number in ipaddress.ip_network(network) for network in networks if _same_version(number, network)):
        return
    if not number.is_global or number.is_multicast:
        raise ToolError(f"host {host!r} leads to {number}, an address inside this machine or its network")


def _same_version(number: Any, network: str) -> bool:
    return bool(number.version == ipaddress.ip_network(network).version)
