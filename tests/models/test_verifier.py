"""The head of a learned verifier; what it reads from a real model is tested where torch is."""

import json

import pytest

from agentkit.errors import ConfigError
from agentkit.kit import Kit
from agentkit.models.verifier import Head
from agentkit.types import Record

HEAD = Head(model="folder", layer=-1, weights=(1.0, -2.0), bias=0.5, knots=((0.2, 0.1), (0.8, 0.9)))


def test_a_head_is_read_as_it_was_written(tmp_path):
    HEAD.save(tmp_path / "deep" / "head.json")
    assert Head.load(tmp_path / "deep" / "head.json") == HEAD


def test_a_probability_is_calibrated_and_never_leaves_its_bounds():
    assert HEAD.probability([0.0, 0.25]) == pytest.approx(0.5)
    assert HEAD.probability([1e9, 0.0]) == 0.9
    assert HEAD.probability([-1e9, 0.0]) == 0.1


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"schema": "agentkit-verifier/v1"})])
def test_a_file_that_is_no_verifier_is_told_of_before_anything_is_read(tmp_path, text):
    (tmp_path / "head.json").write_text(text)
    with Kit() as kit, pytest.raises(ConfigError, match="no verifier: make one with agentkit train verifier"):
        kit.evaluator("verifier", head=str(tmp_path / "head.json"))


def test_a_missing_file_is_named(tmp_path):
    with Kit() as kit, pytest.raises(ConfigError, match="cannot be read"):
        kit.evaluator("verifier", head=str(tmp_path / "none.json"))


async def test_an_empty_answer_is_unscored(tmp_path):
    HEAD.save(tmp_path / "head.json")
    with Kit() as kit:
        judge = kit.evaluator("verifier", head=str(tmp_path / "head.json"))
        score = await judge.evaluate(Record(input="3 + 4?", output=" "))
    assert (score.status, score.reason) == ("unscored", "there is no answer")
