import pytest

from agentkit.errors import ServerError
from agentkit.strategies.universal_self_consistency import UniversalSelfConsistency, selected
from agentkit.testing import ScriptedModel

QUESTION = "Why is the sea salty?"


def model(choice, *replies):
    return ScriptedModel(script=lambda request: choice if request.seed == len(replies) else replies[request.seed])


async def test_the_model_picks_the_most_consistent_response():
    one = model("The most consistent response is Response 2", "It rains.", "Rivers carry salt.", "Rivers bring it.")
    solution = await UniversalSelfConsistency(samples=3).solve(QUESTION, model=one)
    assert solution.answer == "Rivers carry salt."
    assert solution.metadata == {"chosen": 1, "selected": True}
    assert "Response 3: Rivers bring it." in one.requests[-1].messages[-1].content
    assert solution.usage.calls == 4


async def test_a_choice_that_cannot_be_read_leaves_the_majority():
    solution = await UniversalSelfConsistency(samples=3).solve(
        QUESTION, model=model("all of them", "Rain.", "Salt.", "salt")
    )
    assert (solution.answer, solution.metadata["selected"]) == ("Salt.", False)


async def test_a_failing_choice_leaves_the_majority():
    solution = await UniversalSelfConsistency(samples=2).solve(
        QUESTION, model=model(ServerError("on fire"), "Salt.", "salt")
    )
    assert solution.answer == "Salt."


async def test_one_sample_needs_no_choice():
    with ScriptedModel(script=["Salt."]) as one:
        assert (await UniversalSelfConsistency(samples=1).solve(QUESTION, model=one)).answer == "Salt."


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("The most consistent response is Response 3", 2),
        ("Response #1.", 0),
        (" 2.", 1),
        ("Response 9", None),
        ("none", None),
    ],
)
def test_a_choice_is_read_from_the_reply(reply, place):
    assert selected(reply, 3) == place
