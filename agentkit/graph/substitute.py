"""A node's output replaced by another, in a run that begins with what an earlier one recorded before that node."""

from __future__ import annotations

from collections.abc import Mapping

from agentkit.errors import InputError, did_you_mean
from agentkit.graph.nodes import NodeRunner, visit_key
from agentkit.graph.origin import begun_at
from agentkit.graph.run import Fork
from agentkit.runtime.codec import dumps, encode_usage
from agentkit.runtime.journal import Journal, Visit
from agentkit.runtime.rows import Row
from agentkit.types import JSON, Usage


def put(earlier: Journal, runner: NodeRunner, fork: Fork, seed: int) -> Row:
    """The record of the visit to fork at, with the fork's outputs over those that it had; a failed visit had none.

    Raises ``InputError`` for an output that the node does not have.
    """
    node, given = runner.node.name, dict(fork.outputs or {})
    known = runner.checked.ports.outputs
    for name in given:
        if name not in known:
            raise InputError(f"the node {node!r} has no output {name!r}{did_you_mean(name, known)}")
    begun = begun_at(earlier, node, fork.visit)
    done = [one for one in earlier.visits() if not one.scope.path]
    mine = [one for one in done if (one.scope.node, one.scope.visit) == (node, fork.visit)]
    outputs = {**(mine[-1].outputs if mine else {}), **given}
    key = visit_key(runner.identity, seed, {} if mine else runner.inputs(_values(earlier, done, begun)))
    key = key[:32] + mine[-1].key[32:] if mine else key
    return "nodes", (node, fork.visit, "", key, dumps(outputs), dumps(encode_usage(Usage())), 0.0, begun)


def _values(earlier: Journal, done: list[Visit], begun: float) -> dict[str, Mapping[str, JSON]]:
    """What a node that began then had before it: the inputs, and the last outputs of each node so far."""
    before = sorted((one for one in done if one.at <= begun), key=lambda one: one.at)
    return {"inputs": earlier.header.inputs, **{one.scope.node: one.outputs for one in before}}
