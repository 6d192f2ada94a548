"""``agentkit runs blame``: which node broke a run, tried out by correcting one after another."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from agentkit.graph.blame import Blame, Experiment, Trial
    from agentkit.kit import Kit
    from agentkit.protocols import Evaluator


@click.command(name="blame")
@click.argument("run")
@click.option("--target", metavar="TEXT", help="What the run should have come to.")
@click.option("--output", "name", metavar="NAME", help="The output that is judged. [default: the only one]")
@click.option("--evaluator", default="answer_match", show_default=True, help="What judges the output.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the evaluator.")
@click.option(
    "--correct",
    "corrections",
    multiple=True,
    metavar="NODE.OUTPUT=VALUE",
    help="What a node should have put out; NODE:2 is its third visit.",
)
@click.option("--try-model", "others", multiple=True, metavar="NAME=SPEC", help="Correct suspects with this model.")
@click.option(
    "--try", "changes", multiple=True, metavar="PATH=VALUE", help="Correct suspects with this value in the graph."
)
@click.option("--suspects", "most", default=3, show_default=True, help="How many suspects to try, without --correct.")
@click.option("--repeats", default=3, show_default=True, help="Runs with each correction, and as many without.")
@click.option("--seed", default=1, show_default=True, help="The first of their seeds.")
@click.option("--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="A model that the run was given.")
@click.option("--home", type=click.Path(path_type=Path), help="Where indexes and runs live. [default: .agentkit]")
@click.option("--store", metavar="URL", help="Where runs are kept instead: postgresql://user@host/database.")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def command(
    run: str,
    target: str | None,
    name: str | None,
    evaluator: str,
    options: tuple[str, ...],
    corrections: tuple[str, ...],
    others: tuple[str, ...],
    changes: tuple[str, ...],
    most: int,
    repeats: int,
    seed: int,
    models: tuple[str, ...],
    home: Path | None,
    store: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Correct suspected nodes of RUN one after another, run the rest again, and say which correction makes the end come right.

    Each correction is tried --repeats times beside as many runs that keep the node's own output. All of them are recorded.
    """
    from agentkit.cli.run import split
    from agentkit.graph.blame import Experiment
    from agentkit.kit import Kit

    ended: list[Trial] = []
    with Kit(home=home, store=store) as kit, _progress(quiet) as progress:
        task = progress.add_task("trying", total=None, state="")
        experiment = Experiment(
            right=_judge(kit, run, evaluator, _values(split(options, "--option")), name, target),
            corrections=_corrections(corrections),
            models=split(others, "--try-model"),
            changes=_values(split(changes, "--try")),
            most=most,
            repeats=repeats,
            seed=seed,
            given=split(models, "--model"),
            tell=lambda done, total, what: progress.update(task, completed=done, total=total, state=what),
            hear=ended.append,
        )
        stopped = _stopped(kit, run, experiment)
    _tell(run, ended, as_json=as_json, stopped=stopped)


def _stopped(kit: Kit, run: str, experiment: Experiment) -> bool:
    """Whether Ctrl-C ended the experiment; the trials that had ended were heard of."""
    from agentkit.graph.blame import blame
    from agentkit.runtime.concurrency import run_sync

    try:
        run_sync(blame(kit.runs, run, experiment))
    except KeyboardInterrupt:
        return True
    return False


def _judge(
    kit: Kit, run: str, evaluator: str, options: Mapping[str, Any], name: str | None, target: str | None
) -> Callable[[Mapping[str, Any]], Awaitable[bool]]:
    """Whether the evaluator gives the run's output at least a half."""
    from agentkit.types import Record

    judge: Evaluator = kit.evaluator(evaluator, **options)
    inputs = kit.runs.store.read(run).inputs
    question = next((value for value in inputs.values() if isinstance(value, str)), None)

    async def right(output: Mapping[str, Any]) -> bool:
        score = await judge.evaluate(Record(input=question, output=_judged(output, name), target=target))
        if score.value is None and score.status == "unscored" and output:
            raise InputError(f"{evaluator} cannot judge the output: {score.reason}")
        return score.value is not None and score.value >= 0.5

    return right


def _judged(output: Mapping[str, Any], name: str | None) -> Any:
    if name is not None:
        return output.get(name)
    if len(output) > 1:
        raise InputError(f"the graph has several outputs ({', '.join(output)}): name the one to judge with --output")
    return next(iter(output.values()), None)


def _corrections(pairs: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    from agentkit.cli.run import split

    found: dict[str, dict[str, Any]] = {}
    for path, value in split(pairs, "--correct").items():
        visit, dot, output = path.rpartition(".")
        if not dot or not visit or not output:
            raise InputError(f"--correct takes NODE.OUTPUT=VALUE, not {path!r}")
        found.setdefault(visit, {})[output] = _parsed(value)
    return found


def _values(pairs: Mapping[str, str]) -> dict[str, Any]:
    return {path: _parsed(value) for path, value in pairs.items()}


def _parsed(text: str) -> Any:
    """A value as JSON where it is some, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _data(found: Blame) -> dict[str, Any]:
    decisive = found.decisive
    return {
        "run": found.run,
        "decisive": decisive and {"node": decisive.suspect.node, "visit": decisive.suspect.visit},
        "trials": [_trial(one) for one in found.trials],
    }


def _trial(one: Trial) -> dict[str, Any]:
    shares = {"corrected": one.cured, "kept": one.luck}
    return {
        "node": one.suspect.node,
        "visit": one.suspect.visit,
        "suspicion": round(one.suspect.chance, 4),
        "flips": one.flips,
        **{name: {"share": x.value, "low": x.low, "high": x.high, "runs": x.n} for name, x in shares.items()},
        "outputs": one.outputs,
        "runs": list(one.runs),
        "errors": list(one.errors),
    }


def _tell(run: str, trials: Sequence[Trial], *, as_json: bool, stopped: bool) -> None:
    from agentkit.graph.blame import Blame

    found = Blame(run=run, trials=tuple(trials))
    click.echo(json.dumps(_data(found), indent=2, ensure_ascii=False)) if as_json else _print(found)
    if stopped:
        click.echo("interrupted: these are the suspects tried so far", err=True)
        raise click.exceptions.Exit(130)


def _print(found: Blame) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for heading in ("node", "suspicion", "right when corrected", "right as it was", "flips the outcome"):
        table.add_column(heading)
    for one in found.trials:
        cells = (f"{one.suspect.chance:.2f}", str(one.cured), str(one.luck), "yes" if one.flips else "no")
        table.add_row(one.suspect.label, *cells)
    console = Console()
    console.print(table)
    for error in dict.fromkeys(error for one in found.trials for error in one.errors):
        console.print(f"a run failed and counts as wrong: {error}", markup=False, highlight=False)
    decisive = found.decisive
    told = (
        f"{decisive.suspect.label} broke the run" if decisive else "none of these corrections makes the run come right"
    )
    console.print(told, markup=False, highlight=False)


def _progress(quiet: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True, quiet=quiet)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} {task.fields[state]}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
