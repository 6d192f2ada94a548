"""Questions and answers are rows like any other: asked in one process, answered in another, on files and on PostgreSQL."""

from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.errors import InputError

GRAPH = """
schema: agentkit/v1
name: kept
outputs: {said: ask.data}
nodes:
  ask:
    use: human
    with: {ask: "Who?", schema: {type: object, properties: {name: {type: string}}, required: [name]}}
    cache: true
"""


@pytest.fixture(params=["files", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "files" else request.getfixturevalue("postgres_url")


def test_an_answer_left_by_another_kit_is_found(address: str | None, tmp_path: Path) -> None:
    path = tmp_path / "kept.yaml"
    path.write_text(GRAPH)

    def kit() -> Kit:
        return Kit(home=tmp_path, store=address, installed=False)

    asking = kit()
    asking.runs.cache.clear()
    first = asking.graph(path).run_sync()
    assert [one.text for one in kit().runs.questions(first.id)] == ["Who?"]
    with pytest.raises(InputError, match="the answer to 'ask' does not fit: 'name' is missing"):
        kit().runs.answer(first.id, {"ask": {}})
    assert kit().runs.answer(first.id, {"ask": {"name": "Зоя"}}) == ()
    assert kit().runs.store.read(first.id).status == "interrupted"
    assert kit().graph(path).run_sync(resume=first.id).output == {"said": {"name": "Зоя"}}
    assert kit().graph(path).run_sync().output == {"said": {"name": "Зоя"}}
