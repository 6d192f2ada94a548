"""The live view of an evaluation on stderr: a bar on a terminal, a line each tenth elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agentkit.events import EvaluationStarted, Event, RecordEvaluated


class Tally:
    """Counts rows as they come: ``done`` of ``total``, with the mean score of the first evaluator and the errors so far."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.done = 0
        self.total = 0
        self._scores: list[float] = []
        self._errors = 0
        self.console = Console(stderr=True, quiet=quiet)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, state="")

    def __enter__(self) -> Tally:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def see(self, event: Event) -> None:
        """Count an event and show it."""
        if isinstance(event, EvaluationStarted):
            self.total, self.done = event.total or 0, event.done
            self._bar.update(self._task, description=event.name, total=event.total, completed=event.done)
            if event.done:
                self.console.print(f"{event.done:,} of {self.total:,} rows are there already", highlight=False)
        elif isinstance(event, RecordEvaluated):
            self._count(event)

    def download(self, name: str, done: int, total: int) -> None:
        """Say what is being fetched, once."""
        if done == 0:
            self.console.print(f"fetching {name}: {total / 1e6:.0f} MB", highlight=False)

    def _count(self, event: RecordEvaluated) -> None:
        self.done += 1
        first = next(iter(event.scores.values()), None)
        if first is not None and first.value is not None:
            self._scores.append(first.value)
        self._errors += bool(event.error) or any(score.status == "error" for score in event.scores.values())
        self._bar.update(self._task, completed=self.done, state=self._state())
        if not self.console.is_terminal and self._is_tenth():
            self.console.print(f"{self.done:,} of {self.total:,}  {self._state()}", highlight=False)

    def _is_tenth(self) -> bool:
        return self.done == self.total or self.done * 10 // self.total > (self.done - 1) * 10 // self.total

    def _state(self) -> str:
        mean = f"score {sum(self._scores) / len(self._scores):.2f}" if self._scores else "no score yet"
        return f"{mean}, {self._errors:,} errors" if self._errors else mean
