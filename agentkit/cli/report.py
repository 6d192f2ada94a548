"""What a finished run shows: passages, votes, the answer with its citations, what is supported, and what it cost."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agentkit.cli.progress import shorten
from agentkit.cli.view import NodeView, RunView

_VERDICTS = {
    "supported": ("✔", "green"),
    "contradicted": ("✘", "red"),
    "not_found": ("?", "yellow"),
}


def show(view: RunView, console: Console) -> None:
    """Print the report of a run."""
    for name in view.order:
        node = view.nodes[name]
        for section in _sections(name, node):
            console.print(section)
    if view.output:
        console.print(_output(view.output))
    console.print(_usage(view))


def _sections(name: str, node: NodeView) -> list[RenderableType]:
    kind = node.use.split(".")[0]
    if kind == "retriever" and node.outputs.get("documents"):
        return [_passages(name, node.outputs["documents"])]
    if kind == "strategy" and node.outputs.get("votes"):
        return [_votes(name, node)]
    if kind == "evaluator" and node.outputs:
        return [_verdicts(name, node.outputs)]
    return []


def _passages(name: str, documents: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{name}: passages", title_justify="left", box=None, title_style="bold")
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    table.add_column("source")
    table.add_column("text")
    for number, document in enumerate(documents, 1):
        score = document.get("score")
        where = document.get("title") or document.get("source") or document.get("id", "")
        table.add_row(
            str(number), f"{score:.3f}" if score is not None else "", shorten(where, 40), shorten(document["text"], 90)
        )
    return table


def _votes(name: str, node: NodeView) -> Table:
    table = Table(title=f"{name}: votes", title_justify="left", box=None, title_style="bold", show_header=False)
    votes = node.outputs["votes"]
    most = max(vote["count"] for vote in votes)
    for vote in votes:
        bar = "█" * max(1, round(20 * vote["count"] / most))
        table.add_row(Text(f"{vote['count']:3d}", "bold"), Text(bar, "cyan"), shorten(vote["answer"], 110))
    stopped = node.outputs.get("stopped") or ""
    drawn = len(node.outputs.get("samples") or ()) or node.samples
    table.caption = f"{drawn} samples{f', stopped: {stopped}' if stopped else ''}"
    table.caption_justify = "left"
    return table


def _verdicts(name: str, outputs: dict[str, Any]) -> RenderableType:
    score = outputs.get("score")
    said = (
        f"{score:.2f} {outputs.get('label', '')}" if score is not None else f"not scored: {outputs.get('reason', '')}"
    )
    table = Table(title=f"{name}: {said}", title_justify="left", box=None, title_style="bold", show_header=False)
    for finding in outputs.get("findings") or ():
        mark, style = _VERDICTS.get(finding.get("kind", ""), ("•", ""))
        reason = "" if finding.get("kind") == "supported" else finding.get("message", "")
        table.add_row(Text(mark, style), shorten(finding.get("text", ""), 90), Text(shorten(reason, 70), "dim"))
    return table


def _output(output: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = []
    for name, value in output.items():
        if name == "citations" and value:
            parts.append(_citations(value))
        elif isinstance(value, str):
            parts.append(Text(value) if name == "answer" else Text.assemble((f"{name}: ", "bold"), value))
        elif value is not None and not isinstance(value, list | dict):
            parts.append(Text.assemble((f"{name}: ", "bold"), f"{value}"))
    return Panel(
        Group(*parts), title="answer" if "answer" in output else "output", title_align="left", border_style="green"
    )


def _citations(citations: list[dict[str, Any]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    shown: set[int] = set()
    for citation in citations:
        if citation["number"] not in shown:
            shown.add(citation["number"])
            where = " · ".join(part for part in (citation.get("title"), citation.get("source")) if part)
            table.add_row(f"[{citation['number']}]".replace("[", r"\["), Text(where, "dim"))
    return table


def _usage(view: RunView) -> Text:
    usage = view.usage
    money = f"${usage.usd:.4f}" + (f" (+{usage.unpriced_calls} calls without a price)" if usage.unpriced_calls else "")
    line = (
        f"{view.status}: {usage.calls} calls · {usage.input_tokens} + {usage.output_tokens} tokens · "
        f"{view.seconds:.1f} s · {money} · run {view.run}"
    )
    return Text(line, "bold green" if view.status == "succeeded" else "bold yellow")
