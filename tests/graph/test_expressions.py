"""Expressions: names known at load, null where something is absent, one sentence where they are wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.expressions import parse


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("check.score >= 0.8", ["check.score"]),
        ("a.b == 'c.d' && e.f > 1 // g.h", ["a.b", "e.f"]),
        ("size(find.documents) > 0", ["find.documents"]),
        ("find.documents.exists(d, d.score > inputs.limit)", ["find.documents", "inputs.limit"]),
        ("a.b.c", ["a.b"]),
        ("a", ["a"]),
        ("a['b']", ["a"]),
        ('"""a.b""" == r"c.d"', []),
        ("a.b.startsWith('x')", ["a.b"]),
        ("a.size()", ["a"]),
        (".a.b + [.c][0]", ["a.b", "c"]),
        ("1 in .d", ["d"]),
        ("true ? null : {'k': x}", ["x"]),
    ],
)
def test_the_names_of_an_expression(source: str, uses: list[str]) -> None:
    assert [str(use) for use in parse(source).uses] == uses


@pytest.mark.parametrize(
    ("source", "values", "value"),
    [
        ("check.score >= 0.8", {"check": {"score": 0.9}}, True),
        ("check.score >= 0.8", {"check": {"score": 1}}, True),
        ("check.score >= 0.8", {"check": {}}, None),
        ("check.score >= 0.8", {}, None),
        ("check.score == null", {}, True),
        ("check.score == null || check.score < 1.0", {}, True),
        ("!(check.score > 1.0)", {}, None),
        ("a.b.map(x, x * 2)", {"a": {"b": [1, 2]}}, [2, 4]),
        ("{'k': a.b}", {"a": {"b": "v"}}, {"k": "v"}),
        ("a.b in ['x', 'y']", {"a": {"b": "x"}}, True),
        ("a + b", {"a": 1, "b": 2}, 3),
        ("size(a)", {"a": "four"}, 4),
        ("string(a) + '!'", {"a": 3}, "3!"),
        ("double(a) * 0.5", {"a": 3}, 1.5),
    ],
)
def test_values(source: str, values: dict[str, Any], value: Any) -> None:
    assert parse(source).evaluate(values) == value


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("a >", "'a >' is not an expression: it ends too early (column 4)"),
        ("", "'' is not an expression"),
        ("launch(a)", "there is no function 'launch'"),
        ("a.startWith('x')", "there is no function 'startWith'; did you mean 'startsWith'?"),
        ("__import__('os').system('x')", "there is no function '__import__'"),
        ("has(a.b)", "'has' is not needed"),
        ("[1].map(x, [1].map(y, [1].map(z, z)))", "nested at most 2 deep"),
        ("1" * 2001, "at most 2,000 characters"),
        ("(" * 200 + "1" + ")" * 200, "nested too deep"),
    ],
)
def test_what_is_no_expression_is_refused(source: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(source)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("source", "values", "sentence"),
    [
        ("a.b > 1", {"a": {"b": "text"}}, "the kinds of its values do not fit"),
        ("1 / a.b", {"a": {"b": 0}}, "division by zero"),
        ("b'x'", {}, "an expression gave bytes, which is not plain data"),
    ],
)
def test_what_cannot_be_computed_is_told(source: str, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(source).evaluate(values)
    assert sentence in str(caught.value)


def test_a_condition_must_be_true_or_false() -> None:
    assert parse("1 < 2").holds({})
    assert not parse("a.b").holds({})
    with pytest.raises(ConfigError, match="must be true or false, not the text 'yes'"):
        parse("'yes'").holds({})


def test_values_are_not_changed() -> None:
    values = {"a": {"b": [3, 1]}}
    parse("a.b.filter(x, x > 1)").evaluate(values)
    assert values == {"a": {"b": [3, 1]}}


def test_the_library_comes_without_the_command_line_of_its_package() -> None:
    code = "import sys; from agentkit.expressions import parse; parse('1 < 2').holds({}); print('typer' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abq"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"ab.+-*/%!?:()[]{},<> 'x", "&&", "==", ".map(x,", "size(", "1.5", "2u", "null"]), max_size=12
    ),
    st.dictionaries(st.sampled_from("ab"), VALUES),
)
def test_any_text_is_evaluated_or_refused(pieces: list[str], values: dict[str, Any]) -> None:
    try:
        outcome = parse("".join(pieces)).evaluate(values)
    except ConfigError as error:
        outcome = str(error)
    assert outcome is None or isinstance(outcome, str | bool | int | float | list | dict)
