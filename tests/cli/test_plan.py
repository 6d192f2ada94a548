"""``agentkit plan`` as a person meets it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """\
schema: agentkit/v1
name: votes
inputs: {texts: list, question: string}
models: {small: local/smollm2}
budget: {calls: 100}
nodes:
  each:
    use: strategy.self_consistency
    with: {samples: 4, stop: fixed, max_tokens: 10}
    in: {question: inputs.texts}
    map: {over: inputs.texts}
  last: {use: model, with: {prompt: "{{question}}", max_tokens: 10}, in: {question: inputs.question}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "votes.yaml").write_text(GRAPH)
    return tmp_path / "votes.yaml"


def test_the_plan_is_a_table_with_a_line_for_every_node_and_one_for_all(agentkit: Agentkit, file: Path) -> None:
    done = agentkit("plan", file, env={**os.environ, "COLUMNS": "160"})
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    each = next(line for line in lines if line[:1] == ["each"])
    assert each[2:9] == ["map", "×", "items,", "4", "calls", "0–4", "×"]
    assert next(line for line in lines if line[:2] == ["in", "all"])[2:4] == ["1–100", "(budget)"]
    assert "assuming at most 1,000 tokens a value in prompts (--value-tokens)" in done.stdout


def test_the_data_tell_formulas_and_missing_bounds_apart(agentkit: Agentkit, file: Path) -> None:
    plan = json.loads(agentkit("plan", file, "--json").stdout)
    assert plan["nodes"][0]["most"]["calls"] == {"items": [0.0, 4.0]}
    assert plan["nodes"][0]["most"]["seconds"] is None
    assert plan["most"]["calls"] == 100
    assert plan["unclipped"]["calls"] == {"items": [1.0, 4.0]}
    plan = json.loads(agentkit("plan", file, "--json", "--items", 2, "--call-seconds", 3).stdout)
    assert (plan["most"]["calls"], plan["most"]["seconds"], plan["clipped"]) == (9, 27, [])
    assert plan["assumptions"] == {"items": 2, "value_tokens": 1000, "call_seconds": 3.0}


def test_a_limit_that_is_passed_is_an_exit_code_of_1(agentkit: Agentkit, file: Path) -> None:
    assert agentkit("plan", file, "--items", 2, "--limit", "calls=9").returncode == 0
    done = agentkit("plan", file, "--items", 2, "--limit", "calls=8", "--limit", "usd=0")
    assert done.returncode == 1
    assert done.stderr == "over the limit: calls at most 9, allowed 8\n"


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("call=8", "error: --limit knows calls, tokens, usd, seconds, not 'call'; did you mean 'calls'?\n"),
        ("calls=few", "error: --limit calls must be a number, not 'few'\n"),
    ],
)
def test_a_wrong_limit_is_one_sentence(limit: str, sentence: str, agentkit: Agentkit, file: Path) -> None:
    done = agentkit("plan", file, "--limit", limit)
    assert (done.returncode, done.stderr) == (2, sentence)


def test_a_wrong_file_is_told_as_validate_tells_it(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(GRAPH.replace("samples", "sampls"))
    done = agentkit("plan", "wrong.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: wrong.yaml:9:12: nodes.each.with.sampls: unknown option; did you mean 'samples'?"
    )
