"""What is written is read back as the very same data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.yaml_reader import read
from agentkit.yaml_writer import write

TEXTS = st.text(st.characters(codec="utf-8")) | st.text(
    "-+0123456789.eExoa:_#{}[]&*!|>'\"%@` \n\t~nulltruefso", max_size=12
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4))
@example({"a": "no", "b": "1e5", "c": "0o17", "d": "~", "e": "1_000", "f": "2020-01-01", "g": "<<", "h": "="})
@example(
    {"a": " leading\nblock\n\n", "b": "\n\n", "c": "a\n b", "d": "tab\there\n", "e": "\x85\u2028", "f": "- a\n- b"}
)
@example({"<<": 1, "a": 1e300, "b": -0.0, "c": 1e-7})
def test_any_data_survives_the_round_trip(data: dict[str, Any]) -> None:
    again = read(write(data), file="x").data
    assert repr(again) == repr(data)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "a.0: nan is not a number that a file may hold"),
        (10**18, "a.0: a whole number may have 18 digits"),
        ("\ud800", "a.0: half a surrogate pair is not a character"),
        (object(), "a.0: a object cannot be written in a file"),
        ({1: 2}, "a.0: a key must be text, not 1"),
    ],
)
def test_what_a_file_cannot_hold_is_told_with_its_place(value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        write({"a": [value]})
    assert str(caught.value) == sentence


def test_what_people_write_looks_as_people_write_it() -> None:
    data = {
        "name": "x",
        "nodes": {"a": {"use": "model", "with": {"prompt": "One\ntwo: {{x}}\n"}}},
        "edges": ["a -> b", "b -> c"],
    }
    assert write(data) == (
        "name: x\nnodes:\n  a:\n    use: model\n    with:\n      prompt: |\n        One\n        two: {{x}}\n"
        "edges: [a -> b, b -> c]\n"
    )
