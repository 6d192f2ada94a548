"""``agentkit run`` against a provider on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentkit.runtime.store import Store
from agentkit.testing import FakeProvider
from agentkit.testing.replies import Completion, Refusal

HANGING = Completion(text="7", fault="hang_before_headers")
Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """
schema: agentkit/v1
name: vote
inputs: {question: string, times: {type: integer, default: 3}}
outputs: {answer: solve.answer}
models: {small: {use: openai_http, model: fake, base_url: "BASE_URL"}}
nodes:
  solve:
    use: strategy.self_consistency
    with: {model: small, samples: 4, stop: fixed}
    in: {question: inputs.question}
"""


def write(folder: Path, provider: FakeProvider, text: str = GRAPH) -> Path:
    path = folder / "vote.yaml"
    path.write_text(text.replace("BASE_URL", provider.base_url))
    return path


def test_the_report_shows_votes_answer_and_cost(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(["7", "7", "8", "7"]) as provider:
        done = agentkit("run", write(tmp_path, provider), "--input", "question=3 + 4?")
    assert done.returncode == 0
    assert "solve: votes" in done.stdout
    assert "4 calls" in done.stdout
    assert "solve" in done.stderr


def test_json_gives_the_same_as_data_and_nothing_else_on_stdout(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(["7", "7", "8", "7"]) as provider:
        done = agentkit("run", write(tmp_path, provider), "--input", "question=3 + 4?", "--json")
    data = json.loads(done.stdout)
    assert data["output"] == {"answer": "7"}
    assert data["usage"]["calls"] == 4
    assert data["nodes"]["solve"]["votes"] == {"7": 3, "8": 1}


def test_stream_prints_every_event_as_a_line_of_json(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(["7"] * 4) as provider:
        done = agentkit("run", write(tmp_path, provider), "-i", "question=3 + 4?", "--stream")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunFinished"
    assert sum(event["event"] == "SampleDrawn" for event in events) == 4


def test_an_input_can_be_read_from_a_file(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "question.txt").write_text("from a file?")
    with FakeProvider(["7"] * 4) as provider:
        agentkit("run", write(tmp_path, provider), "-i", "question=@question.txt")
        assert "from a file?" in json.dumps(provider.calls[0].body)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "input 'question' of vote is missing"),
        (["-i", "qestion=x"], "did you mean 'question'?"),
        (["-i", "question=x", "-i", "times=many"], "input 'times' must be integer written as JSON"),
        (["-i", "question"], "takes NAME=VALUE"),
        (["-i", "question=@nowhere.txt"], "cannot be read from nowhere.txt"),
        (["-i", "question=x", "-m", "smal=local/smollm2"], "did you mean 'small'?"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    agentkit: Agentkit, tmp_path: Path, arguments: list[str], said: str
) -> None:
    with FakeProvider() as provider:
        done = agentkit("run", write(tmp_path, provider), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_one_sentence(agentkit: Agentkit) -> None:
    done = agentkit("run", "nowhere.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.yaml:1:1: the file cannot be read" in done.stderr


def test_an_unreachable_server_is_one_sentence_that_names_it(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider() as provider:
        path = write(tmp_path, provider)
        address = provider.base_url
    done = agentkit("run", path, "-i", "question=x")
    assert done.returncode == 2
    assert address.split("/")[2] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_key_names_the_variable(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider() as provider:
        text = GRAPH.replace("model: fake,", 'model: fake, api_key: "${env:NO_SUCH_KEY}",')
        done = agentkit("run", write(tmp_path, provider, text), "-i", "question=x")
    assert done.returncode == 2
    assert "NO_SUCH_KEY is not set" in done.stderr


def test_a_refusal_of_the_provider_is_not_a_traceback(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(lambda body: Refusal(status=401)) as provider:
        done = agentkit("run", write(tmp_path, provider), "-i", "question=x")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_was_recorded_replays_with_no_network(agentkit: Agentkit, tmp_path: Path) -> None:
    with FakeProvider(["7", "7", "8", "7"]) as provider:
        path = write(tmp_path, provider)
        first = agentkit("run", path, "-i", "question=3 + 4?", "--record", "tape.jsonl", "--json")
    second = agentkit("run", path, "-i", "question=3 + 4?", "--replay", "tape.jsonl", "--json")
    assert second.returncode == 0, second.stderr
    assert json.loads(first.stdout)["output"] == json.loads(second.stdout)["output"]


def recorded(folder: Path) -> int:
    """How many samples the only run has recorded."""
    store = Store(home=folder / ".agentkit")
    with store.look(store.runs()[0].id) as journal:
        return sum(1 for _ in journal.calls.drawn())


def test_ctrl_c_says_what_was_kept_closes_every_request_and_resumes(agentkit: Agentkit, tmp_path: Path) -> None:
    replies = iter(["7", "7", HANGING, HANGING])
    with FakeProvider(lambda body: next(replies)) as provider:
        path = write(tmp_path, provider)
        command = [sys.executable, "-m", "agentkit", "run", str(path), "-i", "question=3 + 4?"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        end = time.monotonic() + 60
        while (provider.completed, provider.received) != (2, 4) and time.monotonic() < end:
            time.sleep(0.05)
        while recorded(tmp_path) < 2 and time.monotonic() < end:  # what the provider sent need not have been read yet
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "2 samples" in said
        assert provider.aborted == 2
        run = said.rsplit("--resume ", 1)[1].split()[0]
        replies = iter(["7", "7"])
        done = agentkit("run", path, "--resume", run, "--json")
        assert json.loads(done.stdout)["output"] == {"answer": "7"}, done.stderr
        assert provider.received == 6
