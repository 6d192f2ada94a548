"""The JSON Schema for editors: it lets every right file pass, refuses wrong shapes, and knows what is installed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agentkit import Kit
from agentkit.errors import GraphError
from agentkit.graph import load_text
from agentkit.graph.kinds import Described, uses
from agentkit.graph.schema import graph_schema
from agentkit.runtime.price import Price
from agentkit.types import Problem, Solution
from agentkit.yaml_reader import read

ROOT = Path(__file__).parents[2]
BAD = Path(__file__).parent / "bad"
SHIPPED = sorted([*ROOT.glob("graphs/*.yaml"), *ROOT.glob("plugins/*/*.yaml")])

PAGES = sorted(ROOT.glob("docs/**/*.md"))

ONLY_THE_LOADER_CAN_TELL = {
    "circle_of_references",  # what names refer to, and where loops lead
    "dangling_reference",
    "endless_loop",
    "missing_input",
    "never_before",
    "no_model_chosen",
    "prompt_outside",
    "secret_outside_models",
    "type_mismatch",
    "undeclared_input",
    "unknown_port",
    "expressions_cut_short",
    "nobody_degrades",
    "wrong_graph_tools",
}
NOT_READ = {"deep", "duplicate_key", "not_yaml", "python_tag", "tab", "colon", "indentation", "quotes"}


def faults(schema: Any, data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


@pytest.fixture(scope="module")
def schema() -> Any:
    return graph_schema(Kit().registry)


def test_it_is_a_schema_of_the_draft_it_names(schema: Any) -> None:
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_graph_passes(path: Path, schema: Any) -> None:
    assert faults(schema, read(path.read_text(), file=str(path)).data) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_graph_in_the_docs_passes(page: Path, schema: Any) -> None:
    for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        if "schema: agentkit/v1" in text:
            assert faults(schema, read(text, file=page.name).data) == []


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_of_a_wrong_shape_is_refused(path: Path, bench: Any) -> None:
    if path.stem in NOT_READ:
        pytest.skip("no YAML that can be read")
    found = faults(graph_schema(bench.registry), read(path.read_text(), file=str(path)).data)
    assert bool(found) == (path.stem not in ONLY_THE_LOADER_CAN_TELL), found


def test_every_kind_of_node_says_what_its_options_are() -> None:
    silent = [use for use, kind in uses(Kit(installed=False).registry).items() if not isinstance(kind, Described)]
    assert silent == [], "give these kinds a method 'describe'"


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Tries ``tries`` times. The ``price`` is what it costs."""

    tries: int = 3
    price: Price | None = None
    words: tuple[str, ...] = ("a", "b")

    async def solve(self, problem: str | Problem, *, model: Any) -> Solution:
        return Solution(answer="")


GRAPH = """
schema: agentkit/v1
name: x
models: {m: fake}
nodes:
  a: {use: strategy.nested, with: {tries: 2, price: {input: 1.0}}, in: {question: {value: why}}}
"""


def with_options(**options: Any) -> Any:
    data = read(GRAPH, file="x").data
    data["nodes"]["a"]["with"] = options
    return data


def test_a_plugin_s_options_are_completed_too(bench: Any) -> None:
    bench.registry.add("strategy", "nested", Nested, plugin="tests")
    schema = graph_schema(bench.registry)
    conditions = schema["$defs"]["node"]["allOf"]
    options = next(one["then"] for one in conditions if one["if"]["properties"]["use"]["const"] == "strategy.nested")
    properties = options["properties"]["with"]["properties"]
    assert properties["tries"] == {"type": "integer", "default": 3, "description": "Tries `tries` times."}
    assert properties["words"]["default"] == ["a", "b"]
    assert properties["price"]["description"] == "The `price` is what it costs."
    assert set(properties) >= {"model", "prompt"}


@pytest.mark.parametrize(
    "options",
    [
        {"tries": "many"},
        {"try": 1},
        {"price": {"inptu": 1}},
        {"price": 3},
        {"words": "a"},
        {"model": 3},
        {"prompt": 3},
        {"prompt": [{"usr": "x"}]},
        {"prompt": {"file": "a", "user": "b"}},
    ],
    ids=json.dumps,
)
def test_wrong_options_are_refused_as_the_loader_refuses_them(options: Any, bench: Any) -> None:
    bench.registry.add("strategy", "nested", Nested, plugin="tests")
    assert faults(graph_schema(bench.registry), with_options(**options))
    with pytest.raises(GraphError):
        load_text(json.dumps(with_options(**options)), registry=bench.registry)


def test_right_ones_pass(bench: Any) -> None:
    bench.registry.add("strategy", "nested", Nested, plugin="tests")
    for options in ({}, {"tries": 1}, {"price": {"input": 1}}, {"price": None}, {"prompt": [{"user": "{{question}}"}]}):
        assert faults(graph_schema(bench.registry), with_options(**options)) == []
        load_text(json.dumps(with_options(**options)), registry=bench.registry)


def test_a_component_that_cannot_be_loaded_takes_any_options(bench: Any) -> None:
    data = read(GRAPH.replace("nested", "broken"), file="x").data
    assert faults(graph_schema(bench.registry), data) == []
