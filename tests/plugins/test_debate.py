"""The debate plugin: its own distribution, found by its entry point, used by a graph and by name."""

from pathlib import Path

from agentkit import Kit
from agentkit.testing import ScriptedModel
from agentkit.testing.conformance import check_strategy

SCRIPT = ["I say 4.", "It is 5.", "I say 4.", "The answer is 4.", "The answer is 4.", "The answer is 4."]
FOLDER = Path(__file__).parents[2] / "plugins" / "agentkit-debate"


async def test_a_graph_uses_the_installed_plugin(tmp_path: Path) -> None:
    with ScriptedModel(script=SCRIPT) as model:
        run = await Kit(home=tmp_path).graph(FOLDER / "debate.yaml", models={"small": model}).run(question="2 + 2?")
    assert run.output["answer"] == "4"
    assert run.usage.calls == 6
    assert "It is 5." in model.requests[3].messages[-1].content


async def test_it_keeps_the_contract_of_strategies() -> None:
    await check_strategy(lambda: Kit().strategy("debate", agents=3, rounds=1))


async def test_its_bounds_are_known_before_it_runs() -> None:
    bounds = Kit().strategy("debate", agents=3, rounds=2).bounds()
    assert sum(one.most for one in bounds) == 9
