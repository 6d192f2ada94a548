"""``cache`` around a node: what an equal node made of equal inputs in an earlier run is taken, and costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agentkit.events import OutputsReused, Scope
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import Run
from agentkit.graph.spec import CacheSpec
from agentkit.runtime.cache import Kept
from agentkit.runtime.codec import fingerprint
from agentkit.types import JSON


def cached(spec: CacheSpec, run: Run, identity: str, *, graph: str) -> Run:
    """``run``, its outputs taken from the run's cache where they are there, and kept there where they are not.

    Without a cache in the context, as in runs that keep nothing, it is ``run`` itself. What a budget may have cut short or
    made cheaper is not kept.
    """

    async def kept(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        cache, now = context.run.cache, context.run.now()
        if cache is None:
            return await run(inputs, context)
        key = _key(spec, inputs, context, identity, graph)
        if found := cache.get(key, now=now, since=0.0 if spec.ttl is None else now - spec.ttl):
            context.emit(OutputsReused(usage=found.usage))
            return found.outputs
        inside = replace(context, ledger=context.ledger.child())
        outputs = await run(inputs, inside)
        if not inside.ledger.refused:
            entry = Kept(outputs=outputs, usage=inside.ledger.spent)
            cache.put(key, entry, now=context.run.now(), graph=graph, node=context.title)
        return outputs

    return kept


def _key(spec: CacheSpec, inputs: Mapping[str, JSON], context: NodeContext, identity: str, graph: str) -> str:
    """All that the outputs depend on, and whose they may be.

    Which item of a map it is does not count, so that a list may grow; which visit and which sample does, because a loop or a
    vote that came here again wants another draw.
    """
    counted = {name: value for name, value in inputs.items() if not spec.key or name in spec.key}
    whose = [graph, context.title] if spec.scope == "graph" else []
    return fingerprint([identity, context.run.seed, _draw(context.scope), whose, counted])


def _draw(scope: Scope) -> list[str]:
    parts = [part.rpartition(":") for part in scope.path.split("/") if part and not part.startswith("item:")]
    return [str(scope.visit), *(number for _, _, number in parts)]
