"""``agentkit index``: a folder of documents into an index, with progress, and the indexes there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import ConfigError

if TYPE_CHECKING:
    from agentkit.rag.build import Built, Step
    from agentkit.rag.shelf import Shelf

_SHOWN = 20  # skipped files that are named


@click.command(name="index")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--name", "-n", help="What graphs call the index.")
@click.option("--words", type=int, default=160, show_default=True, help="Words of a passage, about.")
@click.option(
    "--overlap", type=int, default=30, show_default=True, help="Words that following passages share, at most."
)
@click.option("--list", "listed", is_flag=True, help="List the indexes.")
@click.option("--drop", metavar="NAME", help="Delete an index.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="AGENTKIT_HOME",
    default=Path(".agentkit"),
    show_default=True,
    help="Where indexes and runs live.",
)
@click.option("--json", "as_json", is_flag=True, help="Print data instead of text.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def command(
    folder: Path | None,
    name: str | None,
    words: int,
    overlap: int,
    listed: bool,
    drop: str | None,
    home: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Index the text, Markdown and HTML files under FOLDER, or bring an index up to date.

    Unchanged files are not embedded again. Ctrl-C keeps what was embedded; the same command goes on from there.
    """
    from agentkit.rag.shelf import Shelf

    shelf = Shelf(home)
    if listed:
        _list(shelf, as_json)
    elif drop:
        place = shelf.drop(drop)
        click.echo(json.dumps({"dropped": drop, "place": str(place)}) if as_json else f"dropped {drop} ({place})")
    elif folder is None or name is None:
        raise ConfigError(
            "say what to index and what to call it: agentkit index FOLDER --name NAME (or --list, --drop)"
        )
    else:
        _print(_build(shelf, folder, name, words, overlap, quiet), as_json)


def _build(shelf: Shelf, folder: Path, name: str, words: int, overlap: int, quiet: bool) -> Built:
    from agentkit.rag.build import Builder
    from agentkit.rag.chunk import Chunking
    from agentkit.rag.embed import MiniLM

    chunking = Chunking(words=words, overlap=overlap, smallest=min(Chunking().smallest, words))
    with _progress(quiet) as (report, download):
        builder = Builder(shelf=shelf, embedder=MiniLM(progress=download), chunking=chunking, report=report)
        try:
            return builder.build(folder, name)
        except KeyboardInterrupt:
            click.echo(
                f"interrupted: what was embedded is kept, run the same command to go on ({shelf.place(name)})", err=True
            )
            raise click.exceptions.Exit(130) from None


@contextmanager
def _progress(quiet: bool) -> Iterator[tuple[Callable[[Step], None], Callable[[str, int, int], None]]]:
    """A bar on stderr for the pages and one for weights being fetched; on no terminal, a line a page."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(label: str, text: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(text, total=total)
            bars.update(tasks[label], description=text, completed=done, total=total)

        def report(step: Step) -> None:
            if step.kind == "skipped":
                return
            if step.kind == "embedded" and not console.is_terminal:
                console.print(f"{step.path}: {step.passages} passages", highlight=False)
            show("pages", f"{step.path} ({step.passages} passages)", step.done, step.total)

        yield report, lambda name, done, total: show(name, f"fetching {name}", done, total)


def _print(built: Built, as_json: bool) -> None:
    if as_json:
        data = {**asdict(built), "place": str(built.place)}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    manifest = built.manifest
    click.echo(
        f"{manifest.name}: {manifest.passages} passages of {manifest.pages} pages "
        f"({built.embedded} embedded, {built.unchanged} unchanged, {built.removed} removed)\nin {built.place}"
    )
    for one in built.skipped[:_SHOWN]:
        click.echo(f"skipped {one.path}: {one.reason}", err=True)
    if len(built.skipped) > _SHOWN:
        click.echo(f"skipped {len(built.skipped) - _SHOWN} more; --json names them all", err=True)


def _list(shelf: Shelf, as_json: bool) -> None:
    manifests = [shelf.manifest(name) for name in shelf.names()]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in manifests], indent=2, ensure_ascii=False))
        return
    if not manifests:
        click.echo(f"no index under {shelf.folder}: make one with agentkit index FOLDER --name NAME")
    for one in manifests:
        click.echo(f"{one.name}  {one.passages} passages of {one.pages} pages  {one.embedder}  from {one.folder}")
