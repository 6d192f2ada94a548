"""A graph that waits for a person cannot be evaluated by itself: its record has an error that says so."""

from pathlib import Path

from agentkit import Kit
from agentkit.errors import QuestionsPendingError
from agentkit.evaluation.task import GraphTask
from agentkit.types import Record

GRAPH = """
schema: agentkit/v1
name: asks
outputs: {said: ask.answer}
nodes: {ask: {use: human, with: {ask: Well}}}
"""


async def test_a_run_that_waits_for_a_person_is_an_error_of_its_record(tmp_path: Path) -> None:
    path = tmp_path / "asks.yaml"
    path.write_text(GRAPH)
    outcome = await GraphTask(graph=Kit(home=tmp_path, installed=False).graph(path))(Record(input={}), seed=0)
    assert isinstance(outcome.error, QuestionsPendingError)
    assert str(outcome.error) == "waits for a person to answer: ask"
