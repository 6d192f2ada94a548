"""A budget over the sessions of a run: calls side by side that arrive, fail, are cancelled or in flight when the process dies."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agentkit.errors import BudgetExceededError, ServerError, StoreError
from agentkit.events import Scope
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.types import Capabilities, GenerateRequest, Message, Sample, Usage


class Dead:
    """The rows of a run whose process is gone."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def append(self, rows: Any) -> int:
        raise StoreError("the process is gone")


@dataclass
class Provider:
    """Answers a request when it is told to: ``waiting`` are those under way, each with its number of samples."""

    waiting: list[tuple[asyncio.Future[None], int]] = field(default_factory=list)
    name: str = "provider"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(n=True))

    async def generate(self, request: GenerateRequest) -> Any:
        answer = asyncio.get_running_loop().create_future()
        entry = (answer, request.n)
        self.waiting.append(entry)
        try:
            await answer
            for index in range(request.n):
                yield Sample(text="yes", usage=Usage(calls=1, input_tokens=2, output_tokens=3), index=index)
        finally:
            self.waiting.remove(entry)


class Sessions(RuleBasedStateMachine):
    """A run's ledger and journal beside the plainest account of the same."""

    @initialize(calls=st.integers(1, 12), seconds=st.none() | st.integers(5, 50))
    def begin(self, calls: int, seconds: int | None) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.now = 100.0
        self.budget = Budget(calls=calls, seconds=seconds)
        self.store = Store(home=Path(self.home.name), clock=lambda: self.now)
        self.journal = self.store.create(graph="g", inputs={})
        self.ledger = Ledger(self.budget, clock=lambda: self.now)
        self.provider = Provider()
        self.tasks: list[asyncio.Task[None]] = []
        self.paid = 0
        self.passed = 0.0
        self.asked = 0

    @rule(n=st.integers(1, 4), place=st.sampled_from("abc"), own=st.none() | st.integers(1, 3))
    def ask(self, n: int, place: str, own: int | None) -> None:
        self.asked += 1
        request = GenerateRequest(messages=(Message("user", f"question {self.asked}"),), n=n)
        room, late = self._room(), self.budget.seconds is not None and self.passed >= self.budget.seconds
        here = bind(self.provider, scope=Scope(node="n"), journal=self.journal, ledger=self.ledger)
        model = here.inner(f"{place}{self.asked}", budget=None if own is None else Budget(calls=own))
        before = len(self.provider.waiting)
        task = self.loop.create_task(self._drawn(model, request))
        self._turn()
        if room < 1 or late:
            assert isinstance(task.exception(), BudgetExceededError)
            assert len(self.provider.waiting) == before
        else:
            assert self.provider.waiting[-1][1] == min(n, room, own or n)
            self.tasks.append(task)

    async def _drawn(self, model: Any, request: GenerateRequest) -> None:
        async for _ in model.generate(request):
            self.paid += 1

    def _in_flight(self) -> int:
        return sum(count for _, count in self.provider.waiting)

    def _room(self) -> int:
        return (self.budget.calls or 0) - self.paid - self._in_flight()

    def _turn(self) -> None:
        """Let everything that can go on do so."""

        async def turn() -> None:
            for _ in range(30):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())
        for task in [one for one in self.tasks if one.done()]:
            self.tasks.remove(task)
            assert task.cancelled() or isinstance(task.exception(), BudgetExceededError | ServerError | None)

    @precondition(lambda self: self.provider.waiting)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        answer, _ = data.draw(st.sampled_from(self.provider.waiting))
        answer.set_result(None)
        self._turn()

    @precondition(lambda self: self.provider.waiting)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        answer, count = data.draw(st.sampled_from(self.provider.waiting))
        self.paid += count  # what was sent is paid for, whatever came of it
        answer.set_exception(ServerError("no"))
        self._turn()

    @precondition(lambda self: self.provider.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.tasks))
        before = self._in_flight()
        task.cancel()
        self._turn()
        self.paid += before - self._in_flight()

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.passed += seconds

    @rule(idle=st.integers(0, 100))
    def die_and_resume(self, idle: int) -> None:
        """The calls in flight are forgotten; the time until the next session does not count."""
        rows = self.journal._file._rows
        self.journal._file._rows = Dead(rows)
        self.loop.run_until_complete(self._stop())
        rows.close()
        self.now += idle
        self.journal = self.store.open(self.journal.header.id)
        self.passed = self.journal.elapsed
        self.ledger = Ledger(
            self.budget, clock=lambda: self.now, spent=self.journal.usage(), elapsed=self.journal.elapsed
        )

    async def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    @invariant()
    def nothing_is_exceeded_and_every_account_agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        assert self.paid + self._in_flight() <= self.budget.calls
        assert self.ledger.spent.calls == self.journal.usage().calls == self.paid
        assert self.ledger.remaining().calls == self._room()

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        self.loop.run_until_complete(self._stop())
        self.journal.close()
        self.loop.close()
        self.home.cleanup()


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
