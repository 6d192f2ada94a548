"""The tools of an episode: one for each action, refused actions told; none where nothing is played."""

import pytest

from agentkit import Kit
from agentkit.environments.play import action_of
from agentkit.errors import ToolError
from agentkit.tools.environment import EnvironmentTools, Stage
from agentkit.types import JSON, Outcome


def tools(name: str) -> EnvironmentTools:
    episode = Kit(installed=False).environment(name).start(0)

    def act(tool: str, arguments: dict[str, JSON]) -> Outcome:
        return episode.step(action_of(tool, arguments))

    return EnvironmentTools(stage=Stage(tools=episode.tools, act=act))


async def test_every_action_is_a_tool() -> None:
    found = {tool.spec.name: tool for tool in tools("vending").tools}
    assert {"order", "restock", "next_day"} <= found.keys()
    offers = await found["search_suppliers"].call({"product": "cola"})
    assert offers["result"][0].keys() == {"supplier", "cents", "days"}


async def test_a_world_of_text_has_one_tool() -> None:
    (act,) = tools("tower_of_hanoi").tools
    with pytest.raises(ToolError, match="is no move"):
        await act.call({"action": "hello"})


def test_outside_of_an_episode_there_are_no_tools() -> None:
    assert EnvironmentTools().tools == ()
