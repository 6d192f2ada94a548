"""Every file of graphs/ loads and runs on a scripted model; grounded_answer also on the embedded one."""

import json
import shutil
from pathlib import Path

import pytest

from agentkit import Kit
from agentkit.errors import WeightsError
from agentkit.rag.build import Builder
from agentkit.rag.embed import MiniLM
from agentkit.rag.shelf import Shelf
from agentkit.testing import ScriptedModel

GRAPHS = Path(__file__).parents[2] / "graphs"
FILES = sorted(GRAPHS.glob("*.yaml"))


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(home=tmp_path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_graph_is_named_as_its_file_and_says_what_it_is_for(path: Path, kit: Kit) -> None:
    spec = kit.graph(path).spec
    assert spec.name == path.stem
    assert spec.description


async def test_hello_greets(kit: Kit) -> None:
    with ScriptedModel(script=["Hello World!"]) as model:
        run = await kit.graph(GRAPHS / "hello.yaml", models={"small": model}).run()
    assert run.output["greeting"] == "Hello World!"


async def test_vote_stops_as_soon_as_the_answer_is_settled(kit: Kit) -> None:
    model = ScriptedModel(script=lambda request: "3 + 4 = 7. The answer is 7.")
    run = await kit.graph(GRAPHS / "vote.yaml", models={"small": model}).run()
    assert run.output["answer"] == "7"
    assert len(model.requests) < 16


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few of the bundled documents indexed under the name that the graph says."""
    home, pages = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("pages")
    for name in ("copyright.md", "lts.md"):
        shutil.copy(GRAPHS / "corpus" / "sqlite" / name, pages)
    try:
        Builder(shelf=Shelf(home=home), embedder=MiniLM()).build(pages, "sqlite")
    except WeightsError as error:
        pytest.skip(f"the embedding model cannot be fetched: {error}")
    return home


async def test_grounded_answer_cites_what_the_documents_say(indexed: Path) -> None:
    model = ScriptedModel(script=lambda request: "The SQLite developers intend to support it through the year 2050.")
    graph = Kit(home=indexed).graph(GRAPHS / "grounded_answer.yaml", models={"small": model})
    run = await graph.run(question="Until what year will SQLite be supported?")
    assert "[1]" in run.output["answer"]
    assert run.output["citations"]


async def test_grounded_answer_cites_nothing_for_what_no_document_says(indexed: Path) -> None:
    model = ScriptedModel(script=lambda request: "Bananas are exported by 312 purple elephants.")
    graph = Kit(home=indexed).graph(GRAPHS / "grounded_answer.yaml", models={"small": model})
    run = await graph.run(question="Until what year will SQLite be supported?")
    assert "[1]" not in (run.output["answer"] or "")
    assert not run.output["citations"]


async def test_grounded_answer_runs_on_the_embedded_model(indexed: Path) -> None:
    with Kit(home=indexed) as kit:
        run = await kit.graph(GRAPHS / "grounded_answer.yaml").run(question="Until what year will SQLite be supported?")
    assert run.status in ("succeeded", "exhausted")
    assert run.usage.calls > 0
    json.dumps(dict(run.output))
