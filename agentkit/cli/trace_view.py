"""One trace as a person reads it: a line a step, what is wrong below the step where it is, a verdict at the end."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from agentkit.cli.progress import shorten
from agentkit.traces.turns import message_of

if TYPE_CHECKING:
    from agentkit.traces import Step, Trace
    from agentkit.types import Finding, Score

_SHORT = 110
_WIDTH = 120
_STYLES = {
    "call": "cyan",
    "action": "cyan",
    "result": "dim",
    "error": "red",
    "thought": "italic dim",
    "plan": "magenta",
}
_MARKS = {"call": "→", "action": "→", "result": "←", "error": "!", "thought": "…", "plan": "≡", "message": " "}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A trace and what each evaluator said of it."""

    trace: Trace
    scores: Mapping[str, Score]

    @property
    def findings(self) -> list[Finding]:
        """All findings in the order of steps."""
        found = [one for score in self.scores.values() for one in score.findings if one.step is not None]
        return sorted(found, key=lambda one: (one.step or 0, -one.confidence))

    def data(self) -> dict[str, Any]:
        """Plain data: the trace with its steps numbered, and the scores."""
        trace = asdict(self.trace)
        trace["steps"] = [{"step": place, **step} for place, step in enumerate(trace["steps"])]
        return {"trace": trace, "scores": {name: asdict(score) for name, score in self.scores.items()}}


def print_trace(judged: Judged, *, whole: bool) -> None:
    """The trace on the terminal."""
    Console(soft_wrap=True, highlight=False).print(_view(judged, whole=whole))


def export(judged: Judged, shape: str, *, whole: bool) -> str:
    """The trace as an SVG picture or an HTML page."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), highlight=False, force_terminal=True)
    console.print(_view(judged, whole=whole))
    title = judged.trace.id or judged.trace.source
    return console.export_svg(title=title) if shape == "svg" else console.export_html()


def print_list(rows: list[Judged]) -> None:
    """One line a trace: its number, size, outcome, and the first error that was found."""
    table = Table(box=None)
    for heading in ("number", "id", "steps", "solved", "errors", "first error", "task"):
        table.add_column(heading, justify="right" if heading in ("number", "steps", "errors") else "left", no_wrap=True)
    for number, one in enumerate(rows, 1):
        found = one.findings
        first = f"{found[0].step} {found[0].code}" if found else ""
        solved = {True: "yes", False: "no", None: ""}[one.trace.outcome]
        steps, count = str(len(one.trace.steps)), str(len(found) or "")
        table.add_row(
            str(number),
            _cut(one.trace.id, False),
            steps,
            solved,
            count,
            first,
            shorten(_cut(one.trace.task, False), 50),
        )
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else _WIDTH + 20
    console.print(table)


def _view(judged: Judged, *, whole: bool) -> Group:
    return Group(*_head(judged, whole), *_body(judged, whole), *_verdict(judged))


def _head(judged: Judged, whole: bool) -> Iterator[Text]:
    trace = judged.trace
    solved = {True: ", solved", False: ", not solved", None: ""}[trace.outcome]
    yield Text(
        f"{_cut(trace.id, False) or 'trace'}  ({trace.source or 'unknown form'}, {len(trace.steps)} steps{solved})",
        "bold",
    )
    yield Text(_cut(trace.task, whole))
    yield Text("")


def _body(judged: Judged, whole: bool) -> Iterator[Text]:
    by_message: dict[int, list[Finding]] = {}
    for one in judged.findings:
        by_message.setdefault(one.step or 0, []).append(one)
    places = [message_of(judged.trace, place) for place in range(len(judged.trace.steps))]
    for place, step in enumerate(judged.trace.steps):
        here = [one for one in by_message.get(places[place], ()) if _concerns(one, step)]
        yield _line(places[place], step, bool(here), whole)
        last = place + 1 == len(places) or places[place + 1] != places[place]
        rest = [one for one in by_message.get(places[place], ()) if not one.metadata.get("call")] if last else []
        for one in {id(one): one for one in (*(one for one in here if one.metadata.get("call")), *rest)}.values():
            yield from _finding(one)


def _concerns(finding: Finding, step: Step) -> bool:
    """Of several calls in one message, only the one that the finding names."""
    call = finding.metadata.get("call")
    return not call or call == step.call


def _line(number: int, step: Step, wrong: bool, whole: bool) -> Text:
    text = Text(f"{number:>4} ", "bold red" if wrong else "dim")
    text.append(f"{_MARKS[step.kind]} ", _STYLES.get(step.kind, ""))
    text.append(f"{_cut(step.agent, False) or '?'}: ", "bold")
    return text.append(_cut(_said(step), whole), "red" if wrong else _STYLES.get(step.kind, ""))


def _said(step: Step) -> str:
    if step.kind in ("call", "action") and step.name:
        written = (
            step.metadata.get("raw")
            if step.arguments is None
            else json.dumps(step.arguments, ensure_ascii=False, default=str)
        )
        return f"{step.text}  {step.name} {written}".strip()
    result = step.result if isinstance(step.result, str) else json.dumps(step.result, ensure_ascii=False, default=str)
    said = step.text or ("" if step.result is None else result)
    state = "" if step.state is None else f"  state: {json.dumps(step.state, ensure_ascii=False, default=str)}"
    return f"{said}{state}"


def _finding(finding: Finding) -> Iterator[Text]:
    told = finding.metadata
    marks = [name for name in ("first", "decisive") if told.get(name)]
    marks += ["undone later"] if told.get("recovered") else []
    marks += [f"follows from step {told['consequence_of']}"] if told.get("consequence_of") is not None else []
    yield (
        Text("       ✗ ", "bold red")
        .append(f"{finding.code}", "bold red")
        .append(f" ({', '.join([*marks, f'{finding.confidence:.0%}'])}): {finding.message}", "red")
    )
    if told.get("repair"):
        yield Text(f"         repair: {_cut(str(told['repair']), True)}", "green")


def _verdict(judged: Judged) -> Iterator[Text]:
    yield Text("")
    for name, score in judged.scores.items():
        if score.value is None:
            yield Text(f"{name}: not scored: {score.reason}", "yellow")
            continue
        first = score.metadata.get("first_error", score.findings[0].step if score.findings else None)
        decisive = score.metadata.get("decisive_error")
        where = "no error found" if first is None else f"first error at step {first}"
        where += f", decisive at step {decisive}" if decisive is not None and decisive != first else ""
        where += (
            ", undone later" if first is not None and decisive is None and "decisive_error" in score.metadata else ""
        )
        yield Text(f"{name}: {where} (score {score.value:.2f})", "green" if first is None else "bold red")


def _cut(text: str, whole: bool) -> str:
    """The text, cut where it is long, without what would command a terminal: a log is a stranger's."""
    plain = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
    return plain if whole else shorten(plain, _SHORT)
