import pytest

from agentkit.errors import ServerError
from agentkit.strategies.chain_of_thought import ChainOfThought
from agentkit.testing import ScriptedModel
from agentkit.types import Message, Problem, Sample

QUESTION = "Tom has 3 apples and buys 4 more. How many?"


async def test_the_final_answer_is_taken_from_the_reasoning():
    with ScriptedModel(script=["Tom has 3.\nHe buys 4.\nAnswer: 7 apples"]) as model:
        solution = await ChainOfThought().solve(QUESTION, model=model)
    assert solution.answer == "7 apples"
    assert solution.samples[0].text.startswith("Tom has 3.")
    assert model.requests[0].messages[-1].content.endswith("after 'Answer:'.")
    assert model.requests[0].temperature == 0


async def test_worked_examples_are_the_turns_before_the_question():
    shots = (Message("user", "1 + 1?"), Message("assistant", "Answer: 2"), Message("user", "3 + 4?"))
    model = ScriptedModel(script=["Answer: 7"])
    await ChainOfThought(instruction="").solve(Problem(question="3 + 4?", messages=shots), model=model)
    assert model.requests[0].messages == shots


async def test_reasoning_that_was_cut_off_has_no_answer():
    model = ScriptedModel(script=[Sample(text="Tom has 3 and", finish_reason="length")])
    assert (await ChainOfThought().solve(QUESTION, model=model)).answer is None


async def test_a_failing_model_is_an_error():
    with pytest.raises(ServerError):
        await ChainOfThought().solve(QUESTION, model=ScriptedModel(script=[ServerError("on fire")]))
