"""Budgets as a tree: reserve before a call is sent, settle after it, refuse what no longer fits."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.types import Usage

_ROUNDING = 1 + 1e-9  # ten dimes make a dollar, in floating point too


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that a run, node, branch or sample may spend; None sets no limit.

    ``calls`` counts drawn samples and requests that failed, ``tokens`` input and output together, ``usd`` what priced calls
    cost, ``seconds`` the time on the clock since the ledger was opened. ``on_exhausted`` says what the engine does
    then: ``stop`` with the error, hand out the ``best_so_far``, or ``degrade``: what spares the budget may not touch the
    share ``reserve`` of it, which is for going on in a cheaper form.
    """

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    on_exhausted: Literal["stop", "best_so_far", "degrade"] = "stop"
    reserve: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.reserve < 1:
            raise ConfigError(f"budget.reserve must lie between 0 and 1, not {self.reserve:g}")
        for name in ("calls", "tokens", "usd", "seconds"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise ConfigError(f"budget.{name} must be a number above 0, not {limit!r}")

    def limit(self, resource: str, *, sparing: bool) -> float | None:
        """The most of a resource, for what leaves the reserve alone or for what may have it all."""
        most: float | None = getattr(self, resource)
        return most if most is None or not sparing or self.on_exhausted != "degrade" else most * (1 - self.reserve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What can still be reserved; None is without limit, and nothing is below 0."""

    calls: float | None = None
    tokens: float | None = None
    usd: float | None = None
    seconds: float | None = None


class Reservation:
    """A part of a budget held for one call; ``Ledger.settle`` or ``Ledger.release`` ends it."""

    __slots__ = ("estimate", "ledger", "open")

    def __init__(self, ledger: Ledger, estimate: Usage) -> None:
        self.ledger, self.estimate, self.open = ledger, estimate, True


class Ledger:
    """What was spent and what is held in one part of a run, under that part's budget and those of all parts around it.

    ``spent`` and ``elapsed`` (seconds) are what earlier sessions of a resumed run used up; they count here and not in the
    parent, which has its own. What is spent through a ``sparing`` ledger leaves the reserves of the budgets around it.
    All methods may be called from any thread.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        parent: Ledger | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        name: str = "the run",
        spent: Usage | None = None,
        elapsed: float = 0.0,
        sparing: bool = False,
    ) -> None:
        self.budget = budget or Budget()
        self.name = name
        self._clock: Callable[[], float] = parent._clock if parent else clock
        self._started = self._clock() - elapsed
        self._spent = spent or Usage()
        self._held: dict[int, Usage] = {}
        self._holds = {"calls": 0.0, "tokens": 0.0, "usd": 0.0}
        around = parent._chain if parent else ()
        self._chain: tuple[tuple[Ledger, bool], ...] = (
            (self, sparing),
            *((ledger, sparing or spares) for ledger, spares in around),
        )
        self._refusal: BudgetExceededError | None = None
        self._lock: threading.Lock = parent._lock if parent else threading.Lock()

    def child(
        self,
        budget: Budget | None = None,
        *,
        name: str = "",
        spent: Usage | None = None,
        elapsed: float = 0.0,
        sparing: bool = False,
    ) -> Ledger:
        """A ledger for a part of this one: what it spends counts here too."""
        return Ledger(budget, self, name=name or self.name, spent=spent, elapsed=elapsed, sparing=sparing)

    @property
    def root(self) -> Ledger:
        """The ledger of the whole run."""
        return self._chain[-1][0]

    @property
    def spent(self) -> Usage:
        """What was settled here and in all parts of it."""
        return self._spent

    @property
    def refused(self) -> bool:
        """Whether a budget ever refused something here or in a part of this, so that what was made may be less than wanted."""
        return self._refusal is not None

    @property
    def refusal(self) -> BudgetExceededError | None:
        """What was refused last here or in a part of this, whoever went on with less."""
        return self._refusal

    @property
    def elapsed(self) -> float:
        """Seconds since this ledger was opened, with those of earlier sessions."""
        return self._clock() - self._started

    def reserve(self, estimate: Usage) -> Reservation:
        """Hold ``estimate`` here and in every ledger around, or hold nothing and raise.

        Raises ``BudgetExceededError`` when a budget on the way up would be exceeded, and ``ConfigError`` under a budget in
        usd when the call's cost cannot be bounded (``unpriced_calls`` above 0, or ``usd`` infinite).
        """
        reservation = Reservation(self, estimate)
        with self._lock:
            try:
                for ledger, sparing in self._chain:
                    ledger._check(estimate, sparing)
            except BudgetExceededError as error:
                raise self._refuse(error) from None
            for ledger, _ in self._chain:
                ledger._hold(reservation)
        return reservation

    def settle(self, reservation: Reservation, actual: Usage) -> None:
        """End a reservation with what the call did cost; ``ValueError`` if it has ended already."""
        if not reservation.open:
            raise ValueError("this reservation has been settled or released already")
        with self._lock:
            reservation.open = False
            for ledger, _ in reservation.ledger._chain:
                ledger._free(reservation)
                ledger._spent = ledger._spent + actual

    def release(self, reservation: Reservation) -> None:
        """End a reservation whose call cost nothing; one that has ended already stays as it is."""
        with self._lock:
            if reservation.open:
                reservation.open = False
                for ledger, _ in reservation.ledger._chain:
                    ledger._free(reservation)

    def remaining(self) -> Remaining:
        """What can be reserved now: for each resource the least that any budget from here up has left."""
        with self._lock:
            return Remaining(
                calls=_least(ledger._left("calls", sparing) for ledger, sparing in self._chain),
                tokens=_least(ledger._left("tokens", sparing) for ledger, sparing in self._chain),
                usd=_least(ledger._left("usd", sparing) for ledger, sparing in self._chain),
                seconds=self.seconds_left(),
            )

    def seconds_left(self) -> float | None:
        """Seconds to the nearest deadline from here up (0 once it has passed), or None without one."""
        return _least(ledger._seconds_left(sparing) for ledger, sparing in self._chain)

    def overdue(self) -> BudgetExceededError:
        """The error that says whose deadline is nearest and how much time it allowed."""
        limited = [(ledger, sparing) for ledger, sparing in self._chain if ledger.budget.seconds is not None]
        nearest, sparing = min(limited, key=lambda one: one[0]._seconds_left(one[1]) or 0.0)
        limit = nearest.budget.limit("seconds", sparing=sparing)
        account = f"{limit:g} s allowed, {nearest.elapsed:.1f} s passed"
        return self._refuse(nearest._exceeded("seconds", account, sparing))

    def _seconds_left(self, sparing: bool) -> float | None:
        limit = self.budget.limit("seconds", sparing=sparing)
        return None if limit is None else max(0.0, limit - self.elapsed)

    def _refuse(self, error: BudgetExceededError) -> BudgetExceededError:
        for ledger, _ in self._chain:
            ledger._refusal = error
        return error

    def _used(self, resource: str) -> float:
        return float(getattr(self._spent, resource)) + self._holds[resource]

    def _left(self, resource: str, sparing: bool) -> float | None:
        limit = self.budget.limit(resource, sparing=sparing)
        return None if limit is None else max(0.0, limit - self._used(resource))

    def _check(self, estimate: Usage, sparing: bool) -> None:
        if self._seconds_left(sparing) == 0.0:
            limit = self.budget.limit("seconds", sparing=sparing)
            raise self._exceeded("seconds", f"{limit:g} s allowed, {self.elapsed:.1f} s passed", sparing)
        if self.budget.usd is not None:
            _refuse_unbounded(estimate, self.name)
        for resource in ("calls", "tokens", "usd"):
            limit = self.budget.limit(resource, sparing=sparing)
            if limit is not None and self._used(resource) + getattr(estimate, resource) > limit * _ROUNDING:
                raise self._exceeded(resource, self._account(resource, estimate), sparing)

    def _account(self, resource: str, estimate: Usage) -> str:
        amounts = (getattr(self.budget, resource), getattr(self._spent, resource), self._holds[resource])
        limit, spent, held = (_amount(resource, amount) for amount in amounts)
        need = _amount(resource, getattr(estimate, resource))
        return f"{limit} allowed, {spent} spent, {held} held by calls under way, and the next call may take {need}"

    def _exceeded(self, resource: str, account: str, sparing: bool) -> BudgetExceededError:
        spared = sparing and self.budget.on_exhausted == "degrade"
        kept = f", with {self.budget.reserve:.0%} of it kept for a cheaper form" if spared else ""
        message = f"the {resource} budget of {self.name} is spent: {account}{kept}"
        return BudgetExceededError(message, resource=resource, owner=self.name, spared=spared)

    def _hold(self, reservation: Reservation) -> None:
        self._held[id(reservation)] = reservation.estimate
        self._add(reservation.estimate, 1)

    def _free(self, reservation: Reservation) -> None:
        self._add(self._held.pop(id(reservation)), -1)
        if not self._held:
            self._holds = dict.fromkeys(self._holds, 0.0)  # forget rounding errors while nothing is held

    def _add(self, estimate: Usage, sign: int) -> None:
        self._holds["calls"] += sign * estimate.calls
        self._holds["tokens"] += sign * estimate.tokens
        if math.isfinite(estimate.usd):
            self._holds["usd"] += sign * estimate.usd


def _refuse_unbounded(estimate: Usage, name: str) -> None:
    if estimate.unpriced_calls:
        raise ConfigError(
            f"{name} has a budget in usd, but this model's price is not known: give the model a price "
            "(price: {input: USD, output: USD} a token), or budget calls or tokens instead"
        )
    if math.isinf(estimate.usd):
        raise ConfigError(
            f"{name} has a budget in usd, but this call could cost any amount: set max_tokens, so that it is bounded"
        )


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _amount(resource: str, amount: float) -> str:
    return f"${amount:.4f}" if resource == "usd" else f"{amount:,.0f}"
