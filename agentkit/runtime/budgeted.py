"""A model under a budget: nothing is sent that does not fit, and everything sent is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from agentkit.errors import BudgetExceededError
from agentkit.events import Emit, Scope, Spent, ignore
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.budget import Ledger, Reservation
from agentkit.runtime.estimate import share, text_tokens
from agentkit.runtime.parts import part, placed
from agentkit.runtime.price import Price, priced
from agentkit.types import Capabilities, Delta, GenerateRequest, Sample, Usage


def forget(usage: Usage) -> None:
    """For whoever keeps no account of calls without a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgeted:
    """Reserves the estimate of every sample before it is asked for, and settles what it did cost when it arrives.

    Samples come out priced. When not all samples of a request fit, those that do are drawn first; then, and at once when
    none fits, ``BudgetExceededError`` is raised. A call still under way at a deadline is cancelled.

    A request that fails, or is closed before its first sample, is settled as the calls it asked for and one prompt, and
    told to ``lost``; samples given up after the first one cost what was seen of them arriving.
    """

    model: Model
    ledger: Ledger
    price: Price | None = None
    emit: Emit = ignore
    scope: Scope = field(default_factory=Scope)
    lost: Callable[[Usage], None] = forget

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's."""
        return self.model.capabilities

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """The samples of ``request`` that the budget allows; raises ``BudgetExceededError`` after the last of them."""
        one = share(request, self.price)
        done = 0
        while done < request.n:
            held = self._hold(one, request.n - done)
            places = range(done, done + len(held))
            async with aclosing(self._draw(part(request, done, len(held)), held, one)) as stream:
                async for item in stream:
                    yield placed(item, places, self.name)
            done += len(places)

    def _hold(self, one: Usage, wanted: int) -> list[Reservation]:
        """Reservations for as many of the ``wanted`` samples as fit now; raises when not even one does."""
        held = [self.ledger.reserve(one)]
        try:
            while len(held) < wanted:
                held.append(self.ledger.reserve(one))
        except BudgetExceededError:
            pass  # the rest is tried again once these are settled
        return held

    async def _draw(self, request: GenerateRequest, held: list[Reservation], one: Usage) -> SampleStream:
        meter = _Meter(asked=request.n)
        try:
            async with aclosing(self.model.generate(request)) as stream:
                while held and (item := await self._next(stream)) is not None:
                    if isinstance(item, Sample):
                        item = meter.count(item, self.price, one)
                        self._settle(held.pop(), item.usage)
                    else:
                        meter.see(item)
                    yield item
        except Exception:
            meter.failed = True
            raise
        finally:
            self._give_up(held, meter.lost(len(held), one))

    async def _next(self, stream: SampleStream) -> Sample | Delta | None:
        seconds = self.ledger.seconds_left()
        if seconds is None:
            return await anext(stream, None)
        try:
            async with asyncio.timeout(seconds) as timer:
                return await anext(stream, None)
        except TimeoutError:
            if timer.expired():
                raise self.ledger.overdue() from None
            raise

    def _settle(self, reservation: Reservation, usage: Usage) -> None:
        self.ledger.settle(reservation, usage)
        self.emit(Spent(scope=self.scope, usage=usage, total=self.ledger.root.spent))

    def _give_up(self, held: list[Reservation], usage: Usage) -> None:
        if usage != Usage():
            usage = priced(usage, self.price)
            self._settle(held.pop(), usage)
            self.lost(usage)
        for reservation in held:
            self.ledger.release(reservation)


@dataclass(slots=True, kw_only=True)
class _Meter:
    """What is known of one request while its samples arrive."""

    asked: int
    calls: int = 0
    failed: bool = False
    pieces: dict[int, int] = field(default_factory=dict)
    arrived: int = 0

    def see(self, delta: Delta) -> None:
        """Count a piece of a sample that is not finished."""
        self.pieces[delta.index] = self.pieces.get(delta.index, 0) + 1

    def count(self, sample: Sample, price: Price | None, one: Usage) -> Sample:
        """The sample priced; a backend that counts no calls at all is taken to have made one a sample.

        Where tokens cost money and the server did not count them, they are estimated, lest a budget never ends.
        """
        self.pieces.pop(sample.index, None)
        self.arrived += 1
        self.calls += sample.usage.calls
        usage = sample.usage
        if not self.calls and self.arrived == self.asked:
            usage = replace(usage, calls=self.asked)
        if price is not None and (price.input or price.output) and not usage.tokens:
            said = text_tokens(sample.text) + text_tokens(sample.reasoning)
            usage = replace(usage, input_tokens=one.input_tokens, output_tokens=said)
        usage = priced(usage, price)
        return sample if usage is sample.usage else replace(sample, usage=usage)

    def lost(self, unfinished: int, one: Usage) -> Usage:
        """What the samples that never arrived did cost, as far as one can tell; a piece is a token at least."""
        if not unfinished:
            return Usage()
        return Usage(
            calls=unfinished if self.failed or not self.arrived else 0,
            input_tokens=0 if self.arrived else one.input_tokens,
            output_tokens=sum(self.pieces.values()),
        )
