"""``agentkit models calibrate``, as a person meets it."""

import gzip
import json
import math
from pathlib import Path
from random import Random

import pytest


def rows(n: int = 800) -> str:
    """Answers of a cheap model that is right when it is sure, and of a strong one that is nearly always right."""
    rng = Random(3)
    written = []
    for number in range(n):
        confidence = rng.random()
        cheap = {"correct": rng.random() < 0.5 + 0.5 * confidence, "confidence": confidence, "usd": 0.001}
        middle = {"correct": rng.random() < 0.9, "logprob": -0.01, "usd": 0.004}
        strong = {"correct": rng.random() < 0.95, "confidence": 1.0, "usd": 0.02}
        written.append(json.dumps({"id": number, "models": {"a": cheap, "b": middle, "c": strong}}))
    return "\n".join(written)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(rows())
    return path


def test_it_prints_the_threshold_what_it_saves_and_what_it_promises(agentkit, recorded):
    said = agentkit("models", "calibrate", recorded, "--models", "a,c", "--loss", "0.03")
    assert said.returncode == 0, said.stderr
    assert "promise: a loss of at most 3.0% on rows like these 800, with 95% certainty" in said.stdout
    assert "in the graph file: threshold: [0." in said.stdout


def test_three_models_get_two_thresholds(agentkit, recorded):
    said = agentkit("models", "calibrate", recorded, "--models", "a,b,c", "--loss", "0.1", "--json")
    report = json.loads(said.stdout)
    assert len(report["thresholds"]) == 2
    assert math.isclose(sum(report["on_these_rows"]["shares"]), 1)
    assert report["on_these_rows"]["saving"][0] > 0.1


def test_packed_rows_are_read_too(agentkit, tmp_path):
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(rows().encode()))
    assert agentkit("models", "calibrate", packed, "--models", "a,c").returncode == 0


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("{}", ["--models", "a,c"], 'rows.jsonl:1: a row is {"models"'),
        ('{"models": {"a": {"correct": true, "confidence": 2}}}', ["--models", "a,c"], "rows.jsonl:1: a row is"),
        ("", ["--models", "a,c"], "there are no rows to calibrate on"),
        (rows(50), ["--models", "a,c"], "record at least"),
        (rows(50), ["--models", "a,d"], "row 1 has no answer of 'd' (it has a, b, c)"),
        (rows(50), ["--models", "a"], "at least two models"),
        (rows(50), ["--models", "a,c", "--loss", "2"], "shares between 0 and 1"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(agentkit, tmp_path, text, options, said):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    ended = agentkit("models", "calibrate", path, *options)
    assert ended.returncode != 0
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_a_missing_file_is_named(agentkit, tmp_path):
    ended = agentkit("models", "calibrate", tmp_path / "none.jsonl", "--models", "a,c")
    assert (ended.returncode, "no such file" in ended.stderr) == (2, True)
