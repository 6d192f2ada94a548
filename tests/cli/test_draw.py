"""``agentkit runs draw``: the trees and votes of recorded runs as pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agentkit.cli import main
from agentkit.testing import FakeProvider

Draw = Callable[..., tuple[int, str, str]]

GRAPH = """
schema: agentkit/v1
name: sums
inputs: {question: string}
outputs: {answer: vote.answer, other: refine.answer}
models: {small: {use: openai_http, model: fake, base_url: "BASE_URL", retry: {attempts: 0}}}
nodes:
  refine: {use: strategy.self_refine, with: {model: small, rounds: 1}, in: {question: inputs.question}}
  vote: {use: strategy.self_consistency, with: {model: small, samples: 3}, in: {question: inputs.question}}
  plain: {use: model, with: {model: small, prompt: "{{question}}"}, in: {question: inputs.question}}
"""


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Draw:
    """Runs ``agentkit runs draw`` on a run of the graph."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(one) for one in arguments])
        return (int(stopped.value.code or 0), *capsys.readouterr())

    with FakeProvider(lambda body: "Answer: 7") as provider:
        Path("sums.yaml").write_text(GRAPH.replace("BASE_URL", provider.base_url))
        code, said, error = run("run", "sums.yaml", "-i", "question=3 + 4?", "--json")
        assert code == 0, error
    name = json.loads(said)["run"]
    return lambda *arguments: run("runs", "draw", name, *arguments)


def test_trees_and_votes_are_drawn_as_text_and_svg(draw: Draw, tmp_path: Path) -> None:
    assert draw("--node", "refine") == (0, "* Answer: 7\n└─ * Answer: 7\n", "")
    assert draw("--node", "vote", "--format", "svg", "-o", "votes.svg") == (0, "", "wrote votes.svg\n")
    assert "7" in "".join(ElementTree.parse(tmp_path / "votes.svg").getroot().itertext())


def test_what_cannot_be_drawn_is_told_of_in_a_sentence(draw: Draw) -> None:
    for arguments, told in (
        ((), "--node (refine, vote)"),
        (("--node", "plain"), "no node of"),
        (("--node", "vote", "-o", "nowhere/votes.svg"), "cannot be written"),
    ):
        code, _, error = draw(*arguments)
        assert code == 2
        assert told in error
