"""``agentkit models``: what can be used, weights to fetch, and whether a model answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli.cascades import command as calibrate

if TYPE_CHECKING:
    from agentkit.kit import Kit
    from agentkit.protocols import Model
    from agentkit.weights import Progress, Weights

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print data instead of tables.")


@click.group(name="models")
def command() -> None:
    """List, fetch, check and calibrate models."""


@command.command(name="list")
@_AS_JSON
def list_models(as_json: bool) -> None:
    """List model backends, and the weights that agentkit can fetch, with size, licence and state."""
    from agentkit.kit import Kit
    from agentkit.weights import CATALOGUE

    kit = Kit()
    backends = [
        {"name": one.name, "plugin": one.plugin, "from": one.address} for one in kit.registry if one.kind == "model"
    ]
    files = [_row(one, kit.cache) for one in CATALOGUE.values()]
    if as_json:
        click.echo(json.dumps({"backends": backends, "weights": files}, indent=2))
        return
    _print_table("backend", backends, ("name", "plugin", "from"))
    _print_table("weights", [{**row, "size": f"{row['size'] / 1e6:.1f} MB"} for row in files], _COLUMNS)


@command.command()
@click.argument("names", nargs=-1, required=True)
@_AS_JSON
def pull(names: tuple[str, ...], as_json: bool) -> None:
    """Fetch the weights NAMES (see `agentkit models list`) and verify them; replaces damaged files."""
    from agentkit import weights
    from agentkit.kit import Kit

    cache = Kit().cache
    wanted = [weights.entry(name) for name in names]
    with _bars() as progress:
        for one in wanted:
            weights.pull(one, cache=cache, progress=progress)
    rows = [_row(one, cache) for one in wanted]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    for row in () if as_json else rows:
        click.echo(f"{row['name']}: {row['path']} ({row['size'] / 1e6:.1f} MB, {row['license']}, sha256 verified)")


@command.command()
@click.argument("spec")
@click.option("--tokens", default=32, show_default=True, type=click.IntRange(min=2), help="How many tokens to time.")
@_AS_JSON
def check(spec: str, tokens: int, as_json: bool) -> None:
    """Ask the model SPEC (`backend/name`, or the path of a .gguf file) for a few tokens: does it answer, and how fast?"""
    from agentkit.kit import Kit
    from agentkit.runtime.concurrency import run_sync

    with _bars() as progress, Kit(progress=progress) as kit:
        model = _model(spec, kit)
        found = run_sync(_check(model, tokens))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    can = [name for name, able in found["capabilities"].items() if able]
    rows = [
        ("answer", found["answer"]),
        ("first token", f"{found['first_token_seconds']:.2f} s, with whatever had to be started"),
        ("then", f"{found['tokens_per_second']:.1f} tokens/s over {found['tokens']} tokens"),
        ("can", ", ".join(can)),
    ]
    _print_table(found["model"], [{"what": what, "found": text} for what, text in rows], ("what", "found"))


@command.command()
@click.argument("model")
@click.option("--input-tokens", default=0, type=click.IntRange(min=0), help="Tokens of the prompt.")
@click.option("--output-tokens", default=0, type=click.IntRange(min=0), help="Tokens of the answer, thought included.")
@click.option("--cached-tokens", default=0, type=click.IntRange(min=0), help="How many of the prompt's were cached.")
@click.option("--reasoning-tokens", default=0, type=click.IntRange(min=0), help="How many of the answer's are thought.")
@_AS_JSON
def price(model: str, as_json: bool, **tokens: int) -> None:
    """Say what MODEL (`provider/model`) costs by the table that agentkit ships, and what one call of so many tokens does."""
    from agentkit.errors import InputError, did_you_mean
    from agentkit.models.prices import prices
    from agentkit.types import Usage

    table = prices()
    found = table.of(model)
    if found is None:
        hint = did_you_mean(model, table.models) or ": say it yourself with price: {input: USD, output: USD} a token"
        raise InputError(f"the prices of {table.date} do not list {model!r}{hint}")
    usd = found.cost(Usage(calls=1, **tokens))
    told = {"model": model, "price": found.as_data(), "usd": usd, "date": table.date, "source": table.source}
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    rows = [
        {"what": name.replace("_", " "), "USD": f"{value:,.0f} tokens" if name == "long_from" else f"{value * 1e6:g}"}
        for name, value in found.as_data().items()
        if value
    ]
    _print_table(f"{model}, USD a million tokens", rows, ("what", "USD"))
    if any(tokens.values()):
        click.echo(f"this call: ${usd:.6f}")
    click.echo(f"from {table.source}, taken {table.date}")


command.add_command(calibrate)

_COLUMNS = ("name", "use", "size", "license", "state", "about")


def _row(one: Weights, cache: Path) -> dict[str, Any]:
    from agentkit import weights

    return {
        "name": one.name,
        "use": one.use,
        "about": one.about,
        "size": one.size,
        "download": one.wheel_size,
        "license": one.license,
        "requirement": one.requirement,
        "sha256": one.sha256,
        "state": _state(one, cache),
        "path": str(weights.location(one, cache=cache)),
    }


def _state(one: Weights, cache: Path) -> str:
    from agentkit import weights
    from agentkit.errors import WeightsError

    try:
        return "present" if weights.find(one, cache=cache) else "not fetched"
    except WeightsError:
        return "damaged"


def _model(spec: str, kit: Kit) -> Model:
    if not spec.endswith(".gguf"):
        return kit.model(spec)
    from agentkit.models.local import Local

    return Local(gguf=Path(spec))


async def _check(model: Model, tokens: int) -> dict[str, Any]:
    """One token to see whether it answers, then ``tokens`` to see how fast."""
    import time

    from agentkit.runtime.sampling import draw
    from agentkit.types import GenerateRequest, Message

    messages = (Message("user", "Count from one to a hundred in words."),)
    started = time.monotonic()
    await draw(model, GenerateRequest(messages=messages, max_tokens=1))
    answered = time.monotonic()
    sample = await draw(model, GenerateRequest(messages=messages, max_tokens=tokens))
    seconds = time.monotonic() - answered
    drawn = sample.usage.output_tokens
    return {
        "model": model.name,
        "answer": " ".join(sample.text.split()),
        "first_token_seconds": answered - started,
        "tokens": drawn,
        "seconds": seconds,
        "tokens_per_second": drawn / seconds if seconds else 0.0,
        "capabilities": asdict(model.capabilities),
    }


@contextmanager
def _bars() -> Iterator[Progress]:
    """Download bars on stderr; where that is no terminal, one line a file."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield _tell(bars, console)


def _tell(bars: Any, console: Any) -> Callable[[str, int, int], None]:
    tasks: dict[str, Any] = {}

    def tell(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total)
            if not console.is_terminal:
                console.print(f"fetching {name}, {total / 1e6:.0f} MB", highlight=False)
        bars.update(tasks[name], completed=done)

    return tell


def _print_table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left", box=None)
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    Console().print(table)
