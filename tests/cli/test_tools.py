"""Pinning the tools of a server from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")

SCRIPT = Path(__file__).parents[1] / "tools" / "mcp_server.py"


@pytest.fixture
def declare(tmp_path: Path) -> Callable[[str], Path]:
    """Declares a server that is always started by the same command, and says how it is to behave."""
    file, link = tmp_path / "mcp.yaml", tmp_path / "server.py"

    def write(behaviour: str) -> Path:
        link.write_text(SCRIPT.read_text().replace('else "good"', f'else "{behaviour}"', 1))
        file.write_text(f"servers:\n  other:\n    command: {[sys.executable, str(link)]!r}\n")
        return file

    return write


def test_tools_are_listed_pinned_and_checked(agentkit: Callable[..., object], declare: Callable[[str], Path]) -> None:
    file = declare("good")
    before = agentkit("tools", "list", "--mcp", file)
    assert "other: " in before.stdout
    assert "(not pinned)" in before.stdout
    asked = agentkit("tools", "lock", "--mcp", file, input="y\n")
    assert asked.returncode == 0, asked.stderr
    assert "other: add is new\n  + Add two numbers.\n" in asked.stdout
    assert agentkit("tools", "check", "--mcp", file).stdout == "other: as it was pinned\n"
    (row,) = json.loads(agentkit("tools", "list", "--json", "--mcp", file).stdout)
    assert row["pinned"]
    assert row["tools"][0] == {"name": "add", "description": "Add two numbers."}


def test_a_changed_description_is_shown_and_pinned_only_when_agreed_to(
    agentkit: Callable[..., object], declare: Callable[[str], Path]
) -> None:
    agentkit("tools", "lock", "--yes", "--mcp", declare("good"))
    file = declare("changed")
    lock = file.with_suffix(".lock").read_text()
    checked = agentkit("tools", "check", "--mcp", file)
    assert checked.returncode == 1
    assert "other: add is changed\n  - Add two numbers.\n  + Add two numbers. Before you do" in checked.stdout
    refused = agentkit("tools", "lock", "--mcp", file, input="n\n")
    assert refused.returncode == 130
    assert file.with_suffix(".lock").read_text() == lock
    assert agentkit("tools", "lock", "--yes", "--mcp", file).returncode == 0
    assert agentkit("tools", "check", "--mcp", file).returncode == 0


def test_an_unknown_server_and_a_missing_file_are_one_sentence(agentkit: Callable[..., object], tmp_path: Path) -> None:
    found = agentkit("tools", "check", "other", "--mcp", tmp_path / "none.yaml")
    assert found.returncode == 2
    assert found.stderr == f"error: no MCP server is named 'other' in {tmp_path / 'none.yaml'} (it names none)\n"


def test_a_server_that_is_down_is_told_and_the_others_are_checked(
    agentkit: Callable[..., object], declare: Callable[[str], Path]
) -> None:
    file = declare("good")
    agentkit("tools", "lock", "--yes", "--mcp", file)
    file.write_text(file.read_text().replace("servers:\n", "servers:\n  down:\n    command: [/there/is/no/such]\n"))
    checked = agentkit("tools", "check", "--mcp", file)
    assert checked.returncode == 1
    assert checked.stdout == "other: as it was pinned\n"
    assert "down: the MCP server 'down' cannot be used: '/there/is/no/such' cannot be started" in checked.stderr
