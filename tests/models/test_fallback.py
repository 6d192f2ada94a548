"""Another model where one fails."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from agentkit.errors import AuthenticationError, ConfigError, ContextWindowError, ModelError, ServerError
from agentkit.events import Event, Retried
from agentkit.models.fallback import Fallback
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.models.together import dearest
from agentkit.runtime.price import Price, price_of
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing import FakeProvider, Refusal, ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import Capabilities, GenerateRequest, Message

ASK = GenerateRequest(messages=(Message("user", "Hi"),))


def scripted(name: str, *script: object) -> ScriptedModel:
    return ScriptedModel(name=name, script=script)


async def test_it_keeps_the_contract_of_a_model() -> None:
    await check_model(lambda: Fallback((ScriptedModel(script=lambda request: "Hello there."), scripted("b"))))


async def test_the_second_is_not_asked_while_the_first_answers() -> None:
    with scripted("a", "yes") as first, scripted("b") as second:
        assert (await draw(Fallback((first, second)), ASK)).text == "yes"
    assert second.requests == []


@pytest.mark.parametrize("error", [ServerError("down"), AuthenticationError("no key"), ContextWindowError("too long")])
async def test_the_next_model_answers_when_one_fails(error: ModelError) -> None:
    with scripted("a", error) as first, scripted("b", "yes") as second:
        sample = await draw(Fallback((first, second)), ASK)
    assert (sample.text, sample.model) == ("yes", "b")
    assert sample.usage.calls == 1


async def test_only_the_missing_samples_are_drawn_from_the_next() -> None:
    with scripted("a", "1", "2", ServerError("down")) as first, scripted("b", "3", "4", "5") as second:
        samples = await draw_all(Fallback((first, second)), replace(ASK, n=5))
    assert [sample.text for sample in samples] == ["1", "2", "3", "4", "5"]
    assert [request.n for request in second.requests] == [3]


async def test_when_all_fail_the_error_tells_of_each() -> None:
    models = (scripted("a", ServerError("down")), scripted("b", AuthenticationError("no key")))
    with pytest.raises(ModelError, match="every model failed: a: down; b: no key") as caught:
        await draw(Fallback(models), ASK)
    assert isinstance(caught.value.__cause__, AuthenticationError)


async def test_other_errors_are_not_hidden_by_another_model() -> None:
    with pytest.raises(ZeroDivisionError):
        await draw(Fallback((scripted("a", ZeroDivisionError()), scripted("b", "yes"))), ASK)


async def test_a_move_is_announced() -> None:
    heard: list[Event] = []
    models = (scripted("a", ServerError("down")), scripted("b", "yes"))
    await draw(Fallback(models, emit=heard.append), ASK)
    assert heard == [Retried(model="a", attempt=1, delay=0.0, error="down")]


async def test_closing_closes_the_stream_inside() -> None:
    model = ScriptedModel(script=lambda request: "x")
    async with aclosing(Fallback((model,)).generate(replace(ASK, n=3))) as stream:
        await anext(stream)
    assert model.cancelled == 1


async def test_each_server_is_asked_once() -> None:
    async with FakeProvider([Refusal(status=503)]) as first, FakeProvider(["yes"]) as second:
        one, other = (OpenAIHTTP(model="m", base_url=provider.base_url) for provider in (first, second))
        assert (await draw(Fallback((one, other)), ASK)).text == "yes"
        assert (first.received, second.received) == (1, 1)


def test_it_can_do_what_all_can_do() -> None:
    able = ScriptedModel(name="a", capabilities=Capabilities(n=True, tools=True, seed=True))
    plain = ScriptedModel(name="b", capabilities=Capabilities(n=True, seed=True, stream=True))
    both = Fallback((able, plain))
    assert both.capabilities == Capabilities(n=True, seed=True)
    assert both.name == "fallback(a, b)"


def test_it_is_priced_as_the_dearest_of_them() -> None:
    prices = (Price(input=1.0, output=5.0, cached_input=0.5), Price(input=2.0, output=3.0, per_second=0.1))
    assert dearest(prices) == Price(input=2.0, output=5.0, cached_input=2.0, per_second=0.1)
    models = tuple(OpenAIHTTP(model="m", base_url="http://host/v1", price=price) for price in (*prices, None))
    assert price_of(Fallback(models[:2])) == dearest(prices)
    assert price_of(Fallback(models)) is None


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(ConfigError):
        Fallback(())
