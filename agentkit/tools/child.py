"""A process that speaks in lines: started with exactly the environment it is given, bounded, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agentkit.errors import ToolError

_GRACE = 1.0  # seconds to go by itself when its input ends, and again when it is asked to
_POLL = 0.01
_TAIL = 2_000


class Child:
    """A process under way, the head of a process group of its own; ``await Child.start(...)`` makes one."""

    def __init__(self, process: asyncio.subprocess.Process, limit: int) -> None:
        self._process, self._limit = process, limit
        self._tail = b""
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls, command: Sequence[str], *, env: Mapping[str, str], folder: Path | None = None, limit: int
    ) -> Child:
        """Start ``command`` with no shell and no variable beside ``env``; a line may have ``limit`` bytes.

        Raises ``ToolError`` when it cannot be started.
        """
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=dict(env),
                cwd=folder,
                limit=limit,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ToolError(f"{command[0]!r} cannot be started: {getattr(error, 'strerror', None) or error}") from None
        return cls(process, limit)

    @property
    def tail(self) -> str:
        """The last it wrote to stderr."""
        return self._tail.decode("utf-8", "replace").strip()

    @property
    def ended(self) -> str:
        """How it ended, or nothing while it runs."""
        code = self._process.returncode
        if code is None:
            return ""
        return f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"

    async def lines(self) -> AsyncIterator[bytes]:
        """What it writes, line by line, until it stops; raises ``ToolError`` for a line that is too long."""
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                raise ToolError(f"it sent a message of more than {self._limit:,} bytes") from None
            if not line:
                return
            yield line

    async def send(self, line: bytes) -> None:
        """Hand it a line; raises ``ToolError`` when it no longer reads."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        except OSError as error:
            raise ToolError(f"it no longer reads: {error.strerror or error}") from None

    async def stop(self) -> None:
        """End it with all that it started: its input closed, then asked, then killed."""
        try:
            assert self._process.stdin is not None
            self._process.stdin.close()
            if not await self._gone():
                self._signal(signal.SIGTERM)
                await self._gone()
        finally:
            self._signal(signal.SIGKILL)
            await self._close()

    async def _close(self) -> None:
        await self._gone()
        self._listener.cancel()
        with suppress(asyncio.CancelledError):
            await self._listener
        # the pipes of a process whose own children still hold them would stay open, and there is no public way to close them
        self._process._transport.close()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    async def _gone(self) -> bool:
        """Whether it ended in time. Not ``wait()``, which also waits for children that hold its pipes."""
        clock = asyncio.get_running_loop().time
        end = clock() + _GRACE
        while self._process.returncode is None and clock() < end:  # noqa: ASYNC110 - there is no event without the pipes
            await asyncio.sleep(_POLL)
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(4096):
            self._tail = (self._tail + piece)[-_TAIL:]
