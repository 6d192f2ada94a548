"""``agentkit runs draw``: the tree that a node searched and the votes that it took, as text or SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agentkit.errors import InputError
from agentkit.types import Thought, Vote

_DRAWN = ("tree", "votes")


@click.command(name="draw")
@click.argument("run")
@click.option("--node", help="Whose tree or votes; needed where several nodes have some.")
@click.option("--format", "form", type=click.Choice(["text", "svg"]), default="text", show_default=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--home", type=click.Path(path_type=Path), help="Where indexes and runs live. [default: .agentkit]")
@click.option("--store", metavar="URL", help="Where runs are kept instead: postgresql://user@host/database.")
def command(run: str, node: str | None, form: str, output: Path | None, home: Path | None, store: str | None) -> None:
    """Draw what a strategy of RUN searched and voted: thoughts with their values, those it went on from marked, and votes."""
    from agentkit.cli.runs_view import show_data
    from agentkit.kit import Kit
    from agentkit.strategies import picture

    with Kit(home=home, store=store) as kit, kit.runs.look(run) as journal:
        outputs = _chosen(show_data(journal, node)["nodes"], run)
    draw = picture.svg if form == "svg" else picture.text
    drawn = draw(_thoughts(outputs), _votes(outputs))
    if output is None:
        click.echo(drawn, nl=False)
        return
    try:
        output.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise InputError(f"the picture cannot be written to {output}: {error.strerror}") from None
    click.echo(f"wrote {output}", err=True)


def _chosen(visits: Mapping[str, Mapping[str, Any]], run: str) -> Mapping[str, Any]:
    """The outputs of the one visit that has something to draw."""
    found = {label: one["outputs"] for label, one in visits.items() if any(one["outputs"].get(key) for key in _DRAWN)}
    if not found:
        raise InputError(f"no node of {run} put out a tree or votes: 'agentkit runs show {run}' tells what they did")
    if len(found) > 1:
        raise InputError(f"several nodes of {run} can be drawn: choose one with --node ({', '.join(found)})")
    return next(iter(found.values()))


def _thoughts(outputs: Mapping[str, Any]) -> list[Thought]:
    """The tree as it was recorded; a parent that does not come before its child is none."""
    tree = [one for one in outputs.get("tree") or () if isinstance(one, Mapping)]
    return [_thought(one, place) for place, one in enumerate(tree)]


def _thought(one: Mapping[str, Any], place: int) -> Thought:
    parent = one.get("parent")
    known = parent if isinstance(parent, int) and 0 <= parent < place else None
    return Thought(
        text=str(one.get("text", "")), parent=known, value=_number(one.get("value")), kept=bool(one.get("kept"))
    )


def _votes(outputs: Mapping[str, Any]) -> list[Vote]:
    votes = [one for one in outputs.get("votes") or () if isinstance(one, Mapping)]
    return [
        Vote(answer=str(one.get("answer", "")), count=int(_number(one.get("count")) or 0), weight=_weight(one))
        for one in votes
    ]


def _weight(one: Mapping[str, Any]) -> float:
    return _number(one.get("weight", one.get("count"))) or 0.0


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
