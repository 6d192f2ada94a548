"""Graphs, strategies and functions become one shape: a record in, outputs and their cost out."""

from dataclasses import dataclass

import pytest

from agentkit.errors import EvaluationError, InputError, ServerError
from agentkit.evaluation import Outcome, StrategyTask, evaluate
from agentkit.evaluation.task import check_place, derive_seed, identity, inputs_of
from agentkit.evaluators.answer_match import AnswerMatch
from agentkit.strategies.self_consistency import SelfConsistency
from agentkit.testing import ScriptedModel
from agentkit.types import Document, Problem, Record, Solution

RECORD = Record(
    id="a", input={"question": "Who?", "deep": {"er": 3}}, documents=(Document(text="d"),), metadata={"lang": "en"}
)


def test_outcomes_are_made_of_mappings_and_texts():
    assert Outcome.of({"answer": 1}).output == {"answer": 1}
    assert Outcome.of("text").output == {"output": "text"}
    with pytest.raises(EvaluationError, match="returned list instead of a mapping"):
        Outcome.of([1])


def test_seeds_differ_by_record_and_repeat_and_fit_every_backend():
    seeds = {derive_seed(0, record, repeat) for record in ("a", "b") for repeat in range(50)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(0, "a", 1) == derive_seed(0, "a", 1) != derive_seed(1, "a", 1)


def test_inputs_are_read_by_place():
    places = {"q": "input.question", "n": "input.deep.er", "docs": "documents", "language": "metadata.lang", "id": "id"}
    values = inputs_of(RECORD, places, {})
    assert values == {"q": "Who?", "n": 3, "docs": RECORD.documents, "language": "en", "id": "a"}


def test_an_object_is_taken_key_by_key_and_a_text_is_the_only_input():
    assert inputs_of(RECORD, {}, {"question": ...}) == {"question": "Who?"}
    assert inputs_of(Record(input="Who?"), {}, {"question": ...}) == {"question": "Who?"}
    with pytest.raises(InputError, match="the graph takes question, language: say which part"):
        inputs_of(Record(input="Who?"), {}, {"question": ..., "language": ...})


def test_a_place_that_a_record_lacks_is_named():
    with pytest.raises(InputError, match=r"record 'a' has no 'input\.questoin'"):
        inputs_of(RECORD, {"q": "input.questoin"}, {})
    with pytest.raises(InputError, match="the target is for evaluators only"):
        inputs_of(RECORD, {"q": "target"}, {})
    assert check_place("input.anything") == ""
    assert "did you mean 'documents'" in check_place("document.text")


async def test_a_strategy_solves_records_with_a_seed_of_their_own():
    model = ScriptedModel(script=lambda request: f"The answer is {request.messages[-1].content[0]}.")
    task = StrategyTask(strategy=SelfConsistency(samples=3, stop="fixed"), model=model)
    records = [Record(id=str(digit), input=f"{digit}?", target=str(digit)) for digit in range(4)]
    report = await evaluate(task, records, [AnswerMatch()])
    assert report.metrics["accuracy"].interval.value == 1.0
    assert report.cost.task.calls == len(model.requests) == 12
    assert report.rows[0].output["votes"] == {"0": 3}
    assert report.rows[0].output["samples"] == 3
    seeds = {request.seed for request in model.requests}
    assert len(seeds) == 12
    assert "SelfConsistency(samples=3" in report.header.task
    assert "on scripted" in report.header.task


@dataclass(frozen=True, kw_only=True)
class Twice:
    """Draws once and then fails."""

    async def solve(self, problem, *, model) -> Solution:
        from agentkit.runtime.sampling import draw_all
        from agentkit.types import GenerateRequest

        await draw_all(model, GenerateRequest(messages=Problem.of(problem).messages, n=2))
        raise ServerError("gone")


async def test_what_a_failed_strategy_drew_is_counted():
    report = await evaluate(
        StrategyTask(strategy=Twice(), model=ScriptedModel(script=["a", "b"])),
        [Record(id="a", input="?")],
        [AnswerMatch()],
    )
    assert report.rows[0].error_type == "ServerError"
    assert report.cost.task.calls == 2


async def test_a_strategy_needs_a_text():
    task = StrategyTask(strategy=Twice(), model=ScriptedModel())
    report = await evaluate(task, [Record(id="a", input={"q": 1})], [AnswerMatch()])
    assert report.rows[0].error == "record 'a': a strategy solves a text, but the input is dict"


def test_a_function_is_known_by_its_name():
    async def mine(record):
        return {}

    assert identity(mine).endswith("mine")
