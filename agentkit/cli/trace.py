"""``agentkit trace``: what an agent did, step by step, with what is wrong marked where it is."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import InputError

if TYPE_CHECKING:
    from agentkit.cli.trace_view import Judged
    from agentkit.kit import Kit
    from agentkit.traces import Trace

_FORMS = ("agentkit", "opentelemetry", "inspect", "benchmark", "langchain", "chat")
_DEFAULT = ("tool_calls",)


@click.command(name="trace")
@click.argument("source")
@click.option(
    "--evaluator",
    "-e",
    "evaluators",
    multiple=True,
    metavar="NAME",
    help="Who judges. [default: tool_calls; none for nobody]",
)
@click.option("--form", type=click.Choice(_FORMS), help="What the log is, where it cannot be told.")
@click.option("--number", "-n", type=click.IntRange(min=1), help="Which trace of a log that holds several, from 1.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "svg", "html"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option(
    "--policy", type=click.Path(dir_okay=False, path_type=Path), help="A text that the agent was given as its policy."
)
@click.option("--rules", type=click.Path(dir_okay=False, path_type=Path), help="Rules for tool_calls, as YAML or JSON.")
@click.option("--whole", is_flag=True, help="Every text in full.")
@click.option("--home", type=click.Path(path_type=Path), help="Where indexes and runs live. [default: .agentkit]")
@click.option("--store", metavar="URL", help="Where runs are kept instead: postgresql://user@host/database.")
def command(
    source: str,
    evaluators: tuple[str, ...],
    form: str | None,
    number: int | None,
    shape: str,
    policy: Path | None,
    rules: Path | None,
    whole: bool,
    home: Path | None,
    store: str | None,
) -> None:
    """Show the trace in SOURCE with its errors marked: a file (- for stdin, .gz too), or the id of a run.

    It reads messages of OpenAI, Anthropic and LangChain, events of LangGraph, OpenTelemetry spans, Inspect logs, our own runs,
    and rows of Who&When, tau-bench and AgentRx. A log with several traces is listed; choose one with --number.
    """
    from agentkit.cli.trace_view import export, print_list, print_trace
    from agentkit.kit import Kit

    with Kit(home=home, store=store) as kit:
        traces = _with_policy(_read(kit, source, form), policy)
        chosen = traces if number is None else (_chosen(traces, number, source),)
        more = {} if rules is None else {"rules": _rules(rules)}
        judged = [_judge(kit, trace, evaluators or _DEFAULT, more) for trace in chosen]
    if shape == "json":
        click.echo(json.dumps([one.data() for one in judged], indent=2, ensure_ascii=False, default=str))
    elif len(judged) > 1 and shape == "text":
        print_list(judged)
    elif len(judged) > 1:
        raise InputError(f"{source} holds {len(judged):,} traces: choose one with --number")
    elif shape == "text":
        print_trace(judged[0], whole=whole)
    else:
        click.echo(export(judged[0], shape, whole=whole))


def _read(kit: Kit, source: str, form: str | None) -> tuple[Trace, ...]:
    from agentkit.traces import read

    path = Path(source)
    if source != "-" and not path.exists():
        return read(_run(kit, source), form=form)
    try:
        data = sys.stdin.buffer.read() if source == "-" else path.read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError) as error:
        raise InputError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        return read(data, form=form)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _run(kit: Kit, run: str) -> dict[str, Any]:
    try:
        return kit.runs.export(run)
    except InputError:
        raise InputError(
            f"there is no file {run!r}, and no run of that name ('agentkit runs list' shows the runs)"
        ) from None


def _with_policy(traces: tuple[Trace, ...], policy: Path | None) -> tuple[Trace, ...]:
    from dataclasses import replace

    if policy is None:
        return traces
    try:
        text = policy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{policy} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return tuple(replace(trace, policy=text) for trace in traces)


def _rules(path: Path) -> Any:
    from agentkit.yaml_reader import read

    try:
        return read(path.read_bytes(), file=str(path)).data
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _chosen(traces: tuple[Trace, ...], number: int, source: str) -> Trace:
    if number > len(traces):
        raise InputError(f"{source} holds {len(traces):,} traces, so there is no number {number}")
    return traces[number - 1]


def _judge(kit: Kit, trace: Trace, evaluators: tuple[str, ...], more: dict[str, Any]) -> Judged:
    from agentkit.cli.trace_view import Judged
    from agentkit.runtime.concurrency import run_sync
    from agentkit.types import Record

    names = () if evaluators == ("none",) else evaluators
    record = Record(id=trace.id, input=trace.task, output=trace, metadata={**trace.metadata, **more})
    scores = {name: run_sync(kit.evaluator(name).evaluate(record)) for name in names}
    return Judged(trace=trace, scores=scores)
