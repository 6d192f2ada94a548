"""What stands between a node and its model: the place in the run where its calls are counted, recorded and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agentkit.events import Emit, Scope, ignore
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.able import check_able
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.budgeted import Budgeted
from agentkit.runtime.journal import Journal
from agentkit.runtime.journaled import Journaled
from agentkit.runtime.observed import Observed
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest, Usage

Paid = Callable[[Model], Model]
"""Makes a backend pay from the ledger for every call that it is sent."""

Compose = Callable[[Paid], Model]
"""Builds a model of paid backends: ``lambda paid: Retrying(paid(backend))`` counts every attempt."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A model at its place in a run: ``observed(journaled(compose(budgeted)))``, as far as there are a journal and a ledger."""

    compose: Compose
    scope: Scope
    journal: Journal | None = None
    ledger: Ledger | None = None
    emit: Emit = ignore
    price: Price | None = None
    stack: Model = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stack", self._stack())

    @property
    def name(self) -> str:
        """The model's."""
        return self.stack.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's."""
        return self.stack.capabilities

    def generate(self, request: GenerateRequest) -> SampleStream:
        """The samples of ``request``, recorded ones first; ``RequestRefusedError`` for what the model cannot honour."""
        check_able(self.stack, request)
        return self.stack.generate(request)

    def inner(self, part: str, *, budget: Budget | None = None) -> Bound:
        """The same model at the place ``part`` inside this one (``sample:3``), under a budget of its own if there is one."""
        scope = self.scope.inner(part)
        return replace(self, scope=scope, ledger=self._inner_ledger(scope, budget))

    def _inner_ledger(self, scope: Scope, budget: Budget | None) -> Ledger | None:
        if budget is None:
            return self.ledger
        spent = self.journal.usage(scope) if self.journal else None
        name = f"{scope.node} {scope.path}".strip()
        return (self.ledger or Ledger()).child(budget, name=name, spent=spent)

    def _stack(self) -> Model:
        model = self.compose(self._paid)
        if self.journal is not None:
            model = Journaled(model=model, journal=self.journal, scope=self.scope)
        redact = None if self.journal is None else self.journal.redact
        return Observed(model=model, emit=self.emit, scope=self.scope, redact=redact)

    def _paid(self, model: Model) -> Model:
        if self.ledger is None:
            return model
        return Budgeted(
            model=model,
            ledger=self.ledger,
            price=self.price or price_of(model),
            emit=self.emit,
            scope=self.scope,
            lost=self._lose,
        )

    def _lose(self, usage: Usage) -> None:
        if self.journal is not None:
            self.journal.calls.lose(self.scope, usage)


def bind(
    model: Model | Compose,
    *,
    scope: Scope,
    journal: Journal | None = None,
    ledger: Ledger | None = None,
    emit: Emit = ignore,
    price: Price | None = None,
) -> Bound:
    """``model`` at ``scope``: recorded in ``journal``, paid from ``ledger``, shown to ``emit``; each of them may be left out.

    What retries or falls back is given as a function of ``paid``, so that every attempt is reserved, counted and priced by
    itself: ``bind(lambda paid: Retrying(paid(backend)), ...)``. Without a ``price`` the one that a backend states as its
    attribute ``price`` holds; without that, its price is unknown.
    """
    compose = model if not isinstance(model, Model) else _alone(model)
    return Bound(compose=compose, scope=scope, journal=journal, ledger=ledger, emit=emit, price=price)


def inner(model: Model, part: str) -> Model:
    """``model`` at the place ``part`` inside its own, if it is bound to one; otherwise the model itself."""
    return model.inner(part) if isinstance(model, Bound) else model


def _alone(model: Model) -> Compose:
    return lambda paid: paid(model)
