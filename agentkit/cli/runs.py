"""``agentkit runs``: what was recorded of earlier runs, going on with them, and replaying them with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli import answer as answering
from agentkit.cli.blame import command as blame
from agentkit.cli.draw import command as draw

if TYPE_CHECKING:
    from agentkit.cli.view import RunView
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
    """Show, draw, resume, fork, compare and export earlier runs, and find out which node broke one."""


command.add_command(blame)
command.add_command(draw)


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
@answering.option
@_model
@_home
@_store
@_as_json
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def resume(
    run: str,
    answers: tuple[str, ...],
    models: tuple[str, ...],
    home: Path | None,
    store: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Go on with RUN: what it recorded is not paid again. Nodes that were edited since run again, and so do those after them."""
    from agentkit.cli.run import split

    with _kit(home, store) as kit:
        graph = kit.runs.graph(run, models=split(models, "--model"))
        if changed := graph.changed_since(kit.runs.store.read(run)):
            click.echo(f"edited since the run began, so not read from its record: {', '.join(changed)}", err=True)
        given = answering.parse_all(split(answers, "--answer"), kit.runs.questions(run) if answers else ())
        settings = {"resume": run, "answers": given}
        _follow(lambda emit, **more: graph.execute({}, emit=emit, **{**settings, **more}), as_json=as_json, quiet=quiet)


@command.command()
@click.argument("run")
@click.option("--node", help="The question: its node, or its id where the node asks several.")
@click.option("--value", help="The answer; @FILE reads a file. Without it you are asked.")
@_home
@_store
def answer(run: str, node: str | None, value: str | None, home: Path | None, store: str | None) -> None:
    """Answer a question that RUN waits for. The answer is kept, and 'agentkit runs resume' goes on with it."""
    with _kit(home, store) as kit:
        question = answering.choose(kit.runs.questions(run), node, run)
        if value is None and not answering.at_terminal():
            answering.must_say(question, f"agentkit runs answer {run}")
        given = answering.prompt([question]) if value is None else {question.id: answering.parse(question, value)}
        left = kit.runs.answer(run, given)
    waiting = f"; it still waits for {', '.join(one.id for one in left)}" if left else ""
    click.echo(f"answered {question.id}{waiting}: agentkit runs resume {run} goes on", err=True)


@command.command()
@click.argument("run")
@click.option("--from", "at", metavar="NODE", help="Run this node and what follows it anew; all before it is read.")
@_model
@click.option("--use", metavar="COMPONENT", help="Another component in the node of --from, e.g. tree_of_thought.")
@click.option(
    "--with",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another option of the node of --from, e.g. samples=8.",
)
@click.option("--prompt", metavar="TEXT", help="Another prompt in the node of --from; @FILE reads one.")
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
    use: str | None,
    options: tuple[str, ...],
    prompt: str | None,
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
        put = _instead(kit, run, at, use, options, prompt)
        put |= {path: _parsed(value) for path, value in split(changes, "--set").items()}
        graph = kit.runs.graph(run, models=split(models, "--model"), changes=put)
        inputs = read_inputs(graph, split(pairs, "--input"))
        given = {name: _parsed(value) for name, value in split(outputs, "--put").items()} if outputs else None
        view = _follow(
            lambda emit: graph.execute(inputs, fork=Fork(run=run, at=at, outputs=given), seed=seed, emit=emit),
            as_json=False,
            quiet=quiet,
            show=False,
        )
        found = kit.runs.diff(run, view.run)
    _say(asdict(found)) if as_json else print_diff(found)
    answering.must_be_whole(view, f"agentkit runs resume {view.run}")


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


@command.command()
@click.option("--clear", is_flag=True, help="Forget it.")
@click.option("--graph", metavar="NAME", help="With --clear: only what nodes of this graph put out.")
@_home
@_store
def cache(clear: bool, graph: str | None, home: Path | None, store: str | None) -> None:
    """Show or forget what nodes with a 'cache' put out, which later runs take at no cost."""
    with _kit(home, store) as kit:
        if clear:
            click.echo(f"forgot {kit.runs.cache.clear(graph):,} entries")
            return
        size = kit.runs.cache.size()
    click.echo(f"{size.entries:,} entries, {size.bytes / 1e6:,.1f} MB")


def _instead(
    kit: Kit, run: str, at: str | None, use: str | None, options: tuple[str, ...], prompt: str | None
) -> dict[str, Any]:
    """What --use, --with and --prompt put in the node of --from, as values by path."""
    from agentkit.cli.run import read_text, split

    put = {name: _parsed(value) for name, value in split(options, "--with").items()}
    if prompt is not None:
        put["prompt"] = read_text("--prompt", prompt)
    if use is None and not put:
        return {}
    if at is None:
        raise click.UsageError("--use, --with and --prompt are for the node that --from names")
    changes, left = kit.runs.instead(run, at, use=use, options=put)
    if left:
        click.echo(f"left out, because {use} has no such option: {', '.join(left)}", err=True)
    return changes


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


def _follow(go: Callable[..., Any], *, as_json: bool, quiet: bool, show: bool = True) -> RunView:
    """Run with live progress, print the report, and return what was seen of the run."""
    from agentkit.cli.progress import Progress
    from agentkit.cli.run import print_view
    from agentkit.cli.view import RunView
    from agentkit.runtime.concurrency import run_sync

    view = RunView()
    progress = Progress(view, quiet=quiet)

    def session(settings: dict[str, Any]) -> None:
        with progress:
            run_sync(go(progress.see, **settings))

    answering.converse(view, session, asking=show and answering.at_terminal() and not (as_json or quiet))
    if show:
        print_view(view, as_json=as_json, stream=False)
        answering.must_be_whole(view, f"agentkit runs resume {view.run}")
    return view
