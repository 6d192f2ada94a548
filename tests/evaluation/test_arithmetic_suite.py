"""The arithmetic suite: its data are what its generator writes, its answers are right, and its files load."""

import importlib.util
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.evaluation import evaluate, load_dataset, load_suite
from agentkit.testing import ScriptedModel

FOLDER = Path(__file__).parents[2] / "evals" / "arithmetic"


def generator():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solved(question, kind):
    """The answer, worked out from the words alone."""
    numbers = [int(one) for one in re.findall(r"\d+", question)]
    if kind == "two_steps":
        boxes, each, change = numbers
        return boxes * each + (change if "brings" in question else -change)
    first, second = numbers
    return {"add": first + second, "subtract": first - second, "multiply": first * second}[kind]


def test_the_data_are_what_the_generator_writes():
    written = "".join(json.dumps(record) + "\n" for record in generator().records())
    assert (FOLDER / "dataset.jsonl").read_text() == written


def test_every_answer_follows_from_its_question():
    dataset = load_dataset(FOLDER / "dataset.jsonl")
    assert Counter(record.metadata["kind"] for record in dataset) == dict.fromkeys(
        ("add", "subtract", "multiply", "two_steps"), 50
    )
    for record in dataset:
        assert record.target == solved(record.input, record.metadata["kind"]) > 0


@pytest.mark.parametrize("name", ["suite.yaml", "vote.yaml"])
async def test_the_suites_run_on_a_scripted_model(name):
    def answer(request):
        return f"The answer is {len(request.messages)}."

    kit = Kit(installed=False)
    suite = load_suite(FOLDER / name, registry=kit.registry)
    graph = kit.graph(suite.path(suite.graph), models={"small": ScriptedModel(script=answer)})
    dataset = load_dataset(suite.path(suite.dataset)).take(4)
    judges = {judge.label: kit.evaluator(judge.name, **judge.options) for judge in suite.judges}
    report = await evaluate(graph, dataset, judges, **suite.settings)
    assert not report.failed
    assert {row.output["answer"] for row in report.rows} == {"7"}


def test_the_suite_of_the_how_to_page_loads(tmp_path):
    page = (FOLDER.parents[1] / "docs/how-to/evaluate-a-graph.md").read_text()
    (text,) = re.findall(r"```yaml\n(schema: agentkit-suite.*?)```", page, re.DOTALL)
    for name in ("vote.graph.yaml", "dataset.jsonl"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "suite.yaml").write_text(text)
    suite = load_suite(tmp_path, registry=Kit(installed=False).registry)
    assert suite.name == "arithmetic-vote"
