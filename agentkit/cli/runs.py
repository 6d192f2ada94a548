"""``agentkit runs``: what was recorded of earlier runs, going on with them, and replaying them with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli.blame import command as blame

if TYPE_CHECKING:
    from agentkit.kit import Kit

_home = click.option(
    "--home", type=click.Path(path_type=Path), help="Where indexes and runs live. [default: .agentkit]"
)
_store = click.option("--store", metavar="URL", help="Where runs are kept instead: postgresql://user@host/database.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print data.")
_model = click.option(
    "--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="Use another model under this name."
)


@click.group(name="runs")
def command() -> None:
    """Show, resume, fork, compare and export earlier runs, and find out which node broke one."""


command.add_command(blame)


@command.command(name="list")
@_home
@_store
@_as_json
def list_runs(home: Path | None, store: str | None, as_json: bool) -> None:
    """List all runs, the newest first."""
    from agentkit.cli.runs_view import list_data, print_list

    with _kit(home, store) as kit:
        rows = [list_data(kit.runs, one) for one in kit.runs.list()]
    _say(rows) if as_json else print_list(rows)


@command.command()
@click.argument("run")
@click.option("--node", help="Only this node, with all that it drew and put out.")
@_home
@_store
@_as_json
def show(run: str, node: str | None, home: Path | None, store: str | None, as_json: bool) -> None:
    """Show what happened in RUN, node by node, without running anything."""
    from agentkit.cli.runs_view import print_run, show_data

    with _kit(home, store) as kit, kit.runs.look(run) as journal:
        data = show_data(journal, node)
    _say(data) if as_json else print_run(data, whole=node is not None)


@command.command()
@click.argument("run")
@_model
@_home
@_store
@_as_json
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def resume(run: str, models: tuple[str, ...], home: Path | None, store: str | None, as_json: bool, quiet: bool) -> None:
    """Go on with RUN: what it recorded is not paid again. Nodes that were edited since run again, and so do those after them."""
    from agentkit.cli.run import split

    with _kit(home, store) as kit:
        graph = kit.runs.graph(run, models=split(models, "--model"))
        if changed := graph.changed_since(kit.runs.store.read(run)):
            click.echo(f"edited since the run began, so not read from its record: {', '.join(changed)}", err=True)
        _follow(lambda emit: graph.execute({}, resume=run, emit=emit), as_json=as_json, quiet=quiet)


@command.command()
@click.argument("run")
@click.option("--from", "at", metavar="NODE", help="Run this node and what follows it anew; all before it is read.")
@_model
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Another value in the graph, e.g. nodes.solve.with.temperature=0.2.",
)
@click.option(
    "--input", "-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Another input; NAME=@FILE reads one."
)
@click.option(
    "--put",
    "outputs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Take the node of --from to have put out this: it does not run.",
)
@click.option("--seed", type=int, help="Another seed.")
@_home
@_store
@_as_json
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def fork(
    run: str,
    at: str | None,
    models: tuple[str, ...],
    changes: tuple[str, ...],
    pairs: tuple[str, ...],
    outputs: tuple[str, ...],
    seed: int | None,
    home: Path | None,
    store: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run RUN again with something changed, and print the difference in output, cost and scores.

    Everything before the node of --from is read from RUN's record. Without --from, all that the change leaves as it was.
    """
    from agentkit.cli.run import read_inputs, split
    from agentkit.cli.runs_view import print_diff
    from agentkit.graph.run import Fork

    with _kit(home, store) as kit:
        put = {path: _parsed(value) for path, value in split(changes, "--set").items()}
        graph = kit.runs.graph(run, models=split(models, "--model"), changes=put)
        inputs = read_inputs(graph, split(pairs, "--input"))
        given = {name: _parsed(value) for name, value in split(outputs, "--put").items()} if outputs else None
        made = _follow(
            lambda emit: graph.execute(inputs, fork=Fork(run=run, at=at, outputs=given), seed=seed, emit=emit),
            as_json=False,
            quiet=quiet,
            show=False,
        )
        found = kit.runs.diff(run, made)
    _say(asdict(found)) if as_json else print_diff(found)


@command.command()
@click.argument("before")
@click.argument("after")
@_home
@_store
@_as_json
def diff(before: str, after: str, home: Path | None, store: str | None, as_json: bool) -> None:
    """Print what the run AFTER did otherwise than the run BEFORE."""
    from agentkit.cli.runs_view import print_diff

    with _kit(home, store) as kit:
        found = kit.runs.diff(before, after)
    _say(asdict(found)) if as_json else print_diff(found)


@command.command()
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["json", "jsonl"]),
    default="json",
    show_default=True,
    help="One document, or lines.",
)
@click.option("--pool", is_flag=True, help="The answers of each vote, as 'agentkit sampling' reads them.")
@click.option("--gold", metavar="INPUT", help="With --pool: the input that holds the right answer.")
@_home
@_store
def export(
    runs: tuple[str, ...], shape: str, pool: bool, gold: str | None, home: Path | None, store: str | None
) -> None:
    """Print all that is recorded of RUNS; a line of jsonl is a run, or with --pool a vote."""
    with _kit(home, store) as kit:
        rows = list(kit.runs.pools(runs, gold=gold)) if pool else [kit.runs.export(run) for run in runs]
    if shape == "json" and not pool:
        return _say(rows[0] if len(rows) == 1 else rows)
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))
    return None


@command.command()
@click.argument("runs", nargs=-1, required=True)
@_home
@_store
def drop(runs: tuple[str, ...], home: Path | None, store: str | None) -> None:
    """Delete RUNS."""
    with _kit(home, store) as kit:
        for run in runs:
            kit.runs.drop(run)


def _kit(home: Path | None, store: str | None) -> Kit:
    from agentkit.kit import Kit

    return Kit(home=home, store=store)


def _say(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _parsed(text: str) -> Any:
    """A value as JSON where it is some, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _follow(go: Callable[..., Any], *, as_json: bool, quiet: bool, show: bool = True) -> str:
    """Run with live progress, print the report, and return the run's id."""
    from agentkit.cli.progress import Progress
    from agentkit.cli.run import print_view
    from agentkit.cli.view import RunView
    from agentkit.runtime.concurrency import run_sync

    view = RunView()
    progress = Progress(view, quiet=quiet)
    with progress:
        run_sync(go(progress.see))
    if show:
        print_view(view, as_json=as_json, stream=False)
    return view.run
