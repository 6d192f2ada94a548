"""vLLM in this process, with a real model."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace

import pytest

from agentkit.errors import ConfigError, ContextWindowError, RequestRefusedError, WeightsError
from agentkit.models.vllm import VLLM
from agentkit.runtime.concurrency import run_sync
from agentkit.runtime.sampling import draw, draw_all
from agentkit.strategies.budget_forcing import BudgetForcing
from agentkit.testing.conformance import check_model
from agentkit.types import Delta, GenerateRequest, Message, Sample, ToolSpec

pytestmark = [pytest.mark.vllm, pytest.mark.gpu, pytest.mark.timeout(400)]

ASK = GenerateRequest(
    messages=(Message("user", "Tom has 3 apples and buys 4 more. How many apples has he now?"),),
    max_tokens=48,
    temperature=0.0,
)


async def test_it_keeps_the_contract_of_a_model(model):
    await check_model(lambda: model, seconds=300)


async def test_it_answers(model):
    assert "7" in (await draw(model, ASK)).text


async def test_samples_of_one_request_share_the_prompt_that_the_first_has_read(model):
    long = "Here is a list of words. " + "apple pear plum cherry " * 60 + "Name one of them."
    request = GenerateRequest(messages=(Message("user", long),), n=6, max_tokens=8, temperature=0.8, seed=1)
    samples = await draw_all(model, request)
    cached = [sample.usage.cached_tokens for sample in samples]
    assert sorted(cached)[0] == 0
    assert all(one >= 200 for one in sorted(cached)[1:]), cached


async def test_the_same_seed_gives_the_same_text_and_another_one_another(model):
    request = replace(ASK, n=4, temperature=1.0, seed=5)
    first, again = await draw_all(model, request), await draw_all(model, request)
    assert [one.text for one in first] == [one.text for one in again]
    assert len({one.text for one in first}) > 1


async def test_drawn_tokens_come_with_their_alternatives(model):
    sample = await draw(model, replace(ASK, logprobs=3))
    assert "".join(one.token for one in sample.logprobs[:5]).strip() in sample.text
    assert all(len(one.top) == 3 and one.logprob <= 0 for one in sample.logprobs)
    assert all(one.top[0] == (one.token, one.logprob) for one in sample.logprobs)  # greedy takes the likeliest


async def test_the_answer_keeps_to_a_schema(model):
    schema = {
        "type": "object",
        "properties": {"apples": {"type": "integer"}, "fruit": {"enum": ["apple", "pear"]}},
        "required": ["apples", "fruit"],
        "additionalProperties": False,
    }
    sample = await draw(model, replace(ASK, schema=schema, max_tokens=64))
    answer = json.loads(sample.text)
    assert isinstance(answer["apples"], int)
    assert answer["fruit"] in ("apple", "pear")


async def test_an_adapter_changes_what_is_said(model):
    tuned = replace(model, adapter="noise")
    object.__setattr__(tuned, "_keeper", model._keeper)  # the same engine
    assert (await draw(tuned, ASK)).text != (await draw(model, ASK)).text
    assert tuned.name.endswith("+noise")


async def test_closing_aborts_the_samples_under_way(model):
    request = replace(ASK, n=4, max_tokens=1500, temperature=1.0, stream=True)
    async with aclosing(model.generate(request)) as stream:
        async for item in stream:
            assert isinstance(item, Delta)
            break
    engine = model._keeper.engine._engine
    for _ in range(100):
        if not engine.output_processor.request_states:
            break
        await asyncio.sleep(0.05)
    assert not engine.output_processor.request_states


async def test_one_of_several_samples_can_be_lost_alone(model):
    request = replace(ASK, n=3, max_tokens=64, temperature=1.0, seed=1)
    async with aclosing(model.generate(request)) as stream:
        async for item in stream:
            assert isinstance(item, Sample)
            break
    assert (await draw(model, ASK)).text


async def test_a_last_message_of_the_assistant_is_continued(model):
    begun = (*ASK.messages, Message("assistant", "He has 3 + 4 ="))
    assert (await draw(model, replace(ASK, messages=begun, max_tokens=4))).text.strip().startswith("7")


async def test_a_thought_is_made_as_long_as_wanted(model):
    strategy = BudgetForcing(least=30, most=60, extensions=2, temperature=0.0, max_tokens=24)
    solution = await strategy.solve("Tom has 3 apples and buys 4 more. How many apples has he now?", model=model)
    *thought, _ = solution.samples
    assert 30 <= sum(sample.usage.output_tokens for sample in thought) <= 60


async def test_a_stop_text_ends_the_answer(model):
    sample = await draw(model, replace(ASK, stop=("apples",)))
    assert "apples" not in sample.text
    assert sample.finish_reason == "stop"


async def test_a_prompt_beyond_the_context_is_refused_in_a_sentence(model):
    request = GenerateRequest(messages=(Message("user", "word " * 4000),), max_tokens=10)
    with pytest.raises(ContextWindowError, match="do not fit the context of 2048 tokens"):
        await draw(model, request)


async def test_what_it_cannot_do_is_refused(model):
    tool = ToolSpec(name="add", description="", parameters={"type": "object"})
    with pytest.raises(RequestRefusedError, match="run vLLM's server"):
        await draw(model, replace(ASK, tools=(tool,)))
    with pytest.raises(RequestRefusedError, match="budget_forcing"):
        await draw(model, replace(ASK, max_reasoning_tokens=10))


def test_one_engine_serves_one_event_loop_after_another(model):
    assert run_sync(draw(model, ASK)).text == run_sync(draw(model, ASK)).text


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(WeightsError, match="vLLM cannot load"):
        run_sync(draw(VLLM(model=str(tmp_path), enforce_eager=True), ASK))


@pytest.mark.parametrize("engine", [{"trust_remote_code": True}, {"enable_prompt_embeds": True}])
def test_code_that_comes_with_weights_cannot_be_allowed(engine):
    with pytest.raises(ConfigError, match="may not set"):
        VLLM(model="m", engine=engine)
