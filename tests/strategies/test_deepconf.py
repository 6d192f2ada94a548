"""Votes by confidence, and traces that are given up in mid-stream, over a real connection."""

import pytest

from agentkit.errors import ConfigError, ServerError
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.strategies.deepconf import DeepConf
from agentkit.testing import FakeProvider, ScriptedModel
from agentkit.testing.replies import Completion
from agentkit.types import Capabilities, Sample, TokenLogprob

LENGTH = 40


def trace(answer: str, sure: float, dip: float | None = None) -> tuple[TokenLogprob, ...]:
    """A trace of forty tokens as sure as said, with a dip of ten tokens in its first half where one is planted."""
    said = ["so "] * (LENGTH - 4) + ["The ", "answer ", "is ", answer]
    levels = [dip if dip is not None and 8 <= place < 18 else sure for place in range(LENGTH)]
    return tuple(
        TokenLogprob(token=word, logprob=-0.1, top=((word, -0.1), ("?", -2 * level + 0.1)))
        for word, level in zip(said, levels, strict=True)
    )


def model_of(traces):
    return ScriptedModel(
        script=[Sample(text="".join(one.token for one in drawn), logprobs=drawn) for drawn in traces],
        capabilities=Capabilities(logprobs=True, seed=True, stream=True),
    )


async def test_a_few_sure_traces_outvote_more_unsure_ones():
    drawn = [trace("8", 1.0)] * 3 + [trace("7", 9.0)] * 2
    solution = await DeepConf(samples=5, warmup=5, keep=1.0, window=10).solve("?", model=model_of(drawn))
    assert solution.answer == "7"
    assert [vote.answer for vote in solution.votes] == ["7", "8"]
    assert solution.votes[0].weight == pytest.approx(18)


async def test_traces_of_the_warm_up_below_the_bar_do_not_vote():
    drawn = [trace("8", 5.0, dip=1.0)] * 2 + [trace("7", 5.0)] * 2
    options = DeepConf(samples=4, warmup=4, keep=0.5, window=10, measure="mean")
    solution = await options.solve("?", model=model_of(drawn))
    assert solution.metadata["bar"] == pytest.approx(3.0, abs=2.1)
    assert [vote.answer for vote in solution.votes] == ["7"]


async def test_a_trace_that_gets_unsure_is_closed_on_the_wire_and_does_not_vote():
    sure, unsure = trace("7", 8.0), trace("8", 8.0, dip=1.0)
    mixed = trace("9", 8.0)
    script = [Completion(logprobs=one, pause=0.005) for one in (sure, mixed, unsure, sure, unsure, sure)]
    with FakeProvider(script=script) as provider:
        model = OpenAIHTTP(base_url=provider.base_url, model="m", api_key="k")
        options = DeepConf(samples=6, warmup=2, wave=1, keep=1.0, window=10, consensus=1.0)
        solution = await options.solve("?", model=model)
        await provider.until(lambda one: one.aborted == 2)
    assert solution.answer == "7"
    given_up = solution.metadata["given_up"]
    assert [one["sample"] for one in given_up] == [2, 4]
    assert all(one["tokens"] < LENGTH for one in given_up)
    assert {vote.answer: vote.count for vote in solution.votes} == {"7": 3, "9": 1}


async def test_a_recorded_trace_is_judged_as_if_it_had_been_streamed():
    drawn = [trace("7", 8.0), trace("9", 8.0), trace("8", 8.0, dip=1.0), trace("7", 8.0)]
    solution = await DeepConf(samples=4, warmup=2, wave=1, keep=1.0, window=10, consensus=1.0).solve(
        "?", model=model_of(drawn)
    )
    assert [one["sample"] for one in solution.metadata["given_up"]] == [2]


async def test_it_ends_when_the_leader_has_the_weight():
    model = model_of([trace("7", 5.0)] * 40)
    solution = await DeepConf(samples=40, warmup=6, window=10).solve("?", model=model)
    assert (solution.stopped, len(model.requests)) == ("rule", 6)
    assert all(request.stream and request.logprobs == 20 for request in model.requests)


async def test_a_model_that_gives_no_log_probabilities_after_all_is_voted_on_evenly():
    model = ScriptedModel(script=["The answer is 7."] * 2 + ["The answer is 8."])
    solution = await DeepConf(samples=3, warmup=3).solve("?", model=model)
    assert {vote.answer: vote.weight for vote in solution.votes} == {"7": 2.0, "8": 1.0}


async def test_a_model_without_log_probabilities_is_refused_before_it_is_asked():
    model = ScriptedModel(capabilities=Capabilities(stream=True))
    with pytest.raises(ConfigError, match="scripted gives no log-probabilities"):
        await DeepConf().solve("?", model=model)


async def test_failures_cost_one_trace_each_and_all_of_them_raise_the_first():
    drawn = [trace("7", 5.0)] * 3
    model = model_of(drawn)
    model = ScriptedModel(
        script=[ServerError("gone"), *[Sample(text="The answer is 7", logprobs=one) for one in drawn]],
        capabilities=model.capabilities,
    )
    assert (await DeepConf(samples=4, warmup=4, window=10).solve("?", model=model)).answer == "7"
    with pytest.raises(ServerError, match="gone"):
        await DeepConf(samples=2, warmup=2).solve("?", model=ScriptedModel(script=[ServerError("gone")] * 2))


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"keep": 0.0}, {"consensus": 1.5}, {"window": 0}])
def test_options_out_of_bounds_are_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DeepConf(**wrong)
