"""Replay with one thing changed, as one command: another model, prompt, option or strategy, and what came of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentkit.cli import main
from agentkit.testing import FakeProvider

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """
schema: agentkit/v1
name: sums
inputs: {question: string}
outputs: {answer: solve.answer}
models:
  small: {use: openai_http, model: small, base_url: "BASE_URL", retry: {attempts: 0}}
  large: {use: openai_http, model: large, base_url: "BASE_URL", retry: {attempts: 0}}
nodes:
  draft: {use: model, with: {model: small, prompt: "Draft: {{q}}"}, in: {q: inputs.question}}
  solve: {use: strategy.self_consistency, with: {model: small, samples: 4, stop: fixed}, in: {question: draft.text}}
  review:
    use: graph
    with:
      graph:
        inputs: {answer: any_text}
        outputs: {score: check.score}
        nodes:
          check: {use: evaluator.answer_match, in: {answer: inputs.answer, target: "7"}}
    in: {answer: solve.answer}
  check: {use: evaluator.answer_match, in: {answer: solve.answer, target: "7"}}
""".replace("any_text", "string")


@pytest.fixture
def agentkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agentkit:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        return subprocess.CompletedProcess(arguments, int(stopped.value.code or 0), *capsys.readouterr())

    return run


def reply(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"]
    if asked.startswith("Draft"):
        return "3 + 4?"
    return "7" if body["model"] == "large" or "carefully" in json.dumps(body["messages"]) or "step" in asked else "8"


@pytest.fixture
def provider(tmp_path: Path) -> Any:
    with FakeProvider(reply) as one:
        (tmp_path / "sums.yaml").write_text(GRAPH.replace("BASE_URL", one.base_url))
        yield one


def first_run(agentkit: Agentkit) -> str:
    done = agentkit("run", "sums.yaml", "-i", "question=3 + 4?", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["run"])


def test_another_model_in_a_node_shows_output_cost_and_the_scores_of_evaluators(
    agentkit: Agentkit, provider: FakeProvider
) -> None:
    run = first_run(agentkit)
    sent = provider.received
    done = agentkit("runs", "fork", run, "--from", "solve", "--with", "model=large", "--with", "samples=2", "-q")
    assert done.returncode == 0, done.stderr
    assert provider.received == sent + 2
    lines = {line.strip().split("  ")[0]: line.split() for line in done.stdout.splitlines()}
    assert lines["- 8"]
    assert lines["+ 7"]
    assert lines["calls"] == ["calls", "5", "3", "-2"]
    assert lines["paid anew"][2:4] == ["2", "calls,"]
    assert lines["score check"][2:] == ["0.000", "1.000", "+1.000"]
    assert lines["score review/check"][2:] == ["0.000", "1.000", "+1.000"]


def test_another_strategy_keeps_the_options_that_it_knows_and_names_the_others(
    agentkit: Agentkit, provider: FakeProvider
) -> None:
    run = first_run(agentkit)
    sent = provider.received
    done = agentkit("runs", "fork", run, "--from", "solve", "--use", "chain_of_thought", "-q", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "left out, because chain_of_thought has no such option: samples, stop\n"
    assert provider.received == sent + 1
    found = json.loads(done.stdout)
    assert found["paid"]["calls"] == 1
    assert found["usage"][0]["calls"] == 5
    assert found["usage"][1]["calls"] == 2


def test_another_prompt_is_read_from_a_file(agentkit: Agentkit, provider: FakeProvider, tmp_path: Path) -> None:
    run = first_run(agentkit)
    (tmp_path / "new.md").write_text("Work carefully: {{question}}")
    done = agentkit("runs", "fork", run, "--from", "solve", "--prompt", "@new.md", "-q", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"] == {"answer": {"before": "8", "after": "7"}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--use", "chain_of_thought"), "--use, --with and --prompt are for the node that --from names"),
        (("--from", "slove", "--use", "chain_of_thought"), "sums has no node 'slove'; did you mean 'solve'?"),
        (("--from", "solve", "--use", "chain_of_thougt"), "no strategy is named 'chain_of_thougt'; did you mean"),
        (("--from", "solve", "--with", "sampels=3"), "unknown option; did you mean 'samples'?"),
        (("--from", "solve", "--prompt", "@none.md"), "--prompt cannot be read from none.md"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_run(
    agentkit: Agentkit, provider: FakeProvider, arguments: tuple[str, ...], sentence: str
) -> None:
    run = first_run(agentkit)
    sent = provider.received
    done = agentkit("runs", "fork", run, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert provider.received == sent
