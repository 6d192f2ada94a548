"""``agentkit schema``: the JSON Schema of graph files, with the options of everything that is installed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from agentkit.errors import InputError


@click.command(name="schema")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
def command(output: Path | None) -> None:
    """Write one JSON Schema (draft 2020-12) of graph files: node kinds, policies, and every option of the installed components.

    An editor with the YAML language server completes a file that begins with
    '# yaml-language-server: $schema=./agentkit.schema.json'.
    """
    from agentkit.graph.schema import graph_schema
    from agentkit.kit import Kit

    text = json.dumps(graph_schema(Kit().registry), indent=1, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"the schema cannot be written to {output}: {error.strerror}") from None
    click.echo(f"wrote {output}", err=True)
