"""Recorded runs as tables: the list, one run node by node, and the difference between two."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentkit.cli.progress import shorten
from agentkit.errors import AgentkitError, InputError, did_you_mean
from agentkit.events import (
    Degraded,
    NodeFinished,
    NodeStarted,
    OutputsReused,
    QuestionAsked,
    Retried,
    RunStarted,
    SampleDrawn,
)
from agentkit.runtime.compare import label_of

if TYPE_CHECKING:
    from agentkit.events import Event
    from agentkit.graph.runs import Runs
    from agentkit.runtime.compare import RunDiff
    from agentkit.runtime.header import Header
    from agentkit.runtime.journal import Journal
    from agentkit.types import Usage


def list_data(runs: Runs, header: Header) -> dict[str, Any]:
    """A line of the list; nodes and cost are None for a run that cannot be read."""
    row = {
        "run": header.id,
        "graph": header.graph,
        "status": header.status,
        "started": datetime.fromtimestamp(header.created, UTC).isoformat(timespec="seconds"),
        "seconds": header.seconds,
        "nodes": None,
        "usage": None,
        "error": header.error,
    }
    try:
        with runs.look(header.id) as journal:
            return {**row, "nodes": len(journal.visits()), "usage": usage_data(journal.usage())}
    except AgentkitError:
        return row


def usage_data(usage: Usage) -> dict[str, Any]:
    """The usage with its tokens added up."""
    return {**asdict(usage), "tokens": usage.tokens}


def print_list(rows: list[dict[str, Any]]) -> None:
    """One line a run; its id, which begins with the time (UTC), is whole however narrow the terminal."""
    table = Table(box=None)
    for heading in ("run", "graph", "status"):
        table.add_column(heading, no_wrap=heading != "graph", overflow="fold")
    for heading in ("nodes", "calls", "tokens", "usd"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        usage = row["usage"] or {}
        table.add_row(
            row["run"],
            row["graph"],
            row["status"],
            _number(row["nodes"]),
            _number(usage.get("calls")),
            _number(usage.get("tokens")),
            f"{usage['usd']:.4f}" if usage.get("usd") else "",
        )
    _console().print(table)


def show_data(journal: Journal, node: str | None = None) -> dict[str, Any]:
    """A run by its visits of nodes, in the order in which they began: inputs, outputs, samples, cost and errors of each."""
    happened = journal.events()
    visits: dict[str, dict[str, Any]] = {}
    for one in happened:
        if one.event.scope.node:
            label = label_of(one.event.scope)
            _add(visits.setdefault(label, _new(one.event)), one.at, one.event)
    for visit in journal.visits():
        if not visit.scope.path and (label := label_of(visit.scope)) in visits:
            visits[label]["inputs"] = visit.key[32:] or visit.key
            visits[label]["usage"] = usage_data(journal.usage(visit.scope))
    sessions = sum(isinstance(one.event, RunStarted) for one in happened)
    header = {**asdict(journal.header), "sessions": sessions, "usage": usage_data(journal.usage())}
    return {**header, "nodes": _only(visits, node)}


def _new(event: Event) -> dict[str, Any]:
    return {
        "node": event.scope.node,
        "use": "",
        "began": None,
        "seconds": 0.0,
        "status": "unfinished",
        "inputs": None,
        "outputs": {},
        "samples": [],
        "retries": 0,
        "cached": 0,
        "degraded": 0,
        "usage": None,
        "next": [],
        "error": "",
        "events": [],
    }


def _add(visit: dict[str, Any], at: float, event: Event) -> None:
    if isinstance(event, NodeStarted | NodeFinished) and event.scope.path:
        visit["events"].append({"at": at, "event": type(event).__name__, **asdict(event)})
    elif isinstance(event, NodeStarted):
        visit["use"] = event.use
        visit["began"] = at if visit["began"] is None else visit["began"]
    elif isinstance(event, NodeFinished):
        status = "failed" if event.error else "skipped" if event.skipped else "done"
        outputs, following = dict(event.outputs), list(event.next)
        visit.update(use=event.use, seconds=event.seconds, error=event.error, status=status)
        visit.update(outputs=outputs, next=following)
    elif isinstance(event, SampleDrawn):
        visit["samples"].append({"path": event.scope.path, "text": event.text, "usage": usage_data(event.usage)})
    else:
        visit["retries"] += isinstance(event, Retried)
        visit["cached"] += isinstance(event, OutputsReused)
        visit["degraded"] += isinstance(event, Degraded)
        visit["status"] = "asking" if isinstance(event, QuestionAsked) else visit["status"]
        visit["events"].append({"at": at, "event": type(event).__name__, **asdict(event)})


def _only(visits: dict[str, dict[str, Any]], node: str | None) -> dict[str, dict[str, Any]]:
    if node is None:
        return visits
    found = {label: one for label, one in visits.items() if node in (label, one["node"])}
    if not found:
        raise InputError(f"the run never came to a node {node!r}{did_you_mean(node, visits)}")
    return found


def print_run(data: dict[str, Any], *, whole: bool) -> None:
    """The run's visits in order; with ``whole`` every sample and output in full."""
    console = _console()
    console.print(_head(data))
    for label, one in data["nodes"].items():
        console.print(_visit_line(label, one))
        for question in _asked(one) if one["status"] == "asking" else ():
            console.print(
                f"      asks {question['id']}: {shorten(question['text'], 90)}", markup=False, highlight=False
            )
        for name, value in one["outputs"].items():
            console.print(f"      {name}: {_text(value, None if whole else 90)}", markup=False, highlight=False)
        for number, sample in enumerate(one["samples"] if whole else (), 1):
            place = f" {sample['path']}" if sample["path"] else ""
            console.print(f"      sample {number}{place}: {sample['text']}", markup=False, highlight=False)


def _asked(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions of a visit without an answer, as they were asked last."""
    asked = {event["question"]["id"]: event["question"] for event in one["events"] if event["event"] == "QuestionAsked"}
    answered = {event["question"] for event in one["events"] if event["event"] == "QuestionAnswered"}
    return [question for name, question in asked.items() if name not in answered]


def _head(data: dict[str, Any]) -> Text:
    usage, sessions = data["usage"], data["sessions"]
    again = f" in {sessions} sessions" if sessions > 1 else ""
    text = Text(f"{data['id']}  {data['graph']}  {data['status']}  {data['seconds']:.1f} s{again}, {_cost(usage)}")
    return text.append(f"\n{data['error']}", "red") if data["error"] else text


def _visit_line(label: str, one: dict[str, Any]) -> Text:
    began = "" if one["began"] is None else f"{one['began']:7.1f} s"
    parts = [one["use"], one["status"], f"{one['seconds']:.1f} s"]
    parts += [f"inputs {one['inputs'][:8]}"] if one["inputs"] else []
    parts += [f"{len(one['samples'])} samples"] if one["samples"] else []
    parts += ["cached" if one["cached"] == 1 else f"{one['cached']} cached"] if one["cached"] else []
    parts += ["degraded" if one["degraded"] == 1 else f"{one['degraded']} degraded"] if one["degraded"] else []
    parts += [f"{one['retries']} retries"] if one["retries"] else []
    parts += [_cost(one["usage"])] if one["usage"] and one["usage"]["calls"] else []
    parts += [one["error"]] if one["error"] else []
    style = "red" if one["status"] == "failed" else ""
    return Text(f"{began:>9}  ").append(label, "bold").append(f"  {' · '.join(parts)}", style)


def print_diff(found: RunDiff) -> None:
    """What differs, then cost and scores side by side."""
    console = _console()
    for title, changes in (("input", found.inputs), ("output", found.output)):
        for name, change in changes.items():
            console.print(f"{title} {name}:", style="bold", highlight=False)
            _both(console, change.before, change.after)
    for node, ports in found.nodes.items():
        console.print(f"node {node}: {', '.join(ports)} differ", highlight=False)
    if found.same:
        console.print("the same inputs, outputs and nodes")
    table = Table(box=None)
    for heading in ("", found.before, found.after, "change"):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in _figures(found):
        table.add_row(*row)
    console.print(table)


def _figures(found: RunDiff) -> list[tuple[str, ...]]:
    first, second = found.usage
    rows: list[tuple[str, ...]] = [
        ("status", *found.status, ""),
        _figure("calls", first.calls, second.calls),
        _figure("tokens", first.tokens, second.tokens),
        _figure("usd", first.usd, second.usd, 4),
        _figure("seconds", *found.seconds, 1),
    ]
    if found.paid.calls < second.calls:
        rows.append(("paid anew", "", f"{found.paid.calls:,} calls, {found.paid.tokens:,} tokens", ""))
    return rows + [_figure(f"score {name}", one.before, one.after, 3) for name, one in found.scores.items()]


def _figure(name: str, before: float | None, after: float | None, digits: int = 0) -> tuple[str, ...]:
    known = before is not None and after is not None and round(after - before, digits) != 0
    change = f"{after - before:+,.{digits}f}" if known and after is not None and before is not None else ""
    return name, _number(before, digits), _number(after, digits), change


def _both(console: Console, before: Any, after: Any) -> None:
    console.print(f"  - {_text(before, 300)}", style="red", markup=False, highlight=False)
    console.print(f"  + {_text(after, 300)}", style="green", markup=False, highlight=False)


def _text(value: Any, width: int | None) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if width is None else shorten(text, width)


def _cost(usage: dict[str, Any]) -> str:
    money = f", ${usage['usd']:.4f}" if usage["usd"] else ""
    return f"{usage['calls']:,} calls, {usage['tokens']:,} tokens{money}"


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _console() -> Console:
    return Console(soft_wrap=True)
