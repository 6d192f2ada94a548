"""``agentkit runs`` against a provider on loopback: what was recorded is shown, compared and never paid for twice."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentkit.cli import main
from agentkit.testing import FakeProvider
from agentkit.testing.replies import Refusal

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agentkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agentkit:
    """Runs ``agentkit ARGUMENTS`` in an empty folder, in this process: many commands a test."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        return subprocess.CompletedProcess(arguments, int(stopped.value.code or 0), *capsys.readouterr())

    return run


GRAPH = """
schema: agentkit/v1
name: sums
inputs: {question: string, target: {type: string, default: "7"}}
outputs: {answer: solve.answer, polished: polish.text}
models: {small: {use: openai_http, model: fake, base_url: "BASE_URL", retry: {attempts: 0}}}
nodes:
  draft:
    use: model
    with: {model: small, prompt: "Draft: {{question}}"}
    in: {question: inputs.question}
  solve:
    use: strategy.self_consistency
    with: {model: small, samples: 4, stop: fixed}
    in: {question: draft.text}
  polish:
    use: model
    with: {model: small, prompt: "Polish: {{answer}}", temperature: 0.5}
    in: {answer: solve.answer}
"""


def write(folder: Path, provider: FakeProvider, text: str = GRAPH) -> Path:
    path = folder / "sums.yaml"
    path.write_text(text.replace("BASE_URL", provider.base_url))
    return path


def reply(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"]
    if asked.startswith("Draft"):
        return "3 + 4?"
    return f"polished at {body['temperature']}" if asked.startswith("Polish") else "7"


def data(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_is_listed_shown_forked_compared_exported_and_dropped(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(reply) as provider:
        path = write(tmp_path, provider)
        first = data(agentkit("run", path, "-i", "question=3 + 4?", "--json"))["run"]
        assert provider.received == 6

        (row,) = data(agentkit("runs", "list", "--json"))
        assert (row["run"], row["graph"], row["status"], row["nodes"]) == (first, "sums", "succeeded", 3)
        assert row["usage"]["calls"] == 6

        shown = data(agentkit("runs", "show", first, "--json"))
        assert list(shown["nodes"]) == ["draft", "solve", "polish"]
        assert len(shown["nodes"]["solve"]["samples"]) == 4
        assert shown["nodes"]["solve"]["usage"]["calls"] == 4
        assert shown["nodes"]["polish"]["outputs"]["text"] == "polished at 0.5"
        said = agentkit("runs", "show", first, "--node", "solve").stdout
        assert "sample 4" in said
        assert "draft" not in said

        forked = agentkit(
            "runs", "fork", first, "--from", "polish", "--set", "nodes.polish.with.temperature=0.25", "-q"
        )
        assert forked.returncode == 0, forked.stderr
        assert provider.received == 7
        assert "polished at 0.25" in forked.stdout
        assert "node polish" in forked.stdout
        second = data(agentkit("runs", "list", "--json"))[0]["run"]

        found = data(agentkit("runs", "diff", first, second, "--json"))
        assert found["output"] == {"polished": {"before": "polished at 0.5", "after": "polished at 0.25"}}
        assert list(found["nodes"]) == ["polish"]

        (pool,) = [
            json.loads(line)
            for line in agentkit("runs", "export", first, "--pool", "--gold", "target").stdout.splitlines()
        ]
        assert pool == {"id": f"{first}/solve", "gold": "7", "answers": ["7"] * 4}
        whole = data(agentkit("runs", "export", first))
        assert [one["event"] for one in whole["events"]].count("SampleDrawn") == 6
        assert whole["run"]["status"] == "succeeded"

        assert agentkit("runs", "drop", first, second).returncode == 0
        assert data(agentkit("runs", "list", "--json")) == []
        assert provider.received == 7


def test_a_resumed_run_says_what_was_edited_and_pays_for_that_alone(agentkit: Agentkit, tmp_path: Path) -> None:
    broken = True

    def sometimes(body: dict[str, Any]) -> Any:
        polishing = body["messages"][-1]["content"].startswith(("Polish", "Shine"))
        return Refusal(status=500) if broken and polishing else reply(body)

    with FakeProvider(sometimes) as provider:
        path = write(tmp_path, provider)
        assert agentkit("run", path, "-i", "question=3 + 4?", "--seed", "5").returncode == 3
        run = data(agentkit("runs", "list", "--json"))[0]["run"]
        broken, sent = False, provider.received
        path.write_text(path.read_text().replace("Polish:", "Shine:"))
        done = agentkit("runs", "resume", run, "--json", "-q")
        assert data(done)["output"] == {"answer": "7", "polished": "7"}
        assert "edited since the run began, so not read from its record: polish" in done.stderr
        assert provider.received == sent + 1
        path.write_text(path.read_text().replace("Draft:", "Sketch:"))
        assert data(agentkit("runs", "resume", run, "--json", "-q"))["nodes"]["polish"]["recorded"]
        assert provider.received > sent + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "20200101-000000-abcd"], "there is no run '20200101-000000-abcd'"),
        (["fork", "RUN", "--from", "polich"], "sums has no node 'polich'; did you mean 'polish'?"),
        (["fork", "RUN", "--set", "nodes.polich.with.temperature=1"], "'polich' is not there; did you mean 'polish'?"),
        (["fork", "RUN", "--set", "nodes.polish.with.temprature=1"], "did you mean 'temperature'?"),
        (["show", "RUN", "--node", "polich"], "did you mean 'polish'?"),
        (["list", "--store", "mysql://host/db"], "a store is a URL like postgresql://user@host/database"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    agentkit: Agentkit, tmp_path: Path, arguments: list[str], said: str
) -> None:
    if "RUN" in arguments:
        with FakeProvider(reply) as provider:
            agentkit("run", write(tmp_path, provider), "-i", "question=3 + 4?")
        run = data(agentkit("runs", "list", "--json"))[0]["run"]
        arguments = [run if one == "RUN" else one for one in arguments]
    done = agentkit("runs", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_shows_ids_whole_on_a_narrow_terminal(
    agentkit: Agentkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with FakeProvider(reply) as provider:
        path = write(tmp_path, provider, GRAPH.replace("name: sums", "name: sums_of_two_numbers_in_the_end"))
        run = data(agentkit("run", path, "-i", "question=3 + 4?", "--json"))["run"]
    shown = agentkit("runs", "list").stdout
    assert run in shown
    assert "succeeded" in shown


def test_the_graph_of_a_run_that_is_gone_is_one_sentence(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(reply) as provider:
        path = write(tmp_path, provider)
        agentkit("run", path, "-i", "question=3 + 4?")
    run = data(agentkit("runs", "list", "--json"))[0]["run"]
    path.unlink()
    done = agentkit("runs", "resume", run)
    assert done.returncode == 2
    assert "is gone: there is no" in done.stderr
