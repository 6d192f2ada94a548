"""What a run holds open for as long as it lasts."""

from __future__ import annotations

from collections.abc import Callable

from agentkit.protocols import Connection


class Connections:
    """Connections by name: made when first asked for, all closed in the end."""

    def __init__(self) -> None:
        self._open: dict[str, Connection] = {}

    def get(self, name: str, make: Callable[[], Connection]) -> Connection:
        """The connection of that name."""
        if name not in self._open:
            self._open[name] = make()
        return self._open[name]

    async def aclose(self) -> None:
        """Close them, the last first; one that fails to close keeps none of the others open."""
        try:
            while self._open:
                await self._open.popitem()[1].aclose()
        finally:
            if self._open:
                await self.aclose()
