"""The strict YAML reader: YAML 1.2 scalars, places of everything, bounds, and one kind of error."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import GraphError
from agentkit.yaml_reader import MAX_ALIASES, MAX_BYTES, Mark, read


def data_of(text: str | bytes) -> object:
    return read(text, file="f.yaml").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("1_000", "1_000"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("-3", -3),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("9" * 30, "9" * 30),
        ("1e999", "1e999"),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert data_of(f"key: {text}\n") == {"key": value}


def test_keys_that_look_like_booleans_in_yaml_1_1_are_text() -> None:
    assert data_of("on: 1\nno: 2\ny: 3\n") == {"on": 1, "no": 2, "y": 3}


def test_every_key_and_value_has_its_place() -> None:
    source = read("a:\n  - x: 1\n    yy:   [2, 3]\n", file="f.yaml")
    assert source.values[("a", 0, "x")] == Mark(2, 8)
    assert source.keys[("a", 0, "yy")] == Mark(3, 5)
    assert source.values[("a", 0, "yy", 1)] == Mark(3, 15)
    assert str(source.problem(("a", 0, "yy"), "bad", key=True)) == "f.yaml:3:5: a.0.yy: bad"
    assert str(source.problem(("a", 0, "nowhere", "deep"), "bad")) == "f.yaml:2:5: a.0.nowhere.deep: bad"


def test_aliases_stand_for_their_anchors() -> None:
    assert data_of("a: &x {k: [1]}\nb: *x\nc: [*x, *x]") == {"a": {"k": [1]}, "b": {"k": [1]}, "c": [{"k": [1]}] * 2}


def test_a_byte_order_mark_is_no_text() -> None:
    assert data_of(b"\xef\xbb\xbfa: 1") == data_of("\ufeffa: 1") == {"a": 1}


REFUSED = {
    "a: 1\na: 2": "2:1: a: duplicate key; it stands first in line 1",
    "x:\n  b: 1\n  b: 2": "3:3: x.b: duplicate key; it stands first in line 2",
    "[" * 500: "1:65: nested more than 64 levels deep",
    "{a: " * 500: "1:257: nested more than 64 levels deep",
    "a: !!python/object/apply:os.system ['true']": "1:4: a: tags are not allowed: !!python/object/apply:os.system",
    "a: !!str 5": "1:4: a: tags are not allowed: !!str",
    "!x a: 1": "1:1: a: tags are not allowed: !x",
    "<<: {a: 1}": "1:1: <<: merge keys are not part of YAML 1.2; write the keys out",
    "? {a: b}\n: c": "1:3: a key must be plain text, not a mapping or a list",
    "&a [*a]": "1:5: 0: the alias *a has no anchor &a that ends before it",
    "a: *b": "1:4: a: the alias *b has no anchor &b that ends before it",
    "1: x": "1:1: a key must be text; write '1' in quotes",
    "true: x": "1:1: a key must be text; write 'true' in quotes",
    "a: .inf": "1:4: a: .inf is not a number that a file may hold",
    "a: .NaN": "1:4: a: .NaN is not a number that a file may hold",
    "": "1:1: the file is empty",
    "# nothing": "1:1: the file is empty",
    "a: 1\n---\nb: 2": "2:1: a file holds one document; remove the second '---'",
    "a: \0": "1:4: the character U+0000 is not allowed in YAML",
    'a: "\\ud800"': "1:4: a: half a surrogate pair is not a character; write the character itself",
    "a:\n\t- b": "2:1: this is not YAML: a tab cannot stand here; indent with spaces",
    "a: 'x": "1:6: this is not YAML: a quotation mark is opened and never closed",
    'a: "\\U00110000"': "1:1: this is not YAML: a number or an escape after this place is out of range",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:24])
def test_what_cannot_be_meant_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(GraphError) as caught:
        data_of(text)
    assert str(caught.value) == f"f.yaml:{REFUSED[text]}"


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        data_of("a: 1\na: 2\nb: !t 1\n3: x\n")
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]


def test_text_that_is_not_utf_8_is_refused_where_it_ends() -> None:
    with pytest.raises(GraphError, match=r"f\.yaml:2:4: the file is not UTF-8 text"):
        data_of(b"a: b\nc: \xff")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * (MAX_BYTES + 1), "larger than 1,000,000 bytes"),
        ("a: &x 1\nb: [" + "*x," * (MAX_ALIASES + 1) + "]", "more than 100 aliases"),
        ("a: &a [" + "x," * 900 + "]\nb: [" + "*a," * 90 + "]", "more than 50,000 values"),
    ],
    ids=["bytes", "aliases", "values"],
)
def test_sizes_are_bounded(text: str, reason: str) -> None:
    with pytest.raises(GraphError, match=reason):
        data_of(text)


PIECES = st.sampled_from(
    [
        *":-[]{},'\"\\|>#?@`~\n\t\r\0\u2028 a",
        "- ",
        "&x",
        "*x",
        "!t",
        "!!str",
        "---",
        "%YAML 1.1\n",
        "0x1",
        "1e9",
        ".inf",
        "<<",
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.lists(PIECES).map("".join), st.text(), st.binary()))
def test_hostile_text_gives_plain_data_or_a_graph_error(text: str | bytes) -> None:
    try:
        read(text, file="f.yaml")
        problems = ()
    except GraphError as error:
        problems = error.problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
