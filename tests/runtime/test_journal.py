"""What was drawn is read and not drawn again; what failed is drawn again; nothing else changes."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentkit.errors import ModelTimeoutError, StoreError
from agentkit.events import SampleDrawn, Scope, Spent, TokenDrawn
from agentkit.runtime.budget import Budget, Ledger
from agentkit.runtime.journal import Journal
from agentkit.runtime.redact import Redactor
from agentkit.runtime.sampling import draw, draw_all
from agentkit.runtime.stack import bind, inner
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import Delta, GenerateRequest, Message, Sample, TokenLogprob, ToolCall, Usage

SCOPE = Scope(run="r", node="solve")


def ask(text: str = "hi", **knobs) -> GenerateRequest:
    return GenerateRequest(messages=(Message("user", text),), **knobs)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(home=tmp_path)


@pytest.fixture
def journal(store: Store):
    with store.create(graph="g", inputs={"question": "2+2?"}) as opened:
        yield opened


def reopened(store: Store, journal: Journal) -> Journal:
    journal.close()
    return store.open(journal.header.id)


def counting() -> ScriptedModel:
    """Answers 0, 1, 2, ... so that a second drawing cannot look like the first."""
    numbers = iter(range(10**6))
    return ScriptedModel(script=lambda request: str(next(numbers)))


async def test_recorded_samples_are_not_drawn_again(store: Store, journal: Journal) -> None:
    first = await draw_all(bind(counting(), scope=SCOPE, journal=journal), ask(n=3))
    with reopened(store, journal) as again, ScriptedModel(script=["fresh"]) as model:
        bound = bind(model, scope=SCOPE, journal=again)
        assert await draw_all(bound, ask(n=3)) == first
        fresh = await draw(bound, ask("another question"))
    assert (fresh.text, fresh.recorded) == ("fresh", False)


async def test_a_recorded_sample_has_everything_it_had(store: Store, journal: Journal) -> None:
    whole = Sample(
        text="Ответ: 4 \u2028 \ud800",
        reasoning="2 and 2",
        tool_calls=(ToolCall(id="1", name="add", arguments='{"a":2}'),),
        logprobs=(TokenLogprob(token="4", logprob=float("-inf"), top=(("4", -0.1), ("5", -2.5))),),
        usage=Usage(calls=1, input_tokens=7, output_tokens=3, cached_tokens=2, seconds=0.25, usd=1e-5),
        finish_reason="tool_calls",
        model="m-2026",
    )
    first = await draw(bind(ScriptedModel(script=[whole]), scope=SCOPE, journal=journal), ask())
    with reopened(store, journal) as again:
        second = await draw(bind(ScriptedModel(), scope=SCOPE, journal=again), ask())
    assert first == second == whole


async def test_a_row_is_committed_before_the_sample_is_seen(store: Store, journal: Journal) -> None:
    path = store.folder / f"{journal.header.id}.db"
    stream = bind(counting(), scope=SCOPE, journal=journal).generate(ask(n=3))
    for seen in range(3):
        await anext(stream)
        with sqlite3.connect(path) as reader:
            assert reader.execute("SELECT count(*) FROM calls").fetchone() == (seen + 1,)
        reader.close()
    await stream.aclose()


async def test_only_the_rest_of_a_request_is_drawn(store: Store, journal: Journal) -> None:
    stream = bind(counting(), scope=SCOPE, journal=journal).generate(ask(n=5))
    first = [await anext(stream) for _ in range(2)]
    await stream.aclose()
    with reopened(store, journal) as again, ScriptedModel(script=["c", "d", "e"]) as model:
        drawn = await draw_all(bind(model, scope=SCOPE, journal=again), ask(n=5))
    assert drawn[:2] == first
    assert [(one.text, one.index) for one in drawn[2:]] == [("c", 2), ("d", 3), ("e", 4)]
    assert [one.n for one in model.requests] == [3]


class Shuffled:
    """Draws in the order 3, 0, 2, 1; each sample says which seed drew it."""

    name = "shuffled"
    capabilities = ScriptedModel().capabilities

    def __init__(self) -> None:
        self.requests: list[GenerateRequest] = []

    async def generate(self, request: GenerateRequest):
        self.requests.append(request)
        order = [3, 0, 2, 1] if request.n == 4 else range(request.n)
        for index in order:
            yield Sample(text=f"seed {request.seed + index}", usage=Usage(calls=1), index=index)


async def test_recorded_samples_come_in_the_order_of_drawing_so_a_stopping_rule_decides_alike(
    store: Store, journal: Journal
) -> None:
    first = [one async for one in bind(Shuffled(), scope=SCOPE, journal=journal).generate(ask(n=4, seed=10))]
    with reopened(store, journal) as again:
        second = [
            one
            async for one in bind(ScriptedModel(name="shuffled"), scope=SCOPE, journal=again).generate(
                ask(n=4, seed=10)
            )
        ]
    assert [one.index for one in first] == [3, 0, 2, 1]
    assert second == first


async def test_the_rest_of_a_seeded_request_keeps_its_seeds(store: Store, journal: Journal) -> None:
    stream = bind(Shuffled(), scope=SCOPE, journal=journal).generate(ask(n=4, seed=10))
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    model = Shuffled()
    with reopened(store, journal) as again:
        drawn = await draw_all(bind(model, scope=SCOPE, journal=again), ask(n=4, seed=10))
    assert [one.text for one in drawn] == ["seed 10", "seed 11", "seed 12", "seed 13"]
    assert [(one.seed, one.n) for one in model.requests] == [(11, 2)]


async def test_gaps_in_a_seeded_request_are_asked_for_one_by_one(store: Store, journal: Journal) -> None:
    claim = journal.calls.claim(SCOPE, key_of(ask(seed=7)), 6)
    for index in (1, 4):
        journal.calls.record(claim, index, Sample(text=f"seed {7 + index}", index=index))
    model = Shuffled()
    with reopened(store, journal) as again:
        drawn = await draw_all(bind(model, scope=SCOPE, journal=again), ask(n=6, seed=7))
    assert [one.text for one in drawn] == [f"seed {7 + index}" for index in range(6)]
    assert [(one.seed, one.n) for one in model.requests] == [(7, 1), (9, 2), (12, 1)]


def key_of(request: GenerateRequest, model: str = "shuffled") -> str:
    from agentkit.runtime.codec import request_key

    return request_key(model, request)


async def test_equal_requests_of_a_vote_stay_distinct(store: Store, journal: Journal) -> None:
    bound = bind(counting(), scope=SCOPE, journal=journal)
    first = await asyncio.gather(*(draw(bound, ask()) for _ in range(16)))
    with reopened(store, journal) as again:
        replay = bind(ScriptedModel(), scope=SCOPE, journal=again)
        second = await asyncio.gather(*(draw(replay, ask()) for _ in range(16)))
    assert sorted(one.text for one in first) == sorted(map(str, range(16)), key=str)
    assert [one.text for one in second] == [one.text for one in first]


async def test_the_order_of_different_requests_does_not_matter(store: Store, journal: Journal) -> None:
    bound = bind(counting(), scope=SCOPE, journal=journal)
    first = {text: (await draw(bound, ask(text))).text for text in "abcd"}
    with reopened(store, journal) as again:
        replay = bind(ScriptedModel(), scope=SCOPE, journal=again)
        assert {text: (await draw(replay, ask(text))).text for text in "dbca"} == first


@pytest.mark.parametrize(
    "elsewhere",
    [
        Scope(run="r", node="solve", visit=1),
        Scope(run="r", node="check"),
        Scope(run="r", node="solve", path="sample:1"),
    ],
)
async def test_another_place_has_a_recording_of_its_own(store: Store, journal: Journal, elsewhere: Scope) -> None:
    await draw(bind(counting(), scope=SCOPE, journal=journal), ask())
    with reopened(store, journal) as again:
        sample = await draw(bind(ScriptedModel(script=["new"]), scope=elsewhere, journal=again), ask())
    assert sample.text == "new"


async def test_another_model_and_another_prompt_have_recordings_of_their_own(store: Store, journal: Journal) -> None:
    await draw(bind(counting(), scope=SCOPE, journal=journal), ask())
    with reopened(store, journal) as again, ScriptedModel(script=["new", "edited"], name="strong") as model:
        bound = bind(model, scope=SCOPE, journal=again)
        assert [(await draw(bound, ask())).text, (await draw(bound, ask("edited"))).text] == ["new", "edited"]


async def test_a_failed_call_leaves_its_place_to_the_next_equal_one(store: Store, journal: Journal) -> None:
    bound = bind(ScriptedModel(script=["a", ModelTimeoutError("slow"), "b"]), scope=SCOPE, journal=journal)
    await draw(bound, ask())
    with pytest.raises(ModelTimeoutError):
        await draw(bound, ask())
    await draw(bound, ask())
    with reopened(store, journal) as again:
        replay = bind(ScriptedModel(), scope=SCOPE, journal=again)
        assert [(await draw(replay, ask())).text for _ in range(2)] == ["a", "b"]


async def test_a_node_run_once_more_reads_what_it_recorded(journal: Journal) -> None:
    model = ScriptedModel(script=["a", "b", ModelTimeoutError("slow"), "c", "elsewhere"])
    with model:
        bound = bind(model, scope=SCOPE, journal=journal)
        first = [await draw(bound, ask("1")), await draw(bound.inner("x"), ask("2"))]
        with pytest.raises(ModelTimeoutError):
            await draw(bound, ask("3"))
        journal.rewind(SCOPE)
        second = [await draw(bound, ask("1")), await draw(bound.inner("x"), ask("2"))]
        assert second == first
        assert all(one.recorded for one in second)
        assert (await draw(bound, ask("3"))).text == "c"
        other = bind(model, scope=Scope(run="r", node="other"), journal=journal)
        assert (await draw(other, ask("1"))).text == "elsewhere"


async def test_a_recorded_sample_costs_nothing_and_says_so(store: Store, journal: Journal) -> None:
    events = []
    ledger = Ledger(Budget(calls=2))
    await draw_all(bind(counting(), scope=SCOPE, journal=journal, ledger=ledger, emit=events.append), ask(n=2))
    assert [type(one) for one in events] == [Spent, SampleDrawn, Spent, SampleDrawn]
    with reopened(store, journal) as again:
        resumed = Ledger(Budget(calls=2), spent=again.usage(), elapsed=again.elapsed)
        assert resumed.spent == ledger.spent
        events.clear()
        bound = bind(ScriptedModel(), scope=SCOPE, journal=again, ledger=resumed, emit=events.append)
        await draw_all(bound, ask(n=2))
    assert [(type(one), one.recorded) for one in events] == [(SampleDrawn, True)] * 2
    assert resumed.spent == ledger.spent


async def test_calls_that_failed_still_count_after_a_resume(store: Store, journal: Journal) -> None:
    ledger = Ledger()
    model = ScriptedModel(script=["a", ModelTimeoutError("slow")])
    bound = bind(model, scope=SCOPE, journal=journal, ledger=ledger)
    await draw(bound, ask())
    with pytest.raises(ModelTimeoutError):
        await draw(bound, ask())
    with reopened(store, journal) as again:
        assert again.usage() == ledger.spent
        assert again.usage().calls == 2
        assert again.usage(Scope(node="other")) == Usage()


async def test_deltas_pass_and_a_recorded_text_comes_as_one(store: Store, journal: Journal) -> None:
    events = []
    bound = bind(ScriptedModel(script=["one two", "three"]), scope=SCOPE, journal=journal, emit=events.append)
    live = [item async for item in bound.generate(ask(n=2, stream=True))]
    assert [item.text for item in live if isinstance(item, Delta)] == ["one ", "two", "three"]
    assert [one.text for one in events if isinstance(one, TokenDrawn)] == ["one ", "two", "three"]
    with reopened(store, journal) as again:
        replay = bind(ScriptedModel(), scope=SCOPE, journal=again)
        items = [item async for item in replay.generate(ask(n=2, stream=True))]
    assert [(type(item), item.text, item.index) for item in items] == [
        (Delta, "one two", 0),
        (Sample, "one two", 0),
        (Delta, "three", 1),
        (Sample, "three", 1),
    ]


async def test_cancelling_closes_the_model_and_keeps_what_was_drawn(store: Store, journal: Journal) -> None:
    model = ScriptedModel(script=lambda request: "yes", delay=0.02)
    ledger = Ledger(Budget(calls=100))
    drawn = asyncio.Event()
    bound = bind(model, scope=SCOPE, journal=journal, ledger=ledger, emit=lambda event: drawn.set())
    task = asyncio.ensure_future(draw_all(bound, ask(n=50)))
    await drawn.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.cancelled == 1
    assert ledger.remaining().calls == 100 - ledger.spent.calls
    assert journal.usage() == ledger.spent


async def test_closing_the_stream_closes_the_model(journal: Journal) -> None:
    model = ScriptedModel(script=lambda request: "yes")
    stream = bind(model, scope=SCOPE, journal=journal, ledger=Ledger()).generate(ask(n=5, stream=True))
    await anext(stream)
    await stream.aclose()
    assert model.cancelled == 1


def test_a_bound_model_looks_like_its_model(journal: Journal) -> None:
    model = ScriptedModel(name="m")
    bound = bind(model, scope=SCOPE, journal=journal, ledger=Ledger())
    assert (bound.name, bound.capabilities) == ("m", model.capabilities)
    assert (bound.stack.name, bound.stack.capabilities) == ("m", model.capabilities)
    assert inner(bound, "sample:3").scope == Scope(run="r", node="solve", path="sample:3")
    assert bound.inner("a").inner("b").scope.path == "a/b"
    assert inner(model, "sample:3") is model


async def test_an_inner_place_may_have_a_budget_of_its_own(store: Store, journal: Journal) -> None:
    ledger = Ledger(Budget(calls=10))
    bound = bind(counting(), scope=SCOPE, journal=journal, ledger=ledger)
    branch = bound.inner("branch:0", budget=Budget(calls=3))
    await draw_all(branch, ask(n=3))
    assert (ledger.remaining().calls, branch.ledger.remaining().calls) == (7, 0)
    assert branch.ledger.name == "solve branch:0"
    with reopened(store, journal) as again:
        resumed = bind(counting(), scope=SCOPE, journal=again).inner("branch:0", budget=Budget(calls=3))
        assert resumed.ledger.remaining().calls == 0


async def test_a_known_secret_never_reaches_the_file_nor_anyone_after_it(tmp_path: Path) -> None:
    store = Store(home=tmp_path, redact=Redactor(["canary-key-123"], shapes=False))
    with store.create(graph="g", inputs={"q": "canary-key-123"}) as journal:
        sample = await draw(bind(ScriptedModel(script=["it is canary-key-123"]), scope=SCOPE, journal=journal), ask())
        journal.finish_node(SCOPE, "k", {"a": "canary-key-123"}, Usage(), 0.1)
        journal.set_status("failed", error="401 canary-key-123", output={"a": "canary-key-123"})
        for path in store.folder.iterdir():
            assert b"canary" not in path.read_bytes()
    assert sample.text == "it is [redacted]"
    with store.open(journal.header.id) as again:
        assert await draw(bind(ScriptedModel(), scope=SCOPE, journal=again), ask()) == sample


def test_a_finished_node_is_found_again_by_its_key_alone(store: Store, journal: Journal) -> None:
    usage = Usage(calls=2, input_tokens=5, usd=0.25)
    journal.finish_node(SCOPE, "key", {"answer": "4", "score": 0.5, "documents": []}, usage, 1.5)
    with reopened(store, journal) as again:
        visit = again.finished_node(SCOPE, "key")
        assert visit is not None
        assert (visit.outputs, visit.usage, visit.seconds) == (
            {"answer": "4", "score": 0.5, "documents": []},
            usage,
            1.5,
        )
        assert again.finished_node(SCOPE, "edited") is None
        assert again.finished_node(Scope(node="solve", visit=1), "key") is None
        again.finish_node(SCOPE, "edited", {"answer": "5"}, Usage(), 0.1)
        again.finish_node(Scope(node="check"), "key", {}, Usage(), 0.1)
        assert [one.scope.node for one in again.visits()] == ["solve", "check"]
        assert again.finished_node(SCOPE, "edited").outputs == {"answer": "5"}


def test_outputs_that_are_not_plain_data_are_refused_by_name(journal: Journal) -> None:
    with pytest.raises(StoreError, match=r"what node 'solve' put out cannot be recorded as JSON: .*object"):
        journal.finish_node(SCOPE, "k", {"a": object()}, Usage(), 0.1)
    with pytest.raises(StoreError, match="cannot be recorded as JSON"):
        journal.finish_node(SCOPE, "k", {"a": float("nan")}, Usage(), 0.1)
    assert journal.visits() == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    equal=st.booleans(),
    stop=st.integers(0, 20),
)
async def test_a_run_stopped_anywhere_and_resumed_is_as_if_it_had_not_been(
    tmp_path_factory, sizes: list[int], equal: bool, stop: int
) -> None:
    store = Store(home=tmp_path_factory.mktemp("home"))
    requests = [ask("same" if equal else str(number), n=size, seed=1) for number, size in enumerate(sizes)]
    journal = store.create(graph="g", inputs={})
    left = stop
    interrupted = bind(counting(), scope=SCOPE, journal=journal)
    kept: list[str] = []
    for request in requests:
        stream = interrupted.generate(request)
        while left and (item := await anext(stream, None)) is not None:
            kept.append(item.text)
            left -= 1
        await stream.aclose()
        if not left:
            break
    fresh = iter(range(1000, 2000))
    model = ScriptedModel(script=lambda request: str(next(fresh)))
    with reopened(store, journal) as again:
        bound = bind(model, scope=SCOPE, journal=again)
        texts = [one.text for request in requests for one in await draw_all(bound, request)]
    assert texts[: len(kept)] == kept
    assert sum(request.n for request in model.requests) == sum(sizes) - len(kept)
    assert all(int(text) >= 1000 for text in texts[len(kept) :])
