"""The live view of a run on stderr: one line a node on a terminal, one line an ending elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from agentkit.cli.view import NodeView, RunView
from agentkit.events import Event, NodeFinished, NodeStarted, Retried

_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("▶", "cyan"),
    "asking": ("?", "yellow"),
    "done": ("✔", "green"),
    "failed": ("✘", "red"),
}


class Progress:
    """Shows ``view`` while the run goes on; use as a context manager and call ``see`` with each event."""

    def __init__(self, view: RunView, *, quiet: bool = False) -> None:
        self.view = view
        self.console = Console(stderr=True, quiet=quiet)
        self._started: dict[str, float] = {}
        self._downloads: dict[str, str] = {}
        self._said: dict[str, int] = {}
        self._live = Live(get_renderable=self._table, console=self.console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._live.stop()
            self.console.print(self._table())

    def see(self, event: Event) -> None:
        """Add an event and show it."""
        self.view.see(event)
        if isinstance(event, NodeStarted) and not event.scope.path:
            self._started[event.scope.node] = time.monotonic()
        if not self.console.is_terminal:
            self._say(event)

    def download(self, name: str, done: int, total: int) -> None:
        """Show a download: ``done`` of ``total`` bytes."""
        percent = 100 * done // max(total, 1)
        if self.console.is_terminal:
            self._downloads[name] = f"{percent:3d} % of {total / 1e6:.0f} MB"
        elif percent >= self._said.get(name, -25) + 25:
            self._said[name] = percent
            self.console.print(f"fetching {name}: {percent} % of {total / 1e6:.0f} MB", highlight=False)

    def _say(self, event: Event) -> None:
        if isinstance(event, NodeFinished) and not event.scope.path:
            node = self.view.node(event.scope.node)
            mark, _ = _MARKS[node.status]
            self.console.print(f"{mark} {event.scope.node}  {event.seconds:.1f} s  {describe(node)}", highlight=False)
        elif isinstance(event, Retried):
            self.console.print(f"↻ {event.scope.node}: {event.error}; again in {event.delay:.1f} s", highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 1))
        for name, node in self.view.nodes.items():
            mark, style = _MARKS[node.status]
            table.add_row(
                Text(mark, style),
                Text(name, "bold" if node.status == "running" else ""),
                self._elapsed(name, node),
                describe(node),
            )
        for name, done in self._downloads.items():
            table.add_row(Text("↓", "cyan"), Text(name), Text(done, "dim"), "")
        return table

    def _elapsed(self, name: str, node: NodeView) -> Text:
        seconds = node.seconds
        if node.status == "running":
            seconds += time.monotonic() - self._started.get(name, time.monotonic())
        return Text(f"{seconds:5.1f} s" if node.visits else "", "dim")


def describe(node: NodeView) -> str:
    """A node's state in a few words: samples, votes, thoughts, findings."""
    parts = _whence(node)
    if node.samples:
        parts.append(f"{node.samples} samples, {node.tokens} tokens")
    if node.counts:
        leader, count = max(node.counts.items(), key=lambda item: item[1])
        parts.append(f"leading with {count}: {shorten(leader, 48)}")
    if node.thoughts:
        parts.append(f"{node.thoughts} thoughts, best {node.best:g}")
    if node.retries:
        parts.append(f"{node.retries} retries")
    if documents := node.outputs.get("documents"):
        parts.append(f"{len(documents)} passages")
    if "score" in node.outputs and node.outputs["score"] is not None:
        parts.append(f"score {node.outputs['score']:.2f} {node.outputs.get('label', '')}")
    if node.error:
        parts.append(node.error)
    return " · ".join(parts)


def _whence(node: NodeView) -> list[str]:
    parts = [f"visit {node.visits}"] if node.visits > 1 else []
    parts += ["from the record"] if node.recorded else []
    parts += ["cached" if node.cached == 1 else f"{node.cached} cached"] if node.cached else []
    return parts + (["degraded" if node.degraded == 1 else f"{node.degraded} degraded"] if node.degraded else [])


def shorten(text: str, width: int) -> str:
    """One line of at most ``width`` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"
