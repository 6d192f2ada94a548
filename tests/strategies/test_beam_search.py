from dataclasses import dataclass

import pytest

from agentkit import Kit
from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.protocols import ProcessRewardModel
from agentkit.strategies.beam_search import BeamSearch
from agentkit.testing import ScriptedModel

NEXT = {
    "(none)": ["Add them.", "Multiply them."],
    "Add them.": ["Answer: 7", "Answer: 8"],
    "Multiply them.": ["Answer: 12"],
}
SCORES = {"Add them.": "9", "Multiply them.": "5", "Answer: 7": "10", "Answer: 8": "1", "Answer: 12": "10"}


def student(request):
    """Writes steps from ``NEXT``, by turns of the seed, and judges them by ``SCORES``."""
    state = request.messages[-1].content.partition("so far:\n")[2].partition("\n\n")[0]
    if "Write the next step" not in request.messages[-1].content:
        return "Checked.\n" + SCORES[state.splitlines()[-1]]
    return "\n".join(NEXT[state])


@dataclass
class Turns(ScriptedModel):
    """Gives the lines of a reply in turn to the samples of a request."""

    def _sample(self, reply, request, index):
        lines = reply.splitlines()
        proposing = "Write the next step" in request.messages[-1].content
        return super()._sample(lines[index % len(lines)] if proposing else reply, request, index)


@dataclass(frozen=True)
class Preference:
    """A process reward that likes steps that say ``likes``."""

    likes: str

    async def score(self, problem, steps):
        return [0.9 if self.likes in step else 0.2 for step in steps]


async def test_it_answers_by_the_path_whose_steps_score_best():
    model = Turns(script=student)
    solution = await BeamSearch(width=2, samples=2).solve("3 and 4?", model=model)
    assert (solution.answer, solution.stopped) == ("7", "solved")
    assert {one.text: one.value for one in solution.tree}["Answer: 7"] == pytest.approx(0.9)
    assert solution.usage.calls == sum(request.n for request in model.requests)


@pytest.mark.parametrize(("aggregate", "value"), [("product", 0.5), ("min", 0.5), ("mean", 0.75), ("last", 1.0)])
async def test_the_scores_along_a_path_make_one_value(aggregate, value):
    solution = await BeamSearch(width=3, samples=2, aggregate=aggregate).solve("?", model=Turns(script=student))
    values = {one.text: one.value for one in solution.tree}
    assert values["Answer: 12"] == pytest.approx(value)


async def test_a_reward_model_scores_in_place_of_the_judge():
    model, reward = Turns(script=student), Preference("Multiply")
    assert isinstance(reward, ProcessRewardModel)
    search = Kit(installed=False).strategy("beam_search", width=1, samples=2, reward=reward)
    solution = await search.solve("3 and 4?", model=model)
    assert solution.answer == "12"
    assert solution.metadata["calls"] == {"propose": 2, "evaluate": 0, "conclude": 0}


async def test_a_judge_of_its_own_is_asked():
    judge = ScriptedModel(script=student, name="judge")
    model = Turns(script=student)
    await BeamSearch(width=1, samples=2, judge=judge).solve("3 and 4?", model=model)
    assert all("Check the last" in request.messages[-1].content for request in judge.requests)
    assert not any("Check the last" in request.messages[-1].content for request in model.requests)


async def test_no_more_than_the_width_is_gone_on_from():
    model = Turns(script=student)
    solution = await BeamSearch(width=1, samples=2).solve("3 and 4?", model=model)
    assert [one.text for one in solution.tree if one.kept] == ["Add them.", "Answer: 7"]


async def test_the_same_seed_makes_the_same_tree_however_long_calls_take():
    search = BeamSearch(width=2, samples=2, seed=5, concurrency=2)
    runs = [await search.solve("3 and 4?", model=Turns(script=student, delay=delay)) for delay in (0, 0.001)]
    assert runs[0] == runs[1]


async def test_a_spent_budget_leaves_the_best_so_far():
    asked = []

    def poor(request):
        asked.append(request)
        return student(request) if len(asked) <= 8 else BudgetExceededError("spent", resource="calls")

    solution = await BeamSearch(width=2, samples=2).solve("3 and 4?", model=Turns(script=poor))
    assert solution.stopped == "budget"
    assert solution.usage.calls == 8


async def test_a_model_that_only_fails_is_an_error():
    with pytest.raises(ServerError):
        await BeamSearch().solve("?", model=ScriptedModel(script=lambda request: ServerError("on fire")))


@pytest.mark.parametrize("options", [{"width": 0}, {"judge_prompt": "{{x}}"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        BeamSearch(**options)


def test_a_reward_and_a_judge_are_one_too_many():
    with pytest.raises(ConfigError, match="not both"):
        BeamSearch(reward=Preference("x"), judge=ScriptedModel())
