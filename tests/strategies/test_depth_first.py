import pytest

from agentkit.errors import BudgetExceededError, ConfigError
from agentkit.strategies.tree_of_thought import TreeOfThought
from agentkit.testing import ScriptedModel

STEPS = {
    "(none)": "Go left.\nGo right.\nDig.",
    "Go left.": "A wall.",
    "Go right.": "A door.",
    "Go right.\nA door.": "Answer: 7",
}


def walker(values):
    """Proposes from ``STEPS``; a state is worth what ``values`` say of its last thought, likely otherwise."""

    def reply(request):
        state = request.messages[-1].content.partition("so far:\n")[2].partition("\n\n")[0]
        if "Propose" in request.messages[-1].content:
            return STEPS.get(state, "")
        return values.get(state.rpartition("\n")[2], "likely")

    return reply


def search(**options):
    return TreeOfThought(search="depth", value_samples=1, **options)


async def test_it_follows_the_best_thought_and_turns_back_at_a_dead_end():
    model = ScriptedModel(script=walker({"Go left.": "sure", "A wall.": "impossible", "Dig.": "impossible"}))
    solution = await search().solve("Where?", model=model)
    assert (solution.answer, solution.stopped) == ("7", "solved")
    assert [one.text for one in solution.tree] == ["Go left.", "Go right.", "Dig.", "A wall.", "A door.", "Answer: 7"]
    assert {one.text for one in solution.tree if not one.kept} == {"A wall.", "Dig."}


async def test_pruned_thoughts_are_never_gone_on_from():
    model = ScriptedModel(script=walker({"Go left.": "impossible", "Go right.": "impossible"}))
    solution = await search().solve("Where?", model=model)
    assert solution.stopped == "exhausted"
    assert solution.metadata["calls"]["propose"] == 2


async def test_proposals_are_bounded():
    solution = await search(proposals=2).solve("Where?", model=ScriptedModel(script=walker({"Go left.": "sure"})))
    assert solution.metadata["calls"]["propose"] == 2


async def test_the_depth_is_bounded():
    solution = await search(depth=2).solve("Where?", model=ScriptedModel(script=walker({})))
    assert max(one.depth for one in solution.tree) == 1


async def test_a_spent_budget_ends_it_with_what_there_is():
    asked = []

    def poor(request):
        asked.append(request)
        return walker({})(request) if len(asked) <= 5 else BudgetExceededError("spent", resource="calls")

    solution = await search().solve("Where?", model=ScriptedModel(script=poor))
    assert (solution.stopped, solution.usage.calls) == ("budget", 5)


def test_proposals_below_one_are_refused():
    with pytest.raises(ConfigError, match="proposals"):
        TreeOfThought(search="depth", proposals=0)
