"""``degrade`` around a node: when a budget gets short, it goes on in a cheaper form, for which a part of the budget is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from agentkit.errors import BudgetExceededError
from agentkit.events import Degraded
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import Checked, Run
from agentkit.graph.spec import GraphSpec, NodeSpec
from agentkit.options import Fault
from agentkit.runtime.budget import Budget
from agentkit.runtime.codec import fingerprint
from agentkit.types import JSON, Path, Usage

_GRACE = 0.25  # seconds for the full form to hand over what it has when its time is up


def degradable(run: Run, cheaper: Run, identity: str) -> Run:
    """``run`` as long as it leaves the reserves of the budgets around it, then ``cheaper``, which may use them.

    That a place went on cheaper is recorded, so that a resumed run does not begin there with the full form again; calls
    that both forms make are made once.
    """

    async def frugal(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        best: JSON = None
        if not _is_marked(context, identity, inputs):
            try:
                return {**await _sparing(run, inputs, context), "degraded": False}
            except BudgetExceededError as error:
                if not error.spared:
                    raise
                best = error.best_so_far
                context.emit(Degraded(reason=str(error)))
                _mark(context, identity, inputs)
        try:
            return {**await cheaper(inputs, context), "degraded": True}
        except BudgetExceededError as error:
            error.best_so_far = best if error.best_so_far is None else error.best_so_far
            raise

    return frugal


def faults_of_cheaper(node: NodeSpec, checked: Checked, check: Callable[[NodeSpec], Checked]) -> list[Fault]:
    """What is wrong with the cheaper form of a node, beside what is wrong with the node."""
    less = node.cheaper
    if less is None or node.degrade is None:
        return []
    if node.use == "graph":
        return [(("degrade",), "a graph goes on cheaper by the nodes inside it; give 'degrade' to those")]
    if "tools" in node.degrade:
        return [(("degrade", "with", "tools"), "the cheaper form of an agent has the same tools")]
    found = check(less)
    faults = [_placed(one, node.degrade) for one in found.faults if one not in checked.faults]
    missing = [port for port in checked.ports.outputs if port not in found.ports.outputs]
    if missing and not faults and not found.ports.open:
        faults.append((("degrade",), f"the cheaper form does not give {missing[0]!r}, which the node gives"))
    return faults


def faults_of_degrading(spec: GraphSpec) -> list[Fault]:
    """Budgets that say ``degrade`` where nothing says how to go on cheaper."""
    budgets: list[tuple[Path, Budget | None, bool]] = [(("budget", "on_exhausted"), spec.budget, _degrades(spec))]
    budgets += [
        (("nodes", name, "budget", "on_exhausted"), node.budget, _can(spec, node)) for name, node in spec.nodes.items()
    ]
    budgets += [
        (("nodes", name, "map", "budget", "on_exhausted"), node.map.budget, _can(spec, node))
        for name, node in spec.nodes.items()
        if node.map is not None
    ]
    return [
        (path, "nothing here says how to go on cheaper; give a node 'degrade', like {model: small}")
        for path, budget, able in budgets
        if budget is not None and budget.on_exhausted == "degrade" and not able
    ]


def _degrades(spec: GraphSpec) -> bool:
    return any(_can(spec, node) for node in spec.nodes.values())


def _can(spec: GraphSpec, node: NodeSpec) -> bool:
    return node.degrade is not None or any(_degrades(one) for one in spec.inside(node.name))


def _placed(fault: Fault, options: Mapping[str, JSON]) -> Fault:
    path, message = fault
    if path[:1] != ("with",):
        return ("degrade",), message
    inside = ("degrade", *path) if path[1:2] and path[1] in options else ("degrade",)
    return (("degrade", "model") if inside == ("degrade", "with", "model") else inside), message


async def _sparing(run: Run, inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
    """The full form, in the time that leaves the reserve."""
    full = replace(context, ledger=context.ledger.child(sparing=True))
    left = full.ledger.seconds_left()
    try:
        async with asyncio.timeout(None if left is None else left + _GRACE) as timer:
            return _whole(await run(inputs, full), full.ledger.refusal)
    except TimeoutError:
        if timer.expired():
            raise full.ledger.overdue() from None
        raise


def _whole(outputs: Mapping[str, JSON], refusal: BudgetExceededError | None) -> Mapping[str, JSON]:
    """The outputs, unless a search that ended early for the reserve's sake came to no answer: then its error is raised."""
    if refusal is None or not refusal.spared or outputs.get("answer", "") is not None:
        return outputs
    refusal.best_so_far = dict(outputs)
    raise refusal


def _is_marked(context: NodeContext, identity: str, inputs: Mapping[str, JSON]) -> bool:
    journal, scope = context.run.journal, context.scope.inner("degraded")
    return journal is not None and journal.finished_node(scope, fingerprint([identity, dict(inputs)])) is not None


def _mark(context: NodeContext, identity: str, inputs: Mapping[str, JSON]) -> None:
    if journal := context.run.journal:
        journal.finish_node(context.scope.inner("degraded"), fingerprint([identity, dict(inputs)]), {}, Usage(), 0.0)
        journal.rewind(context.scope)
