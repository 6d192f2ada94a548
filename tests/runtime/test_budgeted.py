"""A model under a budget, counted at the model."""

import asyncio
from itertools import accumulate
from pathlib import Path

import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.events import Scope, Spent
from agentkit.models.fallback import Fallback
from agentkit.models.retry import Retrying
from agentkit.protocols import Model
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.price import FREE, Price
from agentkit.runtime.sampling import draw, draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import Capabilities, Delta, GenerateRequest, Message, Sample, Usage


def ask(text: str = "hi", **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


async def exhaust(model: Model, request: GenerateRequest) -> tuple[list[Sample], BudgetExceededError]:
    """Ask again and again until the budget says no; what was drawn, and how it said so."""
    drawn: list[Sample] = []
    while True:
        try:
            async for item in model.generate(request):
                drawn.append(item)
        except BudgetExceededError as error:
            return drawn, error


async def test_of_1000_concurrent_calls_under_a_budget_of_100_exactly_100_are_sent() -> None:
    model = ScriptedModel(script=lambda request: "yes", delay=0.001)
    bound = bind(model, scope=Scope(node="n"), ledger=Ledger(Budget(calls=100)))
    results = await asyncio.gather(*(draw(bound, ask(str(i))) for i in range(1000)), return_exceptions=True)
    assert len(model.requests) == 100
    assert sum(isinstance(one, Sample) for one in results) == 100
    assert sum(isinstance(one, BudgetExceededError) for one in results) == 900


async def test_failing_calls_count_too() -> None:
    model = ScriptedModel(script=lambda request: OSError("down"))
    ledger = Ledger(Budget(calls=100))
    bound = bind(model, scope=Scope(node="n"), ledger=ledger)
    results = await asyncio.gather(*(draw(bound, ask(str(i))) for i in range(1000)), return_exceptions=True)
    assert len(model.requests) == 100
    assert sum(isinstance(one, OSError) for one in results) == 100
    assert ledger.spent.calls == 100


async def test_the_samples_that_fit_are_drawn_before_the_refusal() -> None:
    model = ScriptedModel(script=[str(i) for i in range(5)])
    with model:
        drawn, error = await exhaust(bind(model, scope=Scope(node="n"), ledger=Ledger(Budget(calls=5))), ask(n=16))
    assert error.resource == "calls"
    assert [(one.text, one.index) for one in drawn] == [(str(i), i) for i in range(5)]


async def test_room_given_back_by_cheap_samples_is_used_by_the_rest_of_the_request() -> None:
    model = ScriptedModel(script=["ok"] * 16)
    ledger = Ledger(Budget(tokens=600))
    with model:
        drawn = await draw_all(bind(model, scope=Scope(node="n"), ledger=ledger), ask(n=16, max_tokens=100, seed=5))
    assert [one.index for one in drawn] == list(range(16))
    assert len(model.requests) > 1
    assert sum(one.n for one in model.requests) == 16
    sizes = [one.n for one in model.requests]
    assert [one.seed for one in model.requests] == [5 + start for start in accumulate([0, *sizes[:-1]])]
    assert ledger.spent.tokens == sum(one.usage.tokens for one in drawn) <= 600


async def test_a_call_over_its_estimate_is_the_last_one() -> None:
    model = ScriptedModel(script=lambda request: Sample(text="x", usage=Usage(calls=1, output_tokens=500)))
    ledger = Ledger(Budget(tokens=1000))
    bound = bind(model, scope=Scope(node="n"), ledger=ledger)
    await exhaust(bound, ask(max_tokens=10))
    assert ledger.spent.tokens == 1000


async def test_money_is_counted_at_the_price_and_stays_under_the_limit() -> None:
    price = Price(input=1e-6, output=4e-6)
    model = ScriptedModel(
        script=lambda request: Sample(text="x", usage=Usage(calls=1, input_tokens=10, output_tokens=90))
    )
    ledger = Ledger(Budget(usd=0.01))
    events = []
    bound = bind(model, scope=Scope(node="n"), ledger=ledger, price=price, emit=events.append)
    drawn, error = await exhaust(bound, ask(max_tokens=100))
    assert error.resource == "usd"
    assert [one.usage.usd for one in drawn] == [pytest.approx(370e-6)] * len(drawn)
    assert 0.009 < ledger.spent.usd <= 0.01
    spent = [event for event in events if isinstance(event, Spent)]
    assert sum((one.usage for one in spent), Usage()) == spent[-1].total == ledger.spent


async def test_tokens_that_a_server_did_not_count_still_cost_money() -> None:
    silent = ScriptedModel(script=lambda request: Sample(text="a long answer of some words", usage=Usage(calls=1)))
    price = Price(input=0.001, output=0.01)
    ledger = Ledger(Budget(usd=1.0))
    drawn, _ = await exhaust(bind(silent, scope=Scope(node="n"), ledger=ledger, price=price), ask(max_tokens=20))
    assert 1 < len(drawn) < 100
    assert ledger.spent.usd <= 1.0
    assert ledger.spent.output_tokens > 0


async def test_under_a_money_budget_nothing_unbounded_is_sent() -> None:
    model = ScriptedModel(script=[])
    ledger = Ledger(Budget(usd=1))
    with pytest.raises(ConfigError, match="price is not known"):
        await draw(bind(model, scope=Scope(), ledger=ledger), ask(max_tokens=5))
    with pytest.raises(ConfigError, match="set max_tokens"):
        await draw(bind(model, scope=Scope(), ledger=ledger, price=Price(output=1e-6)), ask())
    assert model.requests == []


async def test_a_free_model_needs_no_bound_under_a_money_budget() -> None:
    model = ScriptedModel(script=["ok"])
    sample = await draw(bind(model, scope=Scope(), ledger=Ledger(Budget(usd=1)), price=FREE), ask())
    assert (sample.usage.usd, sample.usage.unpriced_calls) == (0, 0)


async def test_calls_without_a_price_are_counted_as_such() -> None:
    sample = await draw(bind(ScriptedModel(script=["ok"]), scope=Scope(), ledger=Ledger()), ask())
    assert sample.usage.unpriced_calls == 1


async def test_an_early_stop_gives_the_rest_back() -> None:
    model = ScriptedModel(script=lambda request: "yes")
    ledger = Ledger(Budget(calls=16))
    stream = bind(model, scope=Scope(), ledger=ledger).generate(ask(n=16))
    for _ in range(5):
        await anext(stream)
    assert ledger.remaining().calls == 0
    await stream.aclose()
    assert (ledger.spent.calls, ledger.remaining().calls, model.cancelled) == (5, 11, 1)


async def test_a_request_closed_before_its_first_sample_counts_as_sent() -> None:
    model = ScriptedModel(script=lambda request: "yes", delay=60)
    ledger = Ledger(Budget(calls=16))
    task = asyncio.ensure_future(draw(bind(model, scope=Scope(), ledger=ledger), ask("a question of some length")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (ledger.spent.calls, model.cancelled) == (1, 1)
    assert ledger.spent.input_tokens > 0


async def test_pieces_of_a_sample_that_never_finished_are_paid() -> None:
    model = ScriptedModel(script=["one two three four"])
    ledger = Ledger(Budget(calls=5))
    stream = bind(model, scope=Scope(), ledger=ledger).generate(ask(stream=True))
    for _ in range(3):
        assert isinstance(await anext(stream), Delta)
    await stream.aclose()
    assert (ledger.spent.calls, ledger.spent.output_tokens) == (1, 3)


async def test_a_call_under_way_at_the_deadline_is_cancelled() -> None:
    model = ScriptedModel(script=lambda request: "late", delay=60)
    bound = bind(model, scope=Scope(), ledger=Ledger(Budget(seconds=0.05)))
    with pytest.raises(BudgetExceededError) as caught:
        await draw(bound, ask())
    assert (caught.value.resource, model.cancelled) == ("seconds", 1)


class Counts:
    """A backend that reports no usage at all."""

    name = "silent"
    capabilities = Capabilities()
    sent = 0

    async def generate(self, request):
        for index in range(request.n):
            self.sent += 1
            yield Sample(text="x", index=index)


async def test_a_backend_that_counts_nothing_still_spends_calls() -> None:
    model = Counts()
    bound = bind(model, scope=Scope(), ledger=Ledger(Budget(calls=10)))
    await exhaust(bound, ask(n=2))
    assert model.sent == 10


async def test_every_attempt_of_a_retried_call_is_reserved_and_counted(tmp_path: Path) -> None:
    model = ScriptedModel(script=lambda request: ServerError("down"))
    ledger = Ledger(Budget(calls=100))
    with Store(home=tmp_path).create(graph="g", inputs={}) as journal:
        bound = bind(
            lambda paid: Retrying(paid(model), attempts=3, first_delay=0),
            scope=Scope(node="n"),
            ledger=ledger,
            journal=journal,
        )
        results = await asyncio.gather(*(draw(bound, ask(str(i))) for i in range(1000)), return_exceptions=True)
        assert journal.usage() == ledger.spent
    assert len(model.requests) == ledger.spent.calls == 100
    assert sum(isinstance(one, BudgetExceededError) for one in results) >= 900


async def test_each_backend_of_a_fallback_has_its_own_price() -> None:
    class Paid(ScriptedModel):
        price = Price(output=1.0)

    cheap, dear = ScriptedModel(script=[ServerError("down"), ServerError("down")]), Paid(script=["a b c"])
    ledger = Ledger()
    bound = bind(lambda paid: Fallback((paid(cheap), paid(dear))), scope=Scope(node="n"), ledger=ledger)
    sample = await draw(bound, ask(max_tokens=5))
    assert sample.usage.usd == ledger.spent.usd == 3.0
    assert ledger.spent.unpriced_calls == 1
