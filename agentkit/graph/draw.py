"""The picture of a graph, derived from its file: Mermaid text, or an SVG laid out here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from agentkit.graph.spec import EdgeSpec, GraphSpec, NodeSpec

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 190, 48, 50, 56, 24
_BESIDE = 200
_COLOURS = {
    "strategy": "#dbeafe",
    "model": "#dbeafe",
    "agent": "#dbeafe",
    "retriever": "#dcfce7",
    "rag": "#dcfce7",
    "evaluator": "#fef3c7",
    "human": "#fce7f3",
    "graph": "#ede9fe",
}


def mermaid(spec: GraphSpec) -> str:
    """The graph as a Mermaid flowchart, nodes and edges in file order."""
    lines = ["flowchart TD"]
    lines += [f'  {node.name}["{node.name}<br/><small>{node.use}</small>"]' for node in spec.nodes.values()]
    for edge in spec.edges:
        arrow = "-.->" if edge.error else "-->"
        label = f'|"{_mermaid_text(_label(edge))}"|' if _label(edge) else ""
        lines.append(f"  {edge.source} {arrow}{label} {edge.target}")
    return "\n".join(lines) + "\n"


def svg(spec: GraphSpec) -> str:
    """The graph as a standalone SVG: layers from the start downwards, loops drawn back up on the side."""
    layout = _layout(spec)
    parts = [_edge(layout, edge, place) for place, edge in enumerate(spec.edges)]
    parts += [_node(layout, node) for node in spec.nodes.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{layout.height}" '
        f'viewBox="0 0 {layout.width} {layout.height}" font-family="DejaVu Sans, Arial, Helvetica, sans-serif" font-size="13">\n'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    places: Mapping[str, tuple[float, float]]
    width: int
    height: int


def _layout(spec: GraphSpec) -> _Layout:
    layers: dict[int, list[str]] = {}
    for name, depth in _depths(spec).items():
        layers.setdefault(depth, []).append(name)
    widest = max((len(names) for names in layers.values()), default=1)
    inside = widest * _WIDTH + (widest - 1) * _GAP_X
    places = {}
    for depth, names in layers.items():
        row = len(names) * _WIDTH + (len(names) - 1) * _GAP_X
        left = _MARGIN + (inside - row) / 2
        for place, name in enumerate(names):
            places[name] = (left + place * (_WIDTH + _GAP_X), _MARGIN + depth * (_HEIGHT + _GAP_Y))
    deepest = max(layers, default=0)
    height = 2 * _MARGIN + (deepest + 1) * _HEIGHT + deepest * _GAP_Y
    beside = _BESIDE if any(_goes_beside(places, edge) for edge in spec.edges) else 0
    return _Layout(places, int(inside + 2 * _MARGIN + beside), int(height))


def _goes_beside(places: Mapping[str, tuple[float, float]], edge: EdgeSpec) -> bool:
    """True for a loop back up, or a way past another layer that would otherwise run behind its nodes."""
    down = places[edge.target][1] - places[edge.source][1]
    return down <= 0 or down > _HEIGHT + _GAP_Y


def _depths(spec: GraphSpec) -> dict[str, int]:
    """The longest way from a start to each node, edges that close a loop left out."""
    forward = _without_loops(spec)
    depths = dict.fromkeys(spec.nodes, 0)
    for _ in spec.nodes:
        for source, target in forward:
            depths[target] = max(depths[target], depths[source] + 1)
    return depths


def _without_loops(spec: GraphSpec) -> list[tuple[str, str]]:
    targets: dict[str, list[str]] = {name: [] for name in spec.nodes}
    for edge in spec.edges:
        targets[edge.source].append(edge.target)
    kept: list[tuple[str, str]] = []
    state: dict[str, str] = {}
    entered = {edge.target for edge in spec.edges}
    for start in sorted(spec.nodes, key=lambda name: name in entered):
        if start in state:
            continue
        state[start] = "open"
        stack = [(start, iter(targets[start]))]
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                state[name] = "done"
                stack.pop()
            elif state.get(target) != "open":
                kept.append((name, target))
                if target not in state:
                    state[target] = "open"
                    stack.append((target, iter(targets[target])))
    return kept


def _node(layout: _Layout, node: NodeSpec) -> str:
    x, y = layout.places[node.name]
    colour = _COLOURS.get(node.kind, "#f1f5f9")
    middle = x + _WIDTH / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="{colour}" stroke="#475569"/>'
        f'<text x="{middle:g}" y="{y + 20:g}" text-anchor="middle" font-weight="bold">{escape(node.name)}</text>'
        f'<text x="{middle:g}" y="{y + 37:g}" text-anchor="middle" font-size="11" fill="#475569">{escape(node.use)}</text>'
    )


def _edge(layout: _Layout, edge: EdgeSpec, place: int) -> str:
    (from_x, from_y), (to_x, to_y) = layout.places[edge.source], layout.places[edge.target]
    style = 'stroke-dasharray="5 4" ' if edge.error else ""
    if not _goes_beside(layout.places, edge):
        x1, y1, x2, y2 = from_x + _WIDTH / 2, from_y + _HEIGHT, to_x + _WIDTH / 2, to_y
        path = f"M{x1:g} {y1:g}C{x1:g} {y1 + _GAP_Y * 0.6:g} {x2:g} {y2 - _GAP_Y * 0.6:g} {x2:g} {y2:g}"
        label_x, label_y = (x1 + x2) / 2 + 4, (y1 + y2) / 2
    else:
        side = max(x for x, _ in layout.places.values()) + _WIDTH + 40 + 30 * (place % 4)
        x1, y1, x2, y2 = from_x + _WIDTH, from_y + _HEIGHT * 0.7, to_x + _WIDTH, to_y + _HEIGHT * 0.3
        path = f"M{x1:g} {y1:g}C{side:g} {y1:g} {side:g} {y2:g} {x2:g} {y2:g}"
        label_x, label_y = (x1 + 3 * side) / 4 - 20, (y1 + y2) / 2
    label = _label(edge)
    text = (
        f'<text x="{label_x:g}" y="{label_y:g}" font-size="11" fill="#475569">{escape(label)}</text>' if label else ""
    )
    return f'<path d="{path}" fill="none" stroke="#475569" {style}marker-end="url(#arrow)"/>{text}'


def _label(edge: EdgeSpec) -> str:
    parts = [edge.when or "", "on error" if edge.error else "", f"at most {edge.max}" if edge.max else ""]
    return ", ".join(part for part in parts if part)


def _mermaid_text(text: str) -> str:
    return text.replace('"', "#quot;").replace("|", "#124;")
