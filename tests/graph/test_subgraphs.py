"""Graphs inside nodes: ports, models, budgets, records and events; mistakes told where they are written."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from agentkit.cli.view import RunView
from agentkit.errors import BudgetExceededError, GraphError, NodeError
from agentkit.events import NodeFinished, NodeStarted, SampleDrawn
from agentkit.graph import Graph, load
from agentkit.testing import ScriptedModel

HEAD = "schema: agentkit/v1\nname: outer\ninputs: {question: string}\nmodels: {small: fake/x}\n"

REVIEW = """\
schema: agentkit/v1
name: review
inputs: {text: string, tone: {type: string, default: kind}}
outputs: {verdict: judge.text, first: draft.text}
models: {small: fake/inner, strong: fake/strong}
nodes:
  draft: {use: model, with: {model: small, prompt: "Draft: {{text}}"}, in: {text: inputs.text}}
  judge: {use: model, with: {model: strong, prompt: "Judge {{tone}}: {{draft}}"}, in: {draft: draft.text, tone: inputs.tone}}
"""

OUTER = HEAD + dedent(
    """\
    outputs: {verdict: review.verdict, first: review.first}
    nodes:
      review: {use: graph, with: {file: parts/review.yaml}, in: {text: inputs.question}}
    """
)


def folder_of(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "parts").mkdir(exist_ok=True)
    for name, text in files.items():
        (tmp_path / f"{name.replace('__', '/')}.yaml").write_text(text)
    return tmp_path / "outer.yaml"


def graph_of(bench: Any, path: Path, opened: Any, *, home: Path | None = None) -> Graph:
    spec = load(path, registry=bench.registry)
    return Graph(spec, registry=bench.registry, open_model=opened, home=home, environ={})


async def test_a_file_is_a_node_with_the_ports_it_declares(bench: Any, tmp_path: Path) -> None:
    path = folder_of(tmp_path, outer=OUTER, parts__review=REVIEW)
    models = {"x": ScriptedModel(script=["a draft"]), "strong": ScriptedModel(script=["fine"])}
    graph = graph_of(bench, path, lambda spec: models[spec["model"]])
    assert graph.spec.graphs["review"].types == {"verdict": "string", "first": "string"}
    run = await graph.run(question="tea")
    assert run.output == {"verdict": "fine", "first": "a draft"}
    assert run.usage.calls == 2
    assert models["strong"].requests[0].messages[-1].content == "Judge kind: a draft"


async def test_a_model_of_the_graph_around_it_stands_for_one_of_the_same_name(bench: Any, tmp_path: Path) -> None:
    path = folder_of(tmp_path, outer=OUTER, parts__review=REVIEW)
    opened: list[str] = []

    def opener(spec: Any) -> ScriptedModel:
        opened.append(spec["model"])
        return ScriptedModel(script=["said"])

    await graph_of(bench, path, opener).run(question="tea")
    assert opened == ["x", "strong"]


async def test_what_happens_inside_is_told_at_a_path_inside_the_node(bench: Any, tmp_path: Path) -> None:
    path = folder_of(tmp_path, outer=OUTER, parts__review=REVIEW)
    graph = graph_of(bench, path, lambda spec: ScriptedModel(script=["said"]))
    events = await bench.events(graph, {"question": "tea"})
    places = [(type(one).__name__, one.scope.node, one.scope.path) for one in events]
    assert ("NodeStarted", "review", "draft:0") in places
    assert ("NodeFinished", "review", "judge:0") in places
    assert ("SampleDrawn", "review", "judge:0") in places
    assert [one.scope.path for one in events if isinstance(one, NodeStarted)] == ["", "draft:0", "judge:0"]
    assert {one.scope.run for one in events} == {events[0].scope.run}
    view = RunView()
    for event in events:
        view.see(event)
    assert (view.order, view.node("review").use, view.node("review").samples) == (["review"], "graph", 2)


async def test_a_resumed_run_does_not_pay_again_inside_a_graph(bench: Any, tmp_path: Path) -> None:
    path = folder_of(tmp_path, outer=OUTER, parts__review=REVIEW)
    first = {"x": ScriptedModel(script=["a draft"]), "strong": ScriptedModel(script=[ValueError("gone")])}
    graph = graph_of(bench, path, lambda spec: first[spec["model"]], home=bench.home)
    events: list[Any] = []
    with pytest.raises(NodeError, match="node 'review/judge': gone"):
        await graph.execute({"question": "tea"}, emit=events.append)
    again = {"x": ScriptedModel(), "strong": ScriptedModel(script=["fine"])}
    graph = graph_of(bench, path, lambda spec: again[spec["model"]], home=bench.home)
    run = await graph.execute({}, resume=events[0].scope.run)
    assert run.output == {"verdict": "fine", "first": "a draft"}
    assert again["x"].requests == []


INLINE = HEAD + dedent(
    """\
    budget: {calls: 10}
    outputs: {answer: think.answer, error: [sorry.text]}
    nodes:
      think:
        use: graph
        with:
          graph:
            inputs: {question: string}
            outputs: {answer: solve.answer}
            budget: {calls: 3}
            nodes: {solve: {use: strategy.greedy, in: {question: inputs.question}}}
        in: {question: inputs.question}
        on_error: {to: sorry}
      sorry: {use: template, with: {template: "{{why}}"}, in: {why: think.error}}
    """
)


async def test_a_graph_written_in_place_has_a_budget_of_its_own(bench: Any) -> None:
    run = await bench.graph(INLINE, lambda request: "more").run(question="q")
    assert run.status == "succeeded"
    assert run.output["error"].startswith("node 'think': the calls budget of graph 'think' is spent: 3 allowed")
    assert run.usage.calls == 3


async def test_its_budget_may_hand_out_the_best_so_far(bench: Any) -> None:
    text = INLINE.replace("budget: {calls: 3}", "budget: {calls: 3, on_exhausted: best_so_far}")
    run = await bench.graph(text, lambda request: "more").run(question="q")
    assert (run.status, run.output) == ("succeeded", {"answer": "more", "error": None})


async def test_the_budget_of_the_run_holds_inside_too(bench: Any) -> None:
    text = INLINE.replace("budget: {calls: 10}", "budget: {calls: 2}")
    with pytest.raises(BudgetExceededError, match="the calls budget of the run is spent"):
        await bench.graph(text, lambda request: "more").run(question="q")


async def test_two_branches_may_run_the_same_file(bench: Any, tmp_path: Path) -> None:
    text = HEAD + dedent(
        """\
        outputs: {a: a.verdict, b: b.verdict}
        nodes:
          a: {use: graph, with: {file: parts/review.yaml}, in: {text: inputs.question}}
          b: {use: graph, with: {file: parts/review.yaml}, in: {text: inputs.question, tone: harsh}}
        """
    )
    path = folder_of(tmp_path, outer=text, parts__review=REVIEW)
    graph = graph_of(bench, path, lambda spec: ScriptedModel(script=lambda request: request.messages[-1].content))
    run = await graph.run(question="q")
    assert run.output == {"a": "Judge kind: Draft: q", "b": "Judge harsh: Draft: q"}


async def test_a_graph_may_be_inside_a_graph_inside_a_loop(bench: Any) -> None:
    text = HEAD + dedent(
        """\
        outputs: {text: outer.text}
        nodes:
          outer:
            use: graph
            with:
              graph:
                inputs: {text: string}
                outputs: {text: inner.text}
                nodes:
                  inner:
                    use: graph
                    with:
                      graph:
                        inputs: {text: string}
                        outputs: {text: say.text}
                        nodes: {say: {use: model, with: {prompt: "{{text}}"}, in: {text: inputs.text}}}
                    in: {text: inputs.text}
            in: {text: inputs.question}
        edges: [{from: outer, to: outer, when: "outer.text != 'done'", max: 3}]
        """
    )
    events = await bench.events(bench.graph(text, ["more", "done"], keep=True), {"question": "q"})
    drawn = [(one.scope.visit, one.scope.path) for one in events if isinstance(one, SampleDrawn)]
    assert drawn == [(0, "inner:0/say:0"), (1, "inner:0/say:0")]
    assert events[-1].output == {"text": "done"}


async def test_a_change_inside_makes_the_node_another(bench: Any, tmp_path: Path) -> None:
    path = folder_of(tmp_path, outer=OUTER, parts__review=REVIEW)
    graph = graph_of(bench, path, lambda spec: ScriptedModel(script=["said"]), home=bench.home)
    run = await graph.run(question="tea")
    folder_of(tmp_path, outer=OUTER, parts__review=REVIEW.replace("Judge", "Rate"))
    spoken = ScriptedModel(script=["new"])
    again = graph_of(bench, path, lambda spec: spoken, home=bench.home)
    events = await bench.events(again, {}, resume=run.id)
    assert events[-1].output == {"verdict": "new", "first": "said"}
    known = {one.scope.path: one.recorded for one in events if isinstance(one, NodeFinished)}
    assert known == {"": False, "draft:0": True, "judge:0": False}


def test_a_mistake_in_another_file_is_told_with_its_place_there(bench: Any, tmp_path: Path) -> None:
    wrong = REVIEW.replace("inputs.tone", "inputs.tune")
    path = folder_of(tmp_path, outer=OUTER, parts__review=wrong)
    with pytest.raises(GraphError) as caught:
        load(path, registry=bench.registry)
    (problem,) = caught.value.problems
    assert problem.file == str(tmp_path / "parts/review.yaml")
    assert problem.path == "nodes.judge.in.tone"
    assert problem.message == "the graph has no input 'tune'; did you mean 'tone'? (declared: text, tone)"


def test_graphs_that_go_round_are_refused(bench: Any, tmp_path: Path) -> None:
    inside = HEAD + "nodes: {again: {use: graph, with: {file: outer.yaml}}}"
    path = folder_of(tmp_path, outer=OUTER.replace("parts/", ""), review=inside)
    with pytest.raises(
        GraphError, match=r"a graph cannot be inside itself: outer\.yaml -> review\.yaml -> outer\.yaml"
    ):
        load(path, registry=bench.registry)


def test_many_graphs_inside_one_another_are_refused(bench: Any, tmp_path: Path) -> None:
    for number in range(10):
        inner = f"{{use: graph, with: {{file: g{number + 1}.yaml}}}}"
        (tmp_path / f"g{number}.yaml").write_text(f"{HEAD}nodes: {{a: {inner}, b: {inner}, c: {inner}}}")
    (tmp_path / "g10.yaml").write_text(HEAD + "nodes: {a: {use: probe}}")
    with pytest.raises(GraphError, match="nested at most 8 deep, and at most 100 inside one"):
        load(tmp_path / "g0.yaml", registry=bench.registry)
