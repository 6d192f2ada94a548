"""The strategies that talk with a model in turns."""

import asyncio

import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.strategies.constitutional_critique import ConstitutionalCritique
from agentkit.strategies.least_to_most import LeastToMost
from agentkit.strategies.mixture_of_agents import MixtureOfAgents
from agentkit.strategies.plan_and_solve import PlanAndSolve
from agentkit.strategies.reflexion import Reflexion
from agentkit.strategies.step_back import StepBack
from agentkit.testing import ScriptedModel
from agentkit.types import Message, Problem

QUESTION = "Tom has 3 apples and buys 4. How many?"
SPENT = BudgetExceededError("spent", resource="calls")
ALL = [
    PlanAndSolve(seed=3),
    StepBack(seed=3),
    LeastToMost(parts=2, seed=3),
    Reflexion(trials=2, seed=3),
    ConstitutionalCritique(principles=("Be brief.", "Be kind."), seed=3),
    MixtureOfAgents(samples=2, layers=2, seed=3),
]


def roles(request):
    return [message.role for message in request.messages]


@pytest.mark.parametrize("strategy", [PlanAndSolve(), StepBack()], ids=repr)
async def test_the_first_reply_is_in_view_when_the_question_is_answered(strategy):
    with ScriptedModel(script=["Add what he buys.", "3 + 4 = 7\nAnswer: 7"]) as model:
        solution = await strategy.solve(QUESTION, model=model)
    assert solution.answer == "7"
    assert roles(model.requests[1]) == ["user", "assistant", "user"]
    assert model.requests[1].messages[1].content == "Add what he buys."
    assert [(one.depth, one.parent) for one in solution.tree] == [(0, None), (1, 0)]


@pytest.mark.parametrize("strategy", [PlanAndSolve(), StepBack(), LeastToMost()], ids=repr)
async def test_when_a_later_turn_fails_only_a_stated_answer_counts(strategy):
    for failure in (SPENT, ServerError("on fire")):
        stated = await strategy.solve(QUESTION, model=ScriptedModel(script=["Add. Answer: 7", failure]))
        silent = await strategy.solve(QUESTION, model=ScriptedModel(script=["Add 3 and 4.", failure]))
        assert (stated.answer, silent.answer) == ("7", None)
        assert stated.stopped == ("budget" if failure is SPENT else "full")


async def test_parts_are_answered_in_turn_with_those_before_in_view():
    replies = ["1. How many at first?\n2. How many bought?\n3. What colour?", "3", "4", "Answer: 7"]
    with ScriptedModel(script=replies) as model:
        solution = await LeastToMost(parts=2).solve(QUESTION, model=model)
    assert solution.answer == "7"
    assert solution.metadata["parts"] == ["How many at first?", "How many bought?"]
    assert [request.messages[-1].content for request in model.requests[1:3]] == solution.metadata["parts"]
    assert len(model.requests[3].messages) == 7


async def test_a_lesson_stands_before_the_next_try_and_the_wrong_try_does_not():
    replies = ["Answer: 12", "3 times 4 is not asked\nwrong", "Add instead.", "Answer: 7", "right"]
    with ScriptedModel(script=replies) as model:
        solution = await Reflexion().solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("7", "solved")
    assert solution.metadata["lessons"] == ["Add instead."]
    assert "Add instead." in model.requests[3].messages[-1].content
    assert "12" not in model.requests[3].messages[-1].content
    assert [one.text for one in solution.tree] == ["Answer: 12", "Answer: 7"]


async def test_the_last_try_is_not_judged():
    with ScriptedModel(script=["Answer: 1", "wrong", "Hm.", "Answer: 2"]) as model:
        solution = await Reflexion(trials=2).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("2", "full")


async def test_another_model_can_judge_the_tries():
    with ScriptedModel(script=["right"], name="judge") as judge, ScriptedModel(script=["Answer: 7"]) as model:
        solution = await Reflexion(judge=judge).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped, solution.usage.calls) == ("7", "solved", 2)


@pytest.mark.parametrize("replies", [["Answer: 1", SPENT], ["Answer: 1", "wrong", SPENT]])
async def test_a_try_stands_when_the_budget_ends_the_trials(replies):
    solution = await Reflexion().solve(QUESTION, model=ScriptedModel(script=replies))
    assert (solution.answer, solution.stopped) == ("1", "budget")


async def test_a_draft_is_held_against_each_principle_and_revised_where_it_falls_short():
    replies = ["A long draft.", "Too long.", "Short.", "No problems."]
    with ScriptedModel(script=replies) as model:
        solution = await ConstitutionalCritique(principles=("Be brief.", "Be kind.")).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("Short.", "full")
    assert solution.metadata["broken"] == ["Be brief."]
    assert "Be kind." in model.requests[3].messages[-1].content
    assert model.requests[3].messages[1].content == "Short."


async def test_a_draft_that_keeps_every_principle_is_solved():
    with ScriptedModel(script=["Fine.", "No problems.", "No problems."]) as model:
        solution = await ConstitutionalCritique(principles=("a", "b")).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("Fine.", "solved")


async def test_a_revision_that_fails_leaves_the_draft():
    model = ScriptedModel(script=["Draft.", "Too long.", SPENT])
    solution = await ConstitutionalCritique(principles=("a", "b")).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("Draft.", "budget")


async def test_every_layer_sees_the_answers_before_it_and_the_model_sums_up():
    a = ScriptedModel(script=["red", "ruby"], name="a")
    b = ScriptedModel(script=["blue", "navy"], name="b")
    problem = Problem(question="Which?", messages=(Message("system", "Be brief."), Message("user", "Which?")))
    with a, b, ScriptedModel(script=["purple"]) as model:
        solution = await MixtureOfAgents(proposers=(a, b), layers=2).solve(problem, model=model)
    assert solution.answer == "purple"
    assert "1. red\n2. blue" in a.requests[1].messages[0].content
    assert "1. ruby\n2. navy" in model.requests[0].messages[0].content
    assert roles(model.requests[0]) == ["system", "user"]
    assert [(one.text, one.depth) for one in solution.tree][-1] == ("purple", 2)
    assert [one.model for one in MixtureOfAgents(proposers=(a, b)).bounds()] == [a, b, None]


async def test_the_majority_stands_in_when_nobody_sums_up():
    replies = ["red", "blue", "Blue", SPENT]
    solution = await MixtureOfAgents(samples=3, concurrency=1).solve("Which?", model=ScriptedModel(script=replies))
    assert (solution.answer, solution.stopped) == ("blue", "budget")
    assert solution.metadata["summed"] is False


async def test_a_proposer_that_fails_is_left_out():
    bad = ScriptedModel(script=lambda request: ServerError("on fire"), name="bad")
    good = ScriptedModel(script=["red"], name="good")
    with ScriptedModel(script=["Red it is."]) as model:
        solution = await MixtureOfAgents(proposers=(bad, good)).solve("Which?", model=model)
    assert solution.answer == "Red it is."
    assert solution.metadata["errors"] == ["on fire"]


@pytest.mark.parametrize("strategy", ALL, ids=repr)
async def test_the_same_seed_makes_the_same_solution(strategy):
    def reply(request):
        return f"wrong {request.seed}"

    runs = [await strategy.solve(QUESTION, model=ScriptedModel(script=reply, delay=delay)) for delay in (0, 0.001)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("strategy", ALL, ids=repr)
async def test_a_model_that_only_fails_is_an_error(strategy):
    with pytest.raises(ServerError):
        await strategy.solve(QUESTION, model=ScriptedModel(script=lambda request: ServerError("on fire")))


@pytest.mark.parametrize("strategy", ALL, ids=repr)
async def test_a_conversation_can_be_cancelled(strategy):
    begun = asyncio.Event()
    model = ScriptedModel(script=lambda request: begun.set() or "x", delay=3600)
    solving = asyncio.ensure_future(strategy.solve(QUESTION, model=model))
    await begun.wait()
    solving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await solving
    assert model.cancelled == len(model.requests)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (LeastToMost, {"parts": -1}),
        (Reflexion, {"trials": 0}),
        (Reflexion, {"judge_prompt": "{{x}}"}),
        (ConstitutionalCritique, {"principles": ()}),
        (ConstitutionalCritique, {"criticise": "{{x}}"}),
        (MixtureOfAgents, {"layers": 0}),
    ],
)
def test_options_out_of_range_are_refused(make, options):
    with pytest.raises(ConfigError):
        make(**options)
