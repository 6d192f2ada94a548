"""``agentkit models calibrate``: the thresholds of a cascade that keep a promised loss."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from agentkit.evaluation.cascade import Answers, Tried


@click.command(name="calibrate")
@click.argument("rows", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--models", required=True, metavar="CHEAP,...,STRONG", help="The models, the cheapest first.")
@click.option("--loss", default=0.02, show_default=True, help="The accuracy that may be lost, as a share.")
@click.option("--confidence", default=0.95, show_default=True, help="How certain that is to hold beyond these rows.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def command(rows: Path, models: str, loss: float, confidence: float, as_json: bool) -> None:
    """Choose the thresholds of a cascade from recorded answers, so that the loss of accuracy stays within its promise.

    ROWS is a JSON Lines file (.gz or not), a question a line:
    {"id": ..., "models": {"NAME": {"correct": true, "confidence": 0.93, "usd": 0.0004}, ...}}.
    In place of confidence, logprob is the mean log-probability of the answer's tokens.
    """
    from agentkit.evaluation import cascade

    _check(loss, confidence)
    names = [name.strip() for name in models.split(",") if name.strip()]
    recorded = list(read(rows))
    thresholds = cascade.calibrate(recorded, names, loss=loss, confidence=confidence)
    tried = cascade.measure(recorded, names, thresholds)
    promise = {"loss": loss, "confidence": confidence, "rows": len(recorded)}
    report = {"models": names, "thresholds": list(thresholds), "promise": promise, "on_these_rows": figures(tried)}
    click.echo(json.dumps(report, indent=2)) if as_json else _print(report, tried)


def read(path: Path) -> Iterator[Answers]:
    """The recorded rows of a file; raises ``InputError`` with the line that is not one."""
    from agentkit.errors import InputError

    if not path.is_file():
        raise InputError(f"{path}: no such file; give a JSON Lines file of recorded answers")
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _row(line, f"{path}:{number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def figures(tried: Tried) -> dict[str, Any]:
    """The measured cascade as data."""
    values = {"accuracy": tried.accuracy, "loss": tried.loss, "saving": tried.saving}
    return {"shares": list(tried.shares), **{name: [one.value, one.low, one.high] for name, one in values.items()}}


def _check(loss: float, confidence: float) -> None:
    if not 0 < loss < 1 or not 0 < confidence < 1:
        raise click.BadParameter("--loss and --confidence are shares between 0 and 1, such as 0.02 and 0.95")


def _row(line: str, where: str) -> Answers:
    from agentkit.errors import InputError

    try:
        row = json.loads(line)
        return {name: _answered(one) for name, one in (row.get("models") or row["m"]).items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        form = '{"models": {"NAME": {"correct": true, "confidence": 0.9, "usd": 0.001}}}'
        raise InputError(f"{where}: a row is {form}") from None


def _answered(one: Mapping[str, Any]) -> Any:
    from agentkit.evaluation.cascade import Answered

    log = one.get("logprob", one.get("logconf"))
    confidence = one["confidence"] if log is None else math.exp(min(0.0, float(log)))
    if not 0 <= float(confidence) <= 1:
        raise ValueError("a confidence lies between 0 and 1")
    return Answered(
        correct=bool(one["correct"] if "correct" in one else one["ok"]),
        confidence=float(confidence),
        usd=float(one.get("usd") or 0.0),
    )


def _print(report: Mapping[str, Any], tried: Tried) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("model", box=None)
    for heading in ("accept from", "answers"):
        table.add_column(heading, justify="right")
    for model, threshold, share in zip(report["models"], [*report["thresholds"], 0.0], tried.shares, strict=True):
        table.add_row(model, "never" if threshold is None else f"{threshold:.6g}", f"{share:.0%}")
    console, promise = Console(), report["promise"]
    console.print(table)
    for name, one in (("loss of accuracy", tried.loss), ("saving", tried.saving)):
        console.print(f"{name} on these rows: {one.value:.1%} (95 % interval {one.low:.1%} to {one.high:.1%})")
    console.print(
        f"promise: a loss of at most {promise['loss']:.1%} on rows like these {promise['rows']}, "
        f"with {promise['confidence']:.0%} certainty"
    )
    if None in report["thresholds"] or tried.saving.value <= 0:
        console.print("this cascade does not pay: ask the strongest model alone, or allow a larger loss")
        return
    written = ", ".join(f"{one:.6g}" for one in report["thresholds"])
    console.print(f"in the graph file: threshold: [{written}], signal: logprob (or whatever the confidence came from)")
