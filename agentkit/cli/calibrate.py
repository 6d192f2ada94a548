"""``agentkit calibrate``: fit an evaluator's score to labelled rows of your own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli.evaluate import lines_of, opened, options_of, progress, reader, size_of
from agentkit.errors import AgentkitError, ConfigError, InputError, StoreError

if TYPE_CHECKING:
    from agentkit.evaluation.labelled import Fitted
    from agentkit.protocols import Evaluator
    from agentkit.statistics import Interval
    from agentkit.types import JSON

_GOOD = frozenset(("true", "1", "yes", "good", "right", "correct", "supported", "да"))
_BAD = frozenset(("false", "0", "no", "bad", "wrong", "incorrect", "unsupported", "contradicted", "not_found", "нет"))


@click.command(name="calibrate")
@click.argument("evaluator")
@click.option(
    "--input", "-i", "source", required=True, metavar="FILE", help="Labelled rows as JSON Lines; - for stdin."
)
@click.option("--output", "-o", "target", required=True, metavar="FILE", help="Where the calibration goes.")
@click.option("--label", default="label", show_default=True, metavar="KEY", help="Where a row says whether it is good.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the evaluator.")
@click.option("--accuracy", default=0.95, show_default=True, help="How many verdicts outside the band must be right.")
@click.option("--confidence", default=0.95, show_default=True, help="How certain that is to hold beyond these rows.")
@click.option("--folds", default=5, show_default=True, help="Parts for cross-validation.")
@click.option("--seed", default=0, show_default=True, help="Draws the parts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
def command(
    evaluator: str,
    source: str,
    target: str,
    label: str,
    options: tuple[str, ...],
    accuracy: float,
    confidence: float,
    folds: int,
    seed: int,
    quiet: bool,
) -> None:
    """Fit the score of EVALUATOR to labelled rows, and find the scores on which it had better not decide.

    A row is one of agentkit evaluate with a label: true or false (also 1 and 0, yes and no, supported and unsupported). The file
    that is written is an option of the evaluator: --option calibration=FILE, in a graph calibration: FILE.
    """
    from random import Random

    from agentkit.evaluation import labelled
    from agentkit.kit import Kit

    if not 0 < accuracy < 1 or not 0 < confidence < 1:
        raise click.BadParameter("--accuracy and --confidence are shares between 0 and 1, such as 0.95")
    with Kit() as kit, ExitStack() as open_files:
        given = options_of(options)
        if "calibration" in given:
            raise ConfigError("calibrate fits the raw score: leave the option calibration out")
        judge = kit.evaluator(evaluator, **given)
        rows = lines_of(open_files.enter_context(opened(source)), source)
        scores, labels, unscored = _scored(judge, rows, label, source=source, quiet=quiet)
    rng = Random(seed)
    found = labelled.fit(scores, labels, rng=rng, accuracy=accuracy, confidence=confidence, folds=folds)
    promise = {"accuracy": accuracy, "confidence": confidence, "rows": found.rows, "unscored": unscored}
    _write(Path(target), {**_plain(found, evaluator), "promise": promise})
    if not quiet:
        _print(found, promise, target)


def _scored(
    judge: Evaluator, rows: Iterable[bytes], key: str, *, source: str, quiet: bool
) -> tuple[list[float], list[bool], int]:
    """The scores and labels of the rows that were scored, and how many were not."""
    from agentkit.evaluation.plain import NotJSONError, parse
    from agentkit.runtime.concurrency import run_sync

    scores, labels, unscored = list[float](), list[bool](), 0
    with progress(source, quiet=quiet) as shown:
        task = shown.add_task("judging", total=size_of(source), state="")
        for number, line in enumerate(rows, 1):
            shown.update(task, advance=len(line))
            if not line.strip():
                continue
            try:
                row = parse(line.removeprefix(b"\xef\xbb\xbf"))
                label = _label(row, key)
                score = run_sync(judge.evaluate(reader(judge)(row)))
            except (NotJSONError, AgentkitError) as error:
                raise InputError(f"{source}:{number}: {error}") from None
            if score.value is None:
                unscored += 1
            else:
                scores.append(score.value)
                labels.append(label)
    return scores, labels, unscored


def _label(row: JSON, key: str) -> bool:
    value = row.get(key) if isinstance(row, dict) else None
    text = str(value).strip().casefold() if isinstance(value, str | int | float) else ""
    if text in ("1.0", "0.0"):
        text = text[0]
    if text not in _GOOD | _BAD:
        raise InputError(f"the row has no {key!r} that says true or false")
    return text in _GOOD


def _plain(found: Fitted, evaluator: str) -> dict[str, Any]:
    from agentkit.evaluation.labelled import SCHEMA

    accept, reject = found.band.accept, found.band.reject
    return {
        "schema": SCHEMA,
        "evaluator": evaluator,
        "knots": [list(knot) for knot in found.knots],
        "accept_from": None if accept is None else max(0.0, accept),
        "reject_to": None if reject is None else min(1.0, reject),
        "cross_validated": {
            "ece_before": found.before,
            "ece_after": found.after,
            "auroc": found.auroc,
            "coverage": _interval(found.coverage),
            "accuracy": found.accuracy and _interval(found.accuracy),
        },
    }


def _interval(one: Interval) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high}


def _write(path: Path, found: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from None


def _print(found: Fitted, promise: Mapping[str, Any], target: str) -> None:
    left = f", {promise['unscored']:,} more were unscored" if promise["unscored"] else ""
    click.echo(f"{found.rows:,} rows, {found.good:,} of them good{left}; AUROC {found.auroc:.3f}")
    click.echo(f"calibration error: {found.before:.3f} as it is, {found.after:.3f} on rows held out from the fit")
    if found.band.accept is None and found.band.reject is None:
        click.echo(
            f"no band: these rows do not show {promise['accuracy']:.0%} accuracy for any scores; one side takes at least "
            f"{found.fewest:,} rows without a mistake"
        )
    else:
        click.echo(
            f"good from {_bound(found.band.accept)} on, bad up to {_bound(found.band.reject)}, no verdict between"
        )
        right = f", {found.accuracy.value:.0%} of them right" if found.accuracy else ""
        shown = f"{found.coverage.value:.0%} (95 % interval {found.coverage.low:.0%} to {found.coverage.high:.0%})"
        click.echo(f"held out: {shown} of rows get a verdict{right}")
        click.echo(
            f"promise: {promise['accuracy']:.0%} right on either side, with {promise['confidence']:.0%} certainty"
        )
    click.echo(f"use it: --option calibration={target}")


def _bound(value: float | None) -> str:
    return "no score" if value is None else f"{min(1.0, max(0.0, value)):.3f}"
