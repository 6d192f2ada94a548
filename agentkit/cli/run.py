"""``agentkit run``: live progress on stderr, then the report or the data on stdout."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli import answer
from agentkit.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from agentkit.cli.progress import Progress
    from agentkit.cli.view import RunView
    from agentkit.events import Event
    from agentkit.graph import Graph


@click.command(name="run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="An input; NAME=@FILE reads a file.")
@click.option("--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="Use another model under this name.")
@click.option("--resume", metavar="RUN", help="Go on with an earlier run; what it recorded is not paid again.")
@answer.option
@click.option(
    "--record", type=click.Path(path_type=Path), metavar="FILE", help="Write every model response to a cassette."
)
@click.option(
    "--replay", type=click.Path(path_type=Path), metavar="FILE", help="Answer from a cassette, with no network."
)
@click.option("--seed", type=int, help="Same seed, same run. [default: 0, or the resumed run's]")
@click.option("--no-cache", is_flag=True, help="Take nothing that nodes put out in earlier runs.")
@click.option("--home", type=click.Path(path_type=Path), help="Where indexes and runs live. [default: .agentkit]")
@click.option("--store", metavar="URL", help="Where runs are kept instead: postgresql://user@host/database.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as data.")
@click.option("--stream", is_flag=True, help="Print every event as a line of JSON as it happens.")
@click.option(
    "--otel", is_flag=True, default=None, help="Send OpenTelemetry spans to where $OTEL_EXPORTER_OTLP_ENDPOINT says."
)
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def command(
    file: Path,
    pairs: tuple[str, ...],
    models: tuple[str, ...],
    resume: str | None,
    answers: tuple[str, ...],
    no_cache: bool,
    home: Path | None,
    store: str | None,
    as_json: bool,
    stream: bool,
    otel: bool | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Run the graph FILE: live progress, then the outputs, what they rest on and what they cost.

    A run that waits for a person asks at the terminal; elsewhere it ends with exit code 6 and says how to answer.
    """
    from agentkit.cli.progress import Progress
    from agentkit.cli.view import RunView
    from agentkit.kit import Kit
    from agentkit.runtime.concurrency import run_sync

    view = RunView()
    progress = Progress(view, quiet=quiet or stream)
    with Kit(home=home, store=store, progress=progress.download, otel=otel) as kit:
        graph = kit.graph(file, models=split(models, "--model"))
        inputs = read_inputs(graph, split(pairs, "--input"))
        asked = kit.runs.questions(resume) if resume and answers else ()
        given = answer.parse_all(split(answers, "--answer"), asked)
        settings |= {"resume": resume, "answers": given, "cache": not no_cache}
        asking = answer.at_terminal() and not (as_json or stream or quiet)

        def go(again: dict[str, Any]) -> None:
            with progress:
                run_sync(_follow(graph, {} if again else inputs, {**settings, **again}, progress, stream))

        try:
            answer.converse(view, go, asking=asking)
        except KeyboardInterrupt:
            click.echo(_kept(view, file), err=True)
            raise click.exceptions.Exit(130) from None
    print_view(view, as_json=as_json, stream=stream)
    answer.must_be_whole(view, f"agentkit run {file} --resume {view.run}")


async def _follow(
    graph: Graph, inputs: dict[str, Any], settings: dict[str, Any], progress: Progress, stream: bool
) -> None:
    async with aclosing(graph.stream(inputs, **settings)) as events:
        async for event in events:
            progress.see(event)
            if stream:
                click.echo(json.dumps(event_data(event), ensure_ascii=False))


def event_data(event: Event) -> dict[str, Any]:
    """An event as plain data, named by its type."""
    return {"event": type(event).__name__, **asdict(event)}


def read_inputs(graph: Graph, pairs: dict[str, str]) -> dict[str, Any]:
    """The inputs as the graph declares them: strings as they are, everything else read as JSON."""
    declared = {name: one.type for name, one in graph.spec.inputs.items()}
    for name in pairs.keys() - declared.keys():
        raise InputError(f"{graph.spec.name} has no input {name!r}{did_you_mean(name, declared)}")
    return {name: _value(name, text, declared[name]) for name, text in pairs.items()}


def read_text(name: str, text: str) -> str:
    """The text itself, or with @ before it that of a file; ``name`` is what it is for."""
    return _read(name, Path(text[1:])) if text.startswith("@") else text


def _value(name: str, text: str, declared: str) -> Any:
    text = read_text(f"input {name!r}", text)
    if declared == "string":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"input {name!r} must be {declared} written as JSON, but {error.msg} at character {error.pos}"
        ) from None


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name} cannot be read from {path}: {error}") from None


def split(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """``NAME=VALUE`` pairs by name; ``UsageError`` for what is none."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} takes NAME=VALUE, not {pair!r}")
        found[name] = value
    return found


def print_view(view: RunView, *, as_json: bool, stream: bool) -> None:
    """The report of a run, or its data; nothing where its events were printed."""
    if as_json:
        click.echo(json.dumps(view.as_data(), indent=2, ensure_ascii=False))
    elif not stream:
        from rich.console import Console

        from agentkit.cli.report import show

        show(view, Console())


def _kept(view: RunView, file: Path) -> str:
    kept = f"{view.nodes_finished} finished nodes and {view.samples_kept} samples"
    return f"interrupted; kept {kept}: agentkit run {file} --resume {view.run} goes on without paying for them again"
