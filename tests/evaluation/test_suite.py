"""A suite file is strict: every problem at once, each with file, line and column, before anything is run."""

import pytest

from agentkit.errors import ConfigError, InputError
from agentkit.evaluation import load_suite
from agentkit.evaluation.suite import with_secrets
from agentkit.plugins import Plugins

GOOD = """\
schema: agentkit-suite/v1
name: arithmetic
description: Sums.
strategy: {use: self_consistency, with: {samples: 5}}
model: local/smollm2
dataset: data.jsonl
evaluators:
  - answer_match
  - {use: answer_match, name: exact, with: {mode: exact}}
repeats: 2
timeout: 30
x-owner: me
"""


@pytest.fixture
def registry():
    return Plugins(installed=False).registry


@pytest.fixture
def load(tmp_path, registry):
    (tmp_path / "data.jsonl").write_text('{"input": "2+2?", "target": "4"}\n')

    def load(text):
        path = tmp_path / "suite.yaml"
        path.write_text(text)
        return load_suite(path, registry=registry)

    return load


def problems_of(load, text):
    with pytest.raises(InputError) as caught:
        load(text)
    return [f"{one.line}:{one.column} {one.path}: {one.message}" for one in caught.value.problems]


def test_a_suite_says_what_to_run_and_how(load, tmp_path):
    suite = load(GOOD)
    assert (suite.solver.name, suite.solver.options) == ("self_consistency", {"samples": 5})
    assert [(judge.label, judge.name, judge.options) for judge in suite.judges] == [
        ("answer_match", "answer_match", {}),
        ("exact", "answer_match", {"mode": "exact"}),
    ]
    assert suite.path(suite.dataset) == tmp_path / "data.jsonl"
    assert suite.settings["repeats"] == 2
    assert suite.settings["timeout"] == 30


def test_a_folder_stands_for_its_suite_file(load, tmp_path, registry):
    load(GOOD)
    assert load_suite(tmp_path, registry=registry).name == "arithmetic"


def test_unknown_keys_and_wrong_types_are_told_together(load):
    text = (
        GOOD.replace("repeats: 2", "repaets: 2")
        .replace("timeout: 30", "timeout: soon")
        .replace("name: a", "name: [a]\nlimit: a")
    )
    found = problems_of(load, text)
    assert any(line.endswith("repaets: unknown option; did you mean 'repeats'?") for line in found)
    assert any("timeout: must be" in line for line in found)
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "- answer_match\n",
            "- answer_macth\n",
            "evaluators.0: no evaluator is named 'answer_macth'; did you mean 'answer_match'?",
        ),
        ("mode: exact", "mood: exact", "evaluators.1.with.mood: unknown option; did you mean 'mode'?"),
        ("with: {samples", "wiht: {samples", "strategy.wiht: unknown key; did you mean 'with'?"),
        ("samples: 5", "samples: many", "strategy.with.samples: must be a whole number, not the text 'many'"),
        ("{use: self", "{us: self", "strategy: 'use' is missing: it names the component"),
        ("dataset: data", "dataset: date", "dataset: there is no file"),
        ("dataset: data", "dataset: /data", "dataset: '/data.jsonl' is not a plain relative path"),
        ("name: arithmetic", "name: ../up", "name: must be made of a-z"),
        ("model: local/smollm2\n", "", "strategy: 'strategy' and 'model' go together"),
        ("model: local/smollm2", "graph: data.jsonl", "say what to run: either 'graph', or 'strategy' with 'model'"),
        ("repeats: 2", "repeats: 0", "repeats: must be at least 1, not 0"),
        ("repeats: 2", "fail_on_error: -1", "fail_on_error: must be at least 0, not -1"),
        ("name: exact", "name: answer_match", "evaluators: two evaluators are called 'answer_match'"),
        ("repeats: 2", "inputs: {question: target}", "inputs.question: the target is for evaluators only"),
        (
            "repeats: 2",
            "inputs: {question: inputs.text}",
            "inputs.question: a record has no 'inputs'; did you mean 'input'?",
        ),
        ("agentkit-suite/v1", "agentkit-suite/v2", "schema: a suite says schema: agentkit-suite/v1"),
        ("repeats: 2", "name: again", "name: duplicate key"),
    ],
)
def test_each_mistake_has_its_sentence(load, old, new, expected):
    assert old in GOOD
    found = problems_of(load, GOOD.replace(old, new))
    assert any(expected in line for line in found), found


def test_a_suite_reaches_out_of_its_folder_only_below_the_root(load, tmp_path, registry):
    folder = tmp_path / "evals" / "sums"
    folder.mkdir(parents=True)
    suite = folder / "suite.yaml"
    suite.write_text(GOOD.replace("dataset: data", "dataset: ../../data"))
    load(GOOD)
    found = load_suite(suite, registry=registry, root=tmp_path)
    assert found.path(found.dataset) == tmp_path / "data.jsonl"
    for root in (None, folder.parent, folder):
        with pytest.raises(InputError, match="leads out of"):
            load_suite(suite, registry=registry, root=root)
    (folder / "link.jsonl").symlink_to(tmp_path / "data.jsonl")
    suite.write_text(GOOD.replace("dataset: data", "dataset: link"))
    with pytest.raises(InputError, match="leads out of"):
        load_suite(suite, registry=registry)


def test_secrets_are_taken_from_the_environment_at_the_last_moment():
    written = {"use": "x", "headers": ["Bearer ${env:KEY}"], "n": 1}
    assert with_secrets(written, {"KEY": "k"}) == {"use": "x", "headers": ["Bearer k"], "n": 1}
    with pytest.raises(ConfigError, match="the environment variable KEY is not set"):
        with_secrets(written, {})


def test_a_problem_is_placed_in_the_file(load, tmp_path):
    with pytest.raises(InputError, match=r"suite\.yaml:10:1: repaets: unknown option; did you mean 'repeats'\?"):
        load(GOOD.replace("repeats", "repaets"))


@pytest.mark.parametrize("text", ["", "[]", "just text", "schema: agentkit/v1\nname: graph\n", "a: [1"])
def test_what_is_no_suite_is_refused(load, text):
    assert problems_of(load, text)


def test_a_missing_suite_is_one_sentence(tmp_path, registry):
    with pytest.raises(InputError, match="there is no suite at"):
        load_suite(tmp_path / "none.yaml", registry=registry)
    with pytest.raises(InputError, match=r"there is no suite at .*suite\.yaml"):
        load_suite(tmp_path, registry=registry)
