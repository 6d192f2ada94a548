"""Budgets: what fits is held, what does not is refused, and nothing is counted twice."""

import math
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.runtime.budget import Budget, Ledger, Reservation
from agentkit.types import Usage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("limit", [0, -1, math.inf, math.nan])
@pytest.mark.parametrize("name", ["calls", "tokens", "usd", "seconds"])
def test_a_budget_is_above_nothing(name: str, limit: float) -> None:
    with pytest.raises(ConfigError, match=f"budget.{name} must be a number above 0"):
        Budget(**{name: limit})


def test_what_is_settled_counts_in_every_ledger_above() -> None:
    run = Ledger(Budget(calls=10))
    node = run.child(Budget(calls=5), name="node 'solve'")
    branch = node.child()
    held = branch.reserve(Usage(calls=2, input_tokens=10))
    assert (run.spent, run.remaining().calls, branch.remaining().calls) == (Usage(), 8, 3)
    branch.settle(held, Usage(calls=1, input_tokens=7))
    assert run.spent == node.spent == branch.spent == Usage(calls=1, input_tokens=7)
    assert branch.remaining().calls == 4
    assert branch.root is run


def test_a_refusal_names_the_budget_the_resource_and_the_numbers_and_holds_nothing() -> None:
    run = Ledger(Budget(tokens=100))
    node = run.child(Budget(calls=50), name="node 'solve'")
    run.settle(run.reserve(Usage()), Usage(input_tokens=60))
    node.reserve(Usage(input_tokens=30))
    with pytest.raises(BudgetExceededError) as caught:
        node.reserve(Usage(calls=1, input_tokens=11))
    assert str(caught.value) == (
        "the tokens budget of the run is spent: 100 allowed, 60 spent, 30 held by calls under way, "
        "and the next call may take 11"
    )
    assert (caught.value.resource, caught.value.owner, caught.value.exit_code) == ("tokens", "the run", 4)
    assert node.remaining().calls == 50
    node.reserve(Usage(input_tokens=10))


def test_the_nearest_budget_is_named_first() -> None:
    node = Ledger(Budget(usd=1)).child(Budget(usd=0.1), name="node 'judge'")
    with pytest.raises(BudgetExceededError, match=r"usd budget of node 'judge' is spent: \$0\.1000 allowed"):
        node.reserve(Usage(usd=2.0))


def test_released_money_can_be_spent_again_and_release_is_idempotent() -> None:
    ledger = Ledger(Budget(usd=0.3))
    for _ in range(1000):
        held = [ledger.reserve(Usage(usd=0.1)) for _ in range(3)]
        for one in held:
            ledger.release(one)
            ledger.release(one)
    assert ledger.remaining().usd == 0.3
    with pytest.raises(ValueError, match="settled or released already"):
        ledger.settle(held[0], Usage())


def test_seconds_are_a_deadline_on_the_clock() -> None:
    clock = Clock()
    run = Ledger(Budget(seconds=90), clock=clock)
    node = run.child(Budget(seconds=30), name="node 'solve'")
    clock.now += 29
    assert (node.seconds_left(), run.seconds_left()) == (1, 61)
    clock.now += 2
    with pytest.raises(
        BudgetExceededError, match=r"seconds budget of node 'solve' is spent: 30 s allowed, 31\.0 s passed"
    ):
        node.reserve(Usage())
    run.reserve(Usage())
    assert Ledger().seconds_left() is None


def test_a_resumed_ledger_starts_from_what_was_recorded() -> None:
    clock = Clock()
    ledger = Ledger(Budget(calls=10, seconds=20), clock=clock, spent=Usage(calls=9), elapsed=15)
    assert (ledger.remaining().calls, ledger.remaining().seconds) == (1, 5)
    ledger.settle(ledger.reserve(Usage(calls=1)), Usage(calls=1))
    with pytest.raises(BudgetExceededError, match="10 allowed, 10 spent"):
        ledger.reserve(Usage(calls=1))


def test_under_a_money_budget_a_call_without_a_price_or_a_bound_is_refused() -> None:
    node = Ledger(Budget(usd=1)).child(name="node 'solve'")
    with pytest.raises(ConfigError, match="price is not known: give the model a price"):
        node.reserve(Usage(calls=1, unpriced_calls=1))
    with pytest.raises(ConfigError, match="set max_tokens"):
        node.reserve(Usage(calls=1, usd=math.inf))
    free = Ledger(Budget(calls=5))
    free.release(free.reserve(Usage(calls=1, usd=math.inf)))
    assert free.remaining().calls == 5


def test_threads_share_a_ledger() -> None:
    ledger = Ledger(Budget(calls=500))
    sent: list[int] = []

    def work() -> None:
        for _ in range(200):
            try:
                held = ledger.child().reserve(Usage(calls=1))
            except BudgetExceededError:
                continue
            sent.append(1)
            ledger.settle(held, Usage(calls=1))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == ledger.spent.calls == 500


amounts = st.builds(
    Usage,
    calls=st.integers(0, 4),
    input_tokens=st.integers(0, 40),
    output_tokens=st.integers(0, 40),
    usd=st.floats(0, 0.3),
)
budgets = st.builds(
    Budget,
    calls=st.none() | st.integers(1, 12),
    tokens=st.none() | st.integers(1, 300),
    usd=st.none() | st.floats(0.01, 1.5),
)
RESOURCES = ("calls", "tokens", "usd")


class Books(RuleBasedStateMachine):
    """A tree of ledgers beside the plainest account of the same: lists of what is held and what was spent where."""

    ledgers = Bundle("ledgers")
    held = Bundle("held")

    @initialize(target=ledgers, budget=budgets, spent=amounts)
    def begin(self, budget: Budget, spent: Usage) -> Ledger:
        self.parents: dict[Ledger, Ledger | None] = {}
        self.open: list[tuple[Ledger, Reservation]] = []
        self.paid: list[tuple[Ledger, Usage]] = []
        self.slack: dict[Ledger, Usage] = {}
        return self._add(Ledger(budget, spent=spent), None, spent)

    def _add(self, ledger: Ledger, parent: Ledger | None, spent: Usage) -> Ledger:
        self.parents[ledger] = parent
        self.slack[ledger] = Usage()
        self.initial = {**getattr(self, "initial", {}), ledger: spent}
        return ledger

    def _up(self, ledger: Ledger | None):
        while ledger is not None:
            yield ledger
            ledger = self.parents[ledger]

    def _used(self, ledger: Ledger, resource: str) -> float:
        spent = [usage for place, usage in self.paid if ledger in self._up(place)]
        holding = [one.estimate for place, one in self.open if ledger in self._up(place)]
        return sum(getattr(usage, resource) for usage in [self.initial[ledger], *spent, *holding])

    def _fits(self, ledger: Ledger, estimate: Usage) -> bool:
        for one in self._up(ledger):
            for resource in RESOURCES:
                limit = getattr(one.budget, resource)
                need = self._used(one, resource) + getattr(estimate, resource)
                if limit is not None and need > limit * (1 + 1e-8):
                    return False
        return True

    @rule(target=ledgers, parent=ledgers, budget=st.none() | budgets)
    def split(self, parent: Ledger, budget: Budget | None) -> Ledger:
        return self._add(parent.child(budget), parent, Usage())

    @rule(target=held, ledger=ledgers, estimate=amounts)
    def reserve(self, ledger: Ledger, estimate: Usage):
        before = [(one.spent, one.remaining()) for one in self.parents]
        try:
            reservation = ledger.reserve(estimate)
        except BudgetExceededError:
            assert not self._fits(ledger, replace_usd(estimate, 1e-9))
            assert [(one.spent, one.remaining()) for one in self.parents] == before
            return None
        assert self._fits(ledger, estimate)
        self.open.append((ledger, reservation))
        return reservation

    @rule(reservation=consumes(held), share=st.floats(0, 1))
    def settle_within_the_estimate(self, reservation: Reservation | None, share: float) -> None:
        if reservation is not None:
            self._settle(reservation, scaled(reservation.estimate, share))

    @rule(reservation=consumes(held), excess=amounts)
    def settle_above_the_estimate(self, reservation: Reservation | None, excess: Usage) -> None:
        if reservation is not None:
            for one in self._up(reservation.ledger):
                self.slack[one] = self.slack[one] + excess
            self._settle(reservation, reservation.estimate + excess)

    def _settle(self, reservation: Reservation, actual: Usage) -> None:
        reservation.ledger.settle(reservation, actual)
        self.open = [(place, one) for place, one in self.open if one is not reservation]
        self.paid.append((reservation.ledger, actual))

    @rule(reservation=consumes(held))
    def release(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            reservation.ledger.release(reservation)
            self.open = [(place, one) for place, one in self.open if one is not reservation]

    @invariant()
    def nothing_is_exceeded_but_by_errors_of_estimate(self) -> None:
        for ledger in getattr(self, "parents", ()):
            for resource in RESOURCES:
                limit = getattr(ledger.budget, resource)
                allowed = max(limit or 0, getattr(self.initial[ledger], resource))
                if limit is not None:
                    assert self._used(ledger, resource) <= allowed * (1 + 1e-6) + getattr(self.slack[ledger], resource)

    @invariant()
    def the_ledgers_agree_with_the_plain_account(self) -> None:
        for ledger in getattr(self, "parents", ()):
            left = ledger.remaining()
            for resource in RESOURCES:
                ways = [
                    getattr(one.budget, resource) - self._used(one, resource)
                    for one in self._up(ledger)
                    if getattr(one.budget, resource) is not None
                ]
                shown = getattr(left, resource)
                assert (shown is None) == (not ways)
                assert shown is None or shown == pytest.approx(max(0, min(ways)), abs=1e-6)


def scaled(usage: Usage, share: float) -> Usage:
    return Usage(calls=int(usage.calls * share), input_tokens=int(usage.input_tokens * share), usd=usage.usd * share)


def replace_usd(usage: Usage, more: float) -> Usage:
    return Usage(
        calls=usage.calls,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd * (1 + more) + more,
    )


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
