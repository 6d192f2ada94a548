"""Runs that an earlier release left unfinished go on in this one: what they recorded is found, only the rest is asked for."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentkit.graph import Graph, load_text
from agentkit.plugins import Plugins
from agentkit.runtime.store import Store
from agentkit.testing import ScriptedModel
from agentkit.types import GenerateRequest, Run

RELEASES = Path(__file__).parent / "releases"
ASKED = ["Plan bees?", "Note north", "Note south", *["The answer is 4."] * 4, *["Judge 4"] * 2]


@dataclass(frozen=True, kw_only=True)
class Fake:
    model: str = ""


def answer(request: GenerateRequest) -> str:
    return "The answer is 4."


def resumed(store: Store, run: str | None = None) -> tuple[Run, list[str]]:
    """The run, or a new one, at its end, and what was asked for."""
    registry = Plugins(installed=False).registry
    registry.add("model", "fake", Fake, plugin="tests")
    model = ScriptedModel(script=answer)
    spec = load_text((RELEASES / "killed.yaml").read_text(), registry=registry, file="killed.yaml")
    graph = Graph(spec, registry=registry, open_model=lambda entry: model, store=store, environ={})
    done = asyncio.run(graph.execute({} if run else {"question": "bees?"}, resume=run))
    return done, [request.messages[-1].content for request in model.requests]


def test_the_run_asks_for_nine_samples(tmp_path: Path) -> None:
    done, asked = resumed(Store(home=tmp_path))
    assert sorted(asked) == sorted(ASKED)
    assert done.output["verdict"] == "The answer is 4."


@pytest.mark.parametrize("path", sorted(RELEASES.glob("*.db")), ids=lambda path: path.stem)
def test_an_unfinished_run_of_an_earlier_release_asks_only_for_the_rest(path: Path, tmp_path: Path) -> None:
    store = Store(home=tmp_path)
    store.folder.mkdir()
    shutil.copy(path, store.folder / "old.db")
    whole, _ = resumed(Store(home=tmp_path / "whole"))
    done, asked = resumed(store, "old")
    assert (done.output, done.usage.calls) == (whole.output, whole.usage.calls)
    assert sorted(asked) == sorted(ASKED[5:])  # the plan, both notes and two of the votes are there
