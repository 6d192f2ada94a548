"""``agentkit horizon`` on files of verdicts."""

import json

import pytest

from agentkit.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["horizon", *arguments])
    return stop.value.code


@pytest.fixture
def results(tmp_path):
    rows = [
        {
            "row": place,
            "model": "m",
            "task": place % 5,
            "steps": 4,
            "first_error": 1 if place % 2 else None,
            "status": "scored",
        }
        for place in range(20)
    ]
    path = tmp_path / "out.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return path


def test_it_prints_a_table_and_draws_the_curve(results, tmp_path, capsys):
    assert run(str(results), "--svg", str(tmp_path / "curve.svg"), "--resamples", "20") == 0
    assert "H50" in capsys.readouterr().out
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_it_prints_data(results, capsys):
    assert run(str(results), "--json", "--resamples", "20") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["runs"], found["tasks"], found["failures"]) == ("m", 20, 5, 10)


def test_errors_are_one_sentence(results, tmp_path, capsys):
    assert run(str(tmp_path / "none.jsonl")) == 2
    assert "cannot be read" in capsys.readouterr().err
    results.write_text('{"steps": 1}\n{oops\n')
    assert run(str(results)) == 2
    assert "out.jsonl:2: not JSON" in capsys.readouterr().err
    assert run(str(results), "--svg", str(tmp_path / "no" / "such" / "f.svg")) == 2
