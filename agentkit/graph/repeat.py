"""``map`` and ``sample`` around a node of any kind: once for each item of a list, or several times with a vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from agentkit.errors import AuthenticationError, BudgetExceededError, InputError, NodeError, StoreError, did_you_mean
from agentkit.graph.ballot import OutputsBallot
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import Run
from agentkit.graph.ports import Ports
from agentkit.graph.spec import MapSpec, NodeSpec, SampleSpec
from agentkit.options import Fault, plainly
from agentkit.runtime.concurrency import gather
from agentkit.strategies import stopping
from agentkit.strategies.drawing import HOPELESS
from agentkit.strategies.poll import Poll
from agentkit.types import JSON

MAX_ITEMS = 10_000
_VOTED = ("answer", "data", "text")
_VOTE_OUTPUTS = {"votes": "list", "confidence": "number", "stopped": "string"}
_NO_SKIP = (BudgetExceededError, AuthenticationError, StoreError, AssertionError)


def repeated(node: NodeSpec, run: Run, identity: str) -> Run:
    """``run`` with the node's ``sample`` around it, and its ``map`` around that."""
    if node.sample is not None:
        run = _sampled(node.sample, run, identity)
    return run if node.map is None else _mapped(node, node.map, run, identity)


def ports_around(node: NodeSpec, ports: Ports) -> Ports:
    """The ports of the node with both around it."""
    if node.sample is not None:
        ports = replace(ports, outputs={**ports.outputs, **_VOTE_OUTPUTS})
    if node.map is not None:
        ports = replace(ports, outputs={**dict.fromkeys(ports.outputs, "list"), "failures": "list"})
    return ports


def faults_around(node: NodeSpec, ports: Ports) -> list[Fault]:
    """What is wrong with them."""
    faults: list[Fault] = []
    if node.map is not None and not _takers(node, node.map):
        faults.append(
            (
                ("map", "over"),
                f"nothing under 'in' takes {node.map.over}: bind an input to it, which then gets an item at a time",
            )
        )
    if node.sample is None or ports.open:
        return faults
    vote, known = node.sample.vote, ", ".join(ports.outputs) or "none"
    if vote and vote not in ports.outputs:
        hint = did_you_mean(vote, ports.outputs)
        faults.append((("sample", "vote"), f"the node has no output {vote!r}{hint} (it gives {known})"))
    if not vote and not set(_VOTED) & set(ports.outputs):
        faults.append((("sample",), f"say with 'vote' which output to vote over: {known}"))
    return faults


def _takers(node: NodeSpec, spec: MapSpec) -> list[str]:
    """The inputs that get the items."""
    return [name for name, binding in node.inputs.items() if binding == (spec.reference,)]


def _mapped(node: NodeSpec, spec: MapSpec, run: Run, identity: str) -> Run:
    takers = _takers(node, spec)

    async def one(place: int, inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON] | str:
        try:
            return await context.inner(f"item:{place}").once([identity, inputs], partial(run, inputs))
        except _NO_SKIP:
            raise
        except Exception as error:
            if spec.on_error == "fail":
                raise
            return str(error) or type(error).__name__

    async def mapped(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        items = inputs.get(takers[0], [])
        if not isinstance(items, list) or len(items) > MAX_ITEMS:
            raise InputError(f"{spec.over} must be a list of at most {MAX_ITEMS} items, not {plainly(items)}")
        each = [{**inputs, **dict.fromkeys(takers, item)} for item in items]
        jobs = [partial(one, place, values, context) for place, values in enumerate(each)]
        done = await gather(jobs, limit=spec.concurrency)
        return _lists(done)

    return mapped


def _lists(done: list[Mapping[str, JSON] | str]) -> dict[str, JSON]:
    """The outputs of all items as lists in their order, null where an item has none; ``failures`` tells why."""
    whole = [{} if isinstance(one, str) else one for one in done]
    ports = dict.fromkeys(port for one in whole for port in one)
    failures = [{"item": place, "error": one} for place, one in enumerate(done) if isinstance(one, str)]
    return {**{port: [one.get(port) for one in whole] for port in ports}, "failures": failures}


def _sampled(spec: SampleSpec, run: Run, identity: str) -> Run:
    rule = stopping.rule(spec.stop, confidence=spec.confidence)

    async def sampled(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        async def one(place: int) -> Mapping[str, JSON]:
            try:
                return await context.inner(f"sample:{place}").once([identity, dict(inputs)], partial(run, inputs))
            except NodeError as error:
                if isinstance(error.__cause__, HOPELESS):
                    raise error.__cause__ from None
                raise

        ballot = OutputsBallot(ports=(spec.vote,) if spec.vote else _VOTED, answer=spec.answer)
        poll = Poll(
            draw=one,
            box=ballot,
            rule=rule,
            limit=spec.n,
            emit=context.emit,
            ahead=spec.ahead,
            concurrency=spec.concurrency,
        )
        stopped = await poll.run()
        return {**ballot.outputs(), "stopped": stopped}

    return sampled
