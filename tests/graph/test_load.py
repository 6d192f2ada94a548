"""Loading: twenty and more wrong files, each with the exact words; and what a right file becomes."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import ConfigError, GraphError
from agentkit.graph import load, load_text
from agentkit.graph.spec import Constant, EdgeSpec, InputSpec, ModelSpec, Reference
from agentkit.testing import ScriptedModel

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_wrong_file_is_refused_in_these_words(path: Path, bench: Any) -> None:
    expected = path.with_suffix(".txt").read_text().splitlines()
    with pytest.raises(GraphError) as caught:
        load(path, registry=bench.registry)
    assert str(caught.value).splitlines() == [f"{path}:{line}" for line in expected]


def test_there_are_many_wrong_files_and_most_hold_several_mistakes() -> None:
    told = [path.with_suffix(".txt").read_text().splitlines() for path in BAD]
    assert len(BAD) > 35
    assert sum(len(lines) > 1 for lines in told) > 18
    assert sum(map(len, told)) > 150


def test_no_message_is_told_twice_for_one_place() -> None:
    for path in BAD:
        lines = path.with_suffix(".txt").read_text().splitlines()
        assert len(set(lines)) == len(lines), path.stem


FULL = """
    schema: agentkit/v1
    name: full
    description: Everything once.
    x-team: blue
    inputs:
      question: string
      limit: {type: integer, default: 3, description: How many.}
    outputs:
      answer: [again.answer, solve.answer]
    models:
      small: fake/x
      strong: {use: fake, model: y, api_key: "${env:KEY}", fallback: small, retry: {attempts: 1}, concurrency: 2}
    budget: {tokens: 1000, on_exhausted: best_so_far}
    nodes:
      find:
        use: retriever.shelf
        in: {query: inputs.question}
        retry: {attempts: 3, on: [timeout]}
        timeout: 5
        x-note: free
      solve:
        use: strategy.asking
        with: {model: small}
        in: {question: inputs.question, documents: find.documents}
        budget: {calls: 2}
        on_error: {to: again}
      again:
        use: strategy.asking
        with: {model: strong}
        in: {question: {value: "a.b"}}
        when: "inputs.limit > 2"
    edges:
      - find -> solve
      - {from: solve, to: again, when: "solve.confidence < 0.5", max: 2, x-why: doubt}
"""


def test_a_right_file_becomes_a_spec(bench: Any) -> None:
    spec = bench.load(FULL)
    assert spec.inputs["limit"] == InputSpec(
        name="limit", type="integer", required=False, default=3, description="How many."
    )
    assert spec.outputs["answer"] == (Reference("again", "answer"), Reference("solve", "answer"))
    assert spec.models["small"] == ModelSpec(name="small", use="fake", options={"model": "x"})
    assert spec.models["strong"].fallback == ("small",)
    assert spec.models["strong"].options["api_key"] == "${env:KEY}"
    assert spec.budget is not None
    assert spec.budget.tokens == 1000
    assert spec.nodes["find"].retry is not None
    assert spec.nodes["find"].retry.on == ("timeout",)
    assert spec.nodes["again"].inputs["question"] == (Constant("a.b"),)
    assert spec.edges == (
        EdgeSpec(source="find", target="solve"),
        EdgeSpec(source="solve", target="again", when="solve.confidence < 0.5", max=2),
        EdgeSpec(source="solve", target="again", error=True),
    )
    assert spec.extra == {"x-team": "blue"}


def test_without_edges_nodes_run_after_those_they_take_values_from(bench: Any) -> None:
    spec = bench.load(
        """
        schema: agentkit/v1
        name: implied
        inputs: {q: string}
        nodes:
          count: {use: count, in: {documents: find.documents}}
          find: {use: retriever.shelf, in: {query: inputs.q}}
        """
    )
    assert spec.implied
    assert spec.edges == (EdgeSpec(source="find", target="count"),)


def prompt_graph(prompt: str) -> str:
    return inspect.cleandoc(
        f"""
        schema: agentkit/v1
        name: prompts
        inputs: {{question: string}}
        models: {{small: fake/x}}
        nodes:
          say:
            use: model
            with: {{prompt: {prompt}}}
            in: {{question: inputs.question, tone: {{value: warm}}}}
        """
    )


def test_prompt_files_are_read_once_and_kept_in_the_spec(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "say.md").write_text("Say {{question}} {{tone}}")
    spec = load_text(prompt_graph("{file: prompts/say.md}"), registry=bench.registry, folder=tmp_path)
    assert spec.files == {"prompts/say.md": "Say {{question}} {{tone}}"}


def test_a_mistake_in_a_prompt_file_is_told_with_its_place_in_that_file(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "say.md").write_text("Say\n  {{qestion}} {{tone}}")
    with pytest.raises(GraphError, match=r"say\.md:2:3: \{\{qestion\}\} is not among .*; did you mean 'question'\?"):
        load_text(prompt_graph("{file: say.md}"), registry=bench.registry, folder=tmp_path)


def test_a_prompt_file_behind_a_link_out_of_the_folder_is_refused(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("x")
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "say.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(GraphError, match="leads out of the folder"):
        load_text(prompt_graph("{file: say.md}"), registry=bench.registry, folder=tmp_path / "graphs")


def test_an_option_that_is_a_path_may_not_lead_out_of_the_folder(bench: Any) -> None:
    text = prompt_graph("x").replace("small: fake/x", "small: {use: fake, path: /etc/passwd}")
    with pytest.raises(GraphError, match=r"models\.small\.path: '/etc/passwd' is not a plain relative path"):
        bench.load(text)


def test_an_author_may_put_constants_into_a_system_turn(bench: Any) -> None:
    bench.load(prompt_graph("[{system: 'Be {{tone}}.'}, {user: '{{question}}'}]"))
    bench.load(prompt_graph("{system: 'Be {{tone}}.', user: '{{question}}'}"))


def test_data_may_not(bench: Any) -> None:
    with pytest.raises(GraphError, match="data may not stand in a system turn"):
        bench.load(prompt_graph("{system: 'Be {{question}}.', user: '{{tone}}'}"))


def test_models_can_be_replaced_by_name(bench: Any) -> None:
    spec = bench.load(prompt_graph("'{{question}} {{tone}}'"), models={"small": "fake/other"})
    assert spec.models["small"] == ModelSpec(name="small", use="fake", options={"model": "other"}, given=True)
    spec = bench.load(prompt_graph("'{{question}} {{tone}}'"), models={"small": ScriptedModel()})
    assert spec.models["small"] == ModelSpec(name="small", use="", given=True)


def test_replacing_a_model_the_graph_does_not_have_is_refused(bench: Any) -> None:
    with pytest.raises(ConfigError, match="has no model 'smal' to replace; did you mean 'small'"):
        bench.load(prompt_graph("'{{question}}{{tone}}'"), models={"smal": "fake/x"})


def test_a_file_that_is_not_there_is_a_graph_error(bench: Any, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="the file cannot be read: No such file or directory"):
        load(tmp_path / "none.yaml", registry=bench.registry)


def test_a_folder_is_no_graph(bench: Any, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="the file cannot be read: Is a directory"):
        load(tmp_path, registry=bench.registry)


WORDS = """schema name inputs outputs models budget nodes edges use with in from to when max retry timeout on_error prompt a b
    agentkit/v1 strategy.asking probe join set switch model fake/x inputs.a a.value {{a}} {{#a}} a.value>1 string ${env:X}"""
KEYS = st.sampled_from(WORDS.split()[:22])
SCALARS = st.sampled_from([*WORDS.split()[20:], "a -> b", 1, 0, -1, 1.5, True, None, ""])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
GRAPHS = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just("agentkit/v1"),
        "name": SCALARS,
        "inputs": TREES,
        "outputs": TREES,
        "models": TREES,
        "budget": TREES,
        "nodes": st.dictionaries(
            st.sampled_from(["a", "b", "c"]),
            st.fixed_dictionaries(
                {"use": SCALARS}, optional={"with": TREES, "in": TREES, "when": SCALARS, "retry": TREES}
            ),
        ),
        "edges": st.lists(TREES, max_size=4),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(GRAPHS)
def test_any_data_gives_a_spec_or_a_graph_error(bench: Any, data: Any) -> None:
    try:
        problems = len(load_text(json.dumps(data), registry=bench.registry).nodes)
    except GraphError as error:
        problems = len(error.problems)
    assert problems > 0
