"""The one owner of retries: a stated count, jitter, the provider's wishes, a deadline, and nothing drawn twice."""

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.errors import (
    AuthenticationError,
    ConfigError,
    ContextWindowError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    RateLimitError,
    RequestRefusedError,
    ServerError,
)
from agentkit.events import Event, Retried, Scope
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.models.retry import Retrying
from agentkit.protocols import SampleStream
from agentkit.runtime.budget import Ledger
from agentkit.runtime.price import FREE, price_of
from agentkit.runtime.stack import bind
from agentkit.testing import Completion, FakeProvider, Refusal, ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import Capabilities, Delta, GenerateRequest, Message, Sample, Usage

ASK = GenerateRequest(messages=(Message("user", "Hi"),))


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def retrying(model: object, clock: Clock | None = None, **options: object) -> Retrying:
    clock = clock or Clock()
    return Retrying(model, **{"rng": random.Random(7), "clock": clock, "sleep": clock.sleep, **options})


async def draw(model: object, request: GenerateRequest = ASK) -> list[Sample]:
    return [item async for item in model.generate(request) if isinstance(item, Sample)]


async def test_it_keeps_the_contract_of_a_model() -> None:
    await check_model(lambda: Retrying(ScriptedModel(script=lambda request: "Hello there.")))


async def test_it_answers_for_the_model_inside() -> None:
    inner = ScriptedModel(name="inner", capabilities=Capabilities(n=False))
    assert retrying(inner).name == "inner"
    assert retrying(inner).capabilities == Capabilities(n=False)
    assert price_of(retrying(inner)) is None
    assert price_of(retrying(OpenAIHTTP(model="m", base_url="http://host/v1", price=FREE))) == FREE


@pytest.mark.parametrize("attempts", [0, 1, 3])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_requests_on_the_wire_are_one_and_the_stated_attempts(attempts: int, status: int) -> None:
    async with FakeProvider([Refusal(status=status)] * (1 + attempts)) as provider:
        model = retrying(OpenAIHTTP(model="m", base_url=provider.base_url), attempts=attempts)
        with pytest.raises(ModelError):
            await draw(model)
        assert provider.received == 1 + attempts


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_request_that_is_itself_wrong_is_sent_once(status: int) -> None:
    async with FakeProvider([Refusal(status=status)]) as provider:
        with pytest.raises(ModelError):
            await draw(retrying(OpenAIHTTP(model="m", base_url=provider.base_url), attempts=5))
        assert provider.received == 1


@pytest.mark.parametrize("kind", [RequestRefusedError, AuthenticationError, ContextWindowError])
async def test_what_another_try_cannot_mend_is_raised_at_once(kind: type[ModelError]) -> None:
    with ScriptedModel(script=[kind("no")]) as model:
        with pytest.raises(kind):
            await draw(retrying(model))


@pytest.mark.parametrize("kind", [RateLimitError, ModelTimeoutError, ModelUnreachableError, ServerError])
async def test_what_another_try_can_mend_is_tried_again(kind: type[ModelError]) -> None:
    with ScriptedModel(script=[kind("not now"), "yes"]) as model:
        assert [sample.text for sample in await draw(retrying(model))] == ["yes"]


async def test_only_the_named_causes_are_tried_again() -> None:
    with ScriptedModel(script=[RateLimitError("slow"), ServerError("dead")]) as model:
        with pytest.raises(ServerError):
            await draw(retrying(model, on=("rate_limit",)))


async def test_another_kind_of_error_passes_through() -> None:
    with ScriptedModel(script=[ZeroDivisionError()]) as model:
        with pytest.raises(ZeroDivisionError):
            await draw(retrying(model))


async def test_samples_already_yielded_are_not_drawn_again() -> None:
    script = ["a", "b", ServerError("broke"), "c", "d", "e"]
    with ScriptedModel(script=script) as model:
        samples = await draw(retrying(model), replace(ASK, n=5))
    assert [request.n for request in model.requests] == [5, 3]
    assert [(sample.index, sample.text) for sample in samples] == list(enumerate("abcde"))


async def test_a_sample_counts_its_own_call_and_the_ledger_those_that_failed() -> None:
    ledger = Ledger()
    with ScriptedModel(script=["a", ServerError("1"), ServerError("2"), "b"]) as model:
        samples = await draw(bind(lambda paid: retrying(paid(model)), scope=Scope(), ledger=ledger), replace(ASK, n=2))
    assert [sample.usage.calls for sample in samples] == [1, 1]
    assert ledger.spent.calls == 4


async def test_on_the_wire_only_the_missing_samples_are_asked_for_again() -> None:
    replies = iter(["a", Refusal(status=500), "b", Refusal(status=503), "c", "d", "e"])
    async with FakeProvider(lambda body: next(replies)) as provider:
        samples = await draw(retrying(OpenAIHTTP(model="m", base_url=provider.base_url)), replace(ASK, n=5))
        assert provider.received == 7
    assert sorted(sample.index for sample in samples) == [0, 1, 2, 3, 4]
    assert sum((sample.usage for sample in samples), Usage()).calls == 5


class Flaky:
    """Gives each sample the text of its seed, fails after a part of them ``failures`` times."""

    name = "flaky"
    capabilities = Capabilities()

    def __init__(self, failures: int, rng: random.Random) -> None:
        self.failures, self.rng, self.drawn = failures, rng, []

    async def generate(self, request: GenerateRequest) -> SampleStream:
        places = list(range(request.n))
        self.rng.shuffle(places)
        stop = self.rng.randrange(request.n) if self.failures else request.n
        self.failures -= stop < request.n
        for place in places[:stop]:
            self.drawn.append(request.seed + place)
            yield Sample(text=str(request.seed + place), index=place)
        if stop < request.n:
            raise ServerError("broke")


@settings(deadline=None)
@given(n=st.integers(1, 12), failures=st.integers(0, 4), seed=st.integers(0, 1000))
def test_however_it_breaks_each_seed_is_drawn_exactly_once(n: int, failures: int, seed: int) -> None:
    flaky = Flaky(failures, random.Random(seed))
    samples = asyncio.run(draw(retrying(flaky, attempts=failures), replace(ASK, n=n, seed=100)))
    assert sorted((sample.index, sample.text) for sample in samples) == [(i, str(100 + i)) for i in range(n)]
    assert sorted(flaky.drawn) == list(range(100, 100 + n))


async def test_a_stream_that_ends_too_early_is_a_failure() -> None:
    class Short(Flaky):
        async def generate(self, request: GenerateRequest) -> SampleStream:
            yield Sample(text="only one")

    with pytest.raises(ServerError, match="1 of 2 samples short"):
        await draw(retrying(Short(0, random.Random()), attempts=0), replace(ASK, n=2))


async def test_the_wait_grows_and_is_jittered_below_its_bound() -> None:
    clock = Clock()
    with ScriptedModel(script=[ServerError("no")] * 7) as model:
        with pytest.raises(ServerError):
            await draw(retrying(model, clock, attempts=6, first_delay=1.0, max_delay=8.0))
    bounds = [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert all(0 <= delay <= bound for delay, bound in zip(clock.slept, bounds, strict=True))
    assert len(set(clock.slept)) == 6


async def test_the_same_chance_gives_the_same_waits() -> None:
    waits = []
    for _ in range(2):
        clock = Clock()
        await draw(retrying(ScriptedModel(script=[ServerError("no"), "yes"]), clock))
        waits.append(clock.slept)
    assert waits[0] == waits[1]


async def test_it_waits_as_long_as_the_provider_says_and_a_little() -> None:
    clock = Clock()
    model = ScriptedModel(script=[RateLimitError("slow", retry_after=20.0), "yes"])
    await draw(retrying(model, clock, first_delay=0.5))
    assert 20.0 <= clock.slept[0] <= 20.5


async def test_it_does_not_wait_longer_than_max_delay() -> None:
    clock = Clock()
    model = ScriptedModel(script=[RateLimitError("come back tomorrow", retry_after=86_400)])
    with pytest.raises(RateLimitError):
        await draw(retrying(model, clock))
    assert clock.slept == []


async def test_it_does_not_wait_past_the_deadline() -> None:
    clock = Clock()
    model = ScriptedModel(script=[RateLimitError("slow", retry_after=4.0)] * 3)
    with pytest.raises(RateLimitError):
        await draw(retrying(model, clock, attempts=9, deadline=10.0))
    assert len(clock.slept) == 2
    assert clock.now <= 10.0


async def test_the_deadline_ends_a_call_under_way_and_closes_it_at_the_provider() -> None:
    async with FakeProvider([Completion(text="a", delay=60)]) as provider:
        model = Retrying(OpenAIHTTP(model="m", base_url=provider.base_url), deadline=0.2)
        with pytest.raises(ModelTimeoutError, match=r"deadline of 0\.2 s"):
            await draw(model)
        await provider.until(lambda seen: seen.aborted == 1)


async def test_each_retry_is_announced() -> None:
    heard: list[Event] = []
    scope, clock = Scope(run="r", node="n"), Clock()
    model = ScriptedModel(name="m", script=[ServerError("no"), RateLimitError("slow", retry_after=2.0), "yes"])
    await draw(retrying(model, clock, emit=heard.append, scope=scope))
    assert heard == [
        Retried(scope=scope, model="m", attempt=1, delay=clock.slept[0], error="no"),
        Retried(scope=scope, model="m", attempt=2, delay=clock.slept[1], error="slow"),
    ]


async def test_closing_closes_the_stream_inside() -> None:
    model = ScriptedModel(script=lambda request: "x")
    async with aclosing(retrying(model, deadline=60.0).generate(replace(ASK, n=3))) as stream:
        await anext(stream)
    assert model.cancelled == 1


async def test_a_broken_sample_begins_anew_with_its_deltas() -> None:
    replies = [Completion(text="a b c d", fault="reset_mid_stream"), "e f"]
    async with FakeProvider(replies) as provider:
        model = retrying(OpenAIHTTP(model="m", base_url=provider.base_url))
        *deltas, sample = [item async for item in model.generate(replace(ASK, stream=True))]
    assert isinstance(sample, Sample)
    assert sample.text == "e f"
    assert "".join(one.text for one in deltas if isinstance(one, Delta)).endswith("e f")


@pytest.mark.parametrize("options", [{"attempts": -1}, {"on": ("weather",)}])
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ConfigError):
        Retrying(ScriptedModel(), **options)
