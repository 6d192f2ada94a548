"""``agentkit trace``: a log of any form, read by a person; and rows for the judges of trajectories."""

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]


def call(name: str, arguments: dict[str, object], number: int) -> dict[str, object]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": f"c{number}", "function": function}]}


def back(text: str, number: int) -> dict[str, object]:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": text}


ASK = {"role": "user", "content": "What of order W100?"}
TALK = [
    ASK,
    call("get_order", {"order_id": "W111"}, 0),
    back("Error: not found", 0),
    call("get_order", {"order_id": "W100"}, 1),
    back("[]", 1),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps({"id": "talk-1", "messages": TALK}))
    return path


def test_the_error_is_marked_at_its_step(agentkit: Agentkit, log: Path) -> None:
    done = agentkit("trace", log.name)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    at = next(place for place, line in enumerate(lines) if "W111" in line)
    assert lines[at].split()[0] == "1"
    assert "ungrounded_argument (first, undone later, 95%)" in lines[at + 1]
    assert lines[at + 2].strip().startswith("repair: look 'order_id' up")
    assert lines[-1] == "tool_calls: first error at step 1, undone later (score 0.05)"


def test_it_prints_data_pictures_and_pages(agentkit: Agentkit, log: Path) -> None:
    (found,) = json.loads(agentkit("trace", log.name, "--format", "json").stdout)
    assert [step["kind"] for step in found["trace"]["steps"]] == ["message", "call", "result", "call", "result"]
    assert found["scores"]["tool_calls"]["findings"][0]["step"] == 1
    assert agentkit("trace", log.name, "--format", "svg").stdout.startswith("<svg")
    assert "ungrounded_argument" in agentkit("trace", log.name, "--format", "html").stdout


def test_several_judges_or_none(agentkit: Agentkit, log: Path) -> None:
    both = agentkit("trace", log.name, "-e", "redundancy", "-e", "repeated_state").stdout
    assert "redundancy: no error found (score 1.00)" in both
    assert "repeated_state: " in both
    assert "score" not in agentkit("trace", log.name, "-e", "none").stdout
    assert "plan_adherence: not scored: there is no plan" in agentkit("trace", log.name, "-e", "plan_adherence").stdout


def test_a_log_of_several_traces_is_listed_and_one_can_be_chosen(agentkit: Agentkit, tmp_path: Path) -> None:
    rows = [{"id": f"run-{number}", "messages": TALK[: 2 * number + 1]} for number in (1, 2)]
    (tmp_path / "runs.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    listed = agentkit("trace", "runs.jsonl.gz").stdout.splitlines()
    assert [line.split()[1] for line in listed[1:]] == ["run-1", "run-2"]
    assert "1 ungrounded_argument" in listed[1]
    assert agentkit("trace", "runs.jsonl.gz", "-n", "2").stdout.startswith("run-2  (openai, 5 steps)")
    refused = agentkit("trace", "runs.jsonl.gz", "-n", "3")
    assert (refused.returncode, refused.stderr) == (2, "error: runs.jsonl.gz holds 2 traces, so there is no number 3\n")
    assert "choose one with --number" in agentkit("trace", "runs.jsonl.gz", "--format", "svg").stderr


def test_values_of_a_policy_are_known(agentkit: Agentkit, log: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text("Order W111 is always looked up first.")
    assert "ungrounded" not in agentkit("trace", log.name, "--policy", "policy.md").stdout
    assert "policy.txt cannot be read" in agentkit("trace", log.name, "--policy", "policy.txt").stderr


def test_rules_come_from_a_file(agentkit: Agentkit, log: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("- never: get_*\n  because: orders are private\n")
    said = agentkit("trace", log.name, "--rules", "rules.yaml").stdout
    assert "constraint_violation" in said
    assert "get_order must never be called: orders are private" in said
    (tmp_path / "rules.yaml").write_text("- nevr: get_*\n")
    assert "did you mean 'never'" in agentkit("trace", log.name, "--rules", "rules.yaml").stdout
    assert "none.yaml cannot be read" in agentkit("trace", log.name, "--rules", "none.yaml").stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("nothing", "is neither JSON"),
        ("{}", "an empty object"),
        ('{"rows": []}', "no trace of an agent is recognised; known are a run of ours"),
    ],
)
def test_what_is_no_trace_is_refused_in_one_sentence(
    agentkit: Agentkit, tmp_path: Path, content: str, sentence: str
) -> None:
    (tmp_path / "log").write_text(content)
    done = agentkit("trace", "log")
    assert done.returncode == 2
    assert done.stderr.startswith("error: log: ")
    assert sentence in done.stderr or "is not JSON" in done.stderr
    assert "Traceback" not in done.stderr


def test_neither_a_file_nor_a_run_is_told_so(agentkit: Agentkit) -> None:
    done = agentkit("trace", "20250101-000000-abcd")
    assert done.returncode == 2
    assert "there is no file '20250101-000000-abcd', and no run of that name" in done.stderr


def test_a_log_cannot_command_the_terminal(agentkit: Agentkit) -> None:
    hostile = json.dumps([{"role": "user", "content": "\x1b[2J\x1b]0;owned\x07 hi [red]x[/red]"}])
    said = agentkit("trace", "-", input=hostile).stdout
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "[red]x[/red]" in said


async def test_a_run_of_ours_is_shown_by_its_id(agentkit: Agentkit, tmp_path: Path) -> None:
    graph = Path(__file__).parents[2] / "graphs" / "vetted_agent.yaml"
    made = ToolCall(id="1", name="calculator", arguments='{"expression": "17 * 23"}')
    model = ScriptedModel(script=[Sample(text="", tool_calls=(made,)), "It is 391."])
    run = await Kit(home=tmp_path / ".agentkit").graph(graph, models={"main": model}).run(question="What is 17 * 23?")
    shown = agentkit("trace", run.id).stdout
    assert shown.startswith(f"{run.id}  (agentkit, ")
    assert 'work: calculator {"expression": "17 * 23"}' in shown
    assert "tool_calls: no error found" in shown


def test_evaluate_judges_rows_of_messages(agentkit: Agentkit, tmp_path: Path) -> None:
    rows = [
        {"id": "x", "messages": TALK},
        {"id": "y", "messages": 3},
        {"id": "z", "messages": TALK, "plan": ["get_order"]},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = agentkit("evaluate", "tool_calls", "-i", "rows.jsonl", "-o", "-", "-q")
    assert done.returncode == 0, done.stderr
    first, second, _ = map(json.loads, done.stdout.splitlines())
    assert [(one["code"], one["step"], one["first"]) for one in first["findings"]] == [("ungrounded_argument", 1, True)]
    assert (first["id"], first["first_error"], second["status"]) == ("x", 1, "error")
    kept = agentkit("evaluate", "plan_adherence", "-i", "rows.jsonl", "-o", "-", "-q").stdout.splitlines()
    assert [json.loads(line)["status"] for line in kept] == ["unscored", "error", "scored"]
    assert json.loads(kept[2])["edits"]["kept"] == 1
    assert (
        agentkit(
            "evaluate", "tool_calls", "-i", "rows.jsonl", "-o", "-", "--option", 'rules=[{"nevr": "x"}]'
        ).returncode
        == 2
    )
