"""The command line: one file a command, imported when it is called, so that ``--help`` stays quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from agentkit.errors import AgentkitError

COMMANDS = {
    "run": "Run a graph file: live progress, then the outputs.",
    "runs": "Show, resume, fork, compare, export and blame earlier runs.",
    "validate": "Check graph files and print every error with its place.",
    "lint": "Find what is odd in graph files that load, with a code and a place.",
    "plan": "Bound what a graph file will cost, before it runs.",
    "schema": "Write the JSON Schema of graph files, for editors to complete.",
    "graph": "Draw a graph file as Mermaid, SVG or PNG.",
    "index": "Build a document index that graphs can retrieve from.",
    "eval": "Run a suite over a data set and print a table with intervals.",
    "evaluate": "Judge rows of a JSONL file with one evaluator.",
    "calibrate": "Fit the score of an evaluator to labelled rows of your own.",
    "horizon": "After how many steps do runs go wrong? Survival and hazard.",
    "trace": "Show what an agent did, step by step, with its errors marked.",
    "sampling": "Replay recorded samples: which stopping rule would have paid?",
    "train": "Train a verifier or a soft prompt for a local model.",
    "models": "List, fetch, check and calibrate models.",
    "tools": "List, check and pin the tools of your MCP servers.",
    "env": "Play environments with a graph: list, show, run.",
    "plugins": "List plugins and what they register.",
}


class Commands(click.Group):
    """Knows its commands by name and one line of help; imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours in order of use, then those of plugins."""
        return [*COMMANDS, *sorted(set(self.commands) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name in COMMANDS:
            module = import_module(f"agentkit.cli.{cmd_name}")
            command: click.Command = module.command
            return command
        _add_plugin_commands(self)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of ``--help``, from the lines above and those of plugins' commands."""
        _add_plugin_commands(self)
        rows = list(COMMANDS.items())
        rows += [
            (name, one.get_short_help_str()) for name, one in sorted(self.commands.items()) if name not in COMMANDS
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="agentkit", prog_name="agentkit")
def cli() -> None:
    """Graphs of models, search, votes and checks: spend compute at answer time where it pays, and prove that it paid."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The ``agentkit`` command: errors become one sentence on stderr and a non-zero exit code."""
    try:
        sys.exit(cli.main(args=arguments, prog_name="agentkit", standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AgentkitError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _add_plugin_commands(group: click.Group) -> None:
    from agentkit.plugins import Plugins

    known = dict(group.commands)
    plugins = Plugins()
    plugins.add_commands(group)
    for name in set(group.commands) & set(COMMANDS):
        del group.commands[name]
    group.commands.update(known)
