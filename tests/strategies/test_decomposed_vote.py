import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import BudgetExceededError, ConfigError, ServerError
from agentkit.strategies.decomposed_vote import DecomposedVote
from agentkit.strategies.stopping import Ahead
from agentkit.testing import ScriptedModel


def counter(wrong=0.0):
    """Counts to 5, one step at a time, and errs at times, as the request's seed decides."""

    def reply(request):
        state = request.messages[-1].content.partition("so far:\n")[2].partition("\n\n")[0]
        last = 0 if state == "(none)" else int(state.splitlines()[-1].split()[-1])
        err = random.Random(request.seed).random() < wrong
        return f"Answer: {last}" if last >= 5 else f"Then comes {last + (2 if err else 1)}"

    return ScriptedModel(script=reply)


async def test_steps_that_nobody_disputes_cost_the_lead_each():
    model = counter()
    solution = await DecomposedVote(lead=3).solve("Count to 5.", model=model)
    assert (solution.answer, solution.stopped, solution.confidence) == ("5", "solved", 1.0)
    assert len(model.requests) == 6 * 3
    assert [one.text for one in solution.tree][:2] == ["Then comes 1", "Then comes 2"]


async def faultless(seed, **options):
    strategy = DecomposedVote(samples=40, steps=9, seed=seed, **options)
    solution = await strategy.solve("Count to 5.", model=counter(wrong=0.3))
    return [one.text.split()[-1] for one in solution.tree] == ["1", "2", "3", "4", "5", "5"]


async def test_votes_mend_what_single_samples_get_wrong():
    seeds = range(0, 10_000, 1000)
    assert sum([await faultless(seed, lead=1) for seed in seeds]) < 5
    assert sum([await faultless(seed, lead=5) for seed in seeds]) >= 8


@pytest.mark.parametrize("odd", ["Go.\nStop.", "x " * 300, "", "I cannot say"])
async def test_odd_replies_are_drawn_again(odd):
    with ScriptedModel(script=[odd, "Answer: 7", "Answer: 7"]) as model:
        solution = await DecomposedVote(lead=2, pattern=r"Answer: \d+").solve("3 + 4?", model=model)
    assert solution.answer == "7"
    assert solution.metadata["steps"] == [{"votes": [2], "flagged": 1}]
    assert solution.votes[0].samples == (1, 2)


async def test_answers_that_say_the_same_are_one_vote():
    with ScriptedModel(script=["Answer: 7.0", "Answer: seven"]) as model:
        solution = await DecomposedVote(lead=2, answer="number", samples=3).solve("3 + 4?", model=model)
    assert solution.votes[0].count == 2


async def test_nothing_but_oddness_ends_without_an_answer():
    solution = await DecomposedVote(samples=4).solve("?", model=ScriptedModel(script=lambda request: "a\nb"))
    assert (solution.answer, solution.stopped, solution.usage.calls) == (None, "exhausted", 4)


async def test_a_spent_budget_keeps_the_steps_that_were_settled():
    replies = ["Then comes 1"] * 2 + ["Then comes 2"] + [BudgetExceededError("spent", resource="calls")]
    solution = await DecomposedVote().solve("Count.", model=ScriptedModel(script=replies))
    assert (solution.answer, solution.stopped, solution.usage.calls) == (None, "budget", 3)
    assert [one.text for one in solution.tree] == ["Then comes 1"]


async def test_the_same_seed_takes_the_same_steps():
    runs = [await DecomposedVote(seed=9, steps=9).solve("Count.", model=counter(0.4)) for _ in range(2)]
    assert runs[0] == runs[1]


async def test_a_model_that_only_fails_is_an_error():
    with pytest.raises(ServerError):
        await DecomposedVote().solve("?", model=ScriptedModel(script=lambda request: ServerError("on fire")))


@pytest.mark.parametrize("options", [{"lead": 0}, {"pattern": "("}, {"step_prompt": "{{x}}"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ConfigError):
        DecomposedVote(**options)


@given(st.lists(st.integers(0, 20), max_size=5), st.integers(1, 5))
def test_the_wave_is_what_agreement_would_still_take(counts, lead):
    rule, drawn = Ahead(lead=lead), sum(counts)
    more = rule.wave(counts, drawn, drawn + 50)
    grown = sorted([*counts, 0, 0], reverse=True)
    assert more == max(0, lead - (grown[0] - grown[1]))
