"""The composition root."""

from pathlib import Path

import pytest

from agentkit import Kit, hookimpl
from agentkit.errors import ConfigError, UnknownComponentError
from agentkit.hookspecs import Register
from agentkit.kit import parse_model
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Message, Record, Sample

GRAPH = """
schema: agentkit/v1
name: ask
inputs: {question: string}
outputs: {answer: say.text}
models: {small: {use: told, model: one, concurrency: 2}}
nodes:
  say: {use: model, in: {question: inputs.question}}
"""


class Told:
    """Registers a scripted backend and remembers how many were made and closed."""

    def __init__(self) -> None:
        self.made: list[ScriptedModel] = []
        self.closed = 0

    @hookimpl
    def register_models(self, register: Register) -> None:
        register("told", self.make)

    def make(self, *, model: str) -> ScriptedModel:
        made = ScriptedModel(script=lambda request: request.messages[-1].content.upper(), name=model)
        made.close = self.close  # type: ignore[attr-defined]
        self.made.append(made)
        return made

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def kit(told: Told, tmp_path: Path) -> Kit:
    return Kit(plugins=[told], installed=False, home=tmp_path)


def test_an_address_is_backend_and_name() -> None:
    assert parse_model("litellm/openai/gpt-4o-mini") == {"use": "litellm", "model": "openai/gpt-4o-mini"}


@pytest.mark.parametrize("wrong", ["", "/x", {}, {"model": "x"}])
def test_a_model_without_a_backend_says_how_it_is_written(wrong: object) -> None:
    with pytest.raises(ConfigError, match="backend/name"):
        parse_model(wrong)  # type: ignore[arg-type]


async def test_a_model_is_used_in_a_with_block(kit: Kit) -> None:
    async with kit.model("told/one") as model:
        drawn = [item async for item in model.generate(GenerateRequest(messages=(Message("user", "hi"),)))]
    assert [one.text for one in drawn if isinstance(one, Sample)] == ["HI"]


async def test_graphs_of_one_kit_share_their_backends(kit: Kit, told: Told, tmp_path: Path) -> None:
    (tmp_path / "ask.yaml").write_text(GRAPH)
    for _ in range(2):
        run = await kit.graph(tmp_path / "ask.yaml").run(question="why")
        assert "WHY" in run.output["answer"]
    assert len(told.made) == 1
    kit.close()
    assert told.closed == 1


async def test_a_model_object_can_stand_for_an_entry(kit: Kit, told: Told, tmp_path: Path) -> None:
    (tmp_path / "ask.yaml").write_text(GRAPH)
    with ScriptedModel(script=["because"]) as model:
        run = await kit.graph(tmp_path / "ask.yaml", models={"small": model}).run(question="why")
    assert run.output["answer"] == "because"
    assert told.made == []


def test_components_are_made_by_name_with_their_options(kit: Kit) -> None:
    assert kit.strategy("self_consistency", samples=3).samples == 3  # type: ignore[attr-defined]
    with pytest.raises(UnknownComponentError, match="did you mean 'groundedness'"):
        kit.evaluator("groundednes")
    with pytest.raises(ConfigError, match="samplse"):
        kit.strategy("self_consistency", samplse=3)


async def test_a_task_is_evaluated_over_records(kit: Kit) -> None:
    async def shout(record: Record) -> dict[str, str]:
        return {"answer": str(record.input).upper()}

    records = [Record(id="a", input="x", target="X"), Record(id="b", input="y", target="Z")]
    report = await kit.evaluate(shout, dataset=records, evaluators=["answer_match"])
    assert "answer_match" in str(report)
