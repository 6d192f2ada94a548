"""A real MCP server as a child process, and the file that declares it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from time import monotonic, sleep
from typing import Any

import pytest

from agentkit.tools.servers import Server

SCRIPT = Path(__file__).parent / "mcp_server.py"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def stdio(trace: Path) -> Callable[..., Server]:
    def make(behaviour: str = "good", **settings: Any) -> Server:
        return Server(command=(sys.executable, str(SCRIPT), behaviour, str(trace)), **settings)

    return make


class Running:
    """An HTTP server that can be stopped and started again on the same port."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self) -> None:
        self.process = Popen([sys.executable, str(SCRIPT), "http", str(self.trace), str(self.port)])
        end = monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None
            assert monotonic() < end
            sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def running(trace: Path) -> Iterator[Running]:
    one = Running(trace)
    one.start()
    try:
        yield one
    finally:
        one.stop()
