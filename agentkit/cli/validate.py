"""``agentkit validate``: every error of graph files, with file, line and column."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from agentkit.errors import GraphError, Problem


@click.command(name="validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the problems as data.")
def command(files: tuple[Path, ...], as_json: bool) -> None:
    """Check graph FILES and print every error with its place; exit code 2 when there is one."""
    from agentkit.kit import Kit

    kit = Kit()
    problems: list[Problem] = []
    for file in files:
        try:
            kit.graph(file)
        except GraphError as error:
            problems += error.problems
        else:
            if not as_json:
                click.echo(f"{file}: ok")
    if as_json:
        click.echo(json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False))
    for problem in () if as_json else problems:
        click.echo(str(problem), err=True)
    if problems:
        raise click.exceptions.Exit(2)
