import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentkit.errors import ConfigError
from agentkit.strategies.level_vote import chosen, counted, shown
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.testing import ScriptedModel

QUESTION = "What does the sea taste of?"


def kind_of(request):
    text = request.messages[-1].content
    if "most likely to lead" in text:
        return "vote"
    return "propose" if "Propose" in text else "conclude"


def voter(request):
    """Proposes a good and a bad step, then answers; votes for the choice that speaks of salt."""
    text = request.messages[-1].content
    if kind_of(request) == "vote":
        choices = text.partition("Choice 1:")[2].split("Choice ")
        best = max(range(len(choices)), key=lambda place: choices[place].count("salt"))
        return f"Choice 1 is a guess.\nThe best choice is {best + 1}."
    if "salt" in text:
        return "Answer: salt"
    return "It is full of sugar\nIt is full of salt"


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("The best choice is 2", 1),
        ("Choice 1 fails.\nThe best choice is Choice 2.", 1),
        ("choice 1 or choice 3:\nChoice: 3", 2),
        ("**3**", 2),
        ("Choice 9", None),
        ("none of them", None),
        ("", None),
    ],
)
def test_a_vote_is_the_choice_that_a_reply_ends_in(reply, place):
    assert chosen(reply, 3) == place


@given(places=st.lists(st.integers(0, 4)))
def test_every_readable_vote_is_counted_once(places):
    counts = counted([f"The best choice is {place + 1}" for place in places] + ["I cannot say"], 5)
    assert counts == [places.count(place) for place in range(5)]


def test_the_choices_are_numbered_from_one():
    assert shown(["a", "b"]) == "Choice 1:\na\n\nChoice 2:\nb"


async def test_one_call_votes_over_all_states_of_a_level_and_the_best_is_gone_on_from():
    model = ScriptedModel(script=voter)
    solution = await TreeOfThought(value="vote", breadth=1, depth=2, value_samples=5).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("salt", "solved")
    assert [kind_of(request) for request in model.requests] == ["propose", "vote", "propose"]
    assert [(thought.value, thought.kept) for thought in solution.tree[:2]] == [(0.0, False), (5.0, True)]


async def test_an_answer_reached_early_stands_again_beside_the_next_level():
    def script(request):
        text = request.messages[-1].content
        if kind_of(request) == "propose":
            return "Answer: sugar\nTaste it first" if "Taste" not in text else "Answer: salt"
        return "The best choice is 2"

    model = ScriptedModel(script=script)
    solution = await TreeOfThought(value="vote", depth=2).solve(QUESTION, model=model)
    assert solution.answer == "salt"
    assert "Answer: sugar" in model.requests[-1].messages[-1].content


async def test_votes_that_cannot_be_read_end_the_search_with_a_conclusion():
    def script(request):
        return {"propose": "One way\nAnother", "vote": "Hard to say"}.get(kind_of(request), "Answer: salt")

    model = ScriptedModel(script=script)
    solution = await TreeOfThought(value="vote", depth=3).solve(QUESTION, model=model)
    assert (solution.answer, solution.stopped) == ("salt", "exhausted")


def test_votes_need_a_whole_level_to_compare():
    with pytest.raises(ConfigError, match="search: breadth"):
        TreeOfThought(value="vote", search="depth")
