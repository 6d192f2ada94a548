"""Budgets inside budgets: run, graph, node, item and sample; retries, judges, failed calls and earlier sessions all count."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import BudgetExceededError, NodeError, ServerError
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall

HEAD = "schema: agentkit/v1\nname: test\ninputs: {list: {type: list, default: [a]}}\n"

TREE = HEAD + dedent(
    """\
    outputs: {all: outer.all}
    models: {small: {use: fake, model: x, retry: {attempts: 0}}}
    budget: {calls: RUN}
    nodes:
      outer:
        use: graph
        budget: {calls: NODE}
        with:
          graph:
            inputs: {list: list}
            outputs: {all: each.text}
            budget: {calls: GRAPH}
            nodes:
              each:
                use: model
                with: {prompt: "{{item}}"}
                in: {item: inputs.list}
                map: {over: inputs.list, concurrency: 1, budget: {calls: ITEM}}
                sample: {n: SAMPLES, vote: text, stop: fixed, concurrency: 1, budget: {calls: SAMPLE}}
        in: {list: inputs.list}
    """
)


def tree(**limits: int) -> str:
    text = TREE
    for name, limit in {"RUN": 99, "NODE": 99, "GRAPH": 99, "ITEM": 99, "SAMPLES": 2, "SAMPLE": 99, **limits}.items():
        text = text.replace(f"calls: {name}}}", f"calls: {limit}}}").replace(f"n: {name},", f"n: {limit},")
    return text


def calling(number: str) -> Sample:
    call = ToolCall(id="1", name="adder", arguments=f'{{"a": {number}}}')
    return Sample(text="", tool_calls=(call,), finish_reason="tool_calls")


async def outcome(graph: Any, **inputs: Any) -> str:
    try:
        return str((await graph.run(**inputs)).status)
    except (NodeError, BudgetExceededError) as error:
        return str(error)


@pytest.mark.parametrize(
    ("limits", "sent", "owner"),
    [
        ({}, 6, ""),
        ({"RUN": 3}, 3, "the calls budget of the run is spent"),
        ({"NODE": 3}, 3, "the calls budget of node 'outer' is spent"),
        ({"GRAPH": 3}, 3, "the calls budget of graph 'outer' is spent"),
        ({"RUN": 3, "NODE": 5, "GRAPH": 4}, 3, "the calls budget of the run is spent"),
    ],
)
async def test_a_call_must_fit_in_every_budget_around_it(
    bench: Any, limits: dict[str, int], sent: int, owner: str
) -> None:
    model = ScriptedModel(script=lambda request: "x")
    said = await outcome(bench.graph(tree(**limits), model), list=["a", "b", "c"])
    assert len(model.requests) == sent
    assert owner in said


@given(
    limits=st.fixed_dictionaries({name: st.integers(1, 9) for name in ("RUN", "NODE", "GRAPH", "ITEM", "SAMPLE")}),
    samples=st.integers(1, 3),
    items=st.integers(1, 4),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_mixture_of_budgets_is_exceeded(bench: Any, limits: dict[str, int], samples: int, items: int) -> None:
    model = ScriptedModel(script=lambda request: "x")
    await outcome(bench.graph(tree(SAMPLES=samples, **limits), model), list=[f"item {place}" for place in range(items)])
    assert len(model.requests) <= min(limits["RUN"], limits["NODE"], limits["GRAPH"], items * samples)
    for place in range(items):
        asked = sum(one.messages[-1].content == f"item {place}" for one in model.requests)
        assert asked <= min(limits["ITEM"], samples)


MAP = HEAD + dedent(
    """\
    outputs: {all: each.answer, failures: each.failures}
    models: {small: {use: fake, model: x, retry: {attempts: 0}}}
    nodes:
      each:
        use: strategy.greedy
        in: {question: inputs.list}
        map: {over: inputs.list, concurrency: 1, on_error: skip, budget: {calls: 2}}
    """
)


async def test_an_item_that_spends_its_budget_has_failed_and_the_others_go_on(bench: Any) -> None:
    model = ScriptedModel(script=lambda request: request.messages[-1].content)
    run = await bench.graph(MAP, model).run(list=["a", "b"])
    assert len(model.requests) == 4
    assert [one["error"].split(":")[1].strip() for one in run.output["failures"]] == [
        "the calls budget of item 0 of node 'each' is spent",
        "the calls budget of item 1 of node 'each' is spent",
    ]
    best = MAP.replace("{calls: 2}", "{calls: 2, on_exhausted: best_so_far}")
    run = await bench.graph(best, lambda request: request.messages[-1].content).run(list=["a", "b"])
    assert (run.status, run.output["all"]) == ("succeeded", ["a", "b"])


async def test_without_skip_such_an_item_is_a_failure_of_its_node_and_not_the_end_of_the_run(bench: Any) -> None:
    text = MAP.replace("on_error: skip, ", "")
    with pytest.raises(NodeError, match="the calls budget of item 0 of node 'each' is spent"):
        await bench.graph(text, lambda request: "x").run(list=["a", "b"])


async def test_a_sample_that_spends_its_budget_is_an_abstention(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {answer: solve.answer}
        models: {small: fake/x}
        nodes:
          solve:
            use: agent
            with: {prompt: hi, tools: [adder], steps: 5}
            sample: {n: 3, stop: fixed, concurrency: 1, budget: {calls: 1}}
        """
    )
    from agentkit.types import Sample, ToolCall

    call = Sample(
        text="", tool_calls=(ToolCall(id="1", name="adder", arguments='{"a": 1}'),), finish_reason="tool_calls"
    )
    model = ScriptedModel(script=[call, "It is 5.", "It is 5."])
    run = await bench.graph(text, model).run()
    assert (run.output["answer"], len(model.requests)) == ("It is 5.", 3)


async def test_retries_failed_calls_and_judges_count(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {score: judge.score}
        models: {small: {use: fake, model: x, retry: {attempts: 3, first_delay: 0}}}
        budget: {calls: 3}
        nodes:
          say: {use: model, with: {prompt: hi}}
          judge: {use: evaluator.judge, with: {model: small}, in: {answer: say.text}}
        """
    )
    model = ScriptedModel(script=[ServerError("down"), "text", "0.5"])
    assert (await bench.graph(text, model).run()).output == {"score": 0.5}
    short = ScriptedModel(script=[ServerError("down"), ServerError("down"), "text"])
    with pytest.raises(BudgetExceededError, match="the calls budget of the run is spent"):
        await bench.graph(text, short).run()


async def test_what_earlier_sessions_spent_counts_in_every_budget(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        models: {small: {use: fake, model: x, retry: {attempts: 0}}}
        nodes:
          act: {use: agent, with: {prompt: hi, tools: [adder], steps: 9}, budget: {calls: 5}}
        """
    )
    events: list[Any] = []
    first = bench.graph(text, [calling("1"), calling("2"), ValueError("gone")], keep=True)
    with pytest.raises(NodeError, match="gone"):
        await first.execute({}, emit=events.append)
    again = ScriptedModel(script=lambda request: calling(str(len(request.messages))))
    graph = bench.graph(text, again, keep=True)
    with pytest.raises(NodeError, match="the calls budget of node 'act' is spent: 5 allowed, 5 spent"):
        await graph.execute({}, resume=events[0].scope.run)
    assert len(again.requests) == 2
