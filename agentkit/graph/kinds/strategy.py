"""``strategy.NAME``: test-time compute over a prompt."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentkit.errors import BudgetExceededError
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.kinds.prompted import check_prompt, messages_of, prompt_ports
from agentkit.graph.plain import documents, to_plain
from agentkit.graph.ports import Port, Ports
from agentkit.graph.spec import NodeSpec
from agentkit.options import fields
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Problem, Solution

_OWN = ("model", "prompt")
_OUTPUTS = {
    "answer": "string",
    "confidence": "number",
    "votes": "list",
    "samples": "list",
    "tree": "list",
    "stopped": "string",
    "metadata": "object",
}


class StrategyKind:
    """Takes ``question``, perhaps ``documents``, and what its prompt names; gives the ``answer`` with the votes or the tree."""

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports, with those of the prompt."""
        factory, faults = component.find(site.registry, "strategy", node.component)
        if factory is not None:
            faults += component.check_options(node, factory, site, own=_OWN)
        faults += component.check_only_model(node, site)
        wanted, more = check_prompt(node, site)
        inputs = {**prompt_ports(wanted), "question": Port("string", True), "documents": Port("documents")}
        return Checked(ports=Ports(inputs=inputs, outputs=_OUTPUTS), faults=faults + more)

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.of_component(
            registry, "strategy", name, {"model": described.MODEL, "prompt": described.PROMPT}
        )

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """What the strategy says."""
        return component.bounds_of(
            node, "strategy", shop, own=_OWN, model=component.only_model(shop, node.options.get("model"))
        )

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Solves the problem that the prompt puts."""
        make = component.maker(node, "strategy", shop, own=_OWN)
        seeded = "seed" not in node.options and "seed" in fields(shop.registry.get("strategy", node.component).factory)
        fill = messages_of(node, shop)
        model = str(component.only_model(shop, node.options.get("model")))

        async def run(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            problem = Problem(
                question=inputs["question"],
                messages=fill(inputs, context),
                documents=documents(inputs.get("documents")),
            )
            strategy = replace(make(context), seed=context.seed) if seeded else make(context)
            listening: dict[str, Any] = {"emit": context.emit} if _takes_emit(strategy) else {}
            try:
                solution = await strategy.solve(problem, model=context.model(model), **listening)
            except BudgetExceededError as error:
                if isinstance(error.best_so_far, Solution):
                    error.best_so_far = outputs_of(error.best_so_far)
                raise
            return outputs_of(solution)

        return run


def outputs_of(solution: Solution) -> dict[str, JSON]:
    """The ports of a solution, as plain data."""
    return {name: to_plain(getattr(solution, name)) for name in _OUTPUTS}


def _takes_emit(strategy: Any) -> bool:
    return "emit" in inspect.signature(strategy.solve).parameters
