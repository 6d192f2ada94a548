"""Cassettes: what was said once is said again, byte for byte, with no model behind it."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import InputError, ModelTimeoutError, ReplayMissError, ServerError, StoreError
from agentkit.events import Scope
from agentkit.models.cassette import Cassette
from agentkit.models.fallback import Fallback
from agentkit.models.replay import Recording, Replay
from agentkit.options import build, check
from agentkit.registry import Component
from agentkit.runtime.price import FREE, Price
from agentkit.runtime.redact import Redactor
from agentkit.runtime.sampling import draw, draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import Capabilities, Delta, GenerateRequest, Message, Sample, TokenLogprob, ToolCall, Usage


def ask(text: str = "hi", **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassette.jsonl"


async def test_a_replay_says_what_was_recorded(path: Path) -> None:
    whole = Sample(
        text="Ответ:\u2028 4 \x85 \ud800",
        reasoning="2 and 2",
        tool_calls=(ToolCall(id="1", name="add", arguments='{"a":2}'),),
        logprobs=(TokenLogprob(token="4", logprob=-0.5, top=(("4", -0.5),)),),
        usage=Usage(calls=1, input_tokens=7, output_tokens=3, seconds=0.25, usd=1e-5),
        finish_reason="length",
        model="m-2026",
    )
    with ScriptedModel(script=[whole, "two", "other"]) as model:
        recording = Recording(model=model, cassette=Cassette(path))
        live = [*await draw_all(recording, ask(n=2, temperature=0.7)), await draw(recording, ask("other"))]
    replay = Replay(path=path)
    other = await draw(replay, ask("other"))
    again = [*await draw_all(replay, ask(n=2, temperature=0.7)), other]
    assert live == again
    assert again[0] == whole
    assert [one.recorded for one in live + again] == [False] * 3 + [True] * 3


async def test_two_replays_are_the_same(path: Path) -> None:
    recording = Recording(model=ScriptedModel(script=[str(i) for i in range(6)]), cassette=Cassette(path))
    await asyncio.gather(*(draw_all(recording, ask(n=2)) for _ in range(3)))
    runs = [[one for _ in range(3) for one in await draw_all(replay, ask(n=2))] for replay in map(fresh, [path] * 2)]
    assert runs[0] == runs[1]


def fresh(path: Path) -> Replay:
    return Replay(path=path)


async def test_samples_come_in_the_order_of_arrival(path: Path) -> None:
    class Backwards(ScriptedModel):
        async def generate(self, request):
            for index in reversed(range(request.n)):
                yield Sample(text=str(index), index=index)

    stream = Recording(model=Backwards(), cassette=Cassette(path)).generate(ask(n=3))
    assert [item.index async for item in stream] == [2, 1, 0]
    assert [item.index async for item in Replay(path=path).generate(ask(n=3))] == [2, 1, 0]


async def test_an_early_stop_replays_and_asking_for_more_is_a_miss(path: Path) -> None:
    recording = Recording(model=ScriptedModel(script=["a", "b", "c"]), cassette=Cassette(path)).generate(
        ask("Why?", n=9)
    )
    for _ in range(3):
        await anext(recording)
    await recording.aclose()
    stream = Replay(path=path).generate(ask("Why?", n=9))
    assert [(await anext(stream)).text for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(ReplayMissError) as caught:
        await anext(stream)
    assert str(caught.value) == f"{path} has no response number 4 to 'Why?': record the cassette again"


async def test_a_miss_names_the_request_the_file_and_what_was_different(path: Path) -> None:
    question = "Tom has 3 apples and buys 4 more. " * 10
    await draw(Recording(model=ScriptedModel(script=["7"]), cassette=Cassette(path)), ask(question, temperature=0.7))
    replay = Replay(path=path)
    for _ in range(2):
        with pytest.raises(ReplayMissError) as caught:
            await draw(replay, ask(question, temperature=0.9, max_tokens=5))
        assert str(caught.value) == (
            f"{path} has no response number 1 to {question[:120]!r}; "
            "one was recorded with another temperature and max_tokens: record the cassette again"
        )
    with pytest.raises(ReplayMissError, match=r"no response number 1 to 'new': record"):
        await draw(replay, ask("new"))


async def test_a_failed_call_is_not_recorded_and_leaves_its_place(path: Path) -> None:
    model = ScriptedModel(script=["a", ModelTimeoutError("slow"), "b"])
    recording = Recording(model=model, cassette=Cassette(path))
    await draw(recording, ask())
    with pytest.raises(ModelTimeoutError):
        await draw(recording, ask())
    await draw(recording, ask())
    replay = Replay(path=path)
    assert [(await draw(replay, ask())).text for _ in range(2)] == ["a", "b"]


async def test_a_stream_replays_as_one_piece(path: Path) -> None:
    recording = Recording(model=ScriptedModel(script=["one two"]), cassette=Cassette(path))
    live = [item async for item in recording.generate(ask(stream=True))]
    assert [type(item) for item in live] == [Delta, Delta, Sample]
    items = [item async for item in Replay(path=path).generate(ask(stream=True))]
    assert [(type(item), item.text) for item in items] == [(Delta, "one two"), (Sample, "one two")]


async def test_a_replay_can_do_and_costs_what_its_model_did(path: Path) -> None:
    class Paid(ScriptedModel):
        price = Price(input=1e-6, output=2e-6, cached_input=5e-7)

    model = Paid(script=["a"], name="paid", capabilities=Capabilities(logprobs=True, stream=True))
    recording = Recording(model=model, cassette=Cassette(path))
    assert (recording.name, recording.capabilities, recording.price) == ("paid", model.capabilities, Paid.price)
    await draw(recording, ask())
    replay = Replay(path=path)
    assert (replay.name, replay.capabilities, replay.price) == ("paid", model.capabilities, Paid.price)


async def test_several_models_share_a_cassette(path: Path) -> None:
    cassette = Cassette(path)
    small = Recording(model=ScriptedModel(name="local/tiny", script=["s1", "s2"]), cassette=cassette, label="small")
    strong = Recording(model=ScriptedModel(name="strong", script=["S1"]), cassette=cassette)
    for model in (small, strong, small):
        await draw(model, ask())
    replay = Replay(path=path, model="small")
    assert replay.name == "local/tiny"
    assert [(await draw(replay, ask())).text for _ in range(2)] == ["s1", "s2"]
    assert (await draw(Replay(path=path, model="strong"), ask())).text == "S1"
    anyone = Replay(path=path)
    assert (anyone.name, anyone.price) == ("replay", None)
    assert [(await draw(anyone, ask())).text for _ in range(3)] == ["s1", "S1", "s2"]


async def test_a_fallback_replays_as_it_went(path: Path) -> None:
    cassette = Cassette(path)
    small = ScriptedModel(name="small", script=["s1", ServerError("down")])
    strong = ScriptedModel(name="strong", script=["S1"])
    live = Fallback(tuple(Recording(model=one, cassette=cassette) for one in (small, strong)))
    texts = [(await draw(live, ask())).text for _ in range(2)]
    again = Fallback(tuple(Replay(path=path, model=name) for name in ("small", "strong")))
    assert [(await draw(again, ask())).text for _ in range(2)] == texts == ["s1", "S1"]


async def test_no_key_reaches_the_cassette_and_what_is_seen_is_what_is_written(path: Path) -> None:
    model = ScriptedModel(script=["the key is canary-key-123", "try sk-abcdefgh1234567890"])
    recording = Recording(model=model, cassette=Cassette(path, redact=Redactor(["canary-key-123"])))
    live = [
        await draw(recording, ask("canary-key-123")),
        await draw(recording, ask("Authorization: Bearer abcdef123456")),
    ]
    written = path.read_text()
    for secret in ("canary-key-123", "sk-abcdefgh", "abcdef123456"):
        assert secret not in written
    assert [one.text for one in live] == ["the key is [redacted]", "try [redacted]"]
    replay = Replay(path=path)
    assert [
        await draw(replay, one) for one in map(ask, ["canary-key-123", "Authorization: Bearer abcdef123456"])
    ] == live


async def test_keys_of_the_environment_are_struck_out_by_default(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-from-env")
    await draw(Recording(model=ScriptedModel(script=["canary-from-env"]), cassette=Cassette(path)), ask())
    assert "canary" not in path.read_text()


async def test_a_cassette_is_readable(path: Path) -> None:
    await draw(Recording(model=ScriptedModel(script=["Привет!"]), cassette=Cassette(path)), ask("Поздоровайся", seed=1))
    first, player, request, response = [json.loads(line) for line in path.read_text().splitlines()]
    assert first == {"cassette": 1}
    assert (player["model"], player["price"]) == ("scripted", None)
    assert request["request"] == {"messages": [{"role": "user", "content": "Поздоровайся"}], "seed": 1}
    assert (response["key"], response["ordinal"], response["sample"]["text"]) == (request["key"], 0, "Привет!")
    assert "Привет!" in path.read_text()


def test_a_cassette_is_not_overwritten(path: Path) -> None:
    Cassette(path)
    with pytest.raises(InputError, match="exists already: delete it first, or record to another file"):
        Cassette(path)


def test_a_cassette_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        Cassette(tmp_path / "file" / "c.jsonl")


async def test_a_missing_cassette_is_an_input_error(path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no cassette .*cassette.jsonl: record one first"):
        await draw(Replay(path=path), ask())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("root:x:0:0:root\n", ":1: this is not a line of a cassette"),
        ('{"other": 1}\n', ":1: this is not a line of a cassette"),
        ('{"cassette": 2}\n', "format 2, this agentkit reads 1: update agentkit"),
        ('{"cassette": 1}\n{"sample"\n', ":2: this is not a line of a cassette"),
        ('{"cassette": 1}\n{"key": "k", "model": "m", "ordinal": 0, "sample": {"text": 5}}\n', ":2: .* cannot be read"),
        (
            '{"cassette": 1}\n{"capabilities": {"import": "os"}, "model": "m", "name": "m", "price": null}\n',
            ":2: .* cannot be read",
        ),
        (
            '{"cassette": 1}\n{"capabilities": {}, "model": "m", "name": "m", "price": {"output": -1}}\n',
            "price.output must be",
        ),
        ('{"cassette": 1}\n' + "[" * 100_000 + "\n", ":2: this is not a line of a cassette"),
    ],
)
async def test_a_damaged_cassette_is_named_with_its_line_and_shows_nothing_of_it(
    path: Path, content: str, sentence: str
) -> None:
    path.write_text(content)
    with pytest.raises((StoreError, InputError), match=sentence) as caught:
        await draw(Replay(path=path), ask())
    assert "root:" not in str(caught.value)


async def test_a_line_cut_off_by_a_crash_is_left_out(path: Path) -> None:
    await draw_all(Recording(model=ScriptedModel(script=["a", "b"]), cassette=Cassette(path)), ask(n=2))
    path.write_bytes(path.read_bytes()[:-5])
    stream = Replay(path=path).generate(ask(n=2))
    assert (await anext(stream)).text == "a"
    with pytest.raises(ReplayMissError):
        await anext(stream)


def test_a_graph_names_replay_and_its_options(path: Path) -> None:
    assert check(Replay, {"path": "c.jsonl", "model": "m"}) == []
    assert check(Replay, {"file": "c.jsonl"}) == [(("file",), "unknown option"), ((), "option 'path' is missing")]
    component = Component(kind="model", name="replay", plugin="agentkit", source=Replay)
    assert build(component, {"path": str(path)}, provided={}, models={}) == Replay(path=path)


async def test_a_replayed_run_and_its_journal_are_the_same_as_the_live_ones(path: Path, tmp_path: Path) -> None:
    store = Store(home=tmp_path)
    recording = Recording(model=ScriptedModel(script=["a", "b", "c"]), cassette=Cassette(path))
    rows = []
    for model in (recording, Replay(path=path)):
        with store.create(graph="g", inputs={}) as journal:
            await draw_all(bind(model, scope=Scope(node="n"), journal=journal, price=FREE), ask(n=3))
            rows.append(
                [row[:-1] for table, row in journal.rows(lambda scope: True) if table == "calls"]
            )  # without the time
    assert len(rows[0]) == 3
    assert rows[0] == rows[1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4)), min_size=1, max_size=5), st.randoms())
async def test_any_conversation_replays(tmp_path_factory, asked: list[tuple[str, int]], rng) -> None:
    path = tmp_path_factory.mktemp("c") / "c.jsonl"
    recording = Recording(
        model=ScriptedModel(script=lambda request: f"{rng.random()}"), cassette=Cassette(path, redact=Redactor())
    )
    live = [await draw_all(recording, ask(text, n=n)) for text, n in asked]
    replay = Replay(path=path)
    assert [await draw_all(replay, ask(text, n=n)) for text, n in asked] == live
