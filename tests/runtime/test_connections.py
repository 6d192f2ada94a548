"""What a run holds open is closed once, whatever happens to the others."""

from __future__ import annotations

import pytest

from agentkit.runtime.connections import Connections


class Door:
    def __init__(self, closed: list[str], name: str, fault: Exception | None = None) -> None:
        self.closed, self.name, self.fault = closed, name, fault

    async def aclose(self) -> None:
        self.closed.append(self.name)
        if self.fault is not None:
            raise self.fault


async def test_one_is_made_for_all_who_ask_and_the_last_is_closed_first() -> None:
    connections, closed = Connections(), []
    assert connections.get("a", lambda: Door(closed, "a")) is connections.get("a", lambda: Door(closed, "never"))
    connections.get("b", lambda: Door(closed, "b"))
    await connections.aclose()
    await connections.aclose()
    assert closed == ["b", "a"]


async def test_one_that_fails_to_close_keeps_no_other_open() -> None:
    connections, closed = Connections(), []
    connections.get("a", lambda: Door(closed, "a"))
    connections.get("b", lambda: Door(closed, "b", OSError("stuck")))
    with pytest.raises(OSError, match="stuck"):
        await connections.aclose()
    assert closed == ["b", "a"]
