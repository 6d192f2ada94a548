"""The command line as a person meets it: a process, its output, its exit code."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agentkit(tmp_path: Path) -> Agentkit:
    """Runs ``agentkit ARGUMENTS`` in an empty folder."""

    def run(*arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agentkit", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, **settings)  # type: ignore[call-overload]

    return run
