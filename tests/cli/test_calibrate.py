"""``agentkit calibrate``, as a person meets it."""

import json
from pathlib import Path
from random import Random

import pytest

NAMES = ("Leeds", "York", "Hull", "Ripon", "Selby", "Whitby")


def rows(n: int) -> str:
    """Pools in which the answer is right as often as its samples agree with it."""
    rng, written = Random(5), []
    for number in range(n):
        agreeing = rng.randrange(11)
        samples = [NAMES[0]] * agreeing + list(rng.choices(NAMES[1:], k=10 - agreeing))
        label = rng.random() < (0.0 if agreeing < 3 else 0.3 if agreeing < 7 else 1.0)
        written.append(json.dumps({"id": number, "answer": NAMES[0], "samples": samples, "label": label}))
    return "\n".join(written)


def calibrate(agentkit, tmp_path: Path, n: int, *more: str):
    source, target = tmp_path / "labelled.jsonl", tmp_path / "calibration.json"
    source.write_text(rows(n))
    return agentkit("calibrate", "self_check", "--input", source, "--output", target, *more), target


def test_it_writes_a_map_and_a_band_and_says_what_they_promise(agentkit, tmp_path):
    said, target = calibrate(agentkit, tmp_path, 600)
    assert said.returncode == 0, said.stderr
    assert "promise: 95% right on either side, with 95% certainty" in said.stdout
    found = json.loads(target.read_text())
    assert 0 <= found["reject_to"] < found["accept_from"] <= 1
    assert found["cross_validated"]["ece_after"] < found["cross_validated"]["ece_before"]
    assert found["cross_validated"]["accuracy"]["value"] >= 0.95


def test_the_evaluator_takes_what_was_written(agentkit, tmp_path):
    _, target = calibrate(agentkit, tmp_path, 600)
    judged = agentkit(
        "evaluate", "self_check", "-i", tmp_path / "labelled.jsonl", "-o", "-", "--option", f"calibration={target}"
    )
    verdicts = [json.loads(line) for line in judged.stdout.splitlines()]
    assert all(one["status"] == "scored" or one["label"] == "abstained" for one in verdicts)
    assert {one["status"] for one in verdicts} >= {"scored"}


def test_few_rows_give_a_map_and_no_promise(agentkit, tmp_path):
    said, target = calibrate(agentkit, tmp_path, 40)
    assert "no band: these rows do not show 95% accuracy" in said.stdout
    found = json.loads(target.read_text())
    assert (found["accept_from"], found["reject_to"]) == (None, None)
    assert found["knots"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('{"answer": "4", "samples": ["4", "4"]}', "no 'label' that says true or false"),
        ('{"answer": "4", "label": true}', 'no "samples"'),
        ("{", "labelled.jsonl:1"),
        ('{"answer": "4", "samples": ["4", "4"], "label": true}', "calibration needs 20 rows"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(agentkit, tmp_path, row, sentence):
    source = tmp_path / "labelled.jsonl"
    source.write_text(row + "\n")
    said = agentkit("calibrate", "self_check", "-i", source, "-o", tmp_path / "c.json")
    assert said.returncode != 0
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr
