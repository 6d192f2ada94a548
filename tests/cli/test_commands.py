"""The command line as a whole."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from agentkit.cli import COMMANDS

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]
WRONG = "schema: agentkit/v1\nname: wrong\nnodes:\n  a: {use: template, whit: {}}\n"


def test_help_lists_every_command(agentkit: Agentkit) -> None:
    said = agentkit("--help").stdout
    assert all(f"  {name} " in said for name in COMMANDS)


def test_every_command_has_help(agentkit: Agentkit) -> None:
    for name in COMMANDS:
        assert agentkit(name, "--help").returncode == 0, name


def test_an_unknown_command_is_a_usage_error(agentkit: Agentkit) -> None:
    done = agentkit("rnu")
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_validate_prints_every_problem_with_its_place(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    done = agentkit("validate", "wrong.yaml")
    assert done.returncode == 2
    assert "wrong.yaml:4:22: nodes.a.whit: unknown key; did you mean 'with'?" in done.stderr


def test_validate_gives_the_same_as_data(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    problems = json.loads(agentkit("validate", "wrong.yaml", "--json").stdout)
    assert ("nodes.a.whit", 4) in {(problem["path"], problem["line"]) for problem in problems}


def test_plugins_lists_what_each_registers(agentkit: Agentkit) -> None:
    data = json.loads(agentkit("plugins", "--json").stdout)
    assert {"kind": "strategy", "name": "debate", "plugin": "debate", "from": "agentkit_debate:Debate"} in data[
        "components"
    ]
    assert data["problems"] == []


def test_a_graph_is_drawn_as_text(agentkit: Agentkit, tmp_path: Path) -> None:
    graph = "schema: agentkit/v1\nname: g\nnodes:\n  a: {use: template, with: {template: hi}}\n"
    (tmp_path / "g.yaml").write_text(graph)
    done = agentkit("graph", "g.yaml")
    assert done.stdout.startswith("flowchart TD"), done.stderr


def test_schema_writes_the_schema_to_stdout_or_a_file(agentkit: Agentkit, tmp_path: Path) -> None:
    done = agentkit("schema")
    assert "strategy.self_consistency" in json.dumps(json.loads(done.stdout))
    done = agentkit("schema", "--output", "agentkit.schema.json")
    assert done.stderr == "wrote agentkit.schema.json\n"
    assert (tmp_path / "agentkit.schema.json").read_text() == agentkit("schema").stdout


def test_schema_says_why_it_cannot_write(agentkit: Agentkit) -> None:
    done = agentkit("schema", "--output", "no/such/folder/x.json")
    assert done.returncode == 2
    assert done.stderr == "error: the schema cannot be written to no/such/folder/x.json: No such file or directory\n"
