import pytest

from agentkit.errors import BudgetExceededError, ServerError
from agentkit.strategies.self_refine import SelfRefine
from agentkit.testing import ScriptedModel

QUESTION = "Write a line about the sea."


async def test_drafts_are_criticised_and_improved_until_the_critic_is_content():
    with ScriptedModel(script=["Sea.", "Too short.", "The sea is wide.", "No problems."]) as model:
        solution = await SelfRefine(rounds=5).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("The sea is wide.", "solved")
    assert [(thought.text, thought.parent) for thought in solution.tree] == [("Sea.", None), ("The sea is wide.", 0)]
    assert [message.role for message in model.requests[2].messages] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]


async def test_rounds_are_bounded():
    with ScriptedModel(script=["a", "bad", "b", "bad", "c"]) as model:
        solution = await SelfRefine(rounds=2).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("c", "full")


@pytest.mark.parametrize("failure", [ServerError("on fire"), BudgetExceededError("spent", resource="calls")])
async def test_a_round_that_fails_leaves_the_last_draft(failure):
    solution = await SelfRefine().solve(QUESTION, model=ScriptedModel(script=["Sea.", "Too short.", failure]))
    assert solution.answer == "Sea."
    assert solution.stopped == ("budget" if isinstance(failure, BudgetExceededError) else "full")
    assert solution.usage.calls == 2
