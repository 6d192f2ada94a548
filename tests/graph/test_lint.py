"""Lint: every code has an example that fires and one that is silent; where findings stand; what can be left out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentkit import Bounds, Kit, hookimpl
from agentkit.graph.lint import MODULES, RULES
from agentkit.protocols import Model
from agentkit.testing import ScriptedModel
from agentkit.types import Capabilities, Problem, Solution

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "lint"
CODES = sorted(RULES)
SHIPPED = sorted([*ROOT.glob("graphs/*.yaml"), *ROOT.glob("plugins/*/*.yaml")])


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(installed=False, home=tmp_path_factory.mktemp("home"))


def example(code: str, kind: str) -> Path:
    return EXAMPLES / f"{code.lower()}_{kind}.yaml"


@pytest.mark.parametrize("code", CODES)
def test_every_code_fires_on_its_example_and_on_nothing_else_there(code: str, kit: Kit) -> None:
    found = kit.graph(example(code, "fires")).lint()
    assert code in {one.code for one in found}
    severe = {one.code for one in found if one.severity != "note"}
    assert severe <= ALSO.get(code, set()) | {code}, [str(one) for one in found]


ALSO = {"AK002": {"AK001"}, "AK003": {"AK001", "AK002"}, "AK005": {"AK003", "AK001"}}
"""What cannot be shown without showing another thing too."""


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_silent_on_the_other_example_and_so_are_the_rest(code: str, kit: Kit) -> None:
    found = kit.graph(example(code, "silent")).lint()
    assert code not in {one.code for one in found}
    assert [str(one) for one in found if one.severity != "note"] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_graphs_are_clean(path: Path) -> None:
    assert [str(one) for one in Kit().graph(path).lint()] == []


def test_no_example_belongs_to_no_rule() -> None:
    assert {path.stem[:5].upper() for path in EXAMPLES.glob("*.yaml")} == set(RULES)


def test_codes_and_names_are_unique_and_every_rule_says_what_to_do() -> None:
    assert len({one.name for one in RULES.values()}) == len(RULES)
    for code, rule in RULES.items():
        assert re.fullmatch(r"AK0\d\d", code)
        assert len(rule.about.split()) > 8, f"{code} says too little"
        assert rule.severity in ("error", "warning", "note")
    assert {one.check.__module__ for one in RULES.values()} == {module.__name__ for module in MODULES}


def lint(tmp_path: Path, kit: Kit, text: str, **files: str) -> list[Any]:
    for name, content in files.items():
        (tmp_path / f"{name}.yaml").write_text(content)
    (tmp_path / "graph.yaml").write_text(text)
    return kit.graph(tmp_path / "graph.yaml").lint()


INNER = """\
schema: agentkit/v1
name: inner
inputs: {question: string, tone: {type: string, default: kind}}
outputs: {text: say.text}
nodes:
  say: {use: model, with: {prompt: "{{question}}", max_tokens: 9}, in: {question: inputs.question}}
"""
OUTER = """\
schema: agentkit/v1
name: graph
description: A graph with another one inside.
inputs: {question: string}
outputs: {answer: review.text}
models: {small: local/smollm2}
budget: {calls: 9}
nodes:
  review: {use: graph, with: {file: inner.yaml}, in: {question: inputs.question}}
"""


def test_a_finding_inside_another_file_stands_in_that_file(tmp_path: Path, kit: Kit) -> None:
    found = [one for one in lint(tmp_path, kit, OUTER, inner=INNER) if one.severity == "warning"]
    assert [(one.code, Path(one.file).name, one.line, one.path) for one in found] == [
        ("AK010", "inner.yaml", 3, "inputs.tone")
    ]


def test_one_in_a_graph_written_in_place_stands_where_it_is_written(tmp_path: Path, kit: Kit) -> None:
    inline = OUTER.replace(
        "with: {file: inner.yaml}",
        "with: {graph: {inputs: {question: string, tone: {default: x}}, "
        'outputs: {text: say.text}, nodes: {say: {use: template, with: {template: "{{q}}"}, in: {q: inputs.question}}}}}',
    )
    found = [one for one in lint(tmp_path, kit, inline) if one.code == "AK010"]
    assert [(one.path, one.line) for one in found] == [("nodes.review.with.graph.inputs.tone", 9)]


def test_a_file_leaves_rules_out_for_itself(tmp_path: Path, kit: Kit) -> None:
    quiet = INNER + "x-lint: {ignore: [AK010, AK050]}\n"
    assert lint(tmp_path, kit, OUTER, inner=quiet) == []
    assert {one.code for one in lint(tmp_path, kit, OUTER + "x-lint: {ignore: [AK010]}\n", inner=INNER)} == {
        "AK010",
        "AK050",
    }


def test_only_the_rules_asked_for_are_asked(tmp_path: Path, kit: Kit) -> None:
    assert kit.graph(example("AK024", "fires")).lint(codes=["AK001"]) == []


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ("edges:\n  - a -> b -> c\n  - {from: c, to: b, when: '1 < 2', max: 1}\n", "edges.1.when"),
        ("edges:\n  - {from: a, to: b, when: '1 < 2'}\n  - a -> c\n", "edges.0.when"),
    ],
)
def test_a_condition_is_told_at_its_edge(edges: str, path: str, tmp_path: Path, kit: Kit) -> None:
    nodes = "".join(f"  {one}: {{use: set, with: {{x: 1}}}}\n" for one in "abc")
    found = lint(tmp_path, kit, f"schema: agentkit/v1\nname: graph\nnodes:\n{nodes}{edges}")
    assert [one.path for one in found if one.code == "AK003"] == [path]


def test_a_secret_is_not_repeated_in_the_finding(kit: Kit) -> None:
    found = kit.graph(example("AK024", "fires")).lint(codes=["AK024"])
    assert "sk-" not in json.dumps([str(one) for one in found])


@pytest.mark.parametrize(
    "secret",
    ["api_key: hunter2hunter2", "extra_body: {password: 'abc12345'}", "extra_body: {x: ghp_a1b2c3d4e5f6g7h8i9j0}"],
)
def test_secrets_are_known_by_their_name_or_their_shape(secret: str, tmp_path: Path, kit: Kit) -> None:
    text = example("AK024", "silent").read_text().replace('api_key: "${env:EXAMPLE_KEY}"', secret)
    assert [one.code for one in lint(tmp_path, kit, text) if one.severity == "error"] == ["AK024"]


def test_lint_asks_no_model_and_needs_no_secret(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMPLE_KEY", raising=False)
    assert kit.graph(example("AK024", "silent")).lint(codes=["AK021", "AK022"]) == []


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """A strategy that cannot do without log-probabilities."""

    def bounds(self) -> tuple[Bounds, ...]:
        return (Bounds(least=3, most=3, output=9, needs=frozenset({"logprobs"}), vote=True),)

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        raise AssertionError("lint runs nothing")


class Plugin:
    @hookimpl
    def register_strategies(self, register: Any) -> None:
        register("weighing", Weighing)


def test_what_a_strangers_component_needs_is_held_against_the_model(tmp_path: Path) -> None:
    text = example("AK036", "silent").read_text().replace("self_consistency", "weighing")
    path = tmp_path / "graph.yaml"
    path.write_text(re.sub(r"with: \{.*\}", "with: {}", text))
    kit = Kit(plugins=[Plugin()], installed=False, home=tmp_path)
    for able, codes in ((Capabilities(), ["AK022"]), (Capabilities(logprobs=True), [])):
        found = kit.graph(path, models={"small": ScriptedModel(capabilities=able)}).lint(codes=["AK022"])
        assert [one.code for one in found] == codes
