"""``map`` and ``sample`` around a node of any kind: once for each item of a list, or several times with a vote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from agentkit.errors import (
    AuthenticationError,
    BudgetExceededError,
    InputError,
    NodeError,
    QuestionsPendingError,
    StoreError,
    did_you_mean,
)
from agentkit.graph.ballot import OutputsBallot
from agentkit.graph.context import NodeContext
from agentkit.graph.degrade import degradable
from agentkit.graph.keeping import cached
from agentkit.graph.kinds import Run
from agentkit.graph.ports import Ports
from agentkit.graph.spec import MapSpec, NodeSpec, SampleSpec
from agentkit.options import Fault, plainly
from agentkit.runtime.budget import Budget
from agentkit.runtime.concurrency import gather
from agentkit.strategies import stopping
from agentkit.strategies.drawing import HOPELESS
from agentkit.strategies.poll import Poll
from agentkit.types import JSON

MAX_ITEMS = 10_000
_VOTED = ("answer", "data", "text")
_VOTE_OUTPUTS = {"votes": "list", "confidence": "number", "stopped": "string"}
_Item = Mapping[str, JSON] | str | QuestionsPendingError  # what an item put out, why it failed, or what it asks
_NO_SKIP = (BudgetExceededError, AuthenticationError, StoreError, AssertionError)


def repeated(
    node: NodeSpec, run: Run, identity: str, *, graph: str, alone: str, cheaper: tuple[Run, str] | None = None
) -> Run:
    """``run`` with the node's ``sample`` around it, its ``degrade`` and ``cache`` around that, and its ``map`` around all.

    So each item of a map is kept, and goes on cheaper, by itself. ``alone`` is the identity of the node without its map,
    ``graph`` the name of the graph, ``cheaper`` the cheaper form with its identity.
    """
    if node.sample is not None:
        run = _sampled(node.sample, run, identity)
    if cheaper is not None:
        less = cheaper[0] if node.sample is None else _sampled(node.sample, *cheaper)
        run = degradable(run, less, alone)
    if node.cache is not None:
        run = cached(node.cache, run, alone, graph=graph)
    return run if node.map is None else _mapped(node, node.map, run, identity)


def ports_around(node: NodeSpec, ports: Ports) -> Ports:
    """The ports of the node with both around it."""
    if node.sample is not None:
        ports = replace(ports, outputs={**ports.outputs, **_VOTE_OUTPUTS})
    if node.degrade is not None:
        ports = replace(ports, outputs={**ports.outputs, "degraded": "boolean"})
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
    if node.cache is not None:
        faults += [
            (("cache", "key", place), f"the node has no input {name!r}{did_you_mean(name, node.inputs)}")
            for place, name in enumerate(node.cache.key)
            if name not in node.inputs
        ]
    if node.sample is not None and node.sample.budget and node.sample.budget.on_exhausted == "degrade":
        path = ("sample", "budget", "on_exhausted")
        faults.append((path, "a sample has no cheaper form; give the node the budget, or the node inside"))
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

    async def one(place: int, inputs: Mapping[str, JSON], context: NodeContext) -> _Item:
        try:
            with _account(context, f"item:{place}", spec.budget) as inside:
                return await inside.once([identity, inputs], partial(run, inputs))
        except QuestionsPendingError as error:
            return error
        except _Enough as enough:
            return enough.best
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
        spent: list[BudgetExceededError] = []
        jobs = [partial(_unless, spent, partial(one, place, values, context)) for place, values in enumerate(each)]
        lists = _lists(await gather(jobs, limit=spec.concurrency))
        if spent:
            spent[0].best_so_far = lists
            raise spent[0]
        return lists

    return mapped


async def _unless(spent: list[BudgetExceededError], work: Callable[[], Awaitable[_Item]]) -> _Item:
    """What ``work`` gives. Once a budget is ``spent`` no more is begun, while what is under way, and paid for, is finished."""
    if spent:
        return str(spent[0])
    try:
        return await work()
    except BudgetExceededError as error:
        if error.resource == "seconds":
            raise
        spent.append(error)
        return error.best_so_far if isinstance(error.best_so_far, Mapping) else str(error)


def _lists(done: list[_Item]) -> dict[str, JSON]:
    """The outputs of all items as lists in their order, null where an item has none; ``failures`` tells why.

    Raises ``QuestionsPendingError`` when an item waits for a person.
    """
    if waiting := [one for one in done if isinstance(one, QuestionsPendingError)]:
        raise QuestionsPendingError.joined(waiting)
    whole = [one if isinstance(one, Mapping) else {} for one in done]
    ports = dict.fromkeys(port for one in whole for port in one)
    failures = [{"item": place, "error": one} for place, one in enumerate(done) if isinstance(one, str)]
    return {**{port: [one.get(port) for one in whole] for port in ports}, "failures": failures}


def _sampled(spec: SampleSpec, run: Run, identity: str) -> Run:
    rule = stopping.rule(spec.stop, confidence=spec.confidence)

    async def sampled(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        async def one(place: int) -> Mapping[str, JSON]:
            try:
                with _account(context, f"sample:{place}", spec.budget) as inside:
                    return await inside.once([identity, dict(inputs)], partial(run, inputs))
            except _Enough as enough:
                return enough.best
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


class _Enough(Exception):
    """An item or a sample spent its budget, and hands out its best so far."""

    def __init__(self, best: Mapping[str, JSON]) -> None:
        self.best = best


@contextmanager
def _account(context: NodeContext, part: str, budget: Budget | None) -> Iterator[NodeContext]:
    """The place of an item or a sample, under its own budget: what spends that has failed, and nothing around it has."""
    kind, _, number = part.partition(":")
    name = f"{kind} {number} of node {context.title!r}"
    inside = context.inner(part, budget, name=name if budget else "")
    try:
        yield inside
    except BudgetExceededError as error:
        if budget is None or error.owner != name:
            raise
        if budget.on_exhausted != "stop" and isinstance(error.best_so_far, Mapping):
            raise _Enough(error.best_so_far) from error
        raise NodeError(context.title, error) from error
