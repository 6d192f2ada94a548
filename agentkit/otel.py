"""OpenTelemetry spans of runs, after the conventions for generative AI; made of our events alone, by a plugin that listens.

A run is ``invoke_workflow``, an agent ``invoke_agent``, a call of a model ``chat``, one of a tool ``execute_tool``; spans nest as
run, node, sample or item, call. What models write is not in them unless asked for, and keys never are.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agentkit.errors import MissingExtraError
from agentkit.events import (
    Degraded,
    DocumentsRetrieved,
    Event,
    FindingMade,
    NodeFinished,
    NodeStarted,
    OutputsReused,
    QuestionAnswered,
    QuestionAsked,
    Retried,
    RunFinished,
    RunStarted,
    SampleDrawn,
    Scope,
    ThoughtScored,
    ToolCalled,
    VoteCast,
)
from agentkit.hookspecs import hookimpl
from agentkit.runtime.redact import Redactor, secrets_in
from agentkit.types import JSON, Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

_LONGEST = 8_000
_FLUSH = 5_000  # milliseconds
_SECOND = 1_000_000_000
_YES = ("1", "true", "yes", "on")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ALWAYS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
_OPERATIONS = {"agent": "invoke_agent", "tool": "execute_tool", "retriever": "retrieval"}
_NAMED = {"agent": "gen_ai.agent.name", "tool": "gen_ai.tool.name", "retriever": "gen_ai.data_source.id"}

Place = tuple[str, int, str]
"""Node, visit and path: where in a run a span belongs."""

Attributes = Mapping[str, Any]


@dataclass(slots=True)
class _Run:
    """The spans of a run that are open."""

    span: Span
    open: dict[Place, Span] = field(default_factory=dict)
    last: dict[Place, int] = field(default_factory=dict)


class OpenTelemetry:
    """A plugin that turns what it hears into spans: ``Kit(plugins=[OpenTelemetry()])``, or ``Kit(otel=True)``.

    ``provider`` makes the spans; by default the one that the program has set, else a new one that sends them by OTLP over HTTP
    to where the ``OTEL_*`` variables say (``http://localhost:4318``). With ``content`` the spans also hold what came out of
    models, tools and runs, redacted and cut at 8,000 characters (None: where
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` says so). ``now`` gives nanoseconds since 1970.
    """

    def __init__(
        self,
        provider: TracerProvider | None = None,
        *,
        content: bool | None = None,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.content = environ.get(_CONTENT, "").lower() in _YES if content is None else content
        self._now = now
        self._provider: Any
        self._provider, self._own = _provider(environ) if provider is None else (provider, False)
        self._tracer: Tracer = self._provider.get_tracer("agentkit")
        self._redact = Redactor(secrets_in(environ))
        self._runs: dict[str, _Run] = {}

    @hookimpl
    def on_event(self, event: Event) -> None:
        """Begin, add to or end a span."""
        if isinstance(event, RunStarted):
            self._begin_run(event)
        elif run := self._runs.get(event.scope.run):
            self._in_run(run, event)

    def close(self) -> None:
        """Send what has not been sent yet, and end what this plugin began."""
        flush = getattr(self._provider, "force_flush", None)
        if flush is not None:
            flush(_FLUSH)
        if self._own:
            self._provider.shutdown()

    def _begin_run(self, event: RunStarted) -> None:
        span = self._span(
            f"invoke_workflow {event.graph}",
            None,
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": event.graph,
                "agentkit.run.id": event.scope.run,
                "agentkit.run.resumed": event.resumed,
                **self._told({"agentkit.run.inputs": event.inputs}),
            },
        )
        self._runs[event.scope.run] = _Run(span)

    def _in_run(self, run: _Run, event: Event) -> None:
        for kind, handle in _HANDLERS.items():
            if isinstance(event, kind):
                handle(self, run, event)

    def _end_run(self, run: _Run, event: RunFinished) -> None:
        del self._runs[event.scope.run]
        why = {"cancelled": "cancelled", "interrupted": ""}.get(event.status, "the run ended")
        for place in sorted(run.open, key=lambda one: -len(one[2])):
            self._close_branch(run, place, why)
        run.span.set_attributes(
            {
                "agentkit.run.status": event.status,
                "agentkit.usage.calls": event.usage.calls,
                "agentkit.usage.tokens": event.usage.tokens,
                "agentkit.usage.usd": event.usage.usd,
                **self._told({"agentkit.run.output": event.output}),
            }
        )
        self._failed(run.span, event.error or (event.status if event.status == "cancelled" else ""))
        run.span.end(self._now())

    def _begin_node(self, run: _Run, event: NodeStarted) -> None:
        kind, _, component = event.use.partition(".")
        name = _leaf(event.scope)
        attributes: dict[str, Any] = {"agentkit.node.name": name, "agentkit.node.use": event.use}
        title = name
        if operation := _OPERATIONS.get(kind):
            called = component or name
            title = f"{operation} {called}"
            attributes |= {"gen_ai.operation.name": operation, _NAMED[kind]: called}
        place = _place(event.scope)
        run.open[place] = self._span(title, self._parent(run, place), attributes)

    def _end_node(self, run: _Run, event: NodeFinished) -> None:
        place = _place(event.scope)
        if event.skipped or place not in run.open:
            self._note(run, event, "agentkit.node.skipped", {"agentkit.node.name": _leaf(event.scope)})
            return
        for inner in [one for one in run.open if one[:2] == place[:2] and _inside(one[2], place[2])]:
            self._close_branch(run, inner, "cancelled")
        span = run.open.pop(place)
        span.set_attributes(
            {
                "agentkit.recorded": event.recorded,
                "agentkit.node.next": event.next,
                **self._told({"agentkit.node.outputs": event.outputs}),
            }
        )
        if event.use.startswith("evaluator.") and "score" in event.outputs:
            span.add_event("gen_ai.evaluation.result", _evaluation(event), self._now())
        self._failed(span, event.error)
        span.end(self._now())

    def _drawn(self, run: _Run, event: SampleDrawn) -> None:
        if event.recorded:  # it was paid for and told of when it was drawn
            self._note(run, event, "agentkit.sample.recorded", {"gen_ai.response.model": event.model})
            return
        end = self._now()
        start = end - int(event.usage.seconds * _SECOND)
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": event.model.partition("/")[0],
            "gen_ai.request.model": event.model,
            "gen_ai.response.model": event.model,
            "gen_ai.response.finish_reasons": (event.finish_reason,),
            **_usage(event.usage),
            **self._told({"gen_ai.output.messages": _message(event)}),
        }
        self._leaf_span(run, event.scope, f"chat {event.model}", attributes, start, end)

    def _called(self, run: _Run, event: ToolCalled) -> None:
        end = self._now()
        content = {"gen_ai.tool.call.arguments": event.arguments, "gen_ai.tool.call.result": event.result}
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": event.name,
            "gen_ai.tool.type": "function",
            **self._told(content),
        }
        outer = replace(event.scope, path=event.scope.path.rpartition("/")[0])
        span = self._leaf_span(
            run, outer, f"execute_tool {event.name}", attributes, end - int(event.seconds * _SECOND), None
        )
        self._failed(span, "the call failed" if event.failed else "", "tool_error")
        span.end(end)

    def _leaf_span(
        self, run: _Run, scope: Scope, name: str, attributes: Attributes, start: int, end: int | None
    ) -> Span:
        """A span without spans of its own, at ``scope``."""
        parent = self._branch(run, _place(scope), start)
        span = self._span(name, parent, attributes, start, client=name.startswith("chat "))
        if end is not None:
            span.end(end)
        return span

    def _retried(self, run: _Run, event: Retried) -> None:
        told = {"gen_ai.request.model": event.model, "agentkit.attempt": event.attempt, "agentkit.delay": event.delay}
        self._note(run, event, "agentkit.retry", {**told, "exception.message": self._clean(event.error)})

    def _voted(self, run: _Run, event: VoteCast) -> None:
        told = {"agentkit.vote.abstained": event.answer is None, "agentkit.vote.cast": sum(event.counts.values())}
        leading = max(event.counts.values(), default=0)
        self._note(run, event, "agentkit.vote", {**told, "agentkit.vote.leading": leading})

    def _thought(self, run: _Run, event: ThoughtScored) -> None:
        told = {"agentkit.thought.depth": event.depth, "agentkit.thought.value": event.value}
        self._note(run, event, "agentkit.thought", {**told, "agentkit.thought.kept": event.kept})

    def _found(self, run: _Run, event: FindingMade) -> None:
        one = event.finding
        told = {"agentkit.finding.code": one.code, "agentkit.finding.kind": one.kind}
        self._note(run, event, "agentkit.finding", {**told, "agentkit.finding.confidence": one.confidence})

    def _retrieved(self, run: _Run, event: DocumentsRetrieved) -> None:
        told = self._told({"gen_ai.retrieval.query.text": event.query})
        self._note(run, event, "agentkit.documents", {"agentkit.documents.count": len(event.documents), **told})

    def _reused(self, run: _Run, event: OutputsReused) -> None:
        told = {"agentkit.reused.tokens": event.usage.tokens, "agentkit.reused.usd": event.usage.usd}
        self._note(run, event, "agentkit.reused", told)

    def _degraded(self, run: _Run, event: Degraded) -> None:
        self._note(run, event, "agentkit.degraded", {"agentkit.degraded.reason": self._clean(event.reason)})

    def _asked(self, run: _Run, event: QuestionAsked) -> None:
        told = {"agentkit.question.id": event.question.id, "agentkit.question.kind": event.question.kind}
        self._note(run, event, "agentkit.question", told)

    def _answered(self, run: _Run, event: QuestionAnswered) -> None:
        told = {"agentkit.question.id": event.question, "agentkit.answer.by": event.by}
        self._note(run, event, "agentkit.answer", told)

    def _note(self, run: _Run, event: Event, name: str, attributes: Attributes) -> None:
        """Something that has no length, on the span that is open around it."""
        self._around(run, _place(event.scope)).add_event(name, attributes, self._now())

    def _around(self, run: _Run, place: Place) -> Span:
        node, visit, path = place
        while (node, visit, path) not in run.open and path:
            path = path.rpartition("/")[0]
        return run.open.get((node, visit, path), run.span)

    def _parent(self, run: _Run, place: Place) -> Span:
        node, visit, path = place
        if not path:
            return run.span
        return self._branch(run, (node, visit, path.rpartition("/")[0]), self._now())

    def _branch(self, run: _Run, place: Place, start: int) -> Span:
        """The span at a place; for one inside a node that nothing announced (a sample, an item) it is begun now."""
        run.last[place] = self._now()
        if place not in run.open:
            if not place[2]:
                return run.span
            outer = self._branch(run, (place[0], place[1], place[2].rpartition("/")[0]), start)
            run.open[place] = self._span(place[2].rpartition("/")[2].replace(":", " "), outer, {}, start)
        return run.open[place]

    def _close_branch(self, run: _Run, place: Place, why: str) -> None:
        """End a span that is still open when what is around it ends: a sample at its last sign of life, a node with ``why``."""
        span = run.open.pop(place)
        ended = place in run.last and place[2].rpartition("/")[2].partition(":")[0] in ("sample", "item")
        if not ended:
            self._failed(span, why, why)
        span.end(run.last[place] if ended else self._now())

    def _span(
        self, name: str, parent: Span | None, attributes: Attributes, start: int | None = None, *, client: bool = False
    ) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        context = None if parent is None else set_span_in_context(parent)
        kind = SpanKind.CLIENT if client else SpanKind.INTERNAL
        return self._tracer.start_span(
            name, context, kind, attributes, start_time=self._now() if start is None else start
        )

    def _failed(self, span: Span, error: str, kind: str = "_OTHER") -> None:
        from opentelemetry.trace import Status, StatusCode

        if error:
            span.set_attribute("error.type", kind if error != "cancelled" else "cancelled")
            span.set_status(Status(StatusCode.ERROR, self._clean(error)))

    def _told(self, content: Mapping[str, JSON]) -> dict[str, str]:
        """Content as attributes, where it is wanted at all."""
        if not self.content:
            return {}
        texts = {
            name: one if isinstance(one, str) else json.dumps(self._redact.data(one), ensure_ascii=False, default=str)
            for name, one in content.items()
        }
        return {name: self._clean(text) for name, text in texts.items()}

    def _clean(self, text: str) -> str:
        return self._redact(text)[:_LONGEST]


_HANDLERS: Mapping[type[Event], Callable[[OpenTelemetry, _Run, Any], None]] = {
    NodeStarted: OpenTelemetry._begin_node,
    NodeFinished: OpenTelemetry._end_node,
    SampleDrawn: OpenTelemetry._drawn,
    ToolCalled: OpenTelemetry._called,
    Retried: OpenTelemetry._retried,
    VoteCast: OpenTelemetry._voted,
    ThoughtScored: OpenTelemetry._thought,
    FindingMade: OpenTelemetry._found,
    DocumentsRetrieved: OpenTelemetry._retrieved,
    OutputsReused: OpenTelemetry._reused,
    Degraded: OpenTelemetry._degraded,
    QuestionAsked: OpenTelemetry._asked,
    QuestionAnswered: OpenTelemetry._answered,
    RunFinished: OpenTelemetry._end_run,
}


def _provider(environ: Mapping[str, str]) -> tuple[Any, bool]:
    """The program's provider, or else one of our own that sends what it gets; and whether it is ours to end."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise MissingExtraError("opentelemetry-sdk", "otel", "otel") from None
    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known, False
    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create({} if named else {"service.name": "agentkit"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider, True


def _place(scope: Scope) -> Place:
    return scope.node, scope.visit, scope.path


def _leaf(scope: Scope) -> str:
    """The name of the node at a place, which may be inside another."""
    return scope.path.rpartition("/")[2].partition(":")[0] or scope.node


def _inside(path: str, outer: str) -> bool:
    return path != outer and (not outer or path.startswith(f"{outer}/"))


def _usage(usage: Usage) -> dict[str, Any]:
    counts = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        "agentkit.usage.usd": usage.usd,
    }
    return {name: count for name, count in counts.items() if count or name in _ALWAYS}


def _message(event: SampleDrawn) -> JSON:
    part = {"type": "text", "content": event.text}
    return [{"role": "assistant", "parts": [part], "finish_reason": event.finish_reason}]


def _evaluation(event: NodeFinished) -> dict[str, Any]:
    told = {
        "gen_ai.evaluation.name": event.use.partition(".")[2],
        "gen_ai.evaluation.score.value": event.outputs.get("score"),
        "gen_ai.evaluation.score.label": event.outputs.get("label"),
    }
    return {name: value for name, value in told.items() if value not in (None, "")}
