"""``agentkit eval``: run a suite over its data set, or compare two results; figures with intervals, rows kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import InputError, StoreError, did_you_mean

if TYPE_CHECKING:
    from agentkit.cli.tally import Tally
    from agentkit.evaluation import Evaluation, Report, Suite
    from agentkit.evaluation.suite import Use, Written
    from agentkit.graph import Graph
    from agentkit.kit import Kit
    from agentkit.protocols import Model


class _Suites(click.Group):
    """``eval SUITE`` is the command; only ``compare`` is a word of its own (a suite of that name is ``./compare``)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Everything but ``compare`` is for ``SUITE``."""
        return super().parse_args(ctx, args if args[:1] == ["compare"] else ["SUITE", *args])


class _Suite(click.Command):
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The word ``SUITE`` stands in the command's path already."""
        return [self.options_metavar or ""]


@click.group(name="eval", cls=_Suites)
def command() -> None:
    """Run a suite over a data set and print a table with intervals."""


@command.command(name="SUITE", cls=_Suite)
@click.argument("path", type=click.Path(path_type=Path), metavar="SUITE")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N records.")
@click.option("--repeats", type=click.IntRange(min=1), metavar="N", help="Run each record N times.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="At most N records in flight.")
@click.option("--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="Use another model under this name.")
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="DIR", help="Where the results are kept.")
@click.option("--fresh", is_flag=True, help="Start over; the old results are kept beside the new.")
@click.option("--retry-errors", is_flag=True, help="Run failed rows again.")
@click.option("--min", "least", multiple=True, metavar="METRIC=X", help="Exit with 1 when a metric is below X.")
@click.option("--home", type=click.Path(path_type=Path), help="Where indexes and results live. [default: .agentkit]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as data.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def run(path: Path, home: Path | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Run SUITE (a suite.yaml or its folder) over its data set and print a table with counts and 95 % intervals.

    Rows are kept as they come: the same command goes on where an interrupted one ended. The exit code is 1 when more
    records fail than the suite tolerates, or a --min is missed.

    agentkit eval compare BEFORE AFTER tells whether the difference between two results is more than luck.
    """
    from agentkit.cli.tally import Tally
    from agentkit.evaluation import load_suite
    from agentkit.kit import Kit

    wanted, tally = Wanted.of(**options), Tally(quiet=quiet)
    with Kit(home=home, progress=tally.download) as kit:
        suite = wanted.applied(load_suite(path, registry=kit.registry, root=Path.cwd()))
        folder = wanted.output or kit.home / "evals" / suite.name
        report = _run(kit, suite, wanted.evaluation(suite, folder, tally), tally)
    _write(report, folder)
    _show(report, as_json=as_json)
    _judge(report, suite, wanted.least)


@command.command(name="compare")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as data.")
def compare(before: Path, after: Path, as_json: bool) -> None:
    """Compare two results (their folders or files) record by record: is AFTER better than BEFORE, or is it luck?"""
    from agentkit.evaluation import compare as comparison
    from agentkit.evaluation import read_results

    found = comparison.compare(read_results(before), read_results(after))
    click.echo(json.dumps(comparison.as_json(found), indent=2) if as_json else str(found))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line says beside the suite file."""

    limit: int | None
    repeats: int | None
    concurrency: int | None
    models: Mapping[str, str]
    output: Path | None
    fresh: bool
    retry_errors: bool
    least: Mapping[str, float]

    @classmethod
    def of(cls, *, models: Iterable[str], least: Iterable[str], **options: Any) -> Wanted:
        """The options parsed; raises ``click.UsageError`` for a pair that is none."""
        bounds = {name: _number(name, text) for name, text in _pairs(least, "--min").items()}
        return cls(models=_pairs(models, "--model"), least=bounds, **options)

    def applied(self, suite: Suite) -> Suite:
        """The suite with these settings; raises ``InputError`` for a model or metric that it has not."""
        settings = {name: getattr(self, name) for name in ("limit", "repeats", "concurrency") if getattr(self, name)}
        suite = replace(suite, **settings)
        metrics = [
            "accuracy",
            *(judge.label for judge in suite.judges),
            *(f"pass{mark}{suite.repeats}" for mark in "@^"),
        ]
        for name in self.least.keys() - set(metrics):
            raise InputError(
                f"--min: there is no metric {name!r}{did_you_mean(name, metrics)} (known: {', '.join(metrics)})"
            )
        if suite.strategy is None:
            return replace(suite, models={**suite.models, **self.models})
        for name in self.models.keys() - {"model", *suite.models}:
            raise InputError(
                f"--model: {suite.name} has no model {name!r}{did_you_mean(name, ['model', *suite.models])}"
            )
        others = {name: spec for name, spec in self.models.items() if name != "model"}
        return replace(suite, model=self.models.get("model", suite.model), models={**suite.models, **others})

    def evaluation(self, suite: Suite, folder: Path, tally: Tally) -> Evaluation:
        """How it is run."""
        from agentkit.evaluation import Evaluation

        return Evaluation(
            **suite.settings,
            folder=folder,
            fresh=self.fresh,
            retry_errors=self.retry_errors,
            emit=tally.see,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _run(kit: Kit, suite: Suite, evaluation: Evaluation, tally: Tally) -> Report:
    from agentkit.runtime.concurrency import run_sync

    try:
        with tally:
            return run_sync(_evaluate(kit, suite, evaluation))
    except KeyboardInterrupt:
        kept = f"{tally.done:,} of {tally.total:,} rows are kept in {evaluation.folder}"
        click.echo(f"interrupted; {kept}: the same command goes on from there", err=True)
        raise click.exceptions.Exit(130) from None


async def _evaluate(kit: Kit, suite: Suite, evaluation: Evaluation) -> Report:
    from agentkit.evaluation import load_dataset

    dataset = load_dataset(suite.path(suite.dataset), columns=suite.columns)
    async with AsyncExitStack() as opened:
        parts = Parts(kit, suite, opened)
        evaluators = {judge.label: await parts.component("evaluator", judge) for judge in suite.judges}
        task = await parts.task()
        parts.check_all_used()
        return await evaluation.run(task, dataset, evaluators)


@dataclass(frozen=True)
class Parts:
    """Makes what a suite names; models stay open until ``opened`` closes."""

    kit: Kit
    suite: Suite
    opened: AsyncExitStack
    used: set[str] = field(default_factory=set)

    async def task(self) -> Any:
        """The graph, or the strategy with its model."""
        from agentkit.evaluation import StrategyTask

        solver, model = self.suite.solver, self.suite.model
        if solver is None or model is None:
            return self._graph()
        strategy = await self.component("strategy", solver)
        return StrategyTask(strategy=strategy, model=await self._open(model))

    def check_all_used(self) -> None:
        """Raise ``InputError`` for a model of the suite that neither the graph nor a component asked for."""
        for name in self.suite.models.keys() - self.used:
            raise InputError(f"{self.suite.name}: nothing asks for the model {name!r}; remove it from 'models'")

    async def component(self, kind: str, use: Use) -> Any:
        """The component, the model names among its options turned into models of the suite."""
        from agentkit.options import build, fields

        component = self.kit.registry.get(kind, use.name)
        named = [name for name, one in fields(component.factory).items() if one.model and name in use.options]
        models = {str(use.options[name]): await self._model(str(use.options[name])) for name in named}
        return build(component, use.options, provided=self.kit.provided, models=models)

    async def _model(self, name: str) -> Model:
        self.used.add(name)
        if name not in self.suite.models:
            raise InputError(
                f"{self.suite.name} has no model {name!r}{did_you_mean(name, self.suite.models)}: add it to 'models'"
            )
        return await self._open(self.suite.models[name])

    async def _open(self, written: Written) -> Model:
        from agentkit.evaluation.suite import with_secrets

        return await self.opened.enter_async_context(self.kit.model(with_secrets(written, os.environ)))

    def _graph(self) -> Graph:
        """The graph with those of its models replaced that the suite names."""
        path = self.suite.path(str(self.suite.graph))
        replaced = self.suite.models.keys() & self.kit.graph(path).spec.models.keys()
        self.used.update(replaced)
        return self.kit.graph(path, models={name: self.suite.models[name] for name in replaced})


def _write(report: Report, folder: Path) -> None:
    """The report beside its rows, for programs and for pages."""
    from agentkit.evaluation.report import as_json, as_markdown

    try:
        (folder / "report.json").write_text(json.dumps(as_json(report), indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"the report cannot be written to {folder}: {error.strerror}; the rows are kept") from None


def _show(report: Report, *, as_json: bool) -> None:
    from agentkit.evaluation.report import as_json as data

    if as_json:
        click.echo(json.dumps(data(report), indent=2))
    else:
        click.echo(f"{report}\nresults: {report.path}")


def _judge(report: Report, suite: Suite, least: Mapping[str, float]) -> None:
    """Exit with 1 when too much failed or a figure is too low, and say which."""
    complaints = [
        f"{name} is {_figure(report, name)}, below {bound:g}"
        for name, bound in least.items()
        if (found := report.metrics[name].interval) is None or found.value < bound
    ]
    if report.too_many_errors(suite.fail_on_error):
        complaints.append(
            f"{len(report.failed):,} of {len(report.rows):,} rows failed (fail_on_error: {suite.fail_on_error})"
        )
    for complaint in complaints:
        click.echo(f"failed: {complaint}", err=True)
    if complaints:
        raise click.exceptions.Exit(1)


def _figure(report: Report, name: str) -> str:
    found = report.metrics[name].interval
    return "unknown" if found is None else f"{found.value:.3f}"


def _pairs(pairs: Iterable[str], option: str) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option} takes NAME=VALUE, not {pair!r}")
        found[name] = value
    return found


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--min {name} needs a number, not {text!r}") from None
