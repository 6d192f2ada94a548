"""``on_exhausted: degrade``: a node goes on in its cheaper form on the part of the budget that was kept for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest

from agentkit.errors import BudgetExceededError, NodeError
from agentkit.events import Degraded
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Sample, ToolCall

HEAD = "schema: agentkit/v1\nname: test\n"

NODE = HEAD + dedent(
    """\
    outputs: {answer: solve.answer, degraded: solve.degraded}
    models: {big: fake/big, small: fake/small}
    nodes:
      solve:
        use: strategy.greedy
        with: {model: big}
        in: {question: {value: q}}
        budget: {calls: 5, on_exhausted: degrade}
        degrade: {model: small}
    """
).replace("strategy.greedy", "%s")


class Pair:
    """Two models: one that is asked as long as it is let, and one that answers."""

    def __init__(self) -> None:
        self.big = ScriptedModel(script=lambda request: "big")
        self.small = ScriptedModel(script=lambda request: "small")

    def open(self, spec: Any) -> ScriptedModel:
        return self.big if spec["model"] == "big" else self.small

    def counts(self) -> tuple[int, int]:
        return len(self.big.requests), len(self.small.requests)


def graph(bench: Any, text: str, pair: Pair, *, keep: bool = False) -> Any:
    return replace(bench.graph(text, keep=keep), open_model=pair.open)


LOOP = HEAD + dedent(
    """\
    outputs: {answer: solve.answer, degraded: solve.degraded, stopped: solve.stopped}
    models: {big: fake/big, small: fake/small}
    budget: {calls: 5, on_exhausted: degrade}
    nodes:
      solve:
        use: agent
        with: {model: big, prompt: hi, tools: [adder], steps: 9}
        degrade: {model: small}
    """
)


def calling(request: GenerateRequest) -> Any:
    place = len(request.messages)
    call = ToolCall(id=str(place), name="adder", arguments=f'{{"a": {place}}}')
    return Sample(text="", tool_calls=(call,), finish_reason="tool_calls")


async def test_the_full_form_leaves_the_reserve_and_the_cheaper_one_uses_it(bench: Any) -> None:
    pair = Pair()
    pair.big = ScriptedModel(script=calling)
    events: list[Any] = []
    run = await graph(bench, LOOP, pair).execute({}, emit=events.append)
    assert (run.status, run.output["answer"], run.output["degraded"]) == ("succeeded", "small", True)
    assert pair.counts() == (4, 1)
    (degraded,) = [one for one in events if isinstance(one, Degraded)]
    assert degraded.scope.node == "solve"
    assert degraded.reason == (
        "the calls budget of the run is spent: 5 allowed, 4 spent, 0 held by calls under way, and the next call may take 1, "
        "with 20% of it kept for a cheaper form"
    )


async def test_a_node_that_comes_to_its_end_in_time_is_not_degraded(bench: Any) -> None:
    pair = Pair()
    run = await graph(bench, LOOP, pair).run()
    assert (run.output["answer"], run.output["degraded"], pair.counts()) == ("big", False, (1, 0))


async def test_a_node_that_starts_when_the_budget_is_short_begins_cheaper(bench: Any) -> None:
    text = LOOP.replace(
        "nodes:\n", "nodes:\n  before: {use: agent, with: {model: big, prompt: b, tools: [adder], steps: 4}}\n"
    )
    text += "edges: [before -> solve]\n"
    pair = Pair()
    pair.big = ScriptedModel(script=calling)
    run = await graph(bench, text, pair).run()
    assert (run.output["answer"], pair.counts()) == ("small", (4, 1))


async def test_a_node_s_own_budget_degrades_it_too_and_hands_out_the_best_at_its_end(bench: Any) -> None:
    pair = Pair()
    run = await graph(bench, NODE % "strategy.greedy", pair).run()
    assert (run.status, run.output) == ("succeeded", {"answer": "small", "degraded": None})
    assert pair.counts() == (4, 1)


async def test_the_best_of_the_full_form_stands_in_where_the_cheaper_one_has_nothing(bench: Any) -> None:
    pair = Pair()
    pair.small = ScriptedModel(script=[BudgetExceededError("spent", resource="calls", owner="node 'solve'")])
    run = await graph(bench, NODE % "strategy.asking", pair).run()
    assert run.output["answer"] == "big"
    pair = Pair()
    pair.small = ScriptedModel(script=[BudgetExceededError("spent", resource="calls", owner="node 'solve'")])
    assert (await graph(bench, NODE % "strategy.greedy", pair).run()).output["answer"] == "big"


async def test_a_vote_answers_with_the_samples_it_has(bench: Any) -> None:
    text = LOOP.replace("steps: 9}", "steps: 9}\n    sample: {n: 20, stop: fixed, concurrency: 1}")
    pair = Pair()
    run = await graph(bench, text, pair).run()
    assert (run.output, pair.counts()) == ({"answer": "big", "degraded": False, "stopped": "budget"}, (4, 0))


async def test_a_search_that_came_to_no_answer_goes_on_cheaper(bench: Any) -> None:
    bench.registry.add("strategy", "tree", TreeOfThought, plugin="tests")
    cheaper = "degrade: {model: small, with: {breadth: 1, depth: 1, value_samples: 1}}"
    text = (NODE % "strategy.tree").replace("degrade: {model: small}", cheaper)
    pair = Pair()
    pair.small = ScriptedModel(script=lambda request: "The answer is 7.")
    events = await bench.events(graph(bench, text, pair))
    (told,) = [one for one in events if isinstance(one, Degraded)]
    assert "the calls budget" in told.reason
    assert events[-1].output["degraded"] is True


async def test_items_of_a_map_go_on_cheaper_one_by_one(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        inputs: {list: list}
        outputs: {all: each.text, degraded: each.degraded}
        models: {big: fake/big, small: fake/small}
        budget: {calls: 5, reserve: 0.4, on_exhausted: degrade}
        nodes:
          each:
            use: model
            with: {model: big, prompt: "{{item}}"}
            in: {item: inputs.list}
            map: {over: inputs.list, concurrency: 1}
            degrade: {model: small}
        """
    )
    pair = Pair()
    run = await graph(bench, text, pair).run(list=list("abcde"))
    assert run.output["all"] == ["big", "big", "big", "small", "small"]
    assert run.output["degraded"] == [False, False, False, True, True]
    short = await graph(bench, text, pair).run(list=list("abcdef"))
    assert (short.status, short.output["all"]) == ("exhausted", ["big"] * 3 + ["small"] * 2 + [None])


async def test_the_reserve_of_time_is_for_the_cheaper_form(bench: Any) -> None:
    async def slow(label: str) -> str:
        await asyncio.sleep(30 if label == "full" else 0)
        return label

    bench.probe.act = slow
    text = HEAD + dedent(
        """\
        outputs: {value: work.value, degraded: work.degraded}
        budget: {seconds: 1, reserve: 0.9, on_exhausted: degrade}
        nodes:
          work: {use: probe, with: {label: full}, degrade: {with: {label: less}}}
        """
    )
    run = await bench.graph(text).run()
    assert run.output == {"value": "less", "degraded": True}
    assert bench.probe.cancelled == ["full"]


async def test_a_resumed_run_does_not_begin_the_full_form_again(bench: Any) -> None:
    pair = Pair()
    pair.big, pair.small = ScriptedModel(script=calling), ScriptedModel(script=[ValueError("gone")])
    events: list[Any] = []
    with pytest.raises(NodeError, match="gone"):
        await graph(bench, LOOP.replace("calls: 5", "calls: 6"), pair, keep=True).execute({}, emit=events.append)
    again = Pair()
    run = await graph(bench, LOOP.replace("calls: 5", "calls: 6"), again, keep=True).run(resume=events[0].scope.run)
    assert (run.output["answer"], again.counts()) == ("small", (0, 1))


async def test_a_node_inside_a_graph_degrades_under_the_graph_s_budget(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {answer: outer.answer}
        models: {big: fake/big, small: fake/small}
        nodes:
          outer:
            use: graph
            with:
              graph:
                outputs: {answer: solve.answer}
                budget: {calls: 5, on_exhausted: degrade}
                nodes:
                  solve:
                    use: agent
                    with: {model: big, prompt: hi, tools: [adder], steps: 9}
                    degrade: {model: small}
        """
    )
    pair = Pair()
    pair.big = ScriptedModel(script=calling)
    assert (await graph(bench, text, pair).run()).output == {"answer": "small"}
    assert pair.counts() == (4, 1)


async def test_a_cheaper_result_is_not_kept_for_later_runs(bench: Any) -> None:
    pair = Pair()
    pair.big = ScriptedModel(script=calling)
    text = LOOP + "    cache: true\n"
    await graph(bench, text, pair, keep=True).run()
    whole = Pair()
    run = await graph(bench, text.replace("calls: 5", "calls: 50"), whole, keep=True).run()
    assert (run.output["answer"], whole.counts()) == ("big", (1, 0))
