"""``evaluator.NAME``: judge an answer, to score it or to decide what happens next."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.events import FindingMade
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.plain import documents, to_plain
from agentkit.graph.ports import Port, Ports
from agentkit.graph.spec import NodeSpec
from agentkit.options import Fault, fields, plainly
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Record, Score

_OWN = ("threshold",)
_INPUTS = {
    "answer": Port("any", True),
    "documents": Port("documents"),
    "question": Port("any"),
    "target": Port("any"),
    "metadata": Port("object"),
}
_THRESHOLD = {
    "type": ["number", "null"],
    "minimum": 0,
    "maximum": 1,
    "description": "The score from which the output `passed` is true.",
}
_OUTPUTS = {
    "score": "number",
    "status": "string",
    "label": "string",
    "reason": "string",
    "findings": "list",
    "metadata": "object",
}


class EvaluatorKind:
    """Takes an ``answer`` and what it is judged by; gives ``score`` and ``findings``, and ``passed`` under a ``threshold``."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The fixed ports, with ``passed`` where the node has a threshold."""
        factory, faults = component.find(site.registry, "evaluator", node.component)
        if factory is not None:
            faults += component.check_options(node, factory, site, own=_OWN)
            if "threshold" not in fields(factory):
                faults += _check_threshold(node.options.get("threshold"))
        outputs = {**_OUTPUTS, "passed": "boolean"} if "threshold" in node.options else _OUTPUTS
        return Checked(ports=Ports(inputs=_INPUTS, outputs=outputs), faults=faults)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.of_component(registry, "evaluator", name, {"threshold": _THRESHOLD})

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """What the evaluator says, where it asks a model."""
        return component.bounds_of(node, "evaluator", shop, own=_OWN)

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Evaluates, and tells of every finding. An answer that is absent is for the evaluator to judge."""
        make = component.maker(node, "evaluator", shop, own=_OWN)
        threshold = node.options.get("threshold")

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            score = await make(context).evaluate(_record(inputs))
            for finding in score.findings:
                context.emit(FindingMade(finding=finding))
            outputs = _outputs(score)
            return outputs if threshold is None else {**outputs, "passed": _passed(score, threshold)}

        return run


def _check_threshold(value: JSON) -> list[Fault]:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return []
    return [(("with", "threshold"), f"must be a number between 0 and 1, not {plainly(value)}")]


def _record(inputs: Mapping[str, JSON]) -> Record:
    return Record(
        input=inputs.get("question"),
        output=inputs.get("answer"),
        target=inputs.get("target"),
        documents=documents(inputs.get("documents")),
        metadata=inputs.get("metadata") or {},
    )


def _outputs(score: Score) -> dict[str, JSON]:
    return {
        "score": to_plain(score.value),
        **{name: to_plain(getattr(score, name)) for name in _OUTPUTS if name != "score"},
    }


def _passed(score: Score, threshold: float) -> bool:
    return score.value is not None and score.value >= threshold
