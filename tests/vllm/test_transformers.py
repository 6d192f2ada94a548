"""A causal model in torch, with real weights."""

import asyncio
import threading
from contextlib import aclosing
from dataclasses import replace

import pytest

from agentkit.errors import ContextWindowError, RequestRefusedError, WeightsError
from agentkit.models.transformers import Transformers
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing.conformance import check_model
from agentkit.types import Delta, GenerateRequest, Message

pytestmark = [pytest.mark.torch, pytest.mark.gpu, pytest.mark.timeout(400)]

ASK = GenerateRequest(
    messages=(Message("user", "Tom has 3 apples and buys 4 more. How many apples has he now?"),),
    max_tokens=32,
    temperature=0.0,
)


@pytest.fixture(scope="module")
def model(folder):
    return Transformers(model=str(folder), dtype="float32")


async def test_it_keeps_the_contract_of_a_model(model):
    await check_model(lambda: model, seconds=300)


async def test_it_answers_as_the_weights_say(model):
    assert "7" in (await draw(model, ASK)).text


async def test_samples_drawn_side_by_side_are_those_drawn_alone(model):
    request = replace(ASK, temperature=0.8, top_p=0.9, seed=4, max_tokens=16)
    together = await draw_all(model, replace(request, n=3))
    alone = [await draw(model, replace(request, seed=4 + index)) for index in range(3)]
    assert [one.text for one in together] == [one.text for one in alone]


async def test_drawn_tokens_come_with_their_alternatives(model):
    sample = await draw(model, replace(ASK, logprobs=3))
    assert all(one.top[0] == (one.token, pytest.approx(one.logprob)) for one in sample.logprobs)
    assert len(sample.logprobs) == sample.usage.output_tokens


async def test_hidden_states_have_a_row_a_token(model):
    states = await model.hidden(ASK.messages)
    assert states.shape == ((await draw(model, ASK)).usage.input_tokens, 576)
    assert states.dtype == "float32"


async def test_a_soft_prompt_changes_what_is_said(model, folder, tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file(
        {"prompt": torch.randn(4, 576, generator=torch.Generator().manual_seed(0))}, tmp_path / "soft.safetensors"
    )
    tuned = replace(model, soft_prompt=tmp_path / "soft.safetensors")
    assert (await draw(tuned, ASK)).text != (await draw(model, ASK)).text


async def test_a_soft_prompt_of_another_width_is_refused(folder, tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"prompt": torch.zeros(4, 8)}, tmp_path / "soft.safetensors")
    with pytest.raises(WeightsError, match=r"shape \(4, 8\); this model wants \(length, 576\)"):
        await draw(Transformers(model=str(folder), soft_prompt=tmp_path / "soft.safetensors"), ASK)


async def test_closing_stops_the_drawing_thread(model):
    async with aclosing(model.generate(replace(ASK, max_tokens=900, temperature=1.0, stream=True))) as stream:
        async for item in stream:
            assert isinstance(item, Delta)
            break
    for _ in range(40):
        if not any(thread.name == "torch" for thread in threading.enumerate()):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the thread draws on")


async def test_a_stop_text_is_not_said_not_even_in_part(model):
    request = replace(ASK, stop=("apples",), stream=True)
    items = [item async for item in model.generate(request)]
    assert "".join(item.text for item in items[:-1]) == items[-1].text
    assert "appl" not in items[-1].text


async def test_a_last_message_of_the_assistant_is_continued(model):
    begun = (*ASK.messages, Message("assistant", "He has 3 + 4 ="))
    assert (await draw(model, replace(ASK, messages=begun, max_tokens=4))).text.strip().startswith("7")


async def test_what_it_cannot_do_is_refused(model):
    with pytest.raises(RequestRefusedError, match="no tools, schema"):
        await draw(model, replace(ASK, schema={"type": "object"}))
    with pytest.raises(ContextWindowError, match="do not fit the context"):
        await draw(model, replace(ASK, messages=(Message("user", "word " * 9000),)))


async def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(WeightsError, match="cannot be loaded"):
        await draw(Transformers(model=str(tmp_path)), ASK)
