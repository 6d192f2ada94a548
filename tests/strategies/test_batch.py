import pytest

from agentkit.errors import AuthenticationError, BudgetExceededError, ConfigError, ServerError
from agentkit.strategies.batch import Batch
from agentkit.testing import ScriptedModel


def asked(request):
    return request.messages[-1].content


def mixed(request):
    """Certain of the easy questions, of two minds about the hard one."""
    if asked(request).startswith("easy"):
        return "Answer: 1"
    return f"Answer: {request.seed % 2 + 1}"


QUESTIONS = ["easy one", "hard", "easy two", "easy three"]


async def test_the_budget_is_spent_where_it_can_change_an_answer():
    model = ScriptedModel(script=mixed)
    solutions = await Batch(budget=3, samples=10).solve(QUESTIONS, model=model)
    drawn = [len(solution.samples) for solution in solutions]
    assert sum(drawn) == 12
    assert drawn[1] == max(drawn) > 2 * max(drawn[0], drawn[2], drawn[3])
    assert [solution.answer for solution in solutions] == ["1"] * 4


@pytest.mark.parametrize("concurrency", [1, 3, 20])
async def test_no_concurrency_oversteps_the_budget(concurrency):
    model = ScriptedModel(script=mixed)
    solutions = await Batch(budget=2.5, concurrency=concurrency).solve(QUESTIONS, model=model)
    assert sum(len(solution.samples) for solution in solutions) == len(model.requests) == 10
    assert {solution.stopped for solution in solutions} == {"budget"}


async def test_a_price_stops_before_the_budget_does():
    solutions = await Batch(budget=20, price=0.005).solve(["easy"], model=ScriptedModel(script=mixed))
    assert solutions[0].stopped == "rule"
    assert len(solutions[0].samples) < 8


async def test_samples_of_a_question_have_seeds_in_a_row():
    model = ScriptedModel(script=mixed)
    await Batch(budget=3, seed=7).solve(["hard"], model=model)
    assert [request.seed for request in model.requests] == [7, 8, 9]


async def test_a_question_whose_samples_all_fail_spoils_no_other():
    def script(request):
        return ServerError("on fire") if asked(request) == "hard" else "Answer: 1"

    solutions = await Batch(budget=2, samples=3).solve(QUESTIONS, model=ScriptedModel(script=script))
    assert [solution.answer for solution in solutions] == ["1", None, "1", "1"]
    assert solutions[1].metadata["errors"][0]["error"] == "on fire"


async def test_a_run_whose_own_budget_is_spent_keeps_the_answers_so_far():
    def script(request):
        return BudgetExceededError("spent", resource="calls") if request.seed else "Answer: 1"

    solutions = await Batch(budget=3, concurrency=1).solve(["a", "b"], model=ScriptedModel(script=script))
    assert [(one.answer, one.stopped) for one in solutions] == [("1", "budget")] * 2


@pytest.mark.parametrize("error", [AuthenticationError("no key"), ServerError("on fire")])
async def test_where_nothing_arrives_the_first_error_is_raised(error):
    with pytest.raises(type(error)):
        await Batch().solve(QUESTIONS, model=ScriptedModel(script=lambda request: error))


async def test_no_questions_have_no_answers():
    assert await Batch().solve([], model=ScriptedModel(script=mixed)) == ()


def test_odd_options_are_mistakes():
    with pytest.raises(ConfigError, match="budget must be at least 0"):
        Batch(budget=-1)
