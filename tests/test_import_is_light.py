"""Importing agentkit does nothing and is light."""

import subprocess
import sys

import pytest

HEAVY = (
    "langgraph",
    "litellm",
    "chromadb",
    "torch",
    "pydantic",
    "yaml",
    "rich",
    "aiohttp",
    "onnxruntime",
    "xllamacpp",
    "cel",
    "mcp",
    "opentelemetry",
)


@pytest.mark.parametrize(
    "statement", ["import agentkit", "from agentkit import Kit; Kit(installed=False)", "import agentkit.cli"]
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    script = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


def test_importing_opens_no_socket() -> None:
    script = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n"
        "import agentkit, agentkit.kit, agentkit.cli, agentkit.graph\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
