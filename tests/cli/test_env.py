"""``agentkit env``: list, show, run; resumed runs, wrong options, a plan that is read and judged."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.testing import FakeProvider

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """
schema: agentkit/v1
name: player
inputs: {task: string, observation: string, step: integer}
outputs: {action: act.text}
models: {small: {use: openai_http, model: fake, base_url: "BASE_URL"}}
nodes:
  act:
    use: model
    with: {prompt: [{user: "{{task}} {{observation}} {{step}}"}]}
    in: {task: inputs.task, observation: inputs.observation, step: inputs.step}
"""


def write(folder: Path, provider: FakeProvider) -> Path:
    path = folder / "player.yaml"
    path.write_text(GRAPH.replace("BASE_URL", provider.base_url))
    return path


def test_list_names_every_environment_with_its_options(agentkit: Agentkit) -> None:
    rows = json.loads(agentkit("env", "list", "--json").stdout)
    assert {row["name"] for row in rows} == set(Kit(installed=False).registry.names("environment"))
    assert next(row for row in rows if row["name"] == "vending")["options"]["days"] == 30


def test_show_gives_the_task_and_the_solution_with_a_planted_error(agentkit: Agentkit) -> None:
    done = agentkit("env", "show", "tower_of_hanoi", "-o", "discs=2", "--inject", "repeated_step@1")
    assert done.returncode == 0
    assert "There are three pegs" in done.stdout
    assert "✗ illegal_action: disc 1 is not on" in done.stdout
    assert "solved: True" in agentkit("env", "show", "scan", "--solution", "--seed", 3).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "hanoi_tower"), "no environment is named 'hanoi_tower'"),
        (("show", "tower_of_hanoi", "-o", "disks=2"), "did you mean 'discs'"),
        (("show", "river_crossing", "-o", "couples=4"), "every state was tried"),
        (("show", "scan", "--inject", "unreadable"), "--inject takes KIND@STEP"),
        (("show", "scan", "--inject", "unreadable@999"), "would be no error at step 999"),
    ],
)
def test_a_mistake_is_one_sentence(agentkit: Agentkit, arguments: tuple[str, ...], said: str) -> None:
    done = agentkit("env", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_run_plays_writes_rows_and_goes_on_where_it_stopped(agentkit: Agentkit, tmp_path: Path) -> None:
    environment = Kit(installed=False).environment("running_sum", turns=3)
    replies = [*environment.solve(0), *environment.solve(1)[:2], "0", *environment.solve(2)]
    with FakeProvider(replies) as provider:
        command = (
            "env",
            "run",
            "running_sum",
            "--graph",
            write(tmp_path, provider),
            "-o",
            "turns=3",
            "--output",
            "rows.jsonl",
        )
        first = agentkit(*command, "-n", 2)
        assert first.returncode == 0, first.stderr
        assert "solved     1 of 2" in first.stdout
        assert "rows: rows.jsonl" in first.stdout
        again = agentkit(*command, "-n", 3)
    assert "solved     2 of 3" in again.stdout
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(row["episode"], row["steps"], row["first_error"], row["success"]) for row in rows] == [
        (0, 3, None, True),
        (1, 3, 2, False),
        (2, 3, None, True),
    ]
    assert "openai_http/fake" in agentkit("horizon", "rows.jsonl").stdout
    other = agentkit(*command[:-4], "-o", "turns=4", "--output", "rows.jsonl")
    assert other.returncode == 2
    assert "--fresh" in other.stderr
