"""One visit of a node: its inputs, the policies around it, its record and its models."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from agentkit.errors import (
    BudgetExceededError,
    InputError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    NodeError,
    QuestionsPendingError,
    RateLimitError,
    ServerError,
    ToolError,
)
from agentkit.events import NodeFinished, NodeStarted, Scope
from agentkit.expressions import Expression
from agentkit.graph.context import NodeContext, RunContext, placed
from agentkit.graph.kinds import Checked, Run
from agentkit.graph.spec import GraphSpec, ModelSpec, NodeSpec, RetryCause, RetrySpec, as_data
from agentkit.graph.values import resolve
from agentkit.models.fallback import Fallback
from agentkit.models.retry import Retrying
from agentkit.protocols import Model
from agentkit.runtime.budget import Ledger
from agentkit.runtime.codec import fingerprint
from agentkit.runtime.stack import Paid, bind
from agentkit.types import JSON, Question

_GRACE = 0.25  # seconds for a node to hand over its best so far when the run's time is up


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """What came of a visit: ``outputs``, None for a node that was passed over, the ``failure``, or ``questions`` to a person."""

    scope: Scope
    outputs: Mapping[str, JSON] | None
    seconds: float = 0.0
    recorded: bool = False
    failure: NodeError | None = None
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRunner:
    """A node ready to run: what it is in the file, its ports, the function behind it, and what makes its results its own."""

    node: NodeSpec
    spec: GraphSpec
    checked: Checked
    run: Run
    when: Expression | None = None
    identity: str = ""

    async def visit(self, number: int, values: Mapping[str, Mapping[str, JSON]], context: RunContext) -> Visited:
        """Run the node for the ``number``-th time (from 0) on the ``values`` of inputs and nodes so far.

        Raises ``BudgetExceededError`` when the budget of the run is spent, and nothing else.
        """
        scope = context.scope(self.node.name, number)
        visit = _Visit(self, scope, context)
        try:
            if self.when is not None and not self.when.holds(values):
                return Visited(scope=scope, outputs=None)
            context.emit(NodeStarted(scope=scope, use=self.node.use))
            return await visit.run(self.inputs(values))
        except BudgetExceededError as error:
            return visit.out_of_budget(error)
        except QuestionsPendingError as error:
            return Visited(scope=scope, outputs=None, questions=error.questions)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; the run tells whose node it was
            return visit.failed(error)

    def inputs(self, values: Mapping[str, Mapping[str, JSON]]) -> dict[str, JSON]:
        """The values that are present for the node's inputs; ``InputError`` when one it needs is absent."""
        found = {name: resolve(binding, values) for name, binding in self.node.inputs.items()}
        for name, port in self.checked.ports.inputs.items():
            if port.required and found.get(name) is None and self.node.kind != "evaluator":
                wanted = " or ".join(str(one) for one in self.node.inputs.get(name, ()))
                raise InputError(f"input {name!r} has no value: {wanted} gave none")
        return {name: value for name, value in found.items() if value is not None}


class _Visit:
    """The working state of one visit."""

    def __init__(self, runner: NodeRunner, scope: Scope, context: RunContext) -> None:
        self.runner, self.scope, self.context = runner, scope, context
        self.node = runner.node
        self.started = context.clock()
        self.uses_models = False

    @cached_property
    def ledger(self) -> Ledger:
        """The account of this visit, a part of the run's."""
        journal = self.context.journal
        spent = journal.usage(self.scope) if journal and self.node.budget else None
        return self.context.ledger.child(self.node.budget, name=f"node {self.title!r}", spent=spent)

    @property
    def title(self) -> str:
        """The node's name, with those of the nodes around it."""
        return self.context.title(self.node.name)

    @property
    def seconds(self) -> float:
        return self.context.clock() - self.started

    async def run(self, inputs: dict[str, JSON]) -> Visited:
        """The outputs, from the record where there is one."""
        journal = self.context.journal
        if journal is None:
            return self._visited(await self._attempts(inputs))
        key = visit_key(self.runner.identity, self.context.seed, inputs)
        if known := journal.finished_node(self.scope, key):
            return replace(self._visited(known.outputs), seconds=known.seconds, recorded=True)
        outputs = await self._attempts(inputs)
        journal.finish_node(self.scope, key, outputs, self.ledger.spent, self.seconds)
        return self._visited(outputs)

    def failed(self, error: Exception) -> Visited:
        """The failure, with the node's name; its text is an output, for the node that an ``on_error`` leads to."""
        failure = error if isinstance(error, NodeError) else NodeError(self.node.name, error)
        if failure is not error:
            failure.__cause__ = error
        return replace(self._visited({"error": str(failure)}), failure=failure)

    def out_of_budget(self, error: BudgetExceededError) -> Visited:
        """The best so far, where the budget says so; a node's own budget is a failure of the node, the run's ends the run."""
        own = self.node.budget is not None and error.owner == self.ledger.name
        best = error.best_so_far if isinstance(error.best_so_far, Mapping) else None
        if own:
            assert self.node.budget is not None
            if self.node.budget.on_exhausted != "stop" and best is not None:
                return self._visited(best)
            return self.failed(error)
        if best is not None:
            self.context.outputs[self.node.name] = best
        self.context.emit(
            NodeFinished(
                scope=self.scope, use=self.node.use, outputs=best or {}, seconds=self.seconds, error=str(error)
            )
        )
        raise error

    def _visited(self, outputs: Mapping[str, JSON]) -> Visited:
        return Visited(scope=self.scope, outputs=outputs, seconds=self.seconds)

    async def _attempts(self, inputs: dict[str, JSON]) -> dict[str, JSON]:
        """The outputs, from as many attempts as the node's ``retry`` allows."""
        retry = self.node.retry or RetrySpec(attempts=0)
        for attempt in range(retry.attempts + 1):
            try:
                return await self._in_time(inputs)
            except Exception as error:
                if attempt == retry.attempts or not self._again(error, retry):
                    raise
            await asyncio.sleep(min(retry.max_delay, retry.first_delay * 2**attempt))
            if self.context.journal is not None:
                self.context.journal.rewind(self.scope)
        raise AssertionError("every attempt returns or raises")

    def _again(self, error: Exception, retry: RetrySpec) -> bool:
        """Whether to run the whole node again; calls of models were tried again where they were made."""
        if isinstance(error, ModelError) and (self.uses_models or not error.retryable):
            return False
        cause = _cause(error)
        return cause is not None and (not retry.on or cause in retry.on)

    async def _in_time(self, inputs: dict[str, JSON]) -> dict[str, JSON]:
        left = (self.ledger if self.node.budget else self.context.ledger).seconds_left()
        limit = _least(self.node.timeout, None if left is None else left + _GRACE)
        if limit is None:
            return _present(await self.runner.run(inputs, self._node_context()))
        try:
            async with asyncio.timeout(limit) as timer:
                return _present(await self.runner.run(inputs, self._node_context()))
        except TimeoutError:
            if not timer.expired():
                raise
            if limit == self.node.timeout:
                raise TimeoutError(f"it did not finish within its timeout of {self.node.timeout:g} s") from None
            raise self.ledger.overdue() from None

    def _node_context(self) -> NodeContext:
        return NodeContext(scope=self.scope, run=self.context, ledger=self.ledger, bind=self._model)

    def _model(self, name: str, scope: Scope, ledger: Ledger) -> Model:
        self.uses_models = True
        return bind(
            lambda paid: self._composed(name, paid, scope),
            scope=scope,
            journal=self.context.journal,
            ledger=ledger,
            emit=lambda event: self.context.emit(placed(event, scope)),
        )

    def _composed(self, name: str, paid: Paid, scope: Scope) -> Model:
        """The model under its retries, with those it falls back on; every attempt is paid for by itself."""
        spec = self.runner.spec.models[name]
        model = self._chosen(spec, paid, scope) if spec.models else self._retrying(spec, paid, scope)
        if not spec.fallback:
            return model
        others = tuple(self._composed(other, paid, scope) for other in spec.fallback)
        return Fallback((model, *others), emit=self.context.emit, scope=scope)

    def _chosen(self, spec: ModelSpec, paid: Paid, scope: Scope) -> Model:
        """A model that chooses between others: each under its own retries, unless all runs share them."""
        choose = self.context.choosing(spec.name)
        if choose is None:
            return self._retrying(spec, paid, scope)
        return choose({other: self._composed(other, paid, scope) for other in spec.models})

    def _retrying(self, spec: ModelSpec, paid: Paid, scope: Scope) -> Model:
        policy = self.node.retry or retry_of(spec)
        return Retrying(
            paid(self.context.open_model(spec.name)),
            attempts=policy.attempts,
            on=tuple(cause for cause in policy.on if cause != "tool"),
            deadline=policy.deadline,
            first_delay=policy.first_delay,
            max_delay=policy.max_delay,
            rng=random.Random(f"{scope.run}/{scope.node}/{scope.visit}/{scope.path}"),
            emit=self.context.emit,
            scope=scope,
        )


def retry_of(spec: ModelSpec) -> RetrySpec:
    """How calls of a model are retried where its node says nothing."""
    options: dict[str, Any] = dict(spec.options.get("retry") or {})
    if "on" in options:
        options["on"] = tuple(options["on"])
    return RetrySpec(**options)


def visit_key(identity: str, seed: int, inputs: Mapping[str, JSON]) -> str:
    """What a visit is recorded under: the first half tells the node and the run's seed, the second the inputs."""
    return _of_node(identity, seed) + fingerprint(inputs)[:32]


@lru_cache(maxsize=1024)
def _of_node(identity: str, seed: int) -> str:
    return fingerprint([identity, seed])[:32]


def identity(node: NodeSpec, spec: GraphSpec) -> str:
    """The fingerprint of what a node's outputs depend on beside its inputs: its component, options, texts and models."""
    texts = {name: spec.files[name] for name in _files(node.options) if name in spec.files}
    names = [one for one in node.options.values() if isinstance(one, str) and one in spec.models] or list(spec.models)
    models: dict[str, JSON] = {}
    while names:
        name = names.pop()
        if name not in models:
            models[name] = as_data(spec.models[name])
            names += spec.models[name].others
    inner = [one.data() for one in spec.inside(node.name)]
    around: list[JSON] = [as_data(replace(one, budget=None)) for one in (node.map, node.sample) if one]
    around += [identity(cheaper, spec)] if (cheaper := node.cheaper) else []
    return fingerprint([node.use, dict(node.options), texts, models, *inner, *around])


def _files(value: JSON) -> list[str]:
    if isinstance(value, Mapping):
        here = [value["file"]] if isinstance(value.get("file"), str) else []
        return here + [name for item in value.values() for name in _files(item)]
    return [name for item in value for name in _files(item)] if isinstance(value, list) else []


def _cause(error: Exception) -> RetryCause | None:
    """The name of a failure that another try may mend."""
    return next((cause for cause, kinds in _CAUSES.items() if isinstance(error, kinds)), None)


_CAUSES: dict[RetryCause, tuple[type[Exception], ...]] = {
    "rate_limit": (RateLimitError,),
    "timeout": (ModelTimeoutError, TimeoutError),
    "unreachable": (ModelUnreachableError,),
    "server": (ServerError,),
    "tool": (ToolError,),
}


def _present(outputs: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in outputs.items() if value is not None}


def _least(*limits: float | None) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)
