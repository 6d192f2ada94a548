"""``agentkit evaluate``: rows in, verdicts out."""

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Agentkit = Callable[..., "subprocess.CompletedProcess[str]"]
ROWS = [
    '{"id": "a", "answer": "The centre opened in 1997.", "documents": ["The centre opened in 1997."]}',
    '{"id": 2, "claim": "The centre opened in 1998.", "documents": [{"text": "The centre opened in 1997.", "id": "d"}]}',
    "not json",
    "",
    '{"answer": "I do not know.", "context": "The centre opened in 1997."}',
    '{"documents": []}',
    '{"answer": "x", "documents": [5]}',
]


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_row_gets_a_line_and_a_bad_row_does_not_end_the_run(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(ROWS))
    done = agentkit("evaluate", "groundedness", "--input", "rows.jsonl", "--output", "out/verdicts.jsonl")
    assert done.returncode == 0, done.stderr
    lines = written(tmp_path / "out" / "verdicts.jsonl")
    assert [(line["row"], line.get("id"), line["status"], line["label"]) for line in lines] == [
        (1, "a", "scored", "supported"),
        (2, 2, "scored", "contradicted"),
        (3, None, "error", ""),
        (5, None, "unscored", "refusal"),
        (6, None, "error", ""),
        (7, None, "error", ""),
    ]
    assert "not JSON" in str(lines[2]["reason"])
    assert "none of answer, claim, output, response" in str(lines[4]["reason"])
    assert lines[5]["reason"] == "documents[0] must be a text, or an object with a 'text'"
    assert "3 error, 2 scored, 1 unscored; mean score 0." in done.stderr


@pytest.mark.parametrize(
    ("evaluator", "keys"),
    [
        ("reasoning_steps", {"first_error"}),
        ("plan_validity", {"valid"}),
        ("failure_attribution", {"agent", "step"}),
        ("tool_calls", {"first_error"}),
    ],
)
def test_a_row_that_cannot_be_read_has_the_keys_of_the_others(
    agentkit: Agentkit, tmp_path: Path, evaluator: str, keys: set[str]
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": "a"\n{"id": "b"}\n7\n')
    done = agentkit("evaluate", evaluator, "--input", "rows.jsonl", "--output", "verdicts.jsonl")
    assert done.returncode == 0, done.stderr
    lines = written(tmp_path / "verdicts.jsonl")
    assert [(line["row"], line.get("id"), line["status"]) for line in lines] == [
        (1, None, "error"),
        (2, "b", "error"),
        (3, None, "error"),
    ]
    for line in lines:
        assert line["findings"] == []
        assert line["reason"]
        assert {key: line[key] for key in keys} == dict.fromkeys(keys)


def test_a_finding_tells_place_reason_and_evidence(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS[1])
    said = agentkit("evaluate", "groundedness", "-i", "rows.jsonl", "-o", "-", "-q")
    findings = json.loads(said.stdout)["findings"]
    number = next(one for one in findings if one["code"] == "number_differs")
    assert (number["start"], number["end"], number["text"], number["kind"]) == (21, 25, "1998", "contradicted")
    assert number["evidence"] == {"document": 0, "start": 18, "end": 25, "text": "in 1997"}
    assert number["reason"] == "the source has another number here: 'in 1997'"
    assert 0 < number["confidence"] <= 1


def test_run_again_it_goes_on_where_it_ended(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(ROWS))
    arguments = ("evaluate", "groundedness", "-i", "rows.jsonl", "-o", "out.jsonl")
    agentkit(*arguments)
    whole = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "out.jsonl").write_bytes(whole[: whole.index(b"\n") + 40])
    again = agentkit(*arguments)
    lines = written(tmp_path / "out.jsonl")
    assert [line["row"] for line in lines] == [1, 2, 3, 5, 6, 7]
    assert "1 were there" in again.stderr
    assert "no rows, 6 were there" in agentkit(*arguments).stderr


def test_rows_come_from_stdin_and_go_to_stdout(agentkit: Agentkit) -> None:
    said = agentkit(
        "evaluate", "groundedness", "-i", "-", "-o", "-", "--option", "threshold=0.999", "-q", input=ROWS[0]
    )
    assert said.stderr == ""
    assert json.loads(said.stdout)["label"] == "unsupported"


def test_gzipped_rows_are_read_like_others_and_a_damaged_file_is_told(agentkit: Agentkit, tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(ROWS).encode())
    (tmp_path / "rows.jsonl").write_text("\n".join(ROWS))
    (tmp_path / "rows.jsonl.gz").write_bytes(packed)
    (tmp_path / "torn.gz").write_bytes(packed[:-12])
    for source, target in (("rows.jsonl", "plain"), ("rows.jsonl.gz", "packed")):
        assert agentkit("evaluate", "groundedness", "--input", source, "--output", target).returncode == 0
    plain, unpacked = ([{**line, "seconds": 0} for line in written(tmp_path / name)] for name in ("plain", "packed"))
    assert plain == unpacked
    torn = agentkit("evaluate", "groundedness", "--input", "torn.gz", "--output", "torn.jsonl")
    assert torn.returncode == 2
    assert "torn.gz is damaged" in torn.stderr
    assert "Traceback" not in torn.stderr


def test_another_file_is_not_written_over(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS[0])
    (tmp_path / "notes.txt").write_text("my notes\n")
    done = agentkit("evaluate", "groundedness", "-i", "rows.jsonl", "-o", "notes.txt")
    assert done.returncode == 2
    assert "something else than verdicts" in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "my notes\n"


def test_mistakes_of_the_user_are_one_sentence_and_exit_2(agentkit: Agentkit, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROWS[0])
    for arguments, sentence in [
        (("groundednes", "-i", "rows.jsonl", "-o", "-"), "did you mean 'groundedness'?"),
        (("groundedness", "-i", "missing.jsonl", "-o", "-"), "missing.jsonl cannot be read"),
        (("groundedness", "-i", "rows.jsonl", "-o", "-", "--option", "treshold=1"), "did you mean 'threshold'?"),
        (("groundedness", "-i", "rows.jsonl", "-o", "-", "--option", "threshold"), "--option takes KEY=VALUE"),
    ]:
        done = agentkit("evaluate", *arguments)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
