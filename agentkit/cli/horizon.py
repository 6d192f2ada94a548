"""``agentkit horizon``: after how many steps do runs go wrong?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from agentkit.errors import InputError, StoreError


@click.command(name="horizon")
@click.argument("results", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--by", default="model", show_default=True, metavar="KEY", help="Compare the values of this key.")
@click.option(
    "--task", default="task", show_default=True, metavar="KEY", help="Runs with equal values are of one task."
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw the survival curves."
)
@click.option(
    "--resamples", type=click.IntRange(10), default=500, show_default=True, help="Of the bootstrap over tasks."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def command(
    results: tuple[Path, ...], by: str, task: str, svg: Path | None, resamples: int, seed: int, as_json: bool
) -> None:
    """Show how far agents get before their first error: horizons, hazard by step, and whether it rises.

    RESULTS are files that agentkit evaluate wrote: a line has "steps", "first_error" (0-based or null) and, where there are
    several, "model" and "task". H50 is the step after which half the runs have failed; "beyond" says that the data end before.
    Intervals (95 %) resample tasks, because runs of one task are alike.
    """
    from agentkit.evaluation import horizon
    from agentkit.evaluation.curves import survival_svg

    rows = (row for path in results for row in _rows(path))
    groups = horizon.lifetimes(rows, by=by, task=task)
    found = [horizon.measure(name, runs, seed=seed, resamples=resamples) for name, runs in groups.items()]
    if svg is not None:
        _write(svg, survival_svg(found))
    click.echo(json.dumps([horizon.as_json(one) for one in found], indent=2) if as_json else horizon.table(found))


def _rows(path: Path) -> Iterator[Any]:
    from agentkit.evaluation.plain import NotJSONError, parse

    try:
        lines = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    with lines:
        for number, line in enumerate(lines, 1):
            try:
                row = parse(line) if line.strip() else None
            except NotJSONError as error:
                raise InputError(f"{path}:{number}: {error}") from None
            if row is not None:
                yield row


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None
