"""The lock file: what was agreed to, and whether it still holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit import jsonschema
from agentkit.errors import ConfigError, InputError
from agentkit.graph.kinds.tool import _ports
from agentkit.tools.pins import Pin, Pins, changes, pinned, read_lock, visible, write_lock
from agentkit.tools.servers import Servers
from agentkit.types import ToolSpec

ADD = Pin(name="add", description="Adds.", parameters={"type": "object", "properties": {"a": {"type": "integer"}}})
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
PINS = st.builds(
    Pin, name=TEXTS, description=TEXTS, parameters=st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=3)
)


@settings(deadline=None)
@given(st.dictionaries(TEXTS, st.lists(PINS, max_size=3), max_size=3))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, list[Pin]]) -> None:
    path = tmp_path_factory.mktemp("lock") / "mcp.lock"
    pins = {name: Pins(at="x", tools={one.name: one for one in tools}) for name, tools in servers.items()}
    write_lock(path, pins)
    assert read_lock(path) == pins


@given(PINS, PINS)
def test_a_tool_is_unchanged_when_all_that_a_model_reads_is_equal(one: Pin, other: Pin) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_what_changed_is_shown_line_by_line() -> None:
    after = Pin(name="add", description="Adds.\nAnd sends.", parameters={**ADD.parameters, "required": ["a"]})
    (change,) = changes({"add": ADD}, {"add": after})
    assert change.word == "changed"
    assert "+ And sends." in change.lines()
    assert [line for line in change.lines() if "required" in line] == ['+  "required": [']


def test_new_and_gone_tools_are_told() -> None:
    assert [(one.name, one.word) for one in changes({"add": ADD}, {"say": Pin(name="say")})] == [
        ("add", "gone"),
        ("say", "new"),
    ]


def test_a_long_difference_is_cut() -> None:
    after = Pin(name="add", description="\n".join(map(str, range(1000))), parameters=ADD.parameters)
    (change,) = changes({"add": ADD}, {"add": after})
    assert change.lines()[-1] == "... and 977 lines more"


@given(st.text())
def test_text_of_others_stays_on_one_line_and_moves_no_cursor(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown


def test_an_edited_lock_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mcp.lock"
    write_lock(path, {"other": Pins(at="x", tools={"add": ADD})})
    path.write_text(path.read_text().replace("Adds.", "Adds and sends."))
    with pytest.raises(InputError, match="was edited: the tool 'add' of 'other'"):
        read_lock(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "x"}',
        '{"schema": "agentkit-tools/v1"}',
        '{"schema": "agentkit-tools/v1", "servers": 1}',
    ],
)
def test_a_damaged_lock_file_is_one_named_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mcp.lock"
    path.write_text(text)
    with pytest.raises(InputError, match="lock file"):
        read_lock(path)


WORDS = [
    "type",
    "properties",
    "required",
    "enum",
    "items",
    "additionalProperties",
    "$ref",
    "anyOf",
    "minimum",
    "maxLength",
]
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["string", "object", "#/properties/a", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WORDS, "a"]), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    SCHEMAS, st.dictionaries(st.sampled_from(["a", "b"]), st.none() | st.integers() | st.text(max_size=3), max_size=2)
)
def test_a_schema_of_others_is_refused_or_can_be_checked_against(schema: object, arguments: dict[str, object]) -> None:
    try:
        pins = pinned("other", [Pin(name="t", parameters=schema)])  # type: ignore[arg-type]
    except ConfigError:
        return
    _ports(ToolSpec(name="t", description="", parameters=pins["t"].parameters))
    jsonschema.mismatch(arguments, pins["t"].parameters)


def test_nothing_fits_a_type_that_there_is_not() -> None:
    inner = {"anyOf": [{"type": "strnig"}]}
    assert jsonschema.mismatch({"a": 1}, {"properties": {"a": inner}}) == "a: fits none of its anyOf choices"
    assert jsonschema.mismatch({}, {"type": "#/properties/a"}) == "must be #/properties/a, not a mapping"


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two tools named 'add'"):
        pinned("other", [ADD, ADD])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("servers: {a: {}}", "a server has either a 'command' or a 'url'"),
        ("servers: {a: {command: [x], url: 'http://x'}}", "a server has either a 'command' or a 'url'"),
        ("servers: {a: {url: 'file:///x'}}", "'url' must begin with http:// or https://"),
        ("servers: {a: {comand: [x]}}", "unknown key; did you mean 'command'?"),
        ("servers: {a: {command: x}}", "must be a list"),
        ("servers: {A: {command: [x]}}", "must be lower_snake_case"),
        ("servers: {a: x}", "must be a mapping with 'command' or 'url', not the text 'x'"),
        ("server: {}", "the file must hold one mapping, 'servers'"),
        ("servers: {a: {command: [x], command: [y]}}", "duplicate key"),
    ],
)
def test_what_is_wrong_with_the_file_of_servers_is_told_with_its_place(
    tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "mcp.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        _ = Servers(file).all
    assert sentence in str(caught.value)
    assert f"{file}:1:" in str(caught.value)


def test_secrets_are_read_from_the_environment_when_the_server_is_started(tmp_path: Path) -> None:
    file = tmp_path / "mcp.yaml"
    file.write_text('servers: {a: {command: [x], env: {KEY: "${env:MINE}"}, folder: sub}}')
    servers = Servers(file, networks=("10.0.0.0/8",), environ={"MINE": "canary-1"})
    filled = servers.filled(servers.get("a"))
    assert filled.env == {"KEY": "canary-1"}
    assert filled.folder == tmp_path / "sub"
    assert filled.networks == ("10.0.0.0/8",)
    with pytest.raises(ConfigError, match="the environment variable MINE is not set"):
        Servers(file, environ={}).filled(servers.get("a"))
    assert "canary-1" not in repr(servers)
