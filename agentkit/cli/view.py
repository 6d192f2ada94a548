"""A run as a reader sees it: events added up into plain state, which the live view, the report and ``--json`` all read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from agentkit import events
from agentkit.types import Question, Usage


@dataclass
class NodeView:
    """What is known of one node so far."""

    use: str = ""
    status: str = "waiting"
    visits: int = 0
    seconds: float = 0.0
    samples: int = 0
    tokens: int = 0
    wanted: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    abstained: int = 0
    thoughts: int = 0
    best: float | None = None
    retries: int = 0
    error: str = ""
    recorded: bool = False
    cached: int = 0
    degraded: int = 0
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass
class RunView:
    """The state of a run, updated by ``see(event)``."""

    graph: str = ""
    run: str = ""
    status: str = "running"
    inputs: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NodeView] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""
    questions: tuple[Question, ...] = ()

    def see(self, event: events.Event) -> None:
        """Add one event."""
        seen = getattr(self, f"_see_{type(event).__name__}", None)
        if seen is not None:
            seen(event)

    @property
    def samples_kept(self) -> int:
        """Samples finished so far."""
        return sum(node.samples for node in self.nodes.values())

    @property
    def nodes_finished(self) -> int:
        """Node executions finished so far."""
        return sum(node.status == "done" for node in self.nodes.values())

    def node(self, name: str) -> NodeView:
        """The view of a node, made at first sight."""
        return self.nodes.setdefault(name, NodeView())

    def as_data(self) -> dict[str, Any]:
        """The same as plain data: what ``agentkit run --json`` prints."""
        return {
            "run": self.run,
            "graph": self.graph,
            "status": self.status,
            "inputs": self.inputs,
            "output": self.output,
            "usage": {**asdict(self.usage), "tokens": self.usage.tokens},
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "questions": [asdict(one) for one in self.questions],
            "nodes": {name: self._node_data(self.nodes[name]) for name in self.order},
        }

    def _node_data(self, node: NodeView) -> dict[str, Any]:
        data: dict[str, Any] = {
            "use": node.use,
            "status": node.status,
            "visits": node.visits,
            "seconds": round(node.seconds, 3),
            "samples": node.samples,
            "recorded": node.recorded,
            "cached": node.cached,
            "outputs": node.outputs,
        }
        if node.counts or node.abstained:
            data["votes"] = {**node.counts}
            data["abstained"] = node.abstained
        if node.error:
            data["error"] = node.error
        return data

    def _see_RunStarted(self, event: events.RunStarted) -> None:
        self.graph, self.run, self.inputs = event.graph, event.scope.run, dict(event.inputs)
        for name in event.nodes:
            self.node(name)

    def _see_RunFinished(self, event: events.RunFinished) -> None:
        self.status, self.output, self.usage = event.status, dict(event.output), event.usage
        self.seconds, self.error, self.questions = event.seconds, event.error, event.questions

    def _see_NodeStarted(self, event: events.NodeStarted) -> None:
        if event.scope.path:  # of a graph inside the node, whose samples and votes are counted as its own
            return
        node = self.node(event.scope.node)
        node.use, node.status = event.use, "running"
        node.visits += 1
        node.counts, node.abstained, node.wanted = {}, 0, 0
        if event.scope.node not in self.order:
            self.order.append(event.scope.node)

    def _see_NodeFinished(self, event: events.NodeFinished) -> None:
        if event.scope.path:
            return
        node = self.node(event.scope.node)
        if event.scope.node not in self.order:
            self.order.append(event.scope.node)
        node.use, node.recorded = event.use, event.recorded
        node.status, node.error = ("failed", event.error) if event.error else ("done", "")
        node.seconds += event.seconds
        node.outputs = dict(event.outputs)

    def _see_SampleDrawn(self, event: events.SampleDrawn) -> None:
        node = self.node(event.scope.node)
        node.samples += 1
        node.tokens += event.usage.output_tokens

    def _see_VoteCast(self, event: events.VoteCast) -> None:
        node = self.node(event.scope.node)
        node.counts, node.wanted = dict(event.counts), event.wanted
        node.abstained += event.answer is None

    def _see_ThoughtScored(self, event: events.ThoughtScored) -> None:
        node = self.node(event.scope.node)
        node.thoughts += 1
        node.best = event.value if node.best is None else max(node.best, event.value)

    def _see_OutputsReused(self, event: events.OutputsReused) -> None:
        self.node(event.scope.node).cached += 1

    def _see_Degraded(self, event: events.Degraded) -> None:
        self.node(event.scope.node).degraded += 1

    def _see_QuestionAsked(self, event: events.QuestionAsked) -> None:
        self.node(event.scope.node).status = "asking"

    def _see_Spent(self, event: events.Spent) -> None:
        self.usage = event.total

    def _see_Retried(self, event: events.Retried) -> None:
        self.node(event.scope.node).retries += 1
