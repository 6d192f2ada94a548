"""``agentkit graph FILE --format yaml``: the same graph, normalised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

TEXT = """# a comment
schema: agentkit/v1
name: small
nodes:
  b: {in: {a: a.x}, use: set, with: {y: "a + 1"}}   # keys in any order
  a:
    use: set
    with: {"x": "1"}
outputs:
  y: b.y
edges: ["a -> b"]
"""


def test_a_graph_is_written_normalised_and_once_written_stays_as_it_is(
    agentkit: Callable[..., object], tmp_path: Path
) -> None:
    path = tmp_path / "graph.yaml"
    path.write_text(TEXT)
    once = agentkit("graph", path, "--format", "yaml")
    assert once.stdout == (
        "schema: agentkit/v1\nname: small\noutputs: {y: b.y}\nnodes:\n"
        "  b: {use: set, with: {y: a + 1}, in: {a: a.x}}\n  a: {use: set, with: {x: '1'}}\nedges: [a -> b]\n"
    )
    path.write_text(once.stdout)
    assert agentkit("graph", path, "--format", "yaml").stdout == once.stdout
