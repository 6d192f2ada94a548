"""Plain data: what a file can hold and give back unchanged."""

import pytest

from agentkit.errors import EvaluationError
from agentkit.evaluation.plain import canonical, plain
from agentkit.types import Document, Usage


def test_values_become_json_data():
    value = {"documents": (Document(text="d"),), "usage": Usage(calls=1), "list": [1, 2.5, None, True, "x"]}
    data = plain(value)
    assert data["documents"][0]["text"] == "d"
    assert data["usage"]["calls"] == 1
    assert data["list"] == [1, 2.5, None, True, "x"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {"b": b"x"}]}, r"output\.a\[1\]\.b is bytes, which is not plain data"),
        ({"a": float("inf")}, r"output\.a is inf, which is not plain data"),
        ({1: 2}, "output has the key 1, which is not a string"),
        (Usage, "output is type, which is not plain data"),
    ],
)
def test_what_has_no_such_form_is_named_with_its_place(value, message):
    with pytest.raises(EvaluationError, match=message):
        plain(value, "output")


def test_equal_data_have_one_canonical_text():
    assert canonical({"b": 1, "a": [1, 2]}) == canonical({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'
