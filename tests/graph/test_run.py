"""Running: values between nodes, every kind of node, policies, events, budgets, cancelling and going on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from agentkit.errors import (
    BudgetExceededError,
    ConfigError,
    InputError,
    ModelUnreachableError,
    NodeError,
    RateLimitError,
    ReplayMissError,
    ServerError,
    ToolError,
)
from agentkit.events import (
    DocumentsRetrieved,
    FindingMade,
    NodeFinished,
    NodeStarted,
    Retried,
    RunFinished,
    RunStarted,
    SampleDrawn,
    TokenDrawn,
)
from agentkit.testing import ScriptedModel
from agentkit.types import Document

HEAD = """schema: agentkit/v1
name: test
inputs: {question: string, limit: {type: number, default: 0.5}, sources: {type: documents, default: []}}
models: {small: fake/x}
"""


def text(body: str, head: str = HEAD) -> str:
    import textwrap

    return head + textwrap.dedent(body)


GROUNDED = text(
    """
    outputs: {answer: solve.answer, score: check.score, number: count.number}
    nodes:
      find: {use: retriever.shelf, in: {query: inputs.question}}
      count: {use: count, in: {documents: find.documents}}
      solve: {use: strategy.asking, in: {question: inputs.question, documents: find.documents}}
      check: {use: evaluator.judge, with: {threshold: 0.5}, in: {answer: solve.answer, documents: find.documents}}
    """
)


async def test_values_flow_from_port_to_port(bench: Any) -> None:
    model = ScriptedModel(script=["good answer"])
    run = await bench.graph(GROUNDED, model).run(question="tea")
    assert run.status == "succeeded"
    assert run.output == {"answer": "good answer", "score": 1.0, "number": 2}
    assert run.kept == ("find", "count", "solve", "check")
    assert run.usage.calls == 1
    assert "[1] One" in model.requests[0].messages[0].content
    assert "Question: tea" in model.requests[0].messages[0].content


async def test_one_stream_tells_everything(bench: Any) -> None:
    events = await bench.events(bench.graph(GROUNDED, ["good"]), {"question": "tea"})
    kinds = [type(event) for event in events]
    assert kinds[0] is RunStarted
    assert kinds[-1] is RunFinished
    assert {DocumentsRetrieved, SampleDrawn, FindingMade, NodeStarted, NodeFinished} <= set(kinds)
    assert {event.scope.run for event in events} == {events[0].scope.run}
    found = next(event for event in events if isinstance(event, DocumentsRetrieved))
    assert (found.scope.node, found.query) == ("find", "tea")
    finding = next(event for event in events if isinstance(event, FindingMade))
    assert finding.scope.node == "check"


async def test_listeners_see_the_same_events(bench: Any) -> None:
    heard: list[Any] = []
    graph = bench.graph(GROUNDED, ["good"], listeners=(heard.append,))
    assert await bench.events(graph, {"question": "tea"}) == heard


def test_the_sync_twin_gives_the_same(bench: Any) -> None:
    assert bench.graph(GROUNDED, ["good"]).run_sync(question="tea").output["answer"] == "good"


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "input 'question' of test is missing: it must be string"),
        ({"qestion": "x"}, "test has no input 'qestion'; did you mean 'question'?"),
        ({"question": 3}, "input 'question' must be string, not 3"),
        ({"question": "x", "limit": "high"}, "input 'limit' must be number, not the text 'high'"),
        ({"question": "x", "sources": [{"txt": "a"}]}, "input 'sources': a document must be a text or a mapping with"),
        ({"question": "x", "sources": "a"}, "input 'sources' must be documents, not the text 'a'"),
        ({"question": object()}, "input 'question': a object is not plain data"),
    ],
)
async def test_wrong_inputs_are_refused_before_anything_runs(bench: Any, inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("?", r"\?")):
        await bench.graph(GROUNDED).run(**inputs)


async def test_documents_come_as_texts_mappings_or_documents(bench: Any) -> None:
    graph = bench.graph(
        text(
            """
            outputs: {number: count.number, words: count.words}
            nodes:
              count: {use: count, in: {documents: inputs.sources}}
            """
        )
    )
    run = await graph.run(question="", sources=["plain", {"text": "b", "title": "B"}, Document(text="c", title="C")])
    assert run.output == {"number": 3, "words": ["", "B", "C"]}


async def test_the_first_present_value_counts(bench: Any) -> None:
    graph = bench.graph(
        text(
            """
            outputs: {text: [never.text, join.text]}
            nodes:
              never: {use: join, in: {left: inputs.question}, when: "inputs.limit > 1"}
              join: {use: join, in: {left: [never.text, "none"], right: inputs.question}}
            edges: [never -> join]
            """
        )
    )
    events = await bench.events(graph, {"question": "x"})
    assert events[-1].output == {"text": "none+x"}
    assert [event.skipped for event in events if isinstance(event, NodeFinished)] == [True, False]


async def test_a_needed_value_that_is_absent_is_an_error_that_says_whose(bench: Any) -> None:
    graph = bench.graph(
        text(
            """
            nodes:
              never: {use: join, in: {left: inputs.question}, when: "false"}
              join: {use: join, in: {left: never.text}}
            """
        )
    )
    with pytest.raises(NodeError, match=r"node 'join': input 'left' has no value: never\.text gave none"):
        await graph.run(question="x")


async def test_a_model_node_gives_text_and_streams_tokens(bench: Any) -> None:
    body = """
        outputs: {text: say.text}
        nodes:
          say:
            use: model
            with: {prompt: [{system: Short.}, {user: "{{question}}?"}], temperature: 0.2, max_tokens: 5, stop: ["."]}
            in: {question: inputs.question}
        """
    model = ScriptedModel(script=["yes it is"])
    events = await bench.events(bench.graph(text(body), model), {"question": "Is it"})
    assert events[-1].output == {"text": "yes it is"}
    request = model.requests[0]
    assert [(message.role, message.content) for message in request.messages] == [
        ("system", "Short."),
        ("user", "Is it?"),
    ]
    assert (request.temperature, request.max_tokens, request.stop) == (0.2, 5, (".",))
    assert len([event for event in events if isinstance(event, TokenDrawn)]) == 3


STRUCTURED = text(
    """
    outputs: {city: pick.city}
    nodes:
      say:
        use: model
        with: {prompt: "{{question}}", schema: {type: object, properties: {city: {type: string}}, required: [city]}}
        in: {question: inputs.question}
      pick: {use: set, with: {city: "data.city", twice: "data.city + data.city"}, in: {data: say.data}}
    """
)


async def test_structured_output_is_data(bench: Any) -> None:
    model = ScriptedModel(script=['{"city": "Paris"}'])
    assert (await bench.graph(STRUCTURED, model).run(question="q")).output == {"city": "Paris"}
    assert model.requests[0].schema is not None


@pytest.mark.parametrize("reply", ["Paris", '{"town": "Paris"}', '{"city": 3}'])
async def test_output_that_does_not_fit_the_schema_fails_the_node(bench: Any, reply: str) -> None:
    with pytest.raises(NodeError, match="node 'say'"):
        await bench.graph(STRUCTURED, [reply]).run(question="q")


async def test_switch_set_template_and_tool_compute(bench: Any) -> None:
    graph = bench.graph(
        text(
            """
            outputs: {text: say.text, sum: add.result, case: route.case}
            nodes:
              total: {use: set, with: {sum: "limit * 2.0", name: "'n'"}, in: {limit: inputs.limit}}
              add: {use: tool.adder, in: {a: total.sum, b: 2}}
              route: {use: switch, with: {cases: {high: "sum > 10.0", mid: "sum > 2.0"}}, in: {sum: add.result}}
              say: {use: template, with: {template: "{{name}}={{sum}}"}, in: {name: total.name, sum: add.result}}
            """
        )
    )
    assert (await graph.run(question="")).output == {"text": "n=3.0", "sum": 3.0, "case": "mid"}


async def test_a_tool_refuses_arguments_that_do_not_fit_its_schema(bench: Any) -> None:
    graph = bench.graph(text("nodes: {add: {use: tool.adder, in: {a: 1, b: 20}}}"))
    with pytest.raises(NodeError, match="the arguments do not fit the tool 'adder': b: must be at most 10, not 20"):
        await graph.run(question="")


async def test_an_evaluator_judges_an_absent_answer_itself(bench: Any) -> None:
    graph = bench.graph(
        text(
            """
            outputs: {status: check.status, passed: check.passed}
            nodes:
              never: {use: join, in: {left: inputs.question}, when: "false"}
              check: {use: evaluator.judge, with: {threshold: 0.5}, in: {answer: never.text}}
            """
        )
    )
    assert (await graph.run(question="")).output == {"status": "unscored", "passed": False}


async def test_a_failing_node_names_itself(bench: Any) -> None:
    def fail(label: str) -> None:
        raise ValueError("no good")

    bench.probe.act = fail
    graph = bench.graph(text("nodes: {bad: {use: probe}}"))
    with pytest.raises(NodeError, match="node 'bad': no good") as caught:
        await graph.run(question="")
    assert isinstance(caught.value.__cause__, ValueError)


async def test_the_stream_of_a_failing_run_ends_with_its_failure_and_raises(bench: Any) -> None:
    bench.probe.act = lambda label: 1 / 0
    graph = bench.graph(text("nodes: {bad: {use: probe}}"))
    events: list[Any] = []
    with pytest.raises(NodeError):
        await graph.execute({"question": ""}, emit=events.append)
    assert isinstance(events[-2], NodeFinished)
    assert events[-2].error == "division by zero"
    assert (events[-1].status, events[-1].error) == ("failed", "node 'bad': division by zero")


HANDLED = text(
    """
    outputs: {value: after.value, error: join.text}
    nodes:
      bad: {use: probe, with: {label: bad}, on_error: {to: join}}
      after: {use: probe, with: {label: after, value: 1}}
      join: {use: join, in: {left: bad.error}}
    edges: [bad -> after]
    """
)


async def test_on_error_leads_elsewhere_with_the_message(bench: Any) -> None:
    bench.probe.act = lambda label: 1 / 0 if label == "bad" else None
    run = await bench.graph(HANDLED).run(question="")
    assert run.status == "succeeded"
    assert run.output == {"value": None, "error": "node 'bad': division by zero"}


async def test_without_edges_a_handler_runs_only_after_a_failure(bench: Any) -> None:
    body = """
        outputs: {text: [join.text, apology.text]}
        nodes:
          bad: {use: probe, with: {label: bad, value: fine}, on_error: {to: apology}}
          join: {use: join, in: {left: bad.label}}
          apology: {use: join, in: {left: sorry, right: bad.error}}
        """
    assert (await bench.graph(text(body)).run(question="")).output == {"text": "bad"}
    bench.probe.act = lambda label: 1 / 0
    assert (await bench.graph(text(body)).run(question="")).output == {"text": "sorry+node 'bad': division by zero"}


async def test_without_an_error_its_edge_is_not_taken(bench: Any) -> None:
    assert (await bench.graph(HANDLED).run(question="")).output == {"value": 1, "error": None}


async def test_a_tool_that_fails_is_tried_again_as_often_as_the_node_says(bench: Any) -> None:
    failures = iter([ToolError("busy"), TimeoutError("slow")])

    def act(label: str) -> int:
        error = next(failures, None)
        if error:
            raise error
        return 7

    bench.probe.act = act
    body = "outputs: {value: one.value}\nnodes: {one: {use: probe, retry: {attempts: 2, first_delay: 0}}}"
    assert (await bench.graph(text(body)).run(question="")).output == {"value": 7}
    assert len(bench.probe.runs) == 3


async def test_only_the_named_causes_are_tried_again(bench: Any) -> None:
    def act(label: str) -> None:
        raise ToolError("busy")

    bench.probe.act = act
    body = "nodes: {one: {use: probe, retry: {attempts: 5, on: [timeout], first_delay: 0}}}"
    with pytest.raises(NodeError, match="busy"):
        await bench.graph(text(body)).run(question="")
    assert len(bench.probe.runs) == 1


ASK = text(
    """
    outputs: {answer: solve.answer}
    nodes: {solve: {use: strategy.asking, in: {question: inputs.question}, retry: {attempts: 2, first_delay: 0}}}
    """
)


async def test_calls_of_models_are_tried_again_by_themselves_and_announced(bench: Any) -> None:
    model = ScriptedModel(script=[RateLimitError("slow down"), ModelUnreachableError("gone"), "good"])
    events = await bench.events(bench.graph(ASK, model), {"question": "q"})
    assert events[-1].output == {"answer": "good"}
    assert [(event.attempt, event.scope.node) for event in events if isinstance(event, Retried)] == [
        (1, "solve"),
        (2, "solve"),
    ]


async def test_attempts_are_counted_once_and_not_multiplied(bench: Any) -> None:
    model = ScriptedModel(script=[ServerError(str(number)) for number in range(3)])
    with pytest.raises(NodeError, match="node 'solve': 2"):
        await bench.graph(ASK, model).run(question="q")
    assert len(model.requests) == 3


async def test_a_node_that_takes_longer_than_its_timeout_is_cancelled(bench: Any) -> None:
    bench.probe.act = lambda label: asyncio.sleep(30)
    with pytest.raises(NodeError, match=r"node 'one': it did not finish within its timeout of 0\.05 s"):
        await bench.graph(text("nodes: {one: {use: probe, timeout: 0.05}}")).run(question="")
    assert len(bench.probe.cancelled) == 1


BUDGETED = """schema: agentkit/v1
name: budgeted
inputs: {question: string}
outputs: {first: one.answer, second: two.answer}
models: {small: fake/x}
budget: {calls: 1, on_exhausted: %s}
nodes:
  one: {use: strategy.asking, in: {question: inputs.question}}
  two: {use: strategy.asking, in: {question: one.answer}}
"""


async def test_a_spent_budget_stops_the_run(bench: Any) -> None:
    graph = bench.graph(BUDGETED % "stop", ["a", "b"])
    events: list[Any] = []
    with pytest.raises(BudgetExceededError, match="the calls budget of the run is spent"):
        await graph.execute({"question": "q"}, emit=events.append)
    assert (events[-1].status, events[-1].output) == ("exhausted", {"first": "a", "second": None})


async def test_or_ends_it_with_the_best_so_far(bench: Any) -> None:
    run = await bench.graph(BUDGETED % "best_so_far", ["a", "b"]).run(question="q")
    assert (run.status, run.output) == ("exhausted", {"first": "a", "second": None})


async def test_a_node_with_a_budget_of_its_own_fails_alone(bench: Any) -> None:
    body = """
        outputs: {error: join.text}
        nodes:
          one: {use: strategy.asking, in: {question: inputs.question}, budget: {tokens: 1}, on_error: {to: join}}
          join: {use: join, in: {left: one.error}}
        """
    run = await bench.graph(text(body), ["never"]).run(question="a long question")
    assert "the tokens budget of node 'one' is spent" in run.output["error"]


GREEDY = """schema: agentkit/v1
name: greedy
inputs: {question: string}
outputs: {answer: solve.answer, after: after.label}
models: {small: fake/x}
%s
nodes:
  solve: {use: strategy.greedy, in: {question: inputs.question}%s}
  after: {use: probe, with: {label: done}}
edges: [solve -> after]
"""


async def test_the_best_so_far_of_a_node_is_the_run_s_when_its_budget_ends(bench: Any) -> None:
    graph = bench.graph(GREEDY % ("budget: {calls: 2, on_exhausted: best_so_far}", ""), ["a", "b"])
    run = await graph.run(question="q")
    assert (run.status, run.output) == ("exhausted", {"answer": "b", "after": None})


async def test_the_best_so_far_of_a_node_with_its_own_budget_goes_on(bench: Any) -> None:
    graph = bench.graph(GREEDY % ("", ", budget: {calls: 3, on_exhausted: best_so_far}"), ["a", "b", "c"])
    run = await graph.run(question="q")
    assert (run.status, run.output) == ("succeeded", {"answer": "c", "after": "done"})


async def test_every_visit_has_a_seed_of_its_own_unless_the_file_names_one(bench: Any) -> None:
    model = ScriptedModel(script=lambda request: "a")
    body = """
        nodes:
          solve: {use: strategy.greedy, in: {question: inputs.question}, budget: {calls: 1}, on_error: {to: solve, max: 1}}
        """
    with pytest.raises(NodeError):
        await bench.graph(text(body), model).run(question="q")
    assert len({request.seed for request in model.requests}) == 2


async def test_a_component_s_own_model_is_bound_to_its_place(bench: Any) -> None:
    body = """
        outputs: {score: check.score}
        nodes: {check: {use: evaluator.judge, with: {model: small}, in: {answer: inputs.question}}}
        """
    events = await bench.events(bench.graph(text(body), ["0.5"]), {"question": "q"})
    assert events[-1].output == {"score": 0.5}
    assert events[-1].usage.calls == 1
    assert [event.scope.node for event in events if isinstance(event, SampleDrawn)] == ["check"]


async def test_a_reranker_is_a_rag_step(bench: Any) -> None:
    body = """
        outputs: {words: count.words}
        nodes:
          find: {use: retriever.shelf, in: {query: inputs.question}}
          sort: {use: rag.reverse, in: {query: inputs.question, documents: find.documents}}
          count: {use: count, in: {documents: sort.documents}}
        """
    assert (await bench.graph(text(body)).run(question="q")).output == {"words": ["Two", "One"]}


async def test_seconds_bound_nodes_without_models_too(bench: Any) -> None:
    bench.probe.act = lambda label: asyncio.sleep(30)
    head = HEAD + "budget: {seconds: 0.05}\n"
    with pytest.raises(BudgetExceededError, match="the seconds budget of the run is spent"):
        await bench.graph(text("nodes: {one: {use: probe}}", head)).run(question="")


async def test_closing_the_stream_cancels_nodes_and_their_models(bench: Any) -> None:
    model = ScriptedModel(script=["never"], delay=30)
    body = """
        nodes:
          one: {use: probe, with: {label: one}}
          solve: {use: strategy.asking, in: {question: inputs.question}}
        """
    bench.probe.act = lambda label: asyncio.sleep(30)
    graph = bench.graph(text(body), model)
    async with aclosing(graph.stream({"question": "q"})) as events:
        started = 0
        async for event in events:
            started += isinstance(event, NodeStarted)
            if started == 2:
                await asyncio.sleep(0.02)
                break
    assert bench.probe.cancelled == ["one"]
    assert model.cancelled == 1


async def test_cancelling_the_caller_cancels_the_run_and_tells_the_listeners(bench: Any) -> None:
    heard: list[Any] = []
    running = asyncio.Event()

    async def wait(label: str) -> None:
        running.set()
        await asyncio.sleep(30)

    bench.probe.act = wait
    graph = bench.graph(text("nodes: {one: {use: probe, with: {label: one}}}"), keep=True, listeners=(heard.append,))
    task = asyncio.create_task(graph.run(question=""))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.probe.cancelled == ["one"]
    assert (type(heard[-1]), heard[-1].status) == (RunFinished, "cancelled")


RESUMED = text(
    """
    outputs: {answer: solve.answer, value: last.value}
    nodes:
      solve: {use: strategy.asking, in: {question: inputs.question}}
      first: {use: probe, with: {label: first}, in: {a: solve.answer}}
      last: {use: probe, with: {label: last}, in: {a: first.label}}
    """
)


async def broken_run(bench: Any) -> str:
    bench.probe.act = lambda label: 1 / 0 if label == "last" else None
    events: list[Any] = []
    with pytest.raises(NodeError):
        await bench.graph(RESUMED, ["good"], keep=True).execute({"question": "q"}, emit=events.append)
    bench.probe.act = lambda label: 5 if label == "last" else None
    bench.probe.runs.clear()
    return str(events[0].scope.run)


async def test_a_resumed_run_pays_for_nothing_twice(bench: Any) -> None:
    run = await broken_run(bench)
    events = await bench.events(bench.graph(RESUMED, [], keep=True), resume=run)
    assert events[0].resumed
    assert events[-1].output == {"answer": "good", "value": 5}
    assert bench.probe.runs == ["last"]
    recorded = {event.scope.node: event.recorded for event in events if isinstance(event, NodeFinished)}
    assert recorded == {"solve": True, "first": True, "last": False}
    assert events[-1].usage.calls == 1


async def test_a_changed_node_runs_again_and_an_unchanged_one_does_not(bench: Any) -> None:
    run = await broken_run(bench)
    changed = RESUMED.replace("label: first}, in", "label: second}, in")
    events = await bench.events(bench.graph(changed, [], keep=True), resume=run)
    assert bench.probe.runs == ["second", "last"]
    assert events[-1].status == "succeeded"


async def test_a_changed_prompt_is_asked_again(bench: Any) -> None:
    run = await broken_run(bench)
    changed = RESUMED.replace("strategy.asking, in", "strategy.asking, with: {prompt: 'New: {{question}}'}, in")
    events = await bench.events(bench.graph(changed, ["better"], keep=True), resume=run)
    assert events[-1].output["answer"] == "better"


async def test_a_run_of_another_graph_cannot_go_on_here(bench: Any) -> None:
    run = await broken_run(bench)
    with pytest.raises(InputError, match="is one of the graph 'test', not of 'other'"):
        await bench.events(bench.graph(RESUMED.replace("name: test", "name: other"), keep=True), resume=run)
    with pytest.raises(InputError, match="there is no run"):
        await bench.events(bench.graph(RESUMED, keep=True), resume="20200101-000000-none")


async def test_a_run_is_recorded_and_replayed_without_a_model(bench: Any, tmp_path: Any) -> None:
    cassette = tmp_path / "tape.jsonl"
    first = await bench.events(bench.graph(GROUNDED, ["good"]), {"question": "tea"}, record=cassette)
    again = await bench.events(bench.graph(GROUNDED, []), {"question": "tea"}, replay=cassette)
    assert again[-1].output == first[-1].output
    with pytest.raises((NodeError, ReplayMissError), match="has no response"):
        await bench.events(bench.graph(GROUNDED, []), {"question": "coffee"}, replay=cassette)


async def test_a_secret_that_is_not_set_is_told_before_anything_runs(bench: Any) -> None:
    head = HEAD.replace("small: fake/x", 'small: {use: fake, model: x, api_key: "${env:FAKE_KEY}"}')
    graph = bench.graph(text("nodes: {one: {use: probe}}", head))
    with pytest.raises(ConfigError, match=r"models\.small\.api_key: the environment variable FAKE_KEY is not set"):
        await graph.run(question="")
    assert bench.probe.runs == []


async def test_a_secret_reaches_the_backend_and_nothing_else(bench: Any) -> None:
    from agentkit.graph import Graph

    head = HEAD.replace("small: fake/x", 'small: {use: fake, model: x, api_key: "${env:FAKE_KEY}"}')
    opened: list[Any] = []

    def open_model(spec: Any) -> ScriptedModel:
        opened.append(spec)
        return ScriptedModel(script=["good"])

    body = "outputs: {a: one.answer}\nnodes: {one: {use: strategy.asking, in: {question: inputs.question}}}"
    spec = bench.load(text(body, head))
    graph = Graph(
        spec, registry=bench.registry, open_model=open_model, home=bench.home, environ={"FAKE_KEY": "canary-1234567890"}
    )
    events = await bench.events(graph, {"question": "q"})
    assert opened == [{"use": "fake", "model": "x", "api_key": "canary-1234567890"}]
    assert "canary" not in repr(events) + repr(graph) + repr(spec)
    assert all(b"canary" not in path.read_bytes() for path in bench.home.rglob("*") if path.is_file())


async def test_a_fallback_answers_where_the_first_model_fails(bench: Any) -> None:
    from agentkit.graph import Graph

    head = HEAD.replace(
        "{small: fake/x}", "{small: fake/x, strong: {use: fake, model: y, fallback: small, retry: {attempts: 0}}}"
    )
    body = """
        outputs: {a: one.answer}
        nodes: {one: {use: strategy.asking, with: {model: strong}, in: {question: inputs.question}}}
        """
    models = {"x": ScriptedModel(script=["good"], name="x"), "y": ScriptedModel(script=[ServerError("down")], name="y")}
    graph = Graph(bench.load(text(body, head)), registry=bench.registry, open_model=lambda spec: models[spec["model"]])
    assert (await graph.run(question="q")).output == {"a": "good"}


async def test_same_seed_same_requests(bench: Any) -> None:
    async def requests(seed: int) -> list[Any]:
        model = ScriptedModel(script=["good"])
        await bench.events(bench.graph(GROUNDED, model), {"question": "tea"}, seed=seed)
        return model.requests

    assert await requests(1) == await requests(1)
    assert await requests(1) != await requests(2)
