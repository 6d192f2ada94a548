"""graphs/deliberate.yaml, with a script for the model."""

from pathlib import Path

from agentkit import Kit
from agentkit.testing import ScriptedModel

GRAPH = Path(__file__).parents[2] / "graphs" / "deliberate.yaml"
STEPS = {
    "4 5 6 10": "4 + 5 = 9 (left: 6 9 10)\n4 * 5 = 20 (left: 6 10 20)",
    "6 9 10": "10 - 9 = 1 (left: 1 6)",
    "6 10 20": "10 - 6 = 4 (left: 4 20)",
    "4 20": "20 + 4 = 24 (left: 24)",
}


def think(request):
    lines = request.messages[-1].content.strip().splitlines()
    proposing = lines[-1] == "Possible next steps:"
    return STEPS.get(lines[-2].removeprefix("Input: "), "") if proposing else "likely"


async def test_four_numbers_make_24(tmp_path):
    graph = Kit(home=tmp_path).graph(GRAPH, models={"thinker": ScriptedModel(script=think)})
    run = await graph.run(numbers="4 5 6 10")
    assert run.output["answer"] == "(4 * 5) + (10 - 6)"
    assert [thought["kept"] for thought in run.output["tree"]] == [True] * 5


async def test_numbers_that_nobody_can_combine_have_no_answer(tmp_path):
    lost = ScriptedModel(script=lambda request: "I do not know.")
    run = await Kit(home=tmp_path).graph(GRAPH, models={"thinker": lost}).run(numbers="1 1 1 1")
    assert run.output["answer"] is None
