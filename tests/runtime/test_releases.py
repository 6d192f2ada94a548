"""What an earlier release wrote, this one reads."""

import math
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agentkit.events import SampleDrawn, Scope
from agentkit.models.replay import Replay
from agentkit.runtime.sampling import draw_all
from agentkit.runtime.stack import bind
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Sample, Usage

RELEASES = Path(__file__).parent / "releases"
SCOPE = Scope(node="solve", path="sample:0")
ASKED = GenerateRequest(
    messages=(Message("system", "Be brief."), Message("user", "2+2?")), n=2, temperature=0.7, max_tokens=20, seed=3
)


def check(first: Sample, second: Sample) -> None:
    assert (first.text, first.reasoning, first.finish_reason, first.model) == (
        "Ответ: 4",
        "2 and 2",
        "tool_calls",
        "m-2026",
    )
    assert [(call.name, call.arguments) for call in first.tool_calls] == [("add", '{"a":2}')]
    assert first.logprobs is not None
    assert first.logprobs[0].top == (("4", -0.5), ("5", -math.inf))
    assert (first.usage.tokens, first.usage.cached_tokens, first.usage.reasoning_tokens) == (10, 2, 1)
    assert (second.text, second.finish_reason, second.logprobs) == ("four", "stop", None)


@pytest.mark.parametrize("path", sorted(RELEASES.glob("run-*.db")), ids=lambda path: path.stem)
async def test_a_run_of_an_earlier_release_goes_on(path: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    shutil.copy(path, tmp_path / "runs" / "old.db")
    store = Store(home=tmp_path)
    header = store.read("old")
    assert (header.graph, header.graph_hash, header.status) == ("sums", "abc", "succeeded")
    assert (header.inputs, header.output) == ({"question": "2+2?"}, {"answer": "4"})
    with store.open("old") as journal:
        check(*await draw_all(bind(ScriptedModel(), scope=SCOPE, journal=journal), ASKED))
        assert (journal.usage().calls, journal.usage().usd) == (3, pytest.approx(18e-6))
        visit = journal.finished_node(Scope(node="solve"), "key")
        assert visit is not None
        assert (visit.outputs, visit.usage, visit.seconds) == ({"answer": "4"}, Usage(calls=2), 1.5)


async def test_the_events_of_an_earlier_release_are_shown() -> None:
    with TemporaryDirectory() as home:
        (Path(home) / "runs").mkdir()
        shutil.copy(RELEASES / "run-2.db", Path(home) / "runs" / "old.db")
        with Store(home=Path(home)).look("old") as journal:
            shown = [type(one.event).__name__ for one in journal.events() if not isinstance(one.event, SampleDrawn)]
            assert shown == ["RunStarted", "NodeStarted", "VoteCast", "NodeFinished"]
            assert journal.header.origin["seed"] == 3


@pytest.mark.parametrize("path", sorted(RELEASES.glob("cassette-*.jsonl")), ids=lambda path: path.stem)
async def test_a_cassette_of_an_earlier_release_plays(path: Path) -> None:
    check(*await draw_all(Replay(path=path), ASKED))
