"""The loader and the tools over the file on files that somebody is in the middle of writing, and on plain noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agentkit import Kit
from agentkit.errors import GraphError
from agentkit.graph import Graph, load_text
from agentkit.graph.draw import mermaid
from agentkit.graph.schema import graph_schema
from agentkit.yaml_reader import read

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("graphs/*.yaml"), *ROOT.glob("docs/lint/*.yaml")])
LINES = [line for path in FILES for line in path.read_text().splitlines()]
PIECES = st.sampled_from(
    ["", " ", "  ", ":", "{", "}", "[", "]", "- ", "'", '"', "#", "*a", "&a ", "!x", "null", "0", "-1", "x."]
)
FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(installed=False, home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def schema(kit: Kit) -> Draft202012Validator:
    return Draft202012Validator(graph_schema(kit.registry))


@st.composite
def edited(draw: Any) -> str:
    """A shipped file after a few edits: lines left out, doubled, moved, taken from another file, or cut into."""
    lines = draw(st.sampled_from(FILES)).read_text().splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1)) if lines else 0
        edit = draw(st.sampled_from(["drop", "double", "move", "borrow", "cut"]))
        if edit == "drop" and lines:
            lines.pop(place)
        elif edit == "double" and lines:
            lines.insert(place, lines[place])
        elif edit == "move" and lines:
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
        elif edit == "borrow":
            lines.insert(place, draw(st.sampled_from(LINES)))
        elif lines:
            at = draw(st.integers(0, len(lines[place])))
            rest = draw(st.integers(at, len(lines[place])))
            lines[place] = lines[place][:at] + draw(PIECES) + lines[place][rest:]
    return "\n".join(lines)


def loaded(text: str, kit: Kit) -> Any:
    """The spec, or None for a text that was refused in an orderly way."""
    try:
        return load_text(text, registry=kit.registry, file="graph.yaml", folder=ROOT / "graphs")
    except GraphError as error:
        problems = error.problems
    assert problems
    for one in problems:
        assert 1 <= one.line <= text.count("\n") + 2, str(one)
        assert one.column >= 1
        assert one.message
        assert "\n" not in one.message
    return None


@FUZZ
@given(edited())
def test_a_file_under_edit_loads_or_is_refused_with_places(kit: Kit, text: str) -> None:
    loaded(text, kit)


@FUZZ
@given(edited())
def test_whatever_loads_also_passes_the_schema(kit: Kit, schema: Draft202012Validator, text: str) -> None:
    if loaded(text, kit) is not None:
        assert [error.message for error in schema.iter_errors(read(text, file="graph.yaml").data)] == []


@FUZZ
@given(edited())
def test_whatever_loads_can_be_linted_planned_and_drawn(kit: Kit, tmp_path_factory: Any, text: str) -> None:
    spec = loaded(text, kit)
    if spec is None:
        return
    path = tmp_path_factory.mktemp("graph") / "graph.yaml"
    path.write_text(text)
    (path.parent / "prompts").symlink_to(ROOT / "graphs" / "prompts")
    spec = replace(spec, file=str(path))
    graph = Graph(spec, registry=kit.registry, open_model=never, provided=kit.provided)
    assert all(1 <= one.line <= text.count("\n") + 2 for one in graph.lint())
    plan = graph.plan()
    assert [one.name for one in plan.nodes if "/" not in one.name] == list(spec.nodes)
    assert mermaid(spec)


def never(entry: Any) -> Any:
    raise AssertionError("a model was opened")


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="{}[]:-&*!#|>'\"%@`\n ,?ab1.~"), st.text().map(str.encode)))
def test_noise_is_a_graph_error_and_nothing_else(text: str | bytes) -> None:
    with pytest.raises(GraphError):
        load_text(text, registry=Kit(installed=False).registry, file="graph.yaml")
