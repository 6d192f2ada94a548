"""The picture follows from the text."""

import xml.etree.ElementTree as ElementTree

from agentkit.graph.draw import mermaid, svg
from agentkit.graph.spec import EdgeSpec, GraphSpec, NodeSpec

NODES = {name: NodeSpec(name=name, use="template") for name in ("a", "b", "c")}
SPEC = GraphSpec(
    name="loop",
    nodes=NODES,
    edges=(
        EdgeSpec(source="a", target="b"),
        EdgeSpec(source="b", target="a", when='b.text != "x|y"', max=2),
        EdgeSpec(source="b", target="c", error=True),
        EdgeSpec(source="a", target="c"),
    ),
)


def test_mermaid_names_every_node_and_edge_and_quotes_conditions() -> None:
    text = mermaid(SPEC)
    assert text.startswith("flowchart TD\n")
    assert "  a --> b\n" in text
    assert 'b -->|"b.text != #quot;x#124;y#quot;, at most 2"| a' in text
    assert 'b -.->|"on error"| c' in text


def test_svg_is_well_formed_and_shows_every_name() -> None:
    root = ElementTree.fromstring(svg(SPEC))
    texts = {one.text for one in root.iter("{http://www.w3.org/2000/svg}text")}
    assert set(NODES) <= texts


def test_markup_in_a_condition_stays_text() -> None:
    spec = GraphSpec(
        name="g", nodes=NODES, edges=(EdgeSpec(source="a", target="b", when="a.n < 1 && '<script>' != ''"),)
    )
    assert "<script>" not in svg(spec)


def test_a_graph_without_edges_is_drawn_too() -> None:
    assert ElementTree.fromstring(svg(GraphSpec(name="one", nodes={"a": NODES["a"]}))) is not None
