"""Who broke a run, tried out: a graph with a planted wrong step, scripted models, and what a correction of each step does."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agentkit import Kit
from agentkit.errors import InputError, NodeError, ServerError
from agentkit.graph.blame import Experiment, blame
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest

GRAPH = """
schema: agentkit/v1
name: shop
inputs: {question: string}
outputs: {answer: report.text}
models: {clerk: openai_http/clerk}
nodes:
  read: {use: model, with: {model: clerk, prompt: "Read: {{question}}"}, in: {question: inputs.question}}
  price: {use: model, with: {model: clerk, prompt: "Price of: {{items}}"}, in: {items: read.text}}
  report: {use: model, with: {model: clerk, prompt: "Report: {{price}}"}, in: {price: price.text}}
"""


def clerk(request: GenerateRequest) -> str:
    """Reads right, prices wrong (the planted error), and reports what it is told."""
    text = request.messages[-1].content
    if text.startswith("Read:"):
        return "3 apples at 2 each"
    if text.startswith("Price of:"):
        return "I assume 7"
    return f"The total is {text.rpartition(' ')[2]}"


def careful(request: GenerateRequest) -> str:
    text = request.messages[-1].content
    return "6" if text.startswith("Price of:") else clerk(request)


async def is_six(output: Mapping[str, Any]) -> bool:
    return output.get("answer") == "The total is 6"


async def recorded(tmp_path: Path, script: Any = clerk) -> tuple[Kit, str, dict[str, Any]]:
    path = tmp_path / "shop.yaml"
    path.write_text(GRAPH)
    kit = Kit(home=tmp_path / "home", installed=False)
    models = {"clerk": ScriptedModel(script=script)}
    with suppress(NodeError):
        await kit.graph(path, models=models).run(question="3 apples at 2 each: what is the total?")
    return kit, kit.runs.list()[0].id, models


async def test_an_output_put_in_a_nodes_place_is_used_and_the_node_does_not_run(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    asked = len(models["clerk"].requests)
    made = await kit.runs.fork(run, at="price", outputs={"text": "6"}, models=models)
    assert made.output == {"answer": "The total is 6"}
    assert len(models["clerk"].requests) == asked + 1
    assert kit.runs.store.read(made.id).origin["outputs"] == {"text": "6"}


async def test_putting_nothing_keeps_what_the_node_put_out(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    made = await kit.runs.fork(run, at="price", outputs={}, models=models, seed=9)
    assert made.output == {"answer": "The total is 7"}
    assert len(models["clerk"].requests) == 4


async def test_an_output_that_a_node_does_not_have_is_refused(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    with pytest.raises(InputError, match="has no output 'txt'; did you mean 'text'"):
        await kit.runs.fork(run, at="price", outputs={"txt": "6"}, models=models)


async def test_the_node_whose_correction_cures_the_run_is_blamed(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    corrections = {"price": {"text": "6"}, "read": {"text": "three apples, two each"}}
    told: list[tuple[int, int, str]] = []
    experiment = Experiment(
        right=is_six, corrections=corrections, repeats=2, given=models, tell=lambda *one: told.append(one)
    )
    found = await blame(kit.runs, run, experiment)
    assert found.decisive is not None
    assert found.decisive.suspect.node == "price"
    by_node = {one.suspect.node: one for one in found.trials}
    assert by_node["price"].corrected == (True, True)
    assert by_node["price"].kept == (False, False)
    assert not by_node["read"].flips
    assert by_node["price"].cured.low < 1 == by_node["price"].cured.value
    assert told[-1][:2] == (8, 8)


async def test_suspects_are_corrected_by_another_model_one_at_a_time(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    other = ScriptedModel(script=careful)
    experiment = Experiment(right=is_six, models={"clerk": other}, repeats=1, given=models)
    found = await blame(kit.runs, run, experiment)
    assert {one.suspect.node for one in found.trials} == {"read", "price", "report"}
    assert found.decisive is not None
    assert found.decisive.suspect.node == "price"
    assert found.decisive.outputs["text"] == "6"
    assert len(other.requests) == 3, "the other model writes the suspect's output and nothing after it"


async def test_a_failed_node_can_be_corrected(tmp_path: Path) -> None:
    def broken(request: GenerateRequest) -> str | Exception:
        return ServerError("down") if request.messages[-1].content.startswith("Price of:") else clerk(request)

    kit, run, models = await recorded(tmp_path, broken)
    experiment = Experiment(right=is_six, corrections={"price": {"text": "6"}}, repeats=1, given=models)
    found = await blame(kit.runs, run, experiment)
    assert found.decisive is not None
    assert found.trials[0].kept == (False,)
    assert "down" in found.trials[0].errors[0]


async def test_luck_in_the_steps_after_is_no_cure(tmp_path: Path) -> None:
    seen: list[str] = []

    def moody(request: GenerateRequest) -> str:
        text = request.messages[-1].content
        if not text.startswith("Report:"):
            return clerk(request)
        seen.append(text)
        return "The total is 6" if len(seen) > 1 else "The total is 7"

    kit, run, models = await recorded(tmp_path, moody)
    experiment = Experiment(right=is_six, corrections={"price": {"text": "6"}}, repeats=2, given=models)
    found = await blame(kit.runs, run, experiment)
    assert found.trials[0].corrected == found.trials[0].kept == (True, True)
    assert found.decisive is None


async def test_a_run_that_is_right_has_nobody_to_blame(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path, careful)
    with pytest.raises(InputError, match="came to the right end"):
        await blame(kit.runs, run, Experiment(right=is_six, corrections={"price": {"text": "6"}}, given=models))


async def test_a_correction_of_a_visit_that_never_was_is_refused(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    with pytest.raises(InputError, match="no visit 'prize' to correct; did you mean 'price'"):
        await blame(kit.runs, run, Experiment(right=is_six, corrections={"prize": {"text": "6"}}, given=models))


def test_an_experiment_without_any_correction_is_refused() -> None:
    with pytest.raises(InputError, match="say what a suspect should have put out"):
        Experiment(right=is_six)


LOOP = """
schema: agentkit/v1
name: drafts
inputs: {topic: string}
outputs: {text: write.text}
models: {clerk: openai_http/clerk}
nodes:
  write:
    use: model
    with: {model: clerk, prompt: "Write {{topic}} {{before}}"}
    in: {topic: inputs.topic, before: [review.text, inputs.topic]}
  review: {use: model, with: {model: clerk, prompt: "Review {{text}}"}, in: {text: write.text}}
edges:
  - write -> review
  - {from: review, to: write, when: "review.text != 'fine'", max: 3}
"""


async def test_one_visit_of_several_can_be_corrected(tmp_path: Path) -> None:
    def clerk(request: GenerateRequest) -> str:
        text = request.messages[-1].content
        if text.startswith("Write"):
            return "a third draft" if "again" in text else "a second draft" if "longer" in text else "a first draft"
        return {"Review a first draft": "longer", "Review a second draft": "again"}.get(text, "fine")

    path = tmp_path / "drafts.yaml"
    path.write_text(LOOP)
    kit = Kit(home=tmp_path / "home", installed=False)
    models = {"clerk": ScriptedModel(script=clerk)}
    run = await kit.graph(path, models=models).run(topic="bees")
    assert run.output == {"text": "a third draft"}
    asked = len(models["clerk"].requests)
    made = await kit.runs.fork(run.id, at="review", visit=1, outputs={"text": "fine"}, models=models)
    assert made.output == {"text": "a second draft"}
    assert len(models["clerk"].requests) == asked

    async def is_second(output: Mapping[str, Any]) -> bool:
        return output.get("text") == "a second draft"

    corrections = {"review:1": {"text": "fine"}, "write": {"text": "an odd draft"}}
    found = await blame(kit.runs, run.id, Experiment(right=is_second, corrections=corrections, repeats=1, given=models))
    assert found.decisive is not None
    assert found.decisive.suspect.label == "review:1"


async def test_trials_are_heard_of_as_they_end(tmp_path: Path) -> None:
    kit, run, models = await recorded(tmp_path)
    heard: list[str] = []

    async def once(output: Mapping[str, Any]) -> bool:
        if heard:
            raise KeyboardInterrupt
        return output.get("answer") == "The total is 6"

    corrections = {"price": {"text": "6"}, "read": {"text": "pears"}}
    experiment = Experiment(
        right=once,
        corrections=corrections,
        repeats=1,
        given=models,
        hear=lambda trial: heard.append(trial.suspect.label),
    )
    with pytest.raises(KeyboardInterrupt):
        await blame(kit.runs, run, experiment)
    assert len(heard) == 1
