"""``agentkit eval`` from a suite file to a table, against a provider on a loopback socket."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from agentkit import GenerateRequest, Kit, Message, Record, Score, draw, hookimpl
from agentkit.cli import main
from agentkit.cli.eval import Parts
from agentkit.errors import InputError
from agentkit.evaluation import load_suite
from agentkit.evaluation.suite import Use
from agentkit.protocols import Model
from agentkit.testing import FakeProvider

SUITE = """\
schema: agentkit-suite/v1
name: sums
strategy: {use: self_consistency, with: {samples: 3, stop: fixed}}
model: {use: openai_http, model: fake-model, base_url: "URL", api_key: "${env:FAKE_KEY}"}
dataset: data.jsonl
evaluators: [answer_match]
concurrency: 2
"""


def answer(body):
    """Adds rightly, but for sums above ten."""
    first, second = map(int, re.findall(r"\d+", body["messages"][-1]["content"])[:2])
    total = first + second
    return f"The answer is {total if total <= 10 else total + 1}."


@pytest.fixture
def provider():
    with FakeProvider(answer) as provider:
        yield provider


@pytest.fixture
def suite(tmp_path, provider):
    records = [{"id": f"s{n}", "input": f"What is {n} + {n}?", "target": str(2 * n)} for n in range(8)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, records)))
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE.replace("URL", provider.base_url))
    return path


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FAKE_KEY", "canary-key-4711")

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["eval", *map(str, arguments)])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


def test_a_suite_prints_its_table_and_where_the_rows_are(run, suite, tmp_path, provider):
    code, out, err = run(suite)
    assert code == 0, err
    assert out.splitlines() == [
        "sums: 8 records",
        "",
        "metric                   value   95 % interval  scored  unscored  errors",
        "accuracy (answer_match)  0.750  0.409 to 0.929       8         0       0",
        "",
        *[line for line in out.splitlines() if line.startswith(("calls 24,", "a right answer: 4.0 calls"))],
        "results: .agentkit/evals/sums/results.jsonl",
    ]
    assert provider.completed == 24
    assert provider.calls[0].headers["authorization"] == "Bearer canary-key-4711"
    assert "8 of 8  score 0.75" in err
    folder = tmp_path / ".agentkit/evals/sums"
    assert json.loads((folder / "report.json").read_text())["metrics"]["accuracy"]["scored"] == 8
    assert (folder / "report.md").read_text().startswith("# sums")
    assert len((folder / "results.jsonl").read_text().splitlines()) == 9
    assert not any("canary" in file.read_text() for file in folder.iterdir())


GRAPH = """\
schema: agentkit/v1
name: one_call
inputs: {question: string}
outputs: {answer: solve.answer}
models: {small: {use: openai_http, model: fake-model, base_url: "http://127.0.0.1:9/v1"}}
nodes:
  solve:
    use: strategy.chain_of_thought
    with: {model: small}
    in: {question: inputs.question}
"""


def test_a_suite_may_run_a_graph_and_replace_its_models(run, suite, tmp_path, provider):
    (tmp_path / "graph.yaml").write_text(GRAPH)
    _, model, *rest = suite.read_text().splitlines()[2:]
    small = model.removeprefix("model: ")
    lines = ["schema: agentkit-suite/v1", "name: graph", "graph: graph.yaml", f"models: {{small: {small}}}", *rest]
    suite.write_text("\n".join([*lines, "inputs: {question: input}", ""]))
    code, out, err = run(suite)
    assert code == 0, err
    assert "accuracy (answer_match)  0.750" in out
    assert "calls 8" in out
    assert provider.completed == 8
    code, _, err = run(suite, "--model", "smol=local/smollm2")
    assert code == 2
    assert "graph: nothing asks for the model 'smol'" in err
    suite.write_text(suite.read_text().replace("{question: input}", "{qestion: input}"))
    code, _, err = run(suite)
    assert code == 2
    assert "one_call has no input 'qestion'; did you mean 'question'?" in err


def test_a_second_run_asks_nothing_and_more_records_ask_only_for_themselves(run, suite, provider):
    assert run(suite, "--limit", 3)[0] == 0
    assert provider.received == 9
    code, out, err = run(suite, "--json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(out)["rows"] == 8
    assert provider.received == 24
    assert run(suite)[0] == 0
    assert provider.received == 24


def test_a_changed_suite_is_refused_until_told_to_start_over(run, suite, tmp_path):
    run(suite)
    suite.write_text(suite.read_text().replace("samples: 3", "samples: 1"))
    code, _, err = run(suite)
    assert code == 1
    assert "holds results of another evaluation (its task changed); use --fresh to start over" in err
    assert run(suite, "--fresh")[0] == 0
    assert run(suite, "--output", tmp_path / "elsewhere")[0] == 0
    assert (tmp_path / ".agentkit/evals/sums/results-1.jsonl").exists()


def test_a_metric_below_its_bound_fails_the_command(run, suite):
    assert run(suite, "--min", "accuracy=0.7")[0] == 0
    code, _, err = run(suite, "--min", "accuracy=0.8", "--min", "answer_match=0.9")
    assert code == 1
    assert "failed: accuracy is 0.750, below 0.8" in err
    assert "failed: answer_match is 0.750, below 0.9" in err


def test_too_many_failed_records_fail_the_command(run, suite):
    suite.write_text(re.sub(r'base_url: "[^"]*"', 'base_url: "http://127.0.0.1:9/v1"', suite.read_text()))
    code, out, err = run(suite)
    assert code == 1
    assert "accuracy (answer_match)      -" in out
    assert "8 x ModelUnreachableError" in out
    assert "failed: 8 of 8 rows failed (fail_on_error: 0.1)" in err


def test_failed_records_are_run_again_when_asked(run, suite, provider):
    text = suite.read_text()
    broken = text.replace("concurrency: 2", "concurrency: 2\ntimeout: 0.001")
    suite.write_text(broken)
    assert run(suite)[0] == 1
    suite.write_text(text)
    assert run(suite)[0] == 1
    assert run(suite, "--retry-errors")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--min", "acuracy=1"], "there is no metric 'acuracy'; did you mean 'accuracy'?"),
        (["--model", "modle=local/x"], "sums has no model 'modle'; did you mean 'model'?"),
        (["--min", "accuracy"], "--min takes NAME=VALUE, not 'accuracy'"),
        (["--min", "accuracy=high"], "--min accuracy needs a number, not 'high'"),
        (["--limit", "0"], "0 is not in the range x>=1"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_nothing_is_asked(run, suite, provider, arguments, sentence):
    code, _, err = run(suite, *arguments)
    assert code == 2
    assert sentence in err
    assert provider.received == 0


def test_mistakes_in_files_are_told_with_their_place(run, suite, tmp_path, provider):
    data = tmp_path / "data.jsonl"
    data.write_text(data.read_text() + "\noops\n")
    code, _, err = run(suite)
    assert code == 2
    assert "data.jsonl:9:1: not JSON: Expecting value" in err
    suite.write_text(suite.read_text().replace("concurrency", "concurency"))
    code, _, err = run(suite)
    assert code == 2
    assert "suite.yaml:7:1: concurency: unknown option; did you mean 'concurrency'?" in err
    assert provider.received == 0


def test_another_model_can_be_named(run, suite, provider):
    code, _, err = run(suite, "--model", "model=nowhere/at-all")
    assert code == 2
    assert "no model is named 'nowhere'" in err


def test_a_model_that_nothing_asks_for_is_refused(run, suite, provider):
    suite.write_text(suite.read_text() + "models: {judge: local/smollm2}\n")
    code, _, err = run(suite)
    assert code == 2
    assert "sums: nothing asks for the model 'judge'" in err
    assert provider.received == 0


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Asks its model whether the output is right."""

    model: Model

    async def evaluate(self, record):
        said = await draw(self.model, GenerateRequest(messages=(Message("user", "Is it right?"),)))
        return Score(value=float(said.text == "yes"), usage=said.usage)


@hookimpl
def register_evaluators(register):
    register("judge", Judge)


async def test_an_evaluator_may_ask_for_a_model_of_the_suite(suite, monkeypatch):
    monkeypatch.setenv("FAKE_KEY", "x")
    with FakeProvider(["yes"]) as judge:
        spec = f'{{use: openai_http, model: fake-model, base_url: "{judge.base_url}", api_key: x}}'
        text = suite.read_text().replace("[answer_match]", "[{use: judge, with: {model: small}}]")
        suite.write_text(f"{text}models: {{small: {spec}}}\n")
        async with AsyncExitStack() as opened:
            kit = opened.enter_context(Kit(plugins=[sys.modules[__name__]], installed=False))
            loaded = load_suite(suite, registry=kit.registry)
            parts = Parts(kit, loaded, opened)
            evaluator = await parts.component("evaluator", loaded.judges[0])
            parts.check_all_used()
            assert (await evaluator.evaluate(Record(output="4"))).value == 1.0
            with pytest.raises(InputError, match="sums has no model 'smal'; did you mean 'small'"):
                await parts.component("evaluator", Use("judge", {"model": "smal"}, "judge"))


def test_two_results_are_compared(run, suite, tmp_path):
    run(suite, "--output", "before")
    suite.write_text(suite.read_text().replace("samples: 3", "samples: 1"))
    run(suite, "--output", "after")
    code, out, _ = run("compare", "before", "after/results.jsonl")
    assert code == 0
    assert "answer_match: no difference that 8 records can show" in out
    assert "calls 24 -> 8" in out
    code, out, _ = run("compare", "before", "after", "--json")
    assert json.loads(out)["differences"][0]["difference"]["value"] == 0.0
    code, _, err = run("compare", "before", "nowhere")
    assert code == 5
    assert "there are no results at nowhere" in err


def test_a_suite_called_compare_can_be_run(run, suite, tmp_path):
    code, _, err = run("./compare")
    assert code == 2
    assert "there is no suite at compare" in err


def test_the_help_tells_both_uses(run):
    code, out, _ = run("--help")
    assert code == 0
    assert out.startswith("Usage: agentkit eval SUITE [OPTIONS]")
    assert "agentkit eval compare BEFORE AFTER" in out


def test_ctrl_c_keeps_the_rows_and_says_how_to_go_on(suite, tmp_path, provider):
    slow = suite.read_text().replace("concurrency: 2", "concurrency: 1")
    suite.write_text(slow)
    records = [{"id": f"s{n}", "input": f"What is {n} + 1?", "target": str(n + 1)} for n in range(2000)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, records)))
    command = [sys.executable, "-m", "agentkit", "eval", str(suite), "--output", str(tmp_path / "out")]
    environment = {**os.environ, "FAKE_KEY": "x"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    deadline = time.monotonic() + 60
    while provider.completed < 12:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    said = re.search(r"interrupted; (\d+) of 2,000 rows are kept in .*: the same command goes on from there", err)
    assert said
    assert len((tmp_path / "out/results.jsonl").read_text().splitlines()) == int(said[1]) + 1 > 2
