import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.models.openai_http import OpenAIHTTP
from agentkit.strategies.budget_forcing import BudgetForcing
from agentkit.testing import FakeProvider, ScriptedModel
from agentkit.types import Capabilities, Message, Sample, Usage

QUESTION = "What is 6 times 7?"
ABLE = Capabilities(continues=True, seed=True)


def scripted(*script: object) -> ScriptedModel:
    return ScriptedModel(capabilities=ABLE, script=script)


def said(text: str, tokens: int, finish: str = "stop") -> Sample:
    return Sample(text=text, usage=Usage(calls=1, output_tokens=tokens), finish_reason=finish)


def begun(model: ScriptedModel) -> list[str]:
    """What the model was asked to continue, call by call."""
    return [request.messages[-1].content for request in model.requests]


async def test_a_thought_of_the_right_length_is_left_alone():
    with scripted(said("six sevens", 20), said(" 42", 2)) as model:
        solution = await BudgetForcing(least=10, most=100).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped, solution.usage.output_tokens) == ("42", "rule", 22)
    assert begun(model) == ["<think>\n", "<think>\nsix sevens\n</think>\n\n"]
    assert model.requests[0].messages[0] == Message("user", QUESTION)
    assert (model.requests[0].max_tokens, model.requests[0].stop) == (100, ("</think>",))


async def test_one_that_ends_too_early_is_made_to_look_again():
    with scripted(said("41?\n", 4), said(", no, 42", 8), said("42", 1)) as model:
        solution = await BudgetForcing(least=10, most=100).solve(QUESTION, model=model)
    assert solution.answer == "42"
    assert begun(model)[1:] == ["<think>\n41?\nWait", "<think>\n41?\nWait, no, 42\n</think>\n\n"]
    assert model.requests[1].max_tokens == 96


async def test_it_is_extended_a_bounded_number_of_times():
    with scripted(*[said("hm", 1)] * 3, said("42", 1)) as model:
        await BudgetForcing(least=50, most=100, extensions=2).solve(QUESTION, model=model)
    assert begun(model)[-1] == "<think>\nhm\nWaithm\nWaithm\n</think>\n\n"


async def test_one_that_takes_too_long_is_closed_and_told_to_conclude():
    with scripted(said("on and on", 30, "length"), said(" 42", 2)) as model:
        solution = await BudgetForcing(most=30).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("42", "full")
    assert begun(model)[1] == "<think>\non and on\n</think>\n\nFinal Answer:"


async def test_without_budget_for_the_answer_the_thought_has_to_do():
    spent = BudgetExceededError("spent", resource="tokens")
    with scripted(said("So the answer is 42.", 20), spent) as model:
        solution = await BudgetForcing().solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("42", "budget")


async def test_the_first_failure_is_the_callers():
    with pytest.raises(ServerError):
        await BudgetForcing().solve(QUESTION, model=scripted(ServerError("on fire")))


async def test_a_model_that_cannot_continue_is_refused():
    with pytest.raises(ConfigError, match="cannot continue a message of its own"):
        await BudgetForcing().solve(QUESTION, model=ScriptedModel())


async def test_a_server_is_told_to_continue_in_its_own_words():
    fields = {"continue_final_message": True, "add_generation_prompt": False}
    async with FakeProvider(["six sevens", "42"]) as provider:
        model = OpenAIHTTP(model="m", base_url=provider.base_url, continues=fields)
        assert (await BudgetForcing().solve(QUESTION, model=model)).answer == "42"
        assert all(call.body["continue_final_message"] for call in provider.calls)


@pytest.mark.parametrize("wrong", [{"least": 5, "most": 2}, {"extensions": -1}, {"closing": " "}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError):
        BudgetForcing(**wrong)


def test_its_bounds_count_a_call_for_every_extension():
    (bounds,) = BudgetForcing(extensions=3).bounds()
    assert (bounds.least, bounds.most, bounds.needs) == (2, 5, frozenset({"continues"}))
