"""A graph as a file, as a spec and as a builder says the same: nothing is lost on the way from one to the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit import Kit, yaml_reader
from agentkit.errors import ConfigError, GraphError
from agentkit.graph import (
    Budget,
    CacheSpec,
    GraphBuilder,
    GraphSpec,
    MapSpec,
    RetrySpec,
    SampleSpec,
    load_text,
    to_yaml,
)
from agentkit.graph.builder import Node
from agentkit.graph.shape import KEYS
from agentkit.graph.spec import Reference

ROOT = Path(__file__).parents[2]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["a.b", "inputs.x", "no", "1e5", "", "a\nb\n", "{{q}}"]
)
SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5
)
LIMITS = st.none() | st.integers(1, 9) | st.floats(0.5, 9)
BUDGETS = st.builds(
    Budget,
    calls=st.none() | st.integers(1, 9),
    tokens=st.none() | st.integers(1, 9),
    usd=LIMITS,
    seconds=LIMITS,
    on_exhausted=st.sampled_from(["stop", "best_so_far"]),
    reserve=st.sampled_from([0.2, 0.4]),
)
SAMPLES = st.builds(SampleSpec, n=st.integers(1, 5), vote=st.just("value"), budget=st.none() | BUDGETS)
RETRIES = st.builds(
    RetrySpec,
    attempts=st.integers(0, 5),
    on=st.lists(st.sampled_from(["timeout", "tool", "server"]), unique=True).map(tuple),
    deadline=st.none() | st.floats(1, 9),
)


def _no_secret(value: Any) -> bool:
    return "${env:" not in repr(value)


@st.composite
def builders(draw: st.DrawFn) -> GraphBuilder:
    """Graphs of probes in a row, with bindings to what came before, policies, loops and handlers."""
    builder = GraphBuilder("random", description=draw(TEXTS), budget=draw(st.none() | BUDGETS))
    ports: list[Reference] = []
    for name in ("first", "second")[: draw(st.integers(0, 2))]:
        default = {} if draw(st.booleans()) else {"default": draw(st.none() | TEXTS)}
        ports.append(builder.input(name, **default, description=draw(TEXTS)))
    builder.model("small", "fake/x") if draw(st.booleans()) else builder.model("small", use="fake", api_key=draw(TEXTS))
    nodes: list[Node] = []
    for place in range(draw(st.integers(1, 5))):
        values = VALUES.filter(_no_secret)
        sources = (
            (st.sampled_from(ports) | st.lists(st.sampled_from(ports), min_size=1, max_size=3) | values)
            if ports
            else values
        )
        inputs = {port: draw(sources) for port in draw(st.sets(st.sampled_from(["a", "b"])))}
        policies = {
            "retry": draw(st.none() | RETRIES),
            "timeout": draw(LIMITS),
            "budget": draw(st.none() | BUDGETS),
            "sample": draw(st.none() | SAMPLES),
            "when": draw(st.none() | st.just("1 < 2")),
        }
        options = {"label": draw(TEXTS.filter(_no_secret)), "value": draw(values)}
        node = builder.node(f"n{place}", "probe", options, inputs=inputs, **policies)
        nodes.append(node)
        ports.append(node["value"])
    if draw(st.booleans()) and len(nodes) > 1:
        builder.edge(*nodes)
        if draw(st.booleans()):
            builder.edge(nodes[-1], nodes[0], when=draw(st.none() | st.just("n0.label == 'x'")), max=2)
    if draw(st.booleans()):
        builder.output("out", nodes[-1]["value"])
    return builder


def alike(spec: GraphSpec) -> GraphSpec:
    """The spec without where it came from."""
    return replace(spec, file="", graphs={name: alike(one) for name, one in spec.graphs.items()})


@given(builder=builders())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_a_builder_its_file_and_what_is_read_from_it_are_the_same_graph(bench: Any, builder: GraphBuilder) -> None:
    text = builder.to_yaml()
    built, loaded = builder.load(bench.registry), bench.load(text)
    assert alike(built) == alike(loaded)
    assert to_yaml(loaded) == text
    assert bench.load(to_yaml(loaded)) == loaded


@pytest.mark.parametrize("path", sorted((ROOT / "graphs").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_graph_survives_being_written(path: Path) -> None:
    kit = Kit()
    try:
        spec = kit.graph(path).spec
    except GraphError:
        pytest.skip("a graph for a test of its own, which does not load")
    text = to_yaml(spec)
    again = load_text(text, registry=kit.registry, file=str(path), folder=path.parent, provided=kit.provided)
    assert again == spec
    assert to_yaml(again) == text


def test_a_written_graph_leaves_out_what_goes_without_saying(bench: Any) -> None:
    builder = GraphBuilder("small")
    question = builder.input("question")
    limit = builder.input("limit", "number", default=0.5, description="How sure.")
    one = builder.node("one", "join", inputs={"left": question}, retry=RetrySpec(attempts=1))
    two = builder.node(
        "two", "join", {"by": "no"}, inputs={"left": [one["text"], "none"], "right": "a.b"}, when="inputs.limit > 0.1"
    )
    builder.on_error(one, two)
    builder.output("text", two["text"])
    assert (limit.node, limit.port) == ("inputs", "limit")
    assert builder.to_yaml() == (
        "schema: agentkit/v1\n"
        "name: small\n"
        "inputs:\n  question: string\n  limit: {type: number, default: 0.5, description: How sure.}\n"
        "outputs: {text: two.text}\n"
        "nodes:\n"
        "  one:\n    use: join\n    in: {left: inputs.question}\n    retry: {attempts: 1}\n    on_error: {to: two}\n"
        "  two:\n    use: join\n    with: {by: 'no'}\n    in: {left: [one.text, none], right: {value: a.b}}\n"
        "    when: inputs.limit > 0.1\n"
    )


def test_the_file_of_map_and_subgraph_says_the_same(bench: Any) -> None:
    inner = GraphBuilder("inner")
    text = inner.input("text")
    inner.output("text", inner.node("say", "join", inputs={"left": text})["text"])
    outer = GraphBuilder("outer")
    items = outer.input("items", "list")
    each = outer.node("each", "graph", {"graph": inner}, inputs={"text": items}, map=MapSpec(over="inputs.items"))
    outer.output("texts", each["text"])
    assert alike(outer.load(bench.registry)) == alike(bench.load(outer.to_yaml()))


EVERY_KEY = """
schema: agentkit/v1
name: every_key
description: Whatever a file can say about a model, a budget or a node.
inputs: {question: string, texts: list}
outputs: {answer: [vote.answer, excuse.text], texts: each.answer}
models:
  cheap: {use: openai_http, model: a, base_url: "http://127.0.0.1:1/v1", concurrency: auto, retry: {attempts: 1}}
  strong:
    use: openai_http
    model: b
    base_url: "http://127.0.0.1:1/v1"
    fallback: [cheap]
    requests_per_minute: 60
    tokens_per_minute: 9000
    breaker: {failures: 2, cooldown: 5}
  smart: {use: cascade, models: [cheap, strong], samples: 3, threshold: 0.6}
  either: {use: balance, models: [cheap, strong]}
budget: {calls: 99, on_exhausted: degrade, reserve: 0.3}
nodes:
  each:
    use: strategy.chain_of_thought
    with: {model: smart}
    in: {question: inputs.texts}
    map: {over: inputs.texts, concurrency: 2, on_error: skip, budget: {calls: 3, on_exhausted: best_so_far}}
    cache: {ttl: 60, scope: home, key: [question]}
    retry: {attempts: 1, on: [timeout]}
    timeout: 9
    budget: {calls: 50, seconds: 5}
  vote:
    use: strategy.self_consistency
    with: {model: either, samples: 8}
    in: {question: inputs.question}
    when: "size(inputs.question) > 3"
    sample: {n: 3, stop: fixed, vote: answer, budget: {calls: 9, on_exhausted: best_so_far}}
    degrade: {model: cheap, with: {samples: 2}}
    on_error: {to: excuse, max: 1}
  review: {use: human, with: {ask: "{{answer}}", approve: true}, in: {answer: vote.answer}, cache: true}
  excuse: {use: template, with: {template: "{{why}}"}, in: {why: vote.error}}
edges:
  - each -> vote -> review
"""


def test_a_file_that_uses_every_key_of_a_node_is_written_and_read_as_the_same_graph() -> None:
    kit = Kit()

    def load(text: str) -> GraphSpec:
        return load_text(text, registry=kit.registry, file="every.yaml", provided=kit.provided)

    nodes = yaml_reader.read(EVERY_KEY, file="every.yaml").data["nodes"].values()
    assert {key for node in nodes for key in node} == set(KEYS["node"])
    spec = load(EVERY_KEY)
    assert load(to_yaml(spec)) == spec


@pytest.mark.parametrize("form", [{"samples": 2}, {"with": {"samples": 2}}])
def test_the_cheaper_form_of_a_built_node_is_said_as_options_or_as_in_a_file(form: dict[str, Any]) -> None:
    builder = GraphBuilder("frugal", budget=Budget(calls=9, on_exhausted="degrade"))
    builder.model("small", "local/smollm2")
    question = builder.input("question")
    policies = {"degrade": form, "cache": CacheSpec(ttl=60)}
    vote = builder.node("vote", "strategy.self_consistency", {"samples": 8}, inputs={"question": question}, **policies)
    builder.output("answer", vote["answer"])
    spec = Kit().graph(builder).spec
    assert spec.nodes["vote"].degrade == {"samples": 2}
    assert spec.nodes["vote"].cache == CacheSpec(ttl=60)


def test_a_list_of_a_port_and_a_text_that_looks_like_one_is_refused(bench: Any) -> None:
    builder = GraphBuilder("odd")
    builder.node("one", "join", inputs={"left": [builder.input("q"), "a.b"]})
    with pytest.raises(ConfigError, match=r"nodes\.one\.in\.left: the text 'a\.b' in a list reads as a port"):
        builder.to_yaml()
