"""What strangers put into graph files, prompts and documents, row by row of the hostile corpus."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agentkit.errors import GraphError, InputError, TemplateError, ToolError
from agentkit.graph import load_text
from agentkit.graph.template import parse
from agentkit.paths import resolve_ref
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.tools.http import Http

SAMPLE = Path(__file__).parent / "hostile" / "payloads.jsonl"
WHOLE = Path(os.environ.get("AGENTKIT_DATA", "nowhere")) / "ssti-yaml-payloads" / "payloads.jsonl"
CLASSES = ("ssti", "template_from_data", "yaml", "path", "url", "sqlkey", "header")

needs_corpus = pytest.mark.skipif(
    not WHOLE.is_file(), reason="only the sample of the hostile corpus is here: set AGENTKIT_DATA to its folder"
)


def rows(kind: str) -> list[Any]:
    """The rows of a class: those of the sample, and those of the whole corpus where it is at hand."""
    found = {}
    for path in (SAMPLE, WHOLE):
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            row = json.loads(line)
            if row["class"] == kind:
                found[row["id"]] = pytest.param(row["payload"], id=row["id"])
    return list(found.values())


@needs_corpus
def test_every_row_of_the_corpus_is_of_a_class_that_is_tested() -> None:
    assert {json.loads(line)["class"] for line in WHOLE.read_text(encoding="utf-8").splitlines()} == set(CLASSES)


def test_the_sample_has_rows_of_every_class() -> None:
    assert all(rows(kind) for kind in CLASSES)


@pytest.mark.parametrize("payload", rows("ssti"))
def test_a_template_reaches_no_code(payload: str) -> None:
    values = {"state": {"api_key": "canary"}, "model": {"client": {"api_key": "canary"}}}
    try:
        text = parse(payload).render(values)
    except TemplateError:
        text = payload
    assert text == payload


@pytest.mark.parametrize("payload", rows("ssti"))
async def test_a_prompt_with_one_is_refused_or_sent_as_it_is(payload: str, bench: Any) -> None:
    text = "schema: agentkit/v1\nname: x\nmodels: {m: fake}\nnodes: {a: {use: model, with: {prompt: %s}}}\n"
    model = ScriptedModel(script=lambda request: "said")
    refused = ""
    try:
        await bench.graph(text % json.dumps(payload), model).run()
    except GraphError as error:
        refused = str(error)
    assert "nodes.a.with.prompt" in refused or model.requests[0].messages[-1].content == payload


CHAIN = """
schema: agentkit/v1
name: chain
inputs: {question: string, pages: documents}
models: {m: fake}
nodes:
  first: {use: model, with: {prompt: "{{question}}|{{documents}}"}, in: {question: inputs.question, documents: inputs.pages}}
  again: {use: template, with: {template: "<{{text}}>"}, in: {text: first.text}}
  second: {use: model, with: {prompt: "{{text}}|{{again}}"}, in: {text: first.text, again: again.text}}
"""


@pytest.mark.parametrize("payload", rows("template_from_data"))
async def test_data_is_never_rendered(payload: str, bench: Any) -> None:
    model = ScriptedModel(script=lambda request: payload)
    await bench.graph(CHAIN, model).run(question=payload, pages=[{"text": f"a {payload} b"}])
    shown = payload.replace("\u2028", "\n")  # a line separator may come out as a line end
    for request in model.requests:
        assert request.messages[-1].content.count(shown) == 2


@pytest.mark.parametrize("payload", rows("yaml"))
def test_hostile_yaml_is_a_graph_error_with_a_place(payload: str, bench: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(GraphError) as caught:
            load_text(payload, registry=bench.registry, file="f.yaml")
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("f.yaml:")
    assert all(one.line >= 1 and one.column >= 1 for one in caught.value.problems)


@pytest.mark.parametrize("payload", rows("path"))
def test_hostile_paths_are_refused(payload: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "symlink_out").symlink_to("/etc")
    with pytest.raises(InputError):
        resolve_ref(tmp_path / "root", payload)


@pytest.mark.parametrize("payload", rows("path"))
@pytest.mark.parametrize(
    "place",
    [
        "models: {m: fake}\nnodes: {a: {use: model, with: {prompt: {file: %s}}}}",
        "nodes: {a: {use: template, with: {template: {file: %s}}}}",
        "models: {m: fake}\nnodes: {a: {use: model, with: {prompt: x, schema: {file: %s}}}}",
        "nodes: {a: {use: graph, with: {file: %s}}}",
        "models: {m: {use: fake, path: %s}}\nnodes: {a: {use: probe}}",
    ],
    ids=["prompt", "template", "schema", "graph", "model option"],
)
def test_no_place_of_a_graph_file_takes_one(payload: str, place: str, bench: Any, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "symlink_out").symlink_to("/etc")
    text = f"schema: agentkit/v1\nname: x\n{place % json.dumps(payload)}\n"
    file = str(tmp_path / "root" / "f.yaml")
    with pytest.raises(GraphError):
        load_text(text, registry=bench.registry, file=file, folder=tmp_path / "root")


@pytest.mark.parametrize("payload", rows("url"))
async def test_no_url_leads_inside_even_where_its_host_is_allowed(payload: str) -> None:
    try:
        host = urlsplit(payload).hostname or "allowed.example"
    except ValueError:
        host = "allowed.example"
    with pytest.raises(ToolError):
        await Http(hosts=(host, "allowed.example", "*.test")).call({"url": payload})


@pytest.mark.parametrize("payload", rows("sqlkey"))
async def test_a_key_from_outside_finds_no_rows_and_harms_no_table(payload: str, bench: Any) -> None:
    graph = bench.graph("schema: agentkit/v1\nname: x\nnodes: {a: {use: probe}}\n", keep=True)
    run = await graph.run()
    with pytest.raises(InputError):
        await graph.execute({}, resume=payload)
    with pytest.raises(InputError):
        await graph.execute({payload: "x"})
    store = Store(home=bench.home)
    with pytest.raises(InputError):
        store.read(payload)
    assert [one.id for one in store.runs()] == [run.id]


@pytest.mark.parametrize("payload", rows("header"))
def test_headers_are_for_a_server(payload: str) -> None:
    pytest.skip("graph files know no HTTP headers; these rows are for the tests of a server")


NAMES = ["os:system", "os.system", "builtins.eval", "builtins:eval", "eval", "__builtins__", "subprocess.run"]
NAMES += [
    "importlib.import_module",
    "agentkit.graph:load",
    "strategy.__class__",
    "strategy.os",
    "tool.os.system",
    "node.exec",
]
NAMES += [
    "strategy.self_consistency:SelfConsistency",
    "/bin/sh",
    "file:///x.py",
    "rag.",
    ".rag",
    "strategy..x",
    "os\u2024system",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "place",
    [
        "nodes: {{a: {{use: {0}}}}}",
        "models: {{m: {{use: {0}}}}}\nnodes: {{a: {{use: probe}}}}",
        "models: {{m: {0}}}\nnodes: {{a: {{use: probe}}}}",
        "nodes: {{a: {{use: strategy.asking, with: {{solve: {0}}}}}}}",
        "nodes: {{a: {{use: probe, when: {0}}}}}",
    ],
    ids=["node", "model", "model address", "option", "condition"],
)
def test_a_graph_file_cannot_name_python(name: str, place: str, bench: Any) -> None:
    text = "schema: agentkit/v1\nname: x\n" + place.format(json.dumps(name))
    with pytest.raises(GraphError):
        load_text(text, registry=bench.registry)


def test_python_tags_run_nothing(bench: Any, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    for tag in ("!!python/object/apply:os.system", "!!python/object/new:os.system", "!!python/name:os.system"):
        with pytest.raises(GraphError, match="tags are not allowed"):
            load_text(f"schema: agentkit/v1\na: {tag} ['touch {witness}']\n", registry=bench.registry)
    assert not witness.exists()
