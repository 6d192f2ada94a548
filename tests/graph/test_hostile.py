"""What strangers put into graph files, prompts and documents, row by row of the hostile corpus."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agentkit.errors import GraphError, InputError, TemplateError
from agentkit.graph import load_text
from agentkit.graph.prompt import read_prompt
from agentkit.graph.template import parse
from agentkit.paths import resolve_ref

CORPUS = Path(os.environ.get("AGENTKIT_DATA", "nowhere")) / "ssti-yaml-payloads" / "payloads.jsonl"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_file(), reason="the hostile corpus is not here: set AGENTKIT_DATA to its folder"
)


def rows(kind: str) -> list[Any]:
    if not CORPUS.is_file():
        return []
    found = [json.loads(line) for line in CORPUS.read_text().splitlines()]
    return [pytest.param(row["payload"], id=row["id"]) for row in found if row["class"] == kind]


@needs_corpus
@pytest.mark.parametrize("payload", rows("ssti"))
def test_a_template_reaches_no_code(payload: str) -> None:
    values = {"state": {"api_key": "canary"}, "model": {"client": {"api_key": "canary"}}}
    try:
        text = parse(payload).render(values)
    except TemplateError:
        text = payload
    assert text == payload


@needs_corpus
@pytest.mark.parametrize("payload", rows("template_from_data"))
def test_data_is_never_rendered(payload: str) -> None:
    prompt, _ = read_prompt("{{question}}|{{#documents}}{{text}}{{/documents}}|{{documents}}", lambda name: "")
    assert prompt is not None
    values = {"question": payload, "documents": [{"text": f"a {payload} b"}], "x": "never"}
    content = prompt.fill(values, seed="")[0].content
    assert content.count(payload.replace("\u2028", "\n")) == 3  # a line separator may come out as a line end


@needs_corpus
@pytest.mark.parametrize("payload", rows("yaml"))
def test_hostile_yaml_is_a_graph_error_with_a_place(payload: str, bench: Any) -> None:
    with pytest.raises(GraphError) as caught:
        load_text(payload, registry=bench.registry, file="f.yaml")
    assert str(caught.value).startswith("f.yaml:")


@needs_corpus
@pytest.mark.parametrize("payload", rows("path"))
def test_hostile_paths_are_refused(payload: str, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "symlink_out").symlink_to("/etc")
    with pytest.raises(InputError):
        resolve_ref(tmp_path / "root", payload)


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
