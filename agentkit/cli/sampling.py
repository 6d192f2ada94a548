"""``agentkit sampling``: which stopping rule would have paid on samples already recorded?"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from agentkit.strategies.pools import Outcome, Pooled

_RULES = ("full", "certain", "regret", "paired", "beta", "dirichlet", "esc")
_ALONE = ("full", "regret", "beta")
_Row = tuple[str, list[str | None], str | None]  # name, texts, gold
_Asked = tuple[str, list[list[str | None]], str | None]  # the same with the texts of every prompt
_KINDS = ("auto", "number", "quantity", "date", "choice", "set", "math", "yes_no", "text")


@click.command(name="sampling")
@click.argument("pools", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(_KINDS), default="auto", show_default=True, help="What the answers are.")
@click.option(
    "--convention", type=click.Choice(["us", "eu"]), default="us", show_default=True, help="How 05/01 and 1,234 read."
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the rules that can be tuned.")
@click.option("--tolerance", type=float, default=0.1, show_default=True, help="Points of accuracy that may be lost.")
@click.option(
    "--budget",
    type=click.FloatRange(0, min_open=True),
    help="Show also what a hard budget of so many samples a question, shared by all questions, comes to.",
)
@click.option(
    "--alternate",
    is_flag=True,
    help="The POOLs are of different prompts for the same questions (by id): let their samples take turns.",
)
@click.option(
    "--orders", type=click.IntRange(1), default=40, show_default=True, help="Random orders of each question's samples."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the orders and intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def command(
    pools: tuple[Path, ...],
    kind: Any,
    convention: Any,
    confidence: float,
    tolerance: float,
    budget: float | None,
    alternate: bool,
    orders: int,
    seed: int,
    as_json: bool,
) -> None:
    """Replay recorded samples under every stopping rule, and recommend the cheapest that keeps the accuracy.

    A POOL is a JSON Lines file (.gz or not): {"id": ..., "gold": ..., "answers": [...]} a line. Answers may be whole
    completions; null is one that could not be read. Without gold, accuracy is agreement with the vote over all samples.
    With --alternate every rule is shown on the samples in turns, and the main ones on each pool alone.
    """
    from agentkit.strategies import pools as replays
    from agentkit.strategies.allocation import measure_allocation

    recorded = {path: list(_rows(path)) for path in pools}
    read = partial(_questions, kind=kind, convention=convention)
    measured = partial(_outcomes, confidence=confidence, orders=orders, seed=seed)
    questions = read(_turns(recorded) if alternate else _one_after_another(recorded))
    outcomes = measured(questions, _RULES)
    best = replays.cheapest(outcomes, outcomes[0], tolerance=tolerance / 100)
    if budget is not None:
        outcomes.append(measure_allocation(questions, budget, orders=orders, seed=seed))
    report = _report(questions, outcomes, seed) | {"default": replays.DEFAULT, "recommended": best.rule}
    if alternate:
        asked = {one.id for one in questions}
        for path, rows in recorded.items():
            alone = measured(read([(name, [texts], gold) for name, texts, gold in rows if name in asked]), _ALONE)
            report["rules"] += [{**_rule(one, alone[0], seed), "pool": path.name} for one in alone]
    click.echo(json.dumps(report, indent=2)) if as_json else _print(report, tolerance)


def _outcomes(
    questions: Sequence[Pooled], names: Sequence[str], *, confidence: float, orders: int, seed: int
) -> list[Outcome]:
    from agentkit.strategies import stopping
    from agentkit.strategies.pools import measure

    rules = {name: stopping.rule("fixed" if name == "full" else name, confidence=confidence) for name in names}
    return [measure(questions, rule, name, orders=orders, seed=seed) for name, rule in rules.items()]


def _questions(rows: Iterable[_Asked], *, kind: Any, convention: Any) -> list[Pooled]:
    from agentkit.strategies.pools import pooled

    return [
        pooled(
            name,
            [one for texts in prompts for one in texts],
            gold,
            kind,
            convention=convention,
            parts=tuple(map(len, prompts)) if len(prompts) > 1 else (),
        )
        for name, prompts, gold in rows
    ]


def _one_after_another(recorded: Mapping[Path, Sequence[_Row]]) -> list[_Asked]:
    return [
        (f"{path.name}:{number}:{name}", [texts], gold)
        for path, rows in recorded.items()
        for number, (name, texts, gold) in enumerate(rows, 1)
    ]


def _turns(recorded: Mapping[Path, Sequence[_Row]]) -> list[_Asked]:
    """The questions that every pool has, each with its samples by pool; raises ``InputError`` where there are none."""
    from agentkit.errors import InputError

    by_name = [{name: (texts, gold) for name, texts, gold in rows} for rows in recorded.values()]
    if len(by_name) < 2:
        raise InputError("--alternate takes two pools or more: samples of different prompts for the same questions")
    shared = [name for name in by_name[0] if all(name in other for other in by_name)]
    if not shared:
        raise InputError("--alternate: the pools have no question in common; questions are the same when their ids are")
    return [(name, [pool[name][0] for pool in by_name], by_name[0][name][1]) for name in shared]


def _rows(path: Path) -> Iterator[_Row]:
    """(id, texts, gold) of each question; raises ``InputError`` naming the line that is not one."""
    from agentkit.errors import InputError

    if not path.is_file():
        raise InputError(f"{path}: no such file; give a JSON Lines file of recorded samples")
    found = 0
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            found += 1
            yield _row(line, f"{path}:{number}")
    if not found:
        raise InputError(f"{path} holds no questions")


def _lines(path: Path) -> Iterator[str]:
    from agentkit.errors import InputError

    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _row(line: str, where: str) -> _Row:
    from agentkit.errors import InputError

    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    answers = row.get("answers", row.get("texts")) if isinstance(row, dict) else None
    if not isinstance(answers, list):
        raise InputError(f'{where}: a question is {{"id": ..., "gold": ..., "answers": [...]}}')
    gold = row.get("gold")
    return str(row.get("id", "")), [_text(one) for one in answers], _text(gold)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _report(questions: Sequence[Pooled], outcomes: Sequence[Outcome], seed: int) -> dict[str, Any]:
    return {"questions": len(questions), "rules": [_rule(one, outcomes[0], seed) for one in outcomes]}


def _rule(one: Outcome, full: Outcome, seed: int) -> dict[str, Any]:
    accuracy, samples, loss = one.accuracy(seed=seed), one.samples(seed=seed), one.loss(full, seed=seed)
    return {
        "rule": one.rule,
        "accuracy": accuracy.value,
        "accuracy_95": [accuracy.low, accuracy.high],
        "loss": loss.value,
        "loss_95": [loss.low, loss.high],
        "mean_samples": samples.value,
        "mean_samples_95": [samples.low, samples.high],
        "saving": one.saving(full),
    }


def _print(report: dict[str, Any], tolerance: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", box=None)
    for heading in ("accuracy", "95 %", "samples", "95 %", "saved"):
        table.add_column(heading, justify="right")
    for row in report["rules"]:
        name = row["rule"] + (" (default)" if row["rule"] == report["default"] and "pool" not in row else "")
        name += f", {row['pool']} alone" if "pool" in row else ""
        low, high = row["accuracy_95"]
        fewest, most = row["mean_samples_95"]
        table.add_row(
            name,
            f"{100 * row['accuracy']:.2f}",
            f"{100 * low:.1f}-{100 * high:.1f}",
            f"{row['mean_samples']:.2f}",
            f"{fewest:.1f}-{most:.1f}",
            f"{100 * row['saving']:.0f} %",
        )
    console = Console()
    console.print(f"{report['questions']} questions")
    console.print(table)
    console.print(f"cheapest within {tolerance:g} points of the full vote: {report['recommended']}")
