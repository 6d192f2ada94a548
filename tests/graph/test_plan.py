"""Bounds before a run: what real runs cost lies inside them, and some runs reach them."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit import Bounds, Kit, hookimpl
from agentkit.errors import AgentkitError, ServerError
from agentkit.events import NodeFinished, NodeStarted
from agentkit.graph.amount import ITEMS, Amount, total
from agentkit.graph.kinds import Planned, uses
from agentkit.graph.topology import Topology
from agentkit.graph.visits import avoids, certain, least, most_visits, surely
from agentkit.options import fields
from agentkit.protocols import Bounded, Model
from agentkit.runtime.sampling import draw
from agentkit.testing import FakeProvider, ScriptedModel
from agentkit.testing.replies import Completion, Refusal
from agentkit.types import Document, GenerateRequest, Problem, Solution, ToolCall

ROOT = Path(__file__).parents[2]
CHAOS = ("branches", "cascade", "loop", "subgraph", "tree")
SHIPPED = {path.stem: path for path in ROOT.glob("graphs/*.yaml")}
SHIPPED |= {f"chaos_{name}": ROOT / "tests" / "chaos" / "graphs" / f"{name}.yaml" for name in CHAOS}

WHOLE = st.integers(0, 50).map(float)
AMOUNTS = st.lists(WHOLE, max_size=3).map(lambda terms: Amount(tuple(terms)))


@given(AMOUNTS, AMOUNTS, st.integers(0, 20))
def test_amounts_add_and_multiply_as_numbers_do(a: Amount, b: Amount, items: int) -> None:
    assert (a + b).at(items) == a.at(items) + b.at(items)
    assert (a * b).at(items) == a.at(items) * b.at(items)


@given(AMOUNTS, st.integers(0, 1000), st.integers(0, 20))
def test_what_a_budget_leaves_is_within_it(a: Amount, limit: int, items: int) -> None:
    cut = a.within(limit)
    assert cut.at(items) <= limit
    assert cut == a or cut.number == limit


def test_amounts_read_as_a_person_would_write_them() -> None:
    assert str(Amount((4, 16))) == "4 + 16 × items"
    assert str(ITEMS * ITEMS * 2) == "2 × items^2"
    assert str(Amount.of(1234)) == "1,234"
    assert str(Amount.of(None)) == "no bound"
    assert str(total([])) == "0"
    assert Amount.of(None) * 0 == Amount((0.0,))


# How often nodes are visited: random graphs of probes, walked by the engine.


@st.composite
def graphs(draw: Any) -> str:
    """A graph whose edges lead forwards, perhaps on a condition, or backwards with a bound."""
    size = draw(st.integers(2, 6))
    lines = ["schema: agentkit/v1", "name: random", "nodes:"]
    lines += [f"  n{place}: {{use: probe, with: {{label: n{place}}}}}" for place in range(size)]
    lines.append("edges:")
    for source in range(size):
        for target in draw(st.lists(st.integers(1, size - 1), max_size=3, unique=True)):
            when = f", when: 'n{source}.value > {draw(st.integers(0, 2))}'" if draw(st.booleans()) else ""
            most = f", max: {draw(st.integers(1, 3))}" if target <= source or draw(st.booleans()) else ""
            lines.append(f"  - {{from: n{source}, to: n{target}{when}{most}}}")
    return "\n".join([*lines, "  - n0 -> n1"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), st.integers(0, 1000))
async def test_no_node_is_visited_more_or_less_often_than_foretold(bench: Any, text: str, seed: int) -> None:
    graph, rng = bench.graph(text), random.Random(seed)
    bench.probe.act = lambda label: rng.randint(0, 3)
    events = await bench.events(graph)
    visited = Counter(one.scope.node for one in events if isinstance(one, NodeStarted))
    topology = Topology(tuple(graph.spec.nodes), graph.spec.edges)
    after = surely(topology)
    most, always = most_visits(topology), certain(topology, after)
    assert all(visited[node] <= most[node] for node in topology.nodes), (visited, most)
    assert all(visited[node] >= 1 for node in always)
    weights = {node: float(place + 1) for place, node in enumerate(topology.nodes)}
    weight = sum(weights[node] * count for node, count in visited.items())
    assert weight >= least(topology, weights, after) >= least(topology, weights)
    assert not any(avoids(topology, frozenset({node})) for node in always)


def topology_of(bench: Any, edges: str) -> Topology:
    nodes = sorted(set(re.findall(r"\b[a-z]\b", edges)))
    text = "schema: agentkit/v1\nname: x\nnodes:\n" + "".join(f"  {one}: {{use: probe}}\n" for one in nodes)
    spec = bench.load(f"{text}edges:\n{indent(edges, '  ')}")
    return Topology(tuple(spec.nodes), spec.edges)


def test_a_branch_that_one_takes_or_not_counts_at_its_cheapest(bench: Any) -> None:
    topology = topology_of(bench, "- {from: a, to: b, when: 'a.value > 1'}\n- a -> c\n- b -> d\n- c -> d\n")
    assert certain(topology, surely(topology)) == {"a", "d"}
    assert least(topology, {"a": 1, "b": 10, "c": 3, "d": 1}, surely(topology)) == 5
    assert most_visits(topology) == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_of_branches_side_by_side_all_cost_and_the_longest_takes_time(bench: Any) -> None:
    topology = topology_of(bench, "- a -> b\n- a -> c\n- b -> d\n- c -> d\n")
    weights = {"a": 1, "b": 10, "c": 3, "d": 1}
    assert least(topology, weights, surely(topology)) == 15
    assert least(topology, weights) == 12


# Real runs against a provider on loopback.


@dataclass(frozen=True, kw_only=True)
class Passages:
    """A retriever that needs no index."""

    index: str = ""
    top_k: int = 3

    async def retrieve(self, query: str) -> list[Document]:
        return [Document(text=f"passage {place} tells of {query}", id=str(place)) for place in range(self.top_k)]


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A strategy that does not say what it costs."""

    async def solve(self, problem: str | Problem, *, model: Model) -> Solution:
        sample = await draw(model, GenerateRequest(messages=Problem.of(problem).messages))
        return Solution(answer=sample.text)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A backend made of two other models."""

    first: Model
    second: Model | None = None


class Plugin:
    @hookimpl
    def register_models(self, register: Any) -> None:
        register("pair", Pair)

    @hookimpl
    def register_retrievers(self, register: Any) -> None:
        register("passages", Passages)

    @hookimpl
    def register_strategies(self, register: Any) -> None:
        register("silent", Silent)


HEAD = """\
schema: agentkit/v1
name: synthetic
inputs: {question: {type: string, default: 'What is it?'}, texts: {type: list, default: [a, b, c]}}
models: {small: {use: openai_http, model: fake, base_url: 'http://127.0.0.1:1/v1', price: {input: 1.0e-6, output: 2.0e-6}}}
"""
ASK = "use: model, with: {prompt: '{{question}}', max_tokens: 20}, in: {question: inputs.question}"
SAY = "use: model, with: {prompt: '{{text}}', max_tokens: 20}"
OPTIONS = "{samples: 5, stop: %s, answer: text, max_tokens: 30}"
VOTE = f"use: strategy.self_consistency, with: {OPTIONS}, in: {{question: inputs.question}}"

SYNTHETIC = {
    "one_call": f"nodes:\n  a: {{{ASK}}}\n",
    "chain": f"nodes:\n  a: {{{ASK}}}\n  b: {{{SAY}, in: {{text: a.text}}}}\n  c: {{{SAY}, in: {{text: b.text}}}}\n",
    "two_branches": f"nodes:\n  a: {{{ASK}}}\n  b: {{{ASK}}}\n  c: {{{SAY}, in: {{text: [a.text, b.text]}}}}\n"
    "edges: [a -> c, b -> c]\n",
    "either": f"nodes:\n  a: {{{ASK}}}\n  b: {{{ASK}}}\n  c: {{{ASK}}}\n"
    "edges:\n  - {from: a, to: b, when: 'size(a.text) > 12'}\n  - a -> c\n",
    "loop": f"nodes:\n  a: {{{ASK}}}\n  b: {{{ASK}}}\n"
    "edges:\n  - a -> b\n  - {from: b, to: a, when: 'size(b.text) > 12', max: 3}\n",
    "fixed_vote": f"nodes:\n  a: {{{VOTE % 'fixed'}}}\n",
    "vote": f"nodes:\n  a: {{{VOTE % 'beta'}}}\n",
    "sampled": f"nodes:\n  a: {{{ASK}, sample: {{n: 6, stop: certain, answer: text}}}}\n",
    "mapped": f"nodes:\n  a: {{{SAY}, in: {{text: inputs.texts}}, map: {{over: inputs.texts}}}}\n",
    "mapped_votes": "nodes:\n  a: {use: strategy.best_of_n, with: {samples: 2, max_tokens: 9}, in: {question: inputs.texts}, "
    "map: {over: inputs.texts}, sample: {n: 2, stop: fixed, answer: text}}\n",
    "inner": "nodes:\n  a:\n    use: graph\n    in: {question: inputs.question}\n    sample: {n: 3, vote: said, answer: text}\n"
    f"    with:\n      graph:\n        inputs: {{question: string}}\n        outputs: {{said: y.text}}\n"
    f"        nodes:\n          x: {{{ASK}}}\n          y: {{{SAY}, in: {{text: x.text}}}}\n",
    "agent": "nodes:\n  a: {use: agent, with: {tools: [calculator], steps: 4, prompt: '{{question}}', max_tokens: 50}, "
    "in: {question: inputs.question}}\n",
    "refine": "nodes:\n  a: {use: strategy.self_refine, with: {rounds: 3, max_tokens: 50}, in: {question: inputs.question}}\n",
    "tree": "nodes:\n  a: {use: strategy.tree_of_thought, with: {breadth: 2, depth: 3, value_samples: 2, max_tokens: 80}, "
    "in: {question: inputs.question}}\n",
    "cut": "budget: {calls: 4, on_exhausted: best_so_far}\n"
    f"nodes:\n  a: {{{VOTE % 'fixed'}}}\n  b: {{{ASK}}}\nedges: [b -> a]\n",
    "cut_node": f"nodes:\n  a: {{{VOTE % 'fixed'}, budget: {{calls: 2}}}}\n  b: {{{ASK}}}\nedges: [b -> a]\n",
    "handled": f"nodes:\n  a: {{{ASK}, retry: {{attempts: 1, first_delay: 0}}, on_error: {{to: b}}}}\n  b: {{{ASK}}}\n"
    "  c: {use: set, with: {x: 1}}\nedges: [a -> c]\n",
    "skipped": f"nodes:\n  a: {{{ASK}, when: 'inputs.question == null'}}\n",
}
WITHOUT_CHOICE = ("one_call", "chain", "two_branches", "fixed_vote", "mapped", "mapped_votes")
REPLIES = [
    "yes",
    "no, never",
    "Answer: 7",
    "A longer answer than the others.\nAnswer: 12",
    "sure",
    "likely\n3",
    "1. Add two.\n2. Take three away.\nAnswer: 5",
    "no problems",
    "The most consistent response is Response 2",
    "2 + 8 = 10 (left: 8 10 14)\n14 - 2 = 12 (left: 8 8 12)",
]


def replies(seed: int, failing: float = 0.0) -> Any:
    rng = random.Random(seed)

    def reply(body: dict[str, Any]) -> Any:
        if rng.random() < failing:
            return Refusal(status=503, retry_after=0)
        if body.get("tools") and rng.random() < 0.6:
            call = ToolCall(id="1", name="calculator", arguments=json.dumps({"expression": "1 + 1"}))
            return Completion(tool_calls=(call,))
        text = rng.choice(REPLIES).split(" ")
        return " ".join(text[: body.get("max_tokens") or 500])

    return reply


def graph_at(path: Path, provider: FakeProvider, home: Path, **more: Any) -> Any:
    entry = {"use": "openai_http", "model": "fake", "base_url": provider.base_url}
    entry = {**entry, "price": {"input": 1e-6, "output": 2e-6}, "retry": {"attempts": 2, "first_delay": 0}}
    kit = Kit(plugins=[Plugin()], installed=False, home=home)
    text = path.read_text().replace("retriever.hybrid", "retriever.passages").replace("BASE_URL", provider.base_url)
    (home / "prompts").mkdir(exist_ok=True)
    for prompt in path.parent.glob("prompts/*.md"):
        (home / "prompts" / prompt.name).write_text(prompt.read_text())
    copy = home / path.name
    copy.write_text(text)
    names = yaml.safe_load(text).get("models") or ()
    return kit.graph(copy, models=dict.fromkeys(names, entry), **more)


INPUTS = {"numbers": "2 8 8 14", "question": "What is it?", "text": "What?", "name": "Ann"}


def inputs_of(graph: Any) -> dict[str, Any]:
    return {
        name: INPUTS[name] if one.type == "string" else ["a", "b", "c"]
        for name, one in graph.spec.inputs.items()
        if one.required
    }


async def check_inside(graph: Any, provider: FakeProvider) -> tuple[Any, Any]:
    """Runs the graph; what it cost lies inside its plan."""
    plan = graph.plan(items=3, value_tokens=300)
    try:
        run = await graph.execute(inputs_of(graph), keep=False)
    except AgentkitError:
        assert provider.received <= plan.worst.calls.number
        return plan, None
    failed = sum(call.outcome != "completed" for call in provider.calls)
    assert provider.received <= plan.worst.calls.number
    assert run.usage.calls <= plan.worst.calls.number
    clipped = plan.clipped or any(one.clipped for one in plan.nodes)
    if run.status == "succeeded" and not failed and not clipped:
        assert run.usage.calls >= plan.least.calls
    return plan, run


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("synthetic")
    for name, text in SYNTHETIC.items():
        (folder / f"{name}.yaml").write_text(HEAD + text)
    return {name: folder / f"{name}.yaml" for name in SYNTHETIC} | SHIPPED


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [*SYNTHETIC, *SHIPPED])
async def test_a_run_without_failures_costs_no_more_and_no_less(
    name: str, seed: int, synthetic: dict[str, Path], tmp_path: Path
) -> None:
    async with FakeProvider(replies(seed)) as provider:
        graph = graph_at(synthetic[name], provider, tmp_path)
        plan, run = await check_inside(graph, provider)
        assert run is not None
        assert provider.received <= plan.most.calls.number
        assert run.usage.tokens <= plan.most.tokens.at(3)
        assert run.usage.usd <= plan.most.usd.at(3) * (1 + 1e-9)
        assert not run.usage.unpriced_calls


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [*SYNTHETIC, *SHIPPED])
async def test_a_run_with_failures_costs_no_more_than_the_worst(
    name: str, seed: int, synthetic: dict[str, Path], tmp_path: Path
) -> None:
    async with FakeProvider(replies(seed, failing=0.4)) as provider:
        await check_inside(graph_at(synthetic[name], provider, tmp_path), provider)


@pytest.mark.parametrize("name", WITHOUT_CHOICE)
async def test_without_loops_and_choices_a_run_reaches_the_most(
    name: str, synthetic: dict[str, Path], tmp_path: Path
) -> None:
    async with FakeProvider(replies(1)) as provider:
        graph = graph_at(synthetic[name], provider, tmp_path)
        plan, run = await check_inside(graph, provider)
        assert run.usage.calls == provider.received == plan.most.calls.number


async def test_a_loop_that_always_goes_on_reaches_the_most(synthetic: dict[str, Path], tmp_path: Path) -> None:
    async with FakeProvider(lambda body: "an answer of more than twelve letters") as provider:
        plan, run = await check_inside(graph_at(synthetic["loop"], provider, tmp_path), provider)
        assert run.usage.calls == plan.most.calls.number == 8


async def test_a_provider_that_always_fails_reaches_the_worst(synthetic: dict[str, Path], tmp_path: Path) -> None:
    async with FakeProvider(lambda body: Refusal(status=503, retry_after=0)) as provider:
        graph = graph_at(synthetic["one_call"], provider, tmp_path)
        plan, _ = await check_inside(graph, provider)
        assert provider.received == plan.worst.calls.number == 3


POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "retry": st.builds("{{attempts: {}, first_delay: 0}}".format, st.integers(0, 2)),
        "sample": st.builds(
            "{{n: {}, stop: {}, answer: text{}}}".format,
            st.integers(1, 4),
            st.sampled_from(["fixed", "beta"]),
            st.sampled_from(["", ", budget: {calls: 1}"]),
        ),
        "map": st.sampled_from(["{over: inputs.texts}", "{over: inputs.texts, on_error: skip, budget: {calls: 2}}"]),
        "budget": st.builds("{{calls: {}}}".format, st.integers(1, 6)),
        "when": st.just("size(inputs.texts) > 1"),
        "timeout": st.just("60"),
    },
)


@st.composite
def asking_graphs(draw: Any) -> str:
    """A random graph whose nodes ask a model, under random policies, some with a node for their failures."""
    text, policies = draw(graphs()), draw(st.lists(POLICIES, min_size=6, max_size=6))
    size = text.count("use: probe")
    lines = [line for line in text.splitlines() if "use: probe" not in line]
    for place, own in zip(range(size), policies, strict=False):
        taken = "inputs.texts" if "map" in own else "inputs.question"
        handled = f", on_error: {{to: n{size - 1}, max: 2}}" if place < size - 1 and draw(st.booleans()) else ""
        told = "".join(f", {name}: {value}" for name, value in own.items())
        node = f"{{use: model, with: {{prompt: '{{{{q}}}}', max_tokens: 9}}, in: {{q: {taken}}}{told}{handled}}}"
        lines.insert(3 + place, f"  n{place}: {node}")
    head = "inputs: {question: string, texts: list}\nmodels: {m: {use: fake, retry: {attempts: 1, first_delay: 0}}}"
    spent = draw(st.sampled_from(["", "\nbudget: {calls: 5, on_exhausted: best_so_far}"]))
    text = "\n".join(lines).replace("nodes:", f"{head}{spent}\nnodes:", 1)
    return re.sub(r"n(\d)\.value > (\d)", r"size(inputs.question) > \2", text)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(asking_graphs(), st.integers(0, 1000), st.sampled_from([0.0, 0.5]))
async def test_whatever_the_policies_no_run_costs_more_than_the_plan_says(
    bench: Any, text: str, seed: int, failing: float
) -> None:
    rng = random.Random(seed)
    model = ScriptedModel(script=lambda request: ServerError("down") if rng.random() < failing else rng.choice("abc"))
    graph = bench.graph(text, model)
    plan = graph.plan(items=3, value_tokens=300)
    events: list[Any] = []
    with suppress(AgentkitError):
        await graph.execute({"question": "abc", "texts": ["a", "b", "c"]}, keep=False, emit=events.append)
    drawn = sum(request.n for request in model.requests)
    assert drawn <= plan.worst.calls.at(3)
    if not failing and not any(isinstance(one, NodeFinished) and one.error for one in events):
        assert drawn <= plan.most.calls.at(3)


# What the plan says of one file.


def plan_of(text: str, tmp_path: Path, **assume: Any) -> Any:
    path = tmp_path / "graph.yaml"
    path.write_text(HEAD + text)
    return Kit(plugins=[Plugin()], installed=False, home=tmp_path).graph(path).plan(**assume)


def test_a_map_over_a_list_of_unknown_length_stays_a_formula(tmp_path: Path) -> None:
    plan = plan_of(SYNTHETIC["mapped_votes"], tmp_path)
    assert str(plan.most.calls) == "8 × items"
    assert plan.nodes[0].width == ("map × items", "sample × 2", "4 calls")
    assert plan_of(SYNTHETIC["mapped_votes"], tmp_path, items=5).most.calls.number == 40


def test_nodes_of_a_graph_inside_are_told_by_their_full_names(tmp_path: Path) -> None:
    plan = plan_of(SYNTHETIC["inner"], tmp_path)
    assert [(one.name, one.most.calls.number) for one in plan.nodes] == [("a", 6), ("a/x", 3), ("a/y", 3)]
    assert plan.most.calls.number == 6


def test_a_budget_cuts_and_says_so(tmp_path: Path) -> None:
    plan = plan_of(SYNTHETIC["cut"], tmp_path)
    assert plan.most.calls.number == 4
    assert plan.unclipped.calls.number == 6
    assert plan.clipped == ("calls",)
    assert plan.most.usd.number < plan.unclipped.usd.number
    assert [one.clipped for one in plan_of(SYNTHETIC["cut_node"], tmp_path).nodes] == [("calls",), ()]


def test_the_budgets_of_an_item_and_of_a_sample_cut_too(tmp_path: Path) -> None:
    text = SYNTHETIC["mapped_votes"].replace("stop: fixed", "stop: fixed, budget: {calls: 3}")
    assert str(plan_of(text, tmp_path).most.calls) == "6 × items"
    plan = plan_of(text.replace("inputs.texts}, sample", "inputs.texts, budget: {calls: 5}}, sample"), tmp_path)
    assert str(plan.most.calls) == "5 × items"
    assert plan.nodes[0].clipped == ("calls",)


def test_a_component_that_does_not_say_is_unknown_and_said_so(tmp_path: Path) -> None:
    plan = plan_of("nodes:\n  a: {use: strategy.silent, in: {question: inputs.question}}\n", tmp_path)
    assert not plan.most.calls.bounded
    assert plan.nodes[0].note == "strategy.silent does not say how many calls it makes"


def test_a_model_that_asks_other_models_is_unknown_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "graph.yaml"
    text = HEAD.replace("models: {small:", "models: {both: {use: pair, first: small}, small:")
    path.write_text(text + SYNTHETIC["one_call"].replace("{prompt", "{model: both, prompt"))
    plan = Kit(plugins=[Plugin()], installed=False, home=tmp_path).graph(path).plan()
    assert not plan.most.calls.bounded
    assert plan.nodes[0].note == "model both: it asks other models, and nobody knows how often"


def test_without_max_tokens_tokens_have_no_bound_and_the_plan_says_why(tmp_path: Path) -> None:
    plan = plan_of(SYNTHETIC["one_call"].replace(", max_tokens: 20", ""), tmp_path)
    assert plan.most.calls.number == 1
    assert not plan.most.tokens.bounded
    assert plan.nodes[0].note == "no max_tokens"


def test_time_rests_on_how_long_a_call_takes(tmp_path: Path) -> None:
    plan = plan_of(SYNTHETIC["two_branches"], tmp_path, call_seconds=2.0)
    assert (plan.least.seconds, plan.most.seconds.number) == (4.0, 6.0)


def test_planning_needs_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY_THAT_IS_NOT_SET", raising=False)
    text = HEAD.replace("model: fake,", "model: fake, api_key: '${env:KEY_THAT_IS_NOT_SET}',")
    (tmp_path / "graph.yaml").write_text(text + SYNTHETIC["one_call"])
    assert Kit(installed=False).graph(tmp_path / "graph.yaml").plan().most.usd.bounded


def test_an_address_out_of_the_environment_does_not_hide_the_price(tmp_path: Path) -> None:
    text = HEAD.replace("'http://127.0.0.1:1/v1'", "'${env:SERVER_THAT_IS_NOT_SET}'") + SYNTHETIC["one_call"]
    (tmp_path / "graph.yaml").write_text(text)
    (node,) = Kit(plugins=[Plugin()], installed=False).graph(tmp_path / "graph.yaml").plan().nodes
    assert node.note == ""
    assert node.most.usd.bounded


def test_every_kind_of_node_says_what_it_asks_of_models() -> None:
    silent = [use for use, kind in uses(Kit(installed=False).registry).items() if not isinstance(kind, Planned)]
    assert silent == ["graph"], "give the others a method 'bounds'; of a graph its nodes say it"


def test_every_shipped_component_that_asks_a_model_declares_its_bounds() -> None:
    kinds = ("strategy", "evaluator", "retriever", "rag", "node")
    shipped = [one for one in Kit(installed=False).registry if one.kind in kinds]
    asking = [one for one in shipped if one.kind == "strategy" or any(f.model for f in fields(one.factory).values())]
    assert [one.name for one in asking if not hasattr(one.factory, "bounds")] == [], "give these a method 'bounds'"


def test_bounds_are_a_protocol_and_need_nothing_inherited() -> None:
    class Says:
        def bounds(self) -> tuple[Bounds, ...]:
            return (Bounds(most=3),)

    assert isinstance(Says(), Bounded)
    assert not isinstance(Silent(), Bounded)
