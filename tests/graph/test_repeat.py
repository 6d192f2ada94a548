"""``map`` and ``sample`` around nodes: order, failures, votes of every kind, stopping, records and cancelled surplus."""

from __future__ import annotations

import asyncio
import json
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import InputError, NodeError
from agentkit.events import SampleDrawn, VoteCast
from agentkit.graph.ballot import OutputsBallot
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall

HEAD = dedent(
    """\
    schema: agentkit/v1
    name: test
    inputs: {question: string, texts: {type: list, default: []}}
    models: {small: fake/x}
    """
)

MAPPED = HEAD + dedent(
    """\
    outputs: {texts: say.text, failures: say.failures}
    nodes:
      say:
        use: model
        with: {prompt: "{{text}} {{question}}"}
        in: {text: inputs.texts, question: inputs.question}
        map: {over: inputs.texts, concurrency: 2, on_error: skip}
    """
)


def echo(request: Any) -> str:
    text: str = request.messages[-1].content
    if text.startswith("bad"):
        raise ValueError("cannot say that")
    return text.upper()


async def test_a_mapped_node_runs_once_an_item_and_keeps_their_order(bench: Any) -> None:
    graph = bench.graph(MAPPED, ScriptedModel(script=echo))
    events = await bench.events(graph, {"question": "q", "texts": ["a", "bad", "c"]})
    assert events[-1].output == {
        "texts": ["A Q", None, "C Q"],
        "failures": [{"item": 1, "error": "cannot say that"}],
    }
    drawn = sorted(one.scope.path for one in events if isinstance(one, SampleDrawn))
    assert drawn == ["item:0", "item:2"]


async def test_when_a_budget_is_spent_items_under_way_are_finished_and_no_more_are_begun(bench: Any) -> None:
    text = MAPPED.replace("models:", "budget: {calls: 3, on_exhausted: best_so_far}\nmodels:").replace("y: 2", "y: 20")
    model = ScriptedModel(script=echo, delay=0.01)
    run = await bench.graph(text, model).run(question="q", texts=[*"abcdefgh"])
    assert run.status == "exhausted"
    assert run.output["texts"] == ["A Q", "B Q", "C Q", *[None] * 5]
    assert [one["item"] for one in run.output["failures"]] == [3, 4, 5, 6, 7]
    assert (len(model.requests), model.cancelled) == (3, 0)


async def test_one_failing_item_fails_the_node_unless_it_is_skipped(bench: Any) -> None:
    text = MAPPED.replace(", on_error: skip", "")
    with pytest.raises(NodeError, match="node 'say': cannot say that"):
        await bench.graph(text, ScriptedModel(script=echo)).run(question="q", texts=["a", "bad"])


async def test_a_map_over_nothing_gives_no_outputs_but_its_failures(bench: Any) -> None:
    assert (await bench.graph(MAPPED).run(question="q")).output == {"texts": None, "failures": []}


async def test_no_more_items_run_at_once_than_allowed(bench: Any) -> None:
    running, most = 0, 0

    async def act(label: str) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return 1

    bench.probe.act = act
    body = "nodes: {one: {use: probe, in: {a: inputs.texts}, map: {over: inputs.texts, concurrency: 3}}}"
    await bench.graph(HEAD + body).run(question="", texts=list("abcdefgh"))
    assert (most, len(bench.probe.runs)) == (3, 8)


async def test_finished_items_are_not_run_again_on_resume(bench: Any) -> None:
    text = MAPPED.replace(", on_error: skip", "").replace("concurrency: 2", "concurrency: 1")
    events: list[Any] = []
    with pytest.raises(NodeError):
        await bench.graph(text, ScriptedModel(script=echo), keep=True).execute(
            {"question": "q", "texts": ["a", "bad"]}, emit=events.append
        )
    again = ScriptedModel(script=["fine"])
    run = await bench.graph(text, again, keep=True).execute({}, resume=events[0].scope.run)
    assert run.output["texts"] == ["A Q", "fine"]
    assert len(again.requests) == 1


SAMPLED = HEAD + dedent(
    """\
    outputs: {text: say.text, votes: say.votes, confidence: say.confidence, stopped: say.stopped}
    nodes:
      say:
        use: model
        with: {prompt: "{{question}}"}
        in: {question: inputs.question}
        sample: {n: 5, stop: certain}
    """
)


async def test_a_sampled_node_gives_the_answer_that_most_runs_give(bench: Any) -> None:
    graph = bench.graph(SAMPLED, ["The answer is 7.", "The answer is 8", "So: the answer is 7", "7"])
    events = await bench.events(graph, {"question": "q"})
    output = events[-1].output
    assert output["text"] == "The answer is 7."
    assert [(vote["answer"], vote["count"]) for vote in output["votes"]] == [("7", 3), ("8", 1)]
    assert (output["confidence"], output["stopped"]) == (0.75, "certain")
    assert [one.answer for one in events if isinstance(one, VoteCast)] == ["7", "8", "7", "7"]
    paths = [one.scope.path for one in events if isinstance(one, SampleDrawn)]
    assert paths == ["sample:0", "sample:1", "sample:2", "sample:3"]


async def test_samples_are_drawn_with_seeds_of_their_own(bench: Any) -> None:
    model = ScriptedModel(script=["1", "2", "3", "4", "5"])
    await bench.graph(SAMPLED, model).run(question="q")
    assert len({request.seed for request in model.requests}) == 5


async def test_a_failing_sample_abstains(bench: Any) -> None:
    text = SAMPLED.replace("in: {q", "retry: {attempts: 0}\n    in: {q")
    run = await bench.graph(text, [ValueError("no"), "7", "7", "7"]).run(question="q")
    assert (run.output["text"], run.output["confidence"]) == ("7", 1.0)


async def test_where_all_samples_fail_the_node_fails(bench: Any) -> None:
    with pytest.raises(NodeError, match="node 'say': no"):
        await bench.graph(SAMPLED, [ValueError("no")] * 5).run(question="q")


async def test_a_budget_ends_the_vote_with_the_best_so_far(bench: Any) -> None:
    text = SAMPLED.replace("sample:", "budget: {calls: 2}\n    sample:")
    run = await bench.graph(text, ["7", "7"]).run(question="q")
    assert (run.output["text"], run.output["stopped"]) == ("7", "budget")


async def test_superfluous_samples_are_cancelled(bench: Any) -> None:
    async def act(label: str) -> str:
        if len(bench.probe.runs) > 3:
            await asyncio.sleep(60)
        return "7"

    bench.probe.act = act
    body = (
        "outputs: {value: one.value}\nnodes: {one: {use: probe, sample: {n: 5, vote: value, stop: certain, ahead: 2}}}"
    )
    run = await bench.graph(HEAD + body).run(question="q")
    assert run.output == {"value": "7"}
    assert len(bench.probe.cancelled) == 2


async def test_finished_samples_are_not_drawn_again_on_resume(bench: Any) -> None:
    broken = [Sample(text="7"), Sample(text="7"), AssertionError("pulled the plug")]
    graph = bench.graph(SAMPLED, broken, keep=True)
    events: list[Any] = []
    with pytest.raises(NodeError, match="pulled the plug"):
        await graph.execute({"question": "q"}, emit=events.append)
    again = ScriptedModel(script=["7"])
    run = await bench.graph(SAMPLED, again, keep=True).execute({}, resume=events[0].scope.run)
    assert run.output["text"] == "7"
    assert len(again.requests) == 1


async def test_structured_output_is_voted_over_field_by_field(bench: Any) -> None:
    schema = "{type: object, properties: {city: {type: string}, rooms: {type: integer}}, required: [city, rooms]}"
    text = HEAD + dedent(
        f"""\
        outputs: {{data: say.data, confidence: say.confidence}}
        nodes:
          say:
            use: model
            with: {{prompt: "{{{{question}}}}", schema: {schema}}}
            in: {{question: inputs.question}}
            sample: {{n: 3, stop: fixed}}
        """
    )
    replies = [{"city": "Paris", "rooms": 1}, {"city": "Rome", "rooms": 2}, {"city": "Paris", "rooms": 2}]
    run = await bench.graph(text, [json.dumps(one) for one in replies]).run(question="q")
    assert run.output == {"data": {"city": "Paris", "rooms": 2}, "confidence": 2 / 3}


async def test_tool_calls_are_voted_over_by_name_and_arguments(bench: Any) -> None:
    def call(number: int, arguments: str) -> Sample:
        return Sample(text="", tool_calls=(ToolCall(id=str(number), name="add", arguments=arguments),))

    text = SAMPLED.replace("stop: certain", "stop: certain, vote: tool_calls").replace(
        "text: say.text", "calls: say.tool_calls"
    )
    replies = [
        call(0, '{"a": 2, "b": 1}'),
        call(1, '{"a": 1, "b": 2}'),
        call(2, '{"b":2,"a":1}'),
        call(3, '{"b":2, "a":1}'),
    ]
    run = await bench.graph(text, replies).run(question="q")
    assert run.output["calls"][0]["id"] == "1"
    assert run.output["confidence"] == 0.75


async def test_a_whole_graph_can_be_sampled_inside_a_map(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {answers: think.answer}
        nodes:
          think:
            use: graph
            with:
              graph:
                inputs: {text: string}
                outputs: {answer: say.text}
                nodes: {say: {use: model, with: {prompt: "{{text}}"}, in: {text: inputs.text}}}
            in: {text: inputs.texts}
            map: {over: inputs.texts}
            sample: {n: 3, stop: fixed}
        """
    )
    events = await bench.events(bench.graph(text, ScriptedModel(script=echo)), {"question": "", "texts": ["a", "b"]})
    assert events[-1].output == {"answers": ["A", "B"]}
    paths = {one.scope.path for one in events if isinstance(one, SampleDrawn)}
    assert "item:1/sample:2/say:0" in paths
    assert len(paths) == 6


async def test_a_map_over_what_is_no_list_says_so(bench: Any) -> None:
    bench.probe.act = lambda label: "text"
    body = """nodes:
  one: {use: probe}
  two: {use: probe, in: {a: one.value}, map: {over: one.value}}
"""
    with pytest.raises(NodeError, match=r"one\.value must be a list of at most 10000 items, not the text") as caught:
        await bench.graph(HEAD + body).run(question="q")
    assert isinstance(caught.value.__cause__, InputError)


VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", 1, 2, None, {"d": "z"}]), max_size=3)


@given(st.lists(VALUES, min_size=1, max_size=6), st.randoms())
def test_the_order_of_arrival_changes_nothing(values: list[dict[str, Any]], rng: Any) -> None:
    boxes = [OutputsBallot(ports=("data",)) for _ in range(2)]
    places = list(range(len(values)))
    for box in boxes:
        for place in places:
            box.cast(place, {"data": values[place]})
        rng.shuffle(places)
    assert boxes[0].outputs() == boxes[1].outputs()
    assert boxes[0].tallies() == boxes[1].tallies()
