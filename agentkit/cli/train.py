"""``agentkit train``: a verifier from recorded right and wrong answers, and a prompt of vectors from examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli.evaluate import lines_of, opened
from agentkit.cli.soft_prompt import command as soft_prompt
from agentkit.errors import AgentkitError, EvaluationError, InputError

if TYPE_CHECKING:
    from agentkit.answers import Kind
    from agentkit.evaluation.verifying import Answered, Fit, Verified
    from agentkit.models.torch_engine import TorchModel
    from agentkit.models.verifier import Head


@click.group(name="train")
def command() -> None:
    """Train what a local model in torch can use (needs the extra torch)."""


command.add_command(soft_prompt)


@command.command(name="verifier")
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--model", "-m", "folder", required=True, metavar="FOLDER", help="Weights in the Hugging Face form.")
@click.option("--output", "-o", "target", required=True, type=click.Path(path_type=Path), help="Where it goes.")
@click.option("--kind", default="auto", show_default=True, help="What the answers are, where rows have a gold answer.")
@click.option("--layer", default=-1, show_default=True, help="Whose hidden states are read; -1 is the last.")
@click.option("--folds", default=5, show_default=True, help="Parts for cross-validation, of whole questions.")
@click.option("--seed", default=0, show_default=True, help="Draws the parts.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no report.")
def verifier(
    files: tuple[str, ...],
    folder: str,
    target: Path,
    kind: Kind,
    layer: int,
    folds: int,
    seed: int,
    device: str,
    quiet: bool,
) -> None:
    """Train a verifier on the recorded answers in FILES: how likely is an answer right, from what the model makes of it?

    A row is {"question", "answer", "right": true or false}, or a pool's {"question", "answers": [...], "gold"}, whose answers are
    judged by comparing. The report is from questions held out. Ctrl-C keeps what was read; the same command goes on.
    """
    from agentkit.evaluation import verifying
    from agentkit.models.torch_engine import TorchModel

    rows = _rows(files, kind)
    loaded = TorchModel(folder, device=device, dtype="float32")
    features = _features(rows, loaded, layer, target, quiet=quiet)
    found = verifying.cross_validate(rows, _trainer(rows, features), rng=Random(seed), folds=folds, kind=kind)
    _head(rows, features, found, folder, layer).save(target)
    _kept(target).unlink(missing_ok=True)
    if not quiet:
        _print(rows, found, target)


def _rows(files: Iterable[str], kind: Kind) -> list[Answered]:
    from agentkit.evaluation.plain import NotJSONError, parse
    from agentkit.evaluation.verifying import answered

    rows: list[Answered] = []
    for source in files:
        with ExitStack() as open_files:
            for number, line in enumerate(lines_of(open_files.enter_context(opened(source)), source), 1):
                if not line.strip():
                    continue
                try:
                    rows += answered(parse(line.removeprefix(b"\xef\xbb\xbf")), kind)
                except (NotJSONError, AgentkitError) as error:
                    raise InputError(f"{source}:{number}: {error}") from None
    if not rows:
        raise EvaluationError(f"{', '.join(files)}: no answers to learn from")
    return rows


def _kept(target: Path) -> Path:
    return target.with_name(f"{target.name}.features")


def _features(
    rows: list[Answered], loaded: TorchModel, layer: int, target: Path, *, quiet: bool
) -> list[tuple[float, ...]]:
    """The features of every row; each is kept on disk as it comes, so that an interrupted command goes on."""
    from rich.console import Console
    from rich.progress import Progress

    from agentkit.evaluation.kept_features import KeptFeatures

    with KeptFeatures(_kept(target)) as kept, Progress(console=Console(stderr=True, quiet=quiet)) as shown:
        task = shown.add_task("reading answers", total=len(rows))
        found = []
        for row in rows:
            key = json.dumps([loaded.source, layer, row.question, row.answer])
            found.append(kept.get(key, _reader(loaded, row, layer)))
            shown.advance(task)
    return found


def _reader(loaded: TorchModel, row: Answered, layer: int) -> Callable[[], list[float]]:
    from agentkit.models.verifier import features
    from agentkit.types import Message

    def read() -> list[float]:
        asked = (Message("user", row.question),)
        tokens = loaded.tokens((*asked, Message("assistant", row.answer)))
        if len(tokens) > loaded.room:
            raise InputError(f"an answer of {len(tokens)} tokens does not fit the model's context of {loaded.room}")
        return features(loaded.hidden(tokens, layer=layer), len(loaded.tokens(asked)))

    return read


def _trainer(rows: list[Answered], features: list[tuple[float, ...]]) -> Fit:
    from agentkit.models.torch_training import fit_line
    from agentkit.models.verifier import Head

    def train(known: Any, penalty: float) -> Callable[[int], float]:
        line = fit_line([features[place] for place in known], [rows[place].right for place in known], penalty=penalty)
        head = Head(model="", layer=0, weights=line.weights, bias=line.bias, knots=((0.0, 0.0), (1.0, 1.0)))
        return lambda place: head.raw(features[place])

    return train


def _head(rows: list[Answered], features: list[tuple[float, ...]], found: Verified, folder: str, layer: int) -> Head:
    from agentkit.models.torch_training import fit_line
    from agentkit.models.verifier import Head

    line = fit_line(features, [row.right for row in rows], penalty=found.penalty)
    report = {"answers": len(rows), "questions": found.questions, "penalty": found.penalty, **_figures(found)}
    return Head(
        model=folder,
        layer=layer,
        weights=line.weights,
        bias=line.bias,
        knots=found.fitted.knots,
        report=report,
    )


def _figures(found: Verified) -> dict[str, Any]:
    fitted = found.fitted
    choices = {
        one.name: {
            "accuracy": [one.accuracy.value, one.accuracy.low, one.accuracy.high],
            "over_majority": [one.over_majority.value, one.over_majority.low, one.over_majority.high],
        }
        for one in found.choices
    }
    return {"auroc": fitted.auroc, "ece_before": fitted.before, "ece_after": fitted.after, "choices": choices}


def _print(rows: list[Answered], found: Verified, target: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    right, fitted = sum(row.right for row in rows), found.fitted
    click.echo(
        f"{len(rows):,} answers to {found.questions:,} questions, {right:,} of them right; held out by question:"
    )
    click.echo(f"AUROC {fitted.auroc:.3f}; calibration error {fitted.before:.3f} raw, {fitted.after:.3f} calibrated")
    if found.choices:
        table = Table("choose", "right", "95 % interval", "over the majority", "95 % interval")
        for one in found.choices:
            lead, share = one.over_majority, one.accuracy
            low, high = f"{100 * share.low:.1f}", f"{100 * share.high:.1f}"
            gain = f"{100 * lead.value:+.1f}", f"{100 * lead.low:+.1f} to {100 * lead.high:+.1f}"
            table.add_row(one.name, f"{100 * share.value:.1f} %", f"{low} to {high}", *gain)
        Console().print(table)
    click.echo(f"use it: the evaluator verifier with head: {target}")
