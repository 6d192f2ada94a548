"""A calibration in use."""

import json
from pathlib import Path

import pytest

from agentkit.errors import ConfigError
from agentkit.evaluators.hallucination.calibrated import calibrated
from agentkit.evaluators.hallucination.self_check import SelfCheck
from agentkit.types import Record, Score

GOOD = {
    "schema": "agentkit-calibration/v1",
    "evaluator": "self_check",
    "knots": [[0.0, 0.1], [1.0, 0.9]],
    "accept_from": 0.8,
    "reject_to": 0.2,
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "calibration.json"
    path.write_text(json.dumps({**GOOD, **changes}))
    return path


def score(value: float) -> Score:
    return Score(value=value, label="consistent", evaluator="self_check")


def test_scores_become_probabilities_and_the_band_abstains(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert calibrated(score(1.0), path).value == pytest.approx(0.9)
    assert calibrated(score(0.0), path).value == pytest.approx(0.1)
    between = calibrated(score(0.5), path)
    assert (between.status, between.label, between.value) == ("unscored", "abstained", None)
    assert between.metadata["raw"] == 0.5
    assert between.reason


def test_without_a_band_every_score_is_mapped(tmp_path: Path) -> None:
    path = written(tmp_path, accept_from=None, reject_to=None)
    assert calibrated(score(0.5), path).value == pytest.approx(0.5)


async def test_an_evaluator_takes_the_file_as_an_option(tmp_path: Path) -> None:
    judge = SelfCheck(calibration=written(tmp_path))
    found = await judge.evaluate(Record(output="4", metadata={"samples": ["4", "4"]}))
    assert found.value == pytest.approx(0.9)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "x"},
        {"knots": []},
        {"knots": [[0, 0.5], [1, 0.4]]},
        {"knots": [[0, 2]]},
        {"evaluator": "groundedness"},
    ],
)
def test_a_file_that_is_no_calibration_of_it_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        calibrated(score(0.5), written(tmp_path, **changes))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        calibrated(score(0.5), tmp_path / "none.json")
