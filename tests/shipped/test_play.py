"""graphs/play.yaml plays an environment step by step."""

from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.evaluation.episodes import play
from agentkit.testing import ScriptedModel

GRAPH = Path(__file__).parents[2] / "graphs" / "play.yaml"


@pytest.mark.parametrize("name", ["running_sum", "blocksworld", "river_crossing", "retail"])
async def test_play_solves_what_its_model_answers_rightly(name: str, tmp_path: Path) -> None:
    kit = Kit(home=tmp_path)
    environment = kit.environment(name)
    with ScriptedModel(script=list(environment.solve(5))) as model:
        graph = kit.graph(GRAPH, models={"player": model})
        (played,) = [one async for one in play(environment, graph, seeds=[5], mode="steps")]
    assert played.success
    assert played.first_error is None
    assert environment.start(5).task in model.requests[0].messages[-1].content
