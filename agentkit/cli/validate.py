"""``agentkit validate``: every error of graph files, with file, line and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from agentkit.cli.findings import FORMATS, descriptor, written
from agentkit.errors import GraphError, Problem

_CODE = "AK000"  # the code under which ``agentkit lint`` tells of a file that does not load


@click.command(name="validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=FORMATS, default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(files: tuple[Path, ...], form: str, as_json: bool) -> None:
    """Check graph FILES and print every error with its place; exit code 2 when there is one."""
    from agentkit.kit import Kit

    kit, text = Kit(), form == "text" and not as_json
    problems: list[Problem] = []
    for file in files:
        try:
            kit.graph(file)
        except GraphError as error:
            problems += error.problems
        else:
            if text:
                click.echo(f"{file}: ok")
    if text:
        for problem in problems:
            click.echo(str(problem), err=True)
    else:
        coded = [replace(problem, code=_CODE) for problem in problems]
        rules = {_CODE: descriptor(_CODE, "does-not-load", "The file cannot be loaded.", "error")}
        click.echo(written(coded, "json" if as_json else form, rules))
    if problems:
        raise click.exceptions.Exit(2)
