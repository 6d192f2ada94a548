"""``cache`` on a node: equal nodes on equal inputs are taken from earlier runs, at no cost, and anything changed misses."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from agentkit.events import OutputsReused
from agentkit.graph.run import Fork
from agentkit.testing import ScriptedModel

GRAPH = dedent(
    """\
    schema: agentkit/v1
    name: test
    inputs: {question: string, aside: {type: string, default: ""}}
    outputs: {text: say.text}
    models: {small: fake/x}
    nodes:
      say:
        use: model
        with: {prompt: "{{question}} {{aside}}"}
        in: {question: inputs.question, aside: inputs.aside}
        cache: true
    """
)


async def run(bench: Any, text: str, script: Any, **settings: Any) -> Any:
    inputs = {name: settings.pop(name) for name in ("question", "aside", "list") if name in settings}
    now = settings.pop("now", None)
    given = {} if now is None else {"now": lambda: now}
    return await bench.graph(text, script, keep=True, **given).execute({"question": "q", **inputs}, **settings)


async def test_a_second_run_takes_the_outputs_of_the_first_and_costs_nothing(bench: Any) -> None:
    events: list[Any] = []
    first = await run(bench, GRAPH, ["one"])
    second = await run(bench, GRAPH, [], emit=events.append)
    assert (second.output, second.usage.calls, second.status) == ({"text": "one"}, 0, "succeeded")
    (reused,) = [one for one in events if isinstance(one, OutputsReused)]
    assert (reused.scope.node, reused.usage.calls) == ("say", first.usage.calls)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"{{question}} {{aside}}"', '"{{question}}! {{aside}}"'),
        ("fake/x", "fake/y"),
        ('aside}}"}', 'aside}}", temperature: 0.5}'),
        ("name: test", "name: other"),
        ("cache: true", "cache: {ttl: 5}"),
        ("cache: true", "cache: false"),
    ],
)
async def test_whatever_the_outputs_depend_on_is_part_of_the_key(bench: Any, before: str, after: str) -> None:
    await run(bench, GRAPH, ["one"], now=100.0)
    changed = await run(bench, GRAPH.replace(before, after), ["two"], now=106.0)
    assert changed.output == {"text": "two"}


@pytest.mark.parametrize("settings", [{"question": "p"}, {"seed": 1}, {"cache": False}, {"keep": False}])
async def test_other_inputs_another_seed_and_the_wish_to_do_without_miss(bench: Any, settings: dict[str, Any]) -> None:
    await run(bench, GRAPH, ["one"])
    assert (await run(bench, GRAPH, ["two"], **settings)).output == {"text": "two"}


async def test_a_fork_is_live(bench: Any) -> None:
    first = await run(bench, GRAPH, ["one"])
    forked = await bench.graph(GRAPH, ["two"], keep=True).execute({}, fork=Fork(run=first.id, at="say"))
    assert forked.output == {"text": "two"}


async def test_within_its_time_an_entry_is_taken(bench: Any) -> None:
    text = GRAPH.replace("cache: true", "cache: {ttl: 5}")
    await run(bench, text, ["one"], now=100.0)
    assert (await run(bench, text, [], now=105.0)).output == {"text": "one"}
    assert (await run(bench, text, ["two"], now=105.1)).output == {"text": "two"}


async def test_only_the_named_inputs_count(bench: Any) -> None:
    text = GRAPH.replace("cache: true", "cache: {key: [question]}")
    await run(bench, text, ["one"], aside="now")
    assert (await run(bench, text, [], aside="then")).output == {"text": "one"}
    assert (await run(bench, text, ["two"], question="p")).output == {"text": "two"}


async def test_equal_nodes_of_other_graphs_share_where_the_scope_is_the_home(bench: Any) -> None:
    text = GRAPH.replace("cache: true", "cache: {scope: home}")
    await run(bench, text, ["one"])
    other = text.replace("name: test", "name: other").replace("say", "tell")
    assert (await run(bench, other, [])).output == {"text": "one"}


async def test_items_of_a_map_are_kept_one_by_one(bench: Any) -> None:
    text = dedent(
        """\
        schema: agentkit/v1
        name: test
        inputs: {question: string, list: list}
        outputs: {all: each.text}
        models: {small: fake/x}
        nodes:
          each:
            use: model
            with: {prompt: "{{item}}"}
            in: {item: inputs.list}
            map: {over: inputs.list, concurrency: 1}
            cache: true
        """
    )
    await run(bench, text, ["A", "B"], list=["a", "b"])
    events: list[Any] = []
    second = await run(bench, text, ["C"], list=["c", "b", "a"], emit=events.append)
    assert (second.output, second.usage.calls) == ({"all": ["C", "B", "A"]}, 1)
    assert sum(isinstance(one, OutputsReused) for one in events) == 2


async def test_a_loop_that_comes_again_wants_another_draw(bench: Any) -> None:
    text = GRAPH.replace(
        "    cache: true", "    cache: true\n  check: {use: probe, with: {label: again}, in: {a: say.text}}"
    )
    text += "edges:\n  - say -> check\n  - {from: check, to: say, max: 1, when: \"check.label == 'again'\"}\n"
    first = await run(bench, text, ["one", "two"])
    second = await run(bench, text, [])
    assert (first.output, second.output) == ({"text": "two"}, {"text": "two"})


async def test_a_vote_cut_short_by_its_budget_is_not_kept(bench: Any) -> None:
    text = GRAPH.replace("cache: true", "cache: true\n    sample: {n: 3, stop: fixed, concurrency: 1}")
    short = text.replace("models:", "budget: {calls: 2, on_exhausted: best_so_far}\nmodels:")
    await run(bench, short, ["1", "1"])
    whole = await run(bench, text, ["2", "2", "2"])
    assert (whole.output, whole.usage.calls) == ({"text": "2"}, 3)


async def test_a_graph_with_such_a_vote_inside_is_not_kept_either(bench: Any) -> None:
    text = dedent(
        """\
        schema: agentkit/v1
        name: test
        inputs: {question: string}
        outputs: {text: outer.text}
        models: {small: fake/x}
        nodes:
          outer:
            use: graph
            cache: true
            with:
              graph:
                outputs: {text: say.text}
                nodes:
                  say: {use: model, with: {prompt: hi}, sample: {n: 3, stop: fixed, concurrency: 1}}
        """
    )
    await run(bench, text.replace("models:", "budget: {calls: 2}\nmodels:"), ["1", "1"])
    assert (await run(bench, text, ["2", "2", "2"])).output == {"text": "2"}
    assert (await run(bench, text, [])).output == {"text": "2"}


async def test_a_failure_is_not_kept(bench: Any) -> None:
    with pytest.raises(Exception, match="gone"):
        await run(bench, GRAPH, [ValueError("gone")])
    assert (await run(bench, GRAPH, ["one"])).output == {"text": "one"}


async def test_with_a_hit_a_model_is_not_even_opened(bench: Any) -> None:
    await run(bench, GRAPH, ["one"])
    silent = ScriptedModel(script=[])
    await run(bench, GRAPH, silent)
    assert silent.requests == []


async def test_an_answer_of_a_person_can_be_kept_too(bench: Any) -> None:
    text = dedent(
        """\
        schema: agentkit/v1
        name: test
        inputs: {question: string}
        outputs: {said: ask.answer}
        nodes:
          ask: {use: human, with: {ask: "{{question}}"}, in: {question: inputs.question}, cache: {ttl: 3600}}
        """
    )
    await run(bench, text, [], answers={"ask": "yes"})
    assert (await run(bench, text, [])).output == {"said": "yes"}
