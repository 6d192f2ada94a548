from dataclasses import dataclass

import pytest

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.evaluators.hallucination.groundedness import Groundedness
from agentkit.kit import Kit
from agentkit.strategies.best_of_n import BestOfN, score
from agentkit.testing import ScriptedModel
from agentkit.types import Document, Message, Problem, Score, Usage

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


@dataclass(frozen=True)
class Marks:
    """An evaluator that gives a text the mark it has for the last word; an error among the marks is raised."""

    marks: dict

    async def evaluate(self, record):
        mark = self.marks[record.output.split()[-1]]
        if isinstance(mark, Exception):
            raise mark
        reason = "no mark" if mark is None else ""
        return Score(value=mark, reason=reason, usage=Usage(calls=1))


OPENING = "When did the service centre in Leeds open?"
SAYS_1998 = "The service centre in Leeds opened in 1998."
SAYS_1997 = "The service centre in Leeds opened in 1997."


def about_leeds(*texts):
    documents = tuple(Document(text=text) for text in texts)
    return Problem(question=OPENING, messages=(Message("user", OPENING),), documents=documents)


@pytest.mark.parametrize("choose", ["best", "weighted"])
async def test_a_supported_answer_wins_against_a_plurality_that_no_document_supports(choose):
    problem = about_leeds(
        "The service centre in Leeds opened in 1997 and employs 1,200 people. The river is 5 km long."
    )
    model = drawing(SAYS_1998, SAYS_1998, SAYS_1997)
    strategy = BestOfN(samples=3, evaluator=Groundedness(encoder="none"), choose=choose, answer="number")
    solution = await strategy.solve(problem, model=model)
    assert (solution.answer, solution.metadata["chosen"]) == ("1997", 2)
    assert [vote.count for vote in solution.votes] == [1, 2]
    assert len(model.requests) == 3, "no judge is asked"


async def test_without_documents_nothing_is_scored_and_the_majority_decides():
    strategy = BestOfN(samples=3, evaluator=Groundedness(encoder="none"), choose="weighted", answer="number")
    solution = await strategy.solve(about_leeds(), model=drawing(SAYS_1997, SAYS_1998, SAYS_1998))
    assert (solution.answer, solution.metadata["scores"]) == ("1998", [None, None, None])
    assert solution.metadata["unscored"][0]["sample"] == 0
    assert "no documents" in solution.metadata["unscored"][0]["reason"]


@pytest.mark.parametrize(("choose", "answer"), [("best", "7"), ("weighted", "8")])
async def test_scores_of_an_evaluator_choose_or_add_up(choose, answer):
    strategy = Kit(installed=False).strategy(
        "best_of_n", samples=3, evaluator=Marks({"8": 0.5, "7": 0.9}), choose=choose
    )
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 8", "Answer: 7"))
    assert (solution.answer, solution.metadata["scores"]) == (answer, [0.5, 0.5, 0.9])
    assert solution.usage.calls == 6, "what the evaluator spent is counted"


@pytest.mark.parametrize("choose", ["best", "weighted"])
async def test_of_equal_scores_the_earliest_wins(choose):
    strategy = BestOfN(samples=2, evaluator=Marks({"8": 0.5, "7": 0.5}), choose=choose)
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 7"))
    assert solution.answer == "8"


@pytest.mark.parametrize(
    ("mark", "reason", "stopped"),
    [
        (None, "no mark", "full"),
        (ServerError("on fire"), "on fire", "full"),
        (BudgetExceededError("2 calls are spent", resource="calls"), "2 calls are spent", "budget"),
    ],
)
async def test_a_candidate_that_an_evaluator_cannot_score_has_no_score(mark, reason, stopped):
    strategy = BestOfN(samples=2, evaluator=Marks({"8": mark, "7": 0.1}))
    solution = await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 7"))
    assert (solution.answer, solution.stopped) == ("7", stopped)
    assert solution.metadata["scores"] == [None, 0.1]
    assert solution.metadata["unscored"] == [{"sample": 0, "reason": reason}]


async def test_an_evaluator_that_cannot_work_at_all_ends_the_run():
    strategy = BestOfN(samples=2, evaluator=Marks({"8": ConfigError("no weights")}))
    with pytest.raises(ConfigError, match="no weights"):
        await strategy.solve(QUESTION, model=drawing("Answer: 8", "Answer: 8"))


def test_an_evaluator_and_a_judge_are_one_too_many():
    with pytest.raises(ConfigError, match="not both"):
        BestOfN(evaluator=Marks({}), judge=ScriptedModel())


def test_the_name_of_an_evaluator_is_not_an_evaluator():
    with pytest.raises(ConfigError, match="made in Python, not the text 'groundedness'"):
        Kit(installed=False).strategy("best_of_n", evaluator="groundedness")
