"""``agentkit index`` as a person uses it, with the real embedder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentkit.cli import main
from agentkit.rag.retrieve import Hybrid
from agentkit.weights import default_cache, find

pytestmark = pytest.mark.skipif(
    any(find(name, cache=default_cache()) is None for name in ("minilm", "minilm_tokenizer")),
    reason="the embedding weights are not in the cache: run `agentkit models pull minilm minilm_tokenizer`",
)


@pytest.fixture
def documents(tmp_path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "oak.md").write_text("# Oaks\n\nAn oak may live for a thousand years.\n")
    (folder / "fox.html").write_text("<title>Foxes</title><p>A fox lives in a den and hunts mice.")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    return folder


@pytest.fixture
def agentkit(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(one) for one in arguments])
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run


async def test_a_folder_is_indexed_listed_searched_and_dropped(agentkit, documents, tmp_path):
    code, out, err = agentkit("index", documents, "--name", "nature")
    assert code == 0
    assert out.startswith("nature: 2 passages of 2 pages (2 embedded, 0 unchanged, 0 removed)\nin ")
    assert "skipped photo.jpg: not text, Markdown or HTML by its ending .jpg" in err
    assert "oak.md: 1 passages" in err

    found = await Hybrid(index="nature", home=tmp_path / "home").retrieve("Which tree gets very old?")
    assert found[0].source == "oak.md"

    assert "nature  2 passages of 2 pages  minilm-int8-v1" in agentkit("index", "--list")[1]
    assert agentkit("index", "--drop", "nature")[1].startswith("dropped nature")
    assert agentkit("index", "--list")[1].startswith("no index under")


def test_data_can_be_had_as_json(agentkit, documents):
    code, out, _ = agentkit("index", documents, "--name", "nature", "--json", "--quiet")
    data = json.loads(out)
    assert code == 0
    assert data["manifest"]["passages"] == 2
    assert [one["path"] for one in data["skipped"]] == ["photo.jpg"]
    assert [one["name"] for one in json.loads(agentkit("index", "--list", "--json")[1])] == ["nature"]
    assert json.loads(agentkit("index", "--drop", "nature", "--json")[1])["dropped"] == "nature"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["index"], "say what to index"),
        (["index", "somewhere"], "say what to index"),
        (["index", "/no/such/folder", "--name", "x"], "'/no/such/folder' does not exist"),
        (["index", ".", "--name", "../x"], "cannot name an index"),
        (["index", ".", "--name", "x", "--words", "10", "--overlap", "10"], "must be smaller"),
        (["index", "--drop", "nothing"], "no index is named 'nothing'"),
    ],
)
def test_mistakes_are_one_clear_sentence(agentkit, arguments, said):
    code, out, err = agentkit(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


def test_an_interrupt_keeps_what_was_embedded(agentkit, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03d}.txt").write_text(
            f"Page {number} speaks of the number {number} and of nothing else. " * 20
        )
    command = [sys.executable, "-m", "agentkit", "index", str(folder), "--name", "many"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ.copy()) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("003.txt"):
                break
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        process.wait(30)
    assert process.returncode == 130
    assert "what was embedded is kept" in rest
    assert time.monotonic() - asked < 30
    for path in sorted(folder.iterdir())[6:]:
        path.unlink()
    data = json.loads(agentkit("index", folder, "--name", "many", "--json", "--quiet")[1])
    assert data["unchanged"] >= 3
    assert data["manifest"]["pages"] == 6
