"""Writes the pages of docs/reference from the code, so that they cannot fall behind it: ``python docs/generate.py``."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

import agentkit
from agentkit import errors, events, hookspecs, options
from agentkit.cli import COMMANDS, cli
from agentkit.graph.lint import RULES
from agentkit.kit import Kit
from agentkit.registry import KINDS

FOLDER = Path(__file__).parent / "reference"
EXAMPLES = Path(__file__).parent / "lint"
LINT = """
`agentkit lint FILE` finds what is odd in graph files that load; what keeps a file from loading is AK000, with the words of
`agentkit validate`. Codes are stable: one that is retired is not used again. See [lint a graph](../how-to/lint-a-graph.md).
"""
NOTE = "<!-- written by docs/generate.py: change the docstring, not this page -->\n"


def components() -> Iterator[str]:
    """Every registered component with its options."""
    registry = Kit(installed=False).registry
    for kind in KINDS:
        yield f"\n## {kind}\n" if registry.names(kind) else ""
        for name in registry.names(kind):
            factory = registry.get(kind, name).factory
            yield f"\n### `{name}`\n\n{_doc(factory)}\n"
            rows = [one for one in options.fields(factory).values() if one.provided is None]
            if rows:
                yield "\n| option | type | default |\n|---|---|---|\n"
            for one in rows:
                default = "required" if one.required else f"`{one.default!r}`"
                yield f"| `{one.name}` | `{_type(one.annotation)}` | {default} |\n"


def error_tree() -> Iterator[str]:
    """The tree of errors, and what each says."""
    yield f"\n```\n{inspect.cleandoc(errors.__doc__ or '')}\n```\n"


def event_list() -> Iterator[str]:
    """Every event with its fields."""
    for name, one in vars(events).items():
        if inspect.isclass(one) and issubclass(one, events.Event) and one is not events.Event:
            fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(one) if field.name != "scope")
            yield f"\n### `{name}`\n\n{_doc(one)}\n\nFields: {fields}\n"


def hooks() -> Iterator[str]:
    """Every hook."""
    yield f"\n{_doc(hookspecs)}\n"
    for name, one in vars(hookspecs).items():
        if hasattr(one, "agentkit_spec"):
            yield f"\n### `{name}{inspect.signature(one)}`\n\n{_doc(one)}\n"


def commands() -> Iterator[str]:
    """The help of every command."""
    root = click.Context(cli, info_name="agentkit", **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        yield from _help(command, click.Context(command, info_name=name, parent=root))


def public_names() -> Iterator[str]:
    """What ``agentkit`` exports."""
    for name in agentkit.__all__:
        one = getattr(agentkit, name)
        yield f"\n## `{name}`\n\n{_doc(one)}\n"
        for method, function in vars(one).items() if name in ("Kit", "Graph") else ():
            if not method.startswith("_") and inspect.isfunction(function):
                yield f"\n### `{name}.{method}{_signature(function)}`\n\n{_doc(function)}\n"


def lint_rules() -> Iterator[str]:
    """Every rule with an example that it finds something in, and one that it does not."""
    yield LINT
    for code in sorted(RULES):
        rule = RULES[code]
        yield f"\n## {code} {rule.name}\n\n*{rule.severity}*\n\n{rule.about}\n"
        yield f"\nFires:\n\n```yaml\n{_example(code, 'fires')}```\n\nSilent:\n\n```yaml\n{_example(code, 'silent')}```\n"


def _example(code: str, kind: str) -> str:
    return (EXAMPLES / f"{code.lower()}_{kind}.yaml").read_text(encoding="utf-8")


PAGES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "components.md": ("Components", components),
    "errors.md": ("Errors", error_tree),
    "events.md": ("Events", event_list),
    "hooks.md": ("Hooks", hooks),
    "lint.md": ("Lint rules", lint_rules),
    "cli.md": ("The command line", commands),
    "sdk.md": ("The Python names", public_names),
}


def page(name: str) -> str:
    """The text of one page."""
    title, write = PAGES[name]
    return f"{NOTE}\n# {title}\n{''.join(write())}"


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    formatter = click.HelpFormatter(width=110)
    command.format_help(context, formatter)
    yield f"\n## {context.command_path}\n\n```\n{formatter.getvalue()}```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _help(inner, click.Context(inner, info_name=name, parent=context))


def _doc(one: Any) -> str:
    return inspect.getdoc(one) or ""


def _type(annotation: Any) -> str:
    text = (
        annotation.__name__ if inspect.isclass(annotation) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return text.replace("typing.", "").replace("agentkit.types.", "").replace("|", "\\|")


def _signature(function: Any) -> str:
    text = str(inspect.signature(function)).replace("'", "")
    return re.sub(r"<(?:function|bound method|built-in function) (\w+)[^>]*>|\b(\w+)\(\{.*?\}\)", r"\1\2", text)


def stale() -> list[str]:
    """The pages that are not what the code says."""
    return [name for name in PAGES if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != page(name)]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(", ".join(stale()) or 0)
    FOLDER.mkdir(exist_ok=True)
    for page_name in PAGES:
        (FOLDER / page_name).write_text(page(page_name), encoding="utf-8")
