import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.strategies.best_of_n import BestOfN, score
from agentkit.testing import ScriptedModel

QUESTION = "What is 3 + 4?"


def drawing(*replies):
    return ScriptedModel(script=lambda request: replies[request.seed])


def judging(**scores):
    """A judge that scores a candidate by what stands after its ``Answer:``."""

    def reply(request):
        proposed = request.messages[-1].content.split("Answer: ")[1].split()[0]
        return f"I checked 1 and 2.\n{scores['a' + proposed]}"

    return ScriptedModel(script=reply)


async def test_the_answer_with_the_highest_score_is_chosen():
    strategy = BestOfN(samples=3, judge=judging(a8="3", a7="9/10"))
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 8", "Answer: 7"))
    assert (solution.answer, solution.metadata["chosen"]) == ("7", 2)
    assert solution.metadata["scores"] == [3.0, 3.0, 9.0]
    assert [(vote.answer, vote.weight) for vote in solution.votes] == [("7", 9.0), ("8", 6.0)]
    assert solution.usage.calls == 6


async def test_weighted_scores_of_equal_answers_add_up():
    strategy = BestOfN(samples=3, choose="weighted", judge=judging(a8="5", a7="9"))
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 8", "Answer: 7"))
    assert solution.answer == "8"


async def test_a_candidate_whose_score_cannot_be_read_has_none():
    strategy = BestOfN(samples=2, judge=judging(a8="I cannot say", a7="4"))
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 7"))
    assert (solution.answer, solution.metadata["scores"][1]) == ("7", 4.0)


async def test_without_any_score_the_majority_decides():
    broken = ScriptedModel(script=lambda request: ServerError("on fire"))
    solution = await BestOfN(samples=3, judge=broken).solve(QUESTION, model=drawing("Answer: 8", "Answer: 7", "7"))
    assert solution.answer == "7"


async def test_a_spent_budget_leaves_the_majority():
    def poor(request):
        return "Answer: 7" if request.seed < 3 else BudgetExceededError("3 calls are spent", resource="calls")

    solution = await BestOfN(samples=3).solve(QUESTION, model=ScriptedModel(script=poor))
    assert (solution.answer, solution.stopped) == ("7", "budget")


async def test_when_every_sample_fails_the_first_error_is_raised():
    with pytest.raises(ServerError):
        await BestOfN().solve(QUESTION, model=ScriptedModel(script=lambda request: ServerError("on fire")))


@pytest.mark.parametrize(
    ("reply", "number"),
    [("7", 7), ("so\n8/10", 8), ("Score: 9.5.", 9.5), ("7 apples of 12", 7), ("100", None), ("", None), ("5\nfine", 5)],
)
def test_scores_are_read_from_the_end_of_the_reply(reply, number):
    assert score(reply) == number


def test_wrong_options_are_refused_when_the_strategy_is_made():
    with pytest.raises(ConfigError):
        BestOfN(samples=0)
    with pytest.raises(ConfigError):
        BestOfN(judge_prompt="{{respons}}")
