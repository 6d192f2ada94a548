"""``agentkit plugins``: what is installed, what it registers, and what failed to load."""

from __future__ import annotations

import json

import click


@click.command(name="plugins")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of tables.")
def command(as_json: bool) -> None:
    """List plugins, the components they register, and those that could not be loaded (exit code 1 if any)."""
    from agentkit.plugins import Plugins

    plugins = Plugins()
    rows = [{"kind": one.kind, "name": one.name, "plugin": one.plugin, "from": one.address} for one in plugins.registry]
    problems = [{"plugin": problem.plugin, "reason": problem.reason} for problem in plugins.problems]
    if as_json:
        distributions = {name: plugins.distributions.get(name, "") for name in plugins.names}
        click.echo(json.dumps({"plugins": distributions, "components": rows, "problems": problems}, indent=2))
    else:
        _print(rows, plugins.names, plugins.distributions)
        for problem in plugins.problems:
            click.echo(f"error: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


def _print(rows: list[dict[str, str]], names: list[str], distributions: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "name", "plugin", "from", box=None)
    for row in rows:
        table.add_row(row["kind"], row["name"], row["plugin"], row["from"])
    console = Console()
    console.print(table)
    console.print(
        "plugins: " + ", ".join(f"{name} ({distributions[name]})" if name in distributions else name for name in names)
    )
