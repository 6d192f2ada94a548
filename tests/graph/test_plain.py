"""Values as plain data and back, and values against a JSON Schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from agentkit.errors import ConfigError
from agentkit.graph.plain import documents, to_plain
from agentkit.jsonschema import check_schema, mismatch
from agentkit.types import Document, Sample, Score, TokenLogprob


class Colour(Enum):
    RED = "red"


def test_values_become_what_json_can_hold() -> None:
    score = Score(value=0.5, metadata={"path": Path("a/b"), "colour": Colour.RED, "nan": float("nan"), "set": {1}})
    plain = to_plain({"score": score, "many": (1, 2.0, None)})
    assert json.loads(json.dumps(plain)) == plain
    assert plain["score"]["metadata"] == {"path": "a/b", "colour": "red", "nan": None, "set": [1]}


def test_logprobs_stay_behind() -> None:
    sample = Sample(text="a", logprobs=(TokenLogprob(token="a", logprob=-0.1),))
    assert "logprobs" not in to_plain(sample)


def test_an_object_is_no_plain_data() -> None:
    with pytest.raises(ConfigError, match="a object is not plain data"):
        to_plain({"a": [object()]})


def test_documents_come_back_as_they_were() -> None:
    given = (Document(text="a", title="A", score=0.5, metadata={"k": 1}), Document(text="b"))
    assert documents(to_plain(given)) == given
    assert documents([asdict(one) for one in given]) == given
    assert documents(["a"]) == (Document(text="a"),)
    assert documents(None) == ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("text", "documents must be a list"),
        ([3], "a document must be a text or a mapping"),
        ([{"text": "a", "titel": "b"}], "a document has no 'titel'; did you mean 'title'"),
        ([{"text": 3}], "the 'text' of a document cannot be 3"),
        ([{"text": "a", "score": "high"}], "the 'score' of a document cannot be the text 'high'"),
    ],
)
def test_what_is_no_document_is_told(value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        documents(value)


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "age": {"type": ["integer", "null"], "minimum": 0},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "maxItems": 2},
        "kind": {"enum": ["a", "b"]},
        "either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"name": "Ann", "age": 3, "tags": ["x"], "kind": "a", "either": 1}, ""),
        ({"name": "Ann", "age": None}, ""),
        ({"name": "Ann", "age": 3.0}, ""),
        ({}, "'name' is missing"),
        ([], "must be object, not a list"),
        ({"name": "A"}, "name: must have at least 2 characters"),
        ({"name": "Ann", "age": -1}, "age: must be at least 0, not -1"),
        ({"name": "Ann", "age": True}, "age: must be integer or null, not true"),
        ({"name": "Ann", "age": 1.5}, "age: must be integer or null, not 1.5"),
        ({"name": "Ann", "tags": ["x", 3]}, "tags[1]: must be string, not 3"),
        ({"name": "Ann", "tags": ["x", "y", "z"]}, "tags: must have at most 2 items"),
        ({"name": "Ann", "kind": "c"}, "kind: must be one of a, b, not the text 'c'"),
        ({"name": "Ann", "either": []}, "either: fits none of its anyOf choices"),
        ({"name": "Ann", "nmae": 1}, "'nmae' is not a property (known: name, age, tags, kind, either)"),
    ],
)
def test_a_value_against_a_schema(value: Any, fault: str) -> None:
    assert mismatch(value, SCHEMA) == fault


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {"properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert mismatch({"next": {"next": {}}}, schema) == ""
    assert mismatch({"next": {"nxt": 1}}, schema) == "next: 'nxt' is not a property (known: next)"
    assert mismatch({}, {"$ref": "#"}) == "nothing may stand here"


def test_a_schema_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no type 'strng'"):
        check_schema({"type": "object", "properties": {"a": {"type": "strng"}}})
    with pytest.raises(ConfigError, match="must map names to schemas"):
        check_schema({"properties": ["a"]})
