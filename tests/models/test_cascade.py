"""The cheap model first, the strong one where the cheap one is not sure."""

from dataclasses import replace

import pytest

from agentkit.errors import ConfigError, RequestRefusedError, ServerError
from agentkit.models.cascade import Cascade
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_model
from agentkit.types import Capabilities, Delta, GenerateRequest, Message, Sample, TokenLogprob, ToolCall, Usage

ASK = GenerateRequest(messages=(Message("user", "What is 6 times 7?"),))
ONE = Usage(calls=1, input_tokens=10, output_tokens=1)


def scripted(name: str, *script: object) -> ScriptedModel:
    return ScriptedModel(name=name, script=[_sample(one) if isinstance(one, str) else one for one in script])


def _sample(text: str) -> Sample:
    return Sample(text=text, usage=ONE, model="m")


def sure(text: str, *logprobs: float) -> Sample:
    return Sample(text=text, usage=ONE, logprobs=tuple(TokenLogprob(token="x", logprob=one) for one in logprobs))


async def test_it_keeps_the_contract_of_a_model() -> None:
    def make() -> Cascade:
        models = tuple(ScriptedModel(name=name, script=lambda request: sure("Hello there.", -0.1)) for name in "ab")
        return Cascade(models=models, signal="logprob", threshold=0.5)

    await check_model(make)


async def test_where_the_cheap_model_agrees_with_itself_the_strong_one_is_not_asked() -> None:
    with scripted("cheap", "42", "41", "42.", "The answer is 42.", "42") as cheap, scripted("strong") as strong:
        sample = await draw(Cascade(models=(cheap, strong)), ASK)
    assert sample.text == "42"
    assert sample.usage == Usage(calls=5, input_tokens=50, output_tokens=5)


async def test_where_it_does_not_the_strong_one_answers_and_bears_the_whole_cost() -> None:
    with scripted("cheap", "1", "2", "3", "4", "42") as cheap, scripted("strong", "42") as strong:
        sample = await draw(Cascade(models=(cheap, strong)), ASK)
    assert (sample.text, sample.usage.calls) == ("42", 6)


@pytest.mark.parametrize(("asked", "drawn"), [(None, 0.7), (0.0, 0.7), (0.2, 0.2)])
async def test_agreement_is_asked_for_at_a_temperature_that_can_disagree(asked: float | None, drawn: float) -> None:
    with scripted("cheap", "1", "2") as cheap, scripted("strong", "3") as strong:
        await draw(Cascade(models=(cheap, strong), samples=2), replace(ASK, temperature=asked))
    assert (cheap.requests[0].temperature, strong.requests[0].temperature) == (drawn, asked)


async def test_a_request_for_several_samples_is_its_own_vote() -> None:
    with scripted("cheap", "42", "42", "7") as cheap, scripted("strong", "42", "42", "42") as strong:
        samples = await draw_all(Cascade(models=(cheap, strong), threshold=0.9), replace(ASK, n=3))
    assert [sample.text for sample in samples] == ["42"] * 3
    assert sum(sample.usage.calls for sample in samples) == 6


async def test_three_models_have_their_own_thresholds() -> None:
    with scripted("a", "1", "2") as a, scripted("b", "3", "4") as b, scripted("c", "5") as c:
        model = Cascade(models=(a, b, c), threshold=(1.0, 0.5), samples=2)
        assert (await draw(model, ASK)).text == "3"
        assert c.requests == []
        b._replies += [ServerError("down")]
        a._replies += ["1", "2"]
        assert (await draw(model, ASK)).text == "5"


async def test_the_logprobs_of_the_drawn_tokens_tell_how_sure_it_is() -> None:
    with scripted("cheap", sure("42", -0.01, -0.02), sure("43", -2.0)) as cheap, scripted("strong", "42") as strong:
        model = Cascade(models=(cheap, strong), signal="logprob", threshold=0.9)
        first, second = await draw(model, ASK), await draw(model, ASK)
    assert (first.text, first.logprobs, first.usage.calls) == ("42", None, 1)
    assert (second.text, second.usage.calls) == ("42", 2)


async def test_logprobs_that_were_asked_for_are_kept() -> None:
    with scripted("cheap", sure("42", -0.01)) as cheap, scripted("strong") as strong:
        model = Cascade(models=(cheap, strong), signal="logprob")
        assert (await draw(model, replace(ASK, logprobs=2))).logprobs
    assert cheap.requests[0].logprobs == 2


async def test_a_model_without_logprobs_is_refused() -> None:
    cheap = ScriptedModel(name="cheap", capabilities=Capabilities())
    with pytest.raises(RequestRefusedError, match="use signal: agreement"):
        await draw(Cascade(models=(cheap, scripted("strong")), signal="logprob"), ASK)


async def test_tool_calls_agree_by_what_they_ask_for() -> None:
    def call(number: int, arguments: str) -> Sample:
        return Sample(text="", usage=ONE, tool_calls=(ToolCall(id=str(number), name="add", arguments=arguments),))

    same = [call(1, '{"a": 1, "b": 2}'), call(2, '{"b":2,"a":1}')]
    with scripted("cheap", *same) as cheap, scripted("strong") as strong:
        sample = await draw(Cascade(models=(cheap, strong), samples=2, threshold=1.0), ASK)
    assert sample.tool_calls[0].id == "1"


async def test_a_stream_tells_the_text_before_the_sample() -> None:
    with scripted("cheap", "42", "42") as cheap, scripted("strong") as strong:
        model = Cascade(models=(cheap, strong), samples=2)
        items = [item async for item in model.generate(replace(ASK, stream=True))]
    assert [type(item) for item in items] == [Delta, Sample]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"models": (scripted("a"),)}, "at least two"),
        ({"threshold": (0.5, 0.5)}, "need 1 thresholds, not 2"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"samples": 1}, "at least 2 samples"),
    ],
)
def test_it_says_what_is_wrong_with_its_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Cascade(**{"models": (scripted("a"), scripted("b")), **options})
