"""A run that waits for a person, at the command line: told how to answer, answered by option, by command and at a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]

GRAPH = """
schema: agentkit/v1
name: letter
inputs: {to: string}
outputs: {letter: sent.text}
nodes:
  draft: {use: template, with: {template: "Dear {{to}}"}, in: {to: inputs.to}}
  check: {use: human, with: {ask: "Send this?\\n{{text}}", choices: [send, drop]}, in: {text: draft.text}}
  sent: {use: template, with: {template: "{{said}}: {{text}}"}, in: {text: draft.text, said: check.answer}}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "letter.yaml"
    path.write_text(GRAPH)
    return path


def run_of(text: str) -> str:
    found = re.search(r"--resume (\S+)", text)
    assert found
    return found[1]


def test_an_interrupted_run_says_how_to_answer_and_goes_on(agentkit: Agentkit, graph: Path) -> None:
    first = agentkit("run", graph, "-i", "to=Ann", "-q")
    assert first.returncode == 6
    run = run_of(first.stderr)
    assert "interrupted" in first.stdout
    assert first.stderr.splitlines() == [
        "error: the run waits for a person to answer:",
        "  check: Send this?",
        "Dear Ann",
        "  1. send",
        "  2. drop",
        "    (one of send, drop)",
        f"answer with: agentkit run {graph} --resume {run} --answer check=...",
    ]
    wrong = agentkit("run", graph, "--resume", run, "--answer", "check=sned", "-q")
    assert wrong.returncode == 2
    assert "must be one of send, drop, not the text 'sned'; did you mean 'send'?" in wrong.stderr
    second = agentkit("run", graph, "--resume", run, "--answer", "check=send", "--json")
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["output"] == {"letter": "send: Dear Ann"}


def test_an_answer_can_be_left_for_whoever_resumes_the_run(agentkit: Agentkit, graph: Path) -> None:
    first = agentkit("run", graph, "-i", "to=Ann", "--json")
    data = json.loads(first.stdout)
    assert (first.returncode, data["status"], data["questions"][0]["id"]) == (6, "interrupted", "check")
    run = data["run"]
    listed = agentkit("runs", "list", "--json")
    assert json.loads(listed.stdout)[0]["status"] == "interrupted"
    shown = agentkit("runs", "show", run)
    assert "asks check: Send this? Dear Ann" in shown.stdout
    untold = agentkit("runs", "answer", run)
    assert (untold.returncode, "answer with: agentkit runs answer" in untold.stderr) == (2, True)
    wrong = agentkit("runs", "answer", run, "--node", "chekc", "--value", "send")
    assert "say with --node which question" in wrong.stderr
    done = agentkit("runs", "answer", run, "--value", "drop")
    assert (done.returncode, done.stderr) == (0, f"answered check: agentkit runs resume {run} goes on\n")
    assert "waits for no answer" in agentkit("runs", "answer", run, "--value", "drop").stderr
    second = agentkit("runs", "resume", run, "--json")
    assert json.loads(second.stdout)["output"] == {"letter": "drop: Dear Ann"}


def test_answers_can_be_given_ahead(agentkit: Agentkit, graph: Path) -> None:
    done = agentkit("run", graph, "-i", "to=Ann", "-a", "check=send", "--json")
    assert json.loads(done.stdout)["output"] == {"letter": "send: Dear Ann"}
    wrong = agentkit("run", graph, "-i", "to=Ann", "-a", "chekc=send", "--json")
    assert "letter has no node 'chekc' to answer; did you mean 'check'?" in wrong.stderr


def test_at_a_terminal_the_person_is_asked_until_the_answer_fits(graph: Path) -> None:
    command = [sys.executable, "-m", "agentkit", "run", str(graph), "-i", "to=Ann"]
    main, other = pty.openpty()
    process = subprocess.Popen(command, cwd=graph.parent, stdin=other, stdout=other, stderr=other, close_fds=True)
    os.close(other)
    os.write(main, b"sned\n1\n")
    seen = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(main)
    text = seen.decode()
    assert process.wait(timeout=60) == 0, text
    assert "must be one of send, drop, not the text 'sned'" in text
    assert "send: Dear Ann" in text


EACH = """
schema: agentkit/v1
name: letters
inputs: {names: list}
outputs: {said: each.said}
nodes:
  each:
    use: graph
    with:
      graph:
        inputs: {to: string}
        outputs: {said: check.answer}
        nodes: {check: {use: human, with: {ask: "Send to {{to}}?", choices: [send, drop]}, in: {to: inputs.to}}}
    in: {to: inputs.names}
    map: {over: inputs.names}
"""
NAMES = 'names=["Ann", "Bob"]'


def test_the_number_of_a_first_visit_need_not_be_typed(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "letters.yaml").write_text(EACH)
    first = agentkit("run", "letters.yaml", "-i", NAMES, "-a", "each/item:0/check=send", "-q")
    assert first.returncode == 6
    assert "each/item:0" not in first.stderr
    run = run_of(first.stderr)
    several = agentkit("runs", "answer", run, "--node", "nobody", "--value", "drop")
    assert several.returncode == 2
    assert several.stderr.endswith("which question of run '" + run + "' it answers: each/item:1/check:0\n")
    left = agentkit("runs", "answer", run, "--node", "each/item:1/check", "--value", "drop")
    assert left.returncode == 0, left.stderr
    done = agentkit("runs", "resume", run, "--json")
    assert json.loads(done.stdout)["output"] == {"said": ["send", "drop"]}


def test_another_answer_to_an_earlier_visit_is_refused_and_the_open_question_is_named(
    agentkit: Agentkit, graph: Path
) -> None:
    graph.write_text(
        GRAPH.replace("choices: [send, drop]", "choices: [send, again]")
        + "edges:\n  - draft -> check\n"
        + """  - {from: check, to: draft, when: "check.answer == 'again'", max: 2}\n  - check -> sent\n"""
    )
    first = agentkit("run", graph, "-i", "to=Ann", "-a", "check=again", "-q")
    again = agentkit("run", graph, "--resume", run_of(first.stderr), "-a", "check=send", "-q")
    assert again.returncode == 2
    assert "'check' was answered already, with \"again\"; 'check:1' waits for an answer; fork the run" in again.stderr


def test_a_fork_that_waits_for_a_person_says_how_to_answer_it(agentkit: Agentkit, graph: Path) -> None:
    run = json.loads(agentkit("run", graph, "-i", "to=Ann", "-a", "check=drop", "--json").stdout)["run"]
    forked = agentkit("runs", "fork", run, "--from", "check", "-q")
    assert forked.returncode == 6
    assert "letter" in forked.stdout
    command = re.search(r"agentkit (runs resume \S+ --answer check=)", forked.stderr)
    assert command
    done = agentkit(*f"{command[1]}send".split(), "--json")
    assert json.loads(done.stdout)["output"] == {"letter": "send: Dear Ann"}
