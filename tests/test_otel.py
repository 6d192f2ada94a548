"""OpenTelemetry: one tree of spans a run, named after the conventions, without what models read and wrote, and without keys."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from agentkit import Kit
from agentkit.errors import NodeError
from agentkit.testing import ScriptedModel
from agentkit.types import Sample, ToolCall, Usage

pytest.importorskip("opentelemetry.sdk", reason="the extra 'otel' is not installed")
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from agentkit.otel import OpenTelemetry

GRAPH = """
schema: agentkit/v1
name: sums
inputs: {question: string}
outputs: {answer: work.answer}
models: {small: local/smollm2}
nodes:
  work: {use: agent, with: {tools: [calculator], prompt: "{{question}}"}, in: {question: inputs.question}}
  judge: {use: evaluator.answer_match, in: {answer: work.answer, target: "391"}}
"""
CALL = ToolCall(id="1", name="calculator", arguments='{"expression": "17 * 23"}')


class Traced:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.provider, self.folder = provider, folder
        plugin = OpenTelemetry(provider, **settings)
        self.kit = Kit(home=folder / "home", plugins=[plugin], installed=False)

    def graph(self, text: str, *script: Any) -> Any:
        path = self.folder / "graph.yaml"
        path.write_text(text)
        model = script[0] if script and hasattr(script[0], "generate") else ScriptedModel(script=list(script))
        return self.kit.graph(path, models={"small": model})

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {one.name: one for one in self.exporter.get_finished_spans()}

    def tree(self) -> list[str]:
        """Every span with the names around it, in the order of beginning."""
        spans = self.exporter.get_finished_spans()
        by_id = {one.context.span_id: one for one in spans}

        def way(one: ReadableSpan) -> str:
            outer = by_id.get(one.parent.span_id) if one.parent else None
            return f"{way(outer)} > {one.name}" if outer else one.name

        return sorted(way(one) for one in spans)


def sample(text: str, *calls: ToolCall) -> Sample:
    usage = Usage(calls=1, input_tokens=11, output_tokens=7, seconds=0.5)
    finish: Any = "tool_calls" if calls else "stop"
    return Sample(text=text, tool_calls=calls, usage=usage, model="acme/large", finish_reason=finish)


async def test_an_agent_its_calls_and_its_tools_are_one_tree(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    await traced.graph(GRAPH, sample("", CALL), sample("391")).run(question="What is 17 times 23?")
    assert traced.tree() == [
        "invoke_workflow sums",
        "invoke_workflow sums > invoke_agent work",
        "invoke_workflow sums > invoke_agent work > chat acme/large",
        "invoke_workflow sums > invoke_agent work > chat acme/large",
        "invoke_workflow sums > invoke_agent work > execute_tool calculator",
        "invoke_workflow sums > judge",
    ]
    assert len({one.context.trace_id for one in traced.exporter.get_finished_spans()}) == 1
    chat = traced.spans["chat acme/large"]
    assert chat.kind is SpanKind.CLIENT
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "acme/large",
        "gen_ai.response.model": "acme/large",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }
    assert chat.end_time - chat.start_time == 500_000_000
    tool = traced.spans["execute_tool calculator"].attributes
    assert (tool["gen_ai.operation.name"], tool["gen_ai.tool.name"]) == ("execute_tool", "calculator")
    (verdict,) = traced.spans["judge"].events
    assert verdict.name == "gen_ai.evaluation.result"
    assert verdict.attributes["gen_ai.evaluation.score.value"] == 1.0


async def test_what_was_read_and_written_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    quiet, open_ = Traced(tmp_path / "a"), Traced(tmp_path / "b", content=True)
    for traced in (quiet, open_):
        traced.folder.mkdir()
        await traced.graph(GRAPH, sample("", CALL), sample("It is 391.")).run(question="What is 17 times 23?")
    told = "".join(one.to_json() for one in quiet.exporter.get_finished_spans())
    assert not any(text in told for text in ("What is", "It is", "17 * 23"))
    spans = open_.spans
    assert (
        json.loads(spans["chat acme/large"].attributes["gen_ai.output.messages"])[0]["parts"][0]["content"]
        == "It is 391."
    )
    assert spans["execute_tool calculator"].attributes["gen_ai.tool.call.arguments"] == '{"expression": "17 * 23"}'
    assert "17 times 23" in spans["invoke_workflow sums"].attributes["agentkit.run.inputs"]


async def test_no_key_reaches_a_span(tmp_path: Path) -> None:
    traced = Traced(tmp_path, content=True, environ={"ACME_API_KEY": "canary-7f3a9b2c5d"})
    await traced.graph(GRAPH, sample("canary-7f3a9b2c5d")).run(question="my key is canary-7f3a9b2c5d")
    told = "".join(one.to_json() for one in traced.exporter.get_finished_spans())
    assert "canary" not in told
    assert "[redacted]" in told


VOTE = """
schema: agentkit/v1
name: vote
inputs: {question: string}
outputs: {answer: solve.answer}
models: {small: local/smollm2}
nodes:
  solve:
    use: graph
    sample: {n: 3, vote: answer, stop: fixed}
    with:
      graph:
        inputs: {question: string}
        outputs: {answer: one.answer}
        nodes:
          one: {use: strategy.self_consistency, with: {samples: 2, stop: fixed}, in: {question: inputs.question}}
    in: {question: inputs.question}
"""


async def test_samples_graphs_inside_and_votes_nest_across_parallel_work(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    await traced.graph(VOTE, ScriptedModel(script=lambda request: "The answer is 7.")).run(question="q")
    tree = traced.tree()
    for place in range(3):
        way = f"invoke_workflow vote > solve > sample {place} > one"
        assert tree.count(way) == 1
        assert sum(one.startswith(f"{way} > ") and " > chat " in one for one in tree) == 2
    votes = [one for one in traced.spans["solve"].events if one.name == "agentkit.vote"]
    assert [one.attributes["agentkit.vote.leading"] for one in votes] == [1, 2, 3]


ASKING = """
schema: agentkit/v1
name: asking
inputs: {question: string}
outputs: {text: last.text, said: check.answer}
models: {small: local/smollm2}
budget: {calls: 3, on_exhausted: degrade, reserve: 0.4}
nodes:
  first: {use: model, with: {prompt: "{{q}}"}, in: {q: inputs.question}, cache: true}
  next: {use: model, with: {prompt: "{{q}}"}, in: {q: first.text}}
  last: {use: model, with: {prompt: "{{q}}"}, in: {q: next.text}, degrade: {with: {max_tokens: 9}}}
  check: {use: human, with: {ask: "Well?"}}
edges: [first -> next -> last -> check]
"""


async def test_questions_answers_reused_outputs_and_cheaper_forms_are_told(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    graph = traced.graph(ASKING, ScriptedModel(script=lambda request: "Answer: 7"))
    await graph.run(question="q", answers={"check": "a secret"})
    await graph.run(question="q", answers={"check": "a secret"})
    told = {event.name: event.attributes for one in traced.exporter.get_finished_spans() for event in one.events}
    assert told["agentkit.reused"]["agentkit.reused.tokens"] > 0
    assert "calls budget" in told["agentkit.degraded"]["agentkit.degraded.reason"]
    assert told["agentkit.answer"] == {"agentkit.question.id": "check", "agentkit.answer.by": "person"}
    await graph.run(question="q")
    assert traced.spans["check"].events[-1].attributes == {
        "agentkit.question.id": "check",
        "agentkit.question.kind": "text",
    }


async def test_a_failure_is_the_status_of_what_failed_and_of_the_run(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    with pytest.raises(NodeError):
        await traced.graph(GRAPH, ScriptedModel(script=[RuntimeError("the disk is full")])).run(question="q")
    for name in ("invoke_agent work", "invoke_workflow sums"):
        assert traced.spans[name].status.status_code is StatusCode.ERROR
        assert "the disk is full" in str(traced.spans[name].status.description)
    assert traced.spans["invoke_workflow sums"].attributes["agentkit.run.status"] == "failed"


async def test_a_cancelled_run_leaves_no_span_open(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    asked = asyncio.Event()

    class Waiting(ScriptedModel):
        async def generate(self, request: Any) -> Any:
            asked.set()
            await asyncio.Event().wait()
            yield sample("never")

    task = asyncio.create_task(traced.graph(GRAPH, Waiting(script=[])).run(question="q"))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for name in ("invoke_agent work", "invoke_workflow sums"):
        assert traced.spans[name].status.description == "cancelled"
        assert traced.spans[name].attributes["error.type"] == "cancelled"


async def test_a_resumed_run_tells_what_was_recorded_and_counts_no_token_twice(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    judge = "{use: evaluator.answer_match, in: {answer: work.answer, target: "
    broken = GRAPH.replace(judge + '"391"}}', "{use: tool.calculator, in: {expression: work.answer}}")
    with pytest.raises(NodeError):
        await traced.graph(broken, sample("", CALL), sample("no number")).run(question="q")
    run = traced.spans["invoke_workflow sums"].attributes["agentkit.run.id"]
    traced.exporter.clear()
    with pytest.raises(NodeError):
        await traced.graph(broken).execute({}, resume=run)
    assert not [name for name in traced.spans if name.startswith("chat")]
    assert traced.spans["invoke_agent work"].attributes["agentkit.recorded"] is True
    assert traced.spans["invoke_workflow sums"].attributes["agentkit.run.resumed"] is True


async def test_a_run_stands_below_the_span_that_the_caller_has_open(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    graph = traced.graph(GRAPH, sample("391"))
    with traced.provider.get_tracer("mine").start_as_current_span("request"):
        await graph.run(question="q")
    assert "request > invoke_workflow sums > invoke_agent work" in traced.tree()


async def test_runs_side_by_side_are_traces_of_their_own(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    graph = traced.graph(GRAPH, ScriptedModel(script=lambda request: sample("391")))
    runs = await asyncio.gather(*(graph.run(question=f"q{number}") for number in range(5)))
    spans = traced.exporter.get_finished_spans()
    roots = {one.attributes["agentkit.run.id"]: one.context.trace_id for one in spans if one.parent is None}
    assert set(roots) == {run.id for run in runs}
    assert len(set(roots.values())) == 5
    assert all(sum(one.context.trace_id == trace for one in spans) == 4 for trace in roots.values())


class Receiver(BaseHTTPRequestHandler):
    got: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Any]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_command_line_sends_spans_by_otlp_over_http(tmp_path: Path, receiver: Any, how: str) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    path = tmp_path / "graph.yaml"
    path.write_text(
        "schema: agentkit/v1\nname: small\noutputs: {sum: add.result}\n"
        "nodes:\n  add: {use: tool.calculator, in: {expression: 17 * 23}}\n"
    )
    environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}"}
    environ |= {"AGENTKIT_OTEL": "1"} if how == "environment" else {}
    command = [sys.executable, "-m", "agentkit", "run", path, "--quiet", *(["--otel"] if how == "option" else [])]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True, capture_output=True)
    ((where, body),) = receiver.got
    assert where == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert "agentkit" in {one.value.string_value for one in resource.resource.attributes if one.key == "service.name"}
    names = [span.name for scope in resource.scope_spans for span in scope.spans]
    assert sorted(names) == ["execute_tool calculator", "invoke_workflow small"]


def test_nothing_is_sent_by_a_run_that_was_not_asked_to(tmp_path: Path, receiver: Any) -> None:
    path = tmp_path / "graph.yaml"
    path.write_text(
        "schema: agentkit/v1\nname: small\noutputs: {sum: add.result}\n"
        "nodes:\n  add: {use: tool.calculator, in: {expression: 17 * 23}}\n"
    )
    environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}"}
    subprocess.run([sys.executable, "-m", "agentkit", "run", path, "-q"], env=environ, cwd=tmp_path, check=True)
    assert receiver.got == []
