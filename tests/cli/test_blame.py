"""``agentkit runs blame`` against a provider on loopback, on a graph with a planted wrong step."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit.cli import main
from agentkit.testing import FakeProvider

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """
schema: agentkit/v1
name: shop
inputs: {question: string}
outputs: {answer: report.text}
models: {clerk: {use: openai_http, model: clerk, base_url: "BASE_URL", retry: {attempts: 0}}}
nodes:
  read: {use: model, with: {model: clerk, prompt: "Read: {{question}}"}, in: {question: inputs.question}}
  price: {use: model, with: {model: clerk, prompt: "Price of: {{items}}"}, in: {items: read.text}}
  report: {use: model, with: {model: clerk, prompt: "Report: {{price}}"}, in: {price: price.text}}
"""


def clerk(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    if text.startswith("Read:"):
        return "3 apples at 2 each"
    if text.startswith("Price"):
        return "7" if "step by step" not in text else "6"
    return f"The total is {text.rpartition(' ')[2]}"


@pytest.fixture
def agentkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agentkit:
    """Runs ``agentkit ARGUMENTS`` in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        return subprocess.CompletedProcess(arguments, int(stopped.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def run(agentkit: Agentkit, tmp_path: Path) -> Iterator[str]:
    """The id of a run that came to 7 where 6 is right."""
    with FakeProvider(clerk) as provider:
        path = tmp_path / "shop.yaml"
        path.write_text(GRAPH.replace("BASE_URL", provider.base_url))
        done = agentkit("run", path, "-i", "question=3 apples at 2 each: the total?", "--json", "-q")
        yield json.loads(done.stdout)["run"]


def test_the_node_that_a_correction_cures_is_named(agentkit: Agentkit, run: str) -> None:
    done = agentkit(
        "runs", "blame", run, "--target", "6", "--correct", "price.text=6", "--correct", "read.text=3 pears"
    )
    assert done.returncode == 0, done.stderr
    assert "price broke the run" in done.stdout
    data = json.loads(
        agentkit("runs", "blame", run, "--target", "6", "--correct", "price.text=6", "--repeats", "2", "--json").stdout
    )
    assert data["decisive"] == {"node": "price", "visit": 0}
    assert data["trials"][0]["corrected"]["share"] == 1.0
    assert data["trials"][0]["kept"]["share"] == 0.0
    assert len(data["trials"][0]["runs"]) == 2


def test_suspects_are_tried_with_another_prompt(agentkit: Agentkit, run: str) -> None:
    change = "nodes.price.with.prompt=Price step by step of: {{items}}"
    done = agentkit("runs", "blame", run, "--target", "6", "--try", change, "--repeats", "1", "--json")
    data = json.loads(done.stdout)
    assert data["decisive"] == {"node": "price", "visit": 0}
    assert len(data["trials"]) == 3


def test_where_no_correction_helps_it_says_so(agentkit: Agentkit, run: str) -> None:
    done = agentkit("runs", "blame", run, "--target", "6", "--correct", "read.text=3 pears", "--repeats", "1")
    assert "none of these corrections makes the run come right" in done.stdout


def test_a_fork_can_put_an_output_in_a_nodes_place(agentkit: Agentkit, run: str) -> None:
    done = agentkit("runs", "fork", run, "--from", "price", "--put", "text=6", "-q")
    assert done.returncode == 0, done.stderr
    assert "The total is 6" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "7", "--correct", "price.text=6"), "came to the right end"),
        (("--target", "6"), "say what a suspect should have put out"),
        (("--correct", "price.text=6"), "has no target"),
        (("--target", "6", "--correct", "price=6"), "NODE.OUTPUT=VALUE"),
        (("--target", "6", "--correct", "cost.text=6"), "no visit 'cost'"),
        (("--target", "6", "--correct", "price.txt=6"), "no output 'txt'"),
        (("--target", "6", "--correct", "price.text=6", "--repeats", "0"), "at least 1"),
        (("--target", "6", "--correct", "price.text=6", "--evaluator", "answer_mach"), "answer_mach"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(
    agentkit: Agentkit, run: str, arguments: tuple[str, ...], said: str
) -> None:
    done = agentkit("runs", "blame", run, *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_tried_before_an_interruption_is_printed(agentkit: Agentkit, tmp_path: Path) -> None:
    stop = False

    def sometimes(body: dict[str, Any]) -> str:
        if stop and body["messages"][-1]["content"].startswith("Price"):
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        return clerk(body)

    with FakeProvider(sometimes) as provider:
        path = tmp_path / "shop.yaml"
        path.write_text(GRAPH.replace("BASE_URL", provider.base_url))
        done = agentkit("run", path, "-i", "question=3 apples at 2 each: the total?", "--json", "-q")
        run, stop = json.loads(done.stdout)["run"], True
        corrections = ("--correct", "price.text=6", "--correct", "read.text=3 pears")
        done = agentkit("runs", "blame", run, "--target", "6", *corrections, "--repeats", "1", "--json")
    assert done.returncode == 130
    assert "tried so far" in done.stderr
    assert {one["node"] for one in json.loads(done.stdout)["trials"]} <= {"price"}
