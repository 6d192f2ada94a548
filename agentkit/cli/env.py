"""``agentkit env``: list environments, show a task of one, and let a graph play it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from agentkit.evaluation.episode_rows import Rows, Setting
    from agentkit.graph import Graph
    from agentkit.protocols import Environment

_OPTION = click.option(
    "--option", "-o", "options", multiple=True, metavar="KEY=VALUE", help="An option of the environment."
)
_SEED = click.option("--seed", type=int, default=0, show_default=True, help="The first episode; the others follow it.")


@click.group(name="env")
def command() -> None:
    """Play environments: worlds to act in, with an exact verdict at every step."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def list_environments(as_json: bool) -> None:
    """List the environments and their options."""
    from agentkit.kit import Kit

    with Kit() as kit:
        rows = [_row(kit, name) for name in kit.registry.names("environment")]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['name']:18} {row['about']}")
        click.echo(f"{'':18} " + ", ".join(f"{key}={json.dumps(value)}" for key, value in row["options"].items()))


@command.command(name="show")
@click.argument("name")
@_OPTION
@_SEED
@click.option("--solution", is_flag=True, help="Show a run that solves it, with the state after every step.")
@click.option("--inject", metavar="KIND@STEP", help="Show that run with an error of this kind at this step (from 0).")
def show(name: str, options: tuple[str, ...], seed: int, solution: bool, inject: str | None) -> None:
    """Show the task of one episode of the environment NAME, as a player sees it."""
    from agentkit.kit import Kit

    with Kit() as kit:
        environment = kit.environment(name, **_parsed(options))
        episode = environment.start(seed)
        click.echo(f"{episode.task}\n\n{episode.observe()}")
        if inject:
            _walk(environment, seed, _injected(environment, seed, inject))
        elif solution:
            _walk(environment, seed, tuple(environment.solve(seed)))
        else:
            click.echo(f"\nerrors that can be planted: {', '.join(environment.errors)}")


@command.command(name="run")
@click.argument("name")
@click.option("--graph", "file", required=True, type=click.Path(path_type=Path), help="The graph that plays.")
@click.option("--episodes", "-n", type=click.IntRange(1), default=10, show_default=True, help="How many.")
@_SEED
@_OPTION
@click.option(
    "--mode",
    type=click.Choice(["plan", "steps", "tools"]),
    default="steps",
    show_default=True,
    help="A whole plan in one answer, an answer for each step, or the actions as tools of an agent.",
)
@click.option("--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="Use another model under this name.")
@click.option(
    "--answer", default="", metavar="OUTPUT", help="The output to read. [default: action, plan, answer or text]"
)
@click.option("--stop-at-error", is_flag=True, help="End an episode at its first wrong step.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where rows go. [default: under the home]"
)
@click.option("--fresh", is_flag=True, help="Write the output anew instead of going on where it ends.")
@click.option("--home", type=click.Path(path_type=Path), help="Where results live. [default: .agentkit]")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def run(name: str, file: Path, options: tuple[str, ...], models: tuple[str, ...], **how: Any) -> None:
    """Let a graph play episodes of the environment NAME; every action is judged as it is taken.

    The graph takes an input "question" (all that matters in one text) or "task", and as it likes "observation", "actions",
    "history", "step". In the mode tools an agent of it has "tools: [environment]". A row is written for every episode; run again,
    episodes that are there are not played again. agentkit horizon reads the rows of several runs side by side.
    """
    from agentkit.cli.run import split
    from agentkit.evaluation.episode_rows import Rows, Setting, summary
    from agentkit.kit import Kit

    with Kit(home=how["home"]) as kit:
        chosen = _parsed(options)
        environment = kit.environment(name, **chosen)
        graph = kit.graph(file, models=split(models, "--model"))
        setting = Setting(
            environment=name, options=chosen, model=_label(graph), graph=graph.spec.name, mode=how["mode"]
        )
        path = how["output"] or kit.home / "episodes" / f"{name}-{graph.spec.name}-{how['mode']}-{setting.key}.jsonl"
        with Rows(path, setting, fresh=how["fresh"]) as rows:
            _play(environment, graph, rows, setting, how)
            seeds = range(how["seed"], how["seed"] + how["episodes"])
            click.echo(summary([row for row in rows.done if row["episode"] in seeds]))
            click.echo(f"\nrows: {path}")
            if not any(row["status"] == "scored" for row in rows.done):
                raise click.exceptions.Exit(1)


def _play(environment: Environment, graph: Graph, rows: Rows, setting: Setting, how: dict[str, Any]) -> None:
    from agentkit.evaluation import episodes
    from agentkit.evaluation.episode_rows import row_of

    there = {row["episode"] for row in rows.done if row["status"] == "scored"}
    seeds = [seed for seed in range(how["seed"], how["seed"] + how["episodes"]) if seed not in there]
    rows.done[:] = [row for row in rows.done if row["status"] == "scored" or row["episode"] not in seeds]

    async def follow(tell: Callable[[int, int], None], ended: Callable[[bool], None]) -> None:
        played = episodes.play(
            environment,
            graph,
            seeds=seeds,
            mode=how["mode"],
            answer=how["answer"],
            stop_at_error=how["stop_at_error"],
            tell=tell,
        )
        async with aclosing(played) as stream:
            async for one in stream:
                rows.append(row_of(one, setting))
                ended(one.success)

    try:
        _followed(follow, len(seeds), quiet=how["quiet"])
    except KeyboardInterrupt:
        click.echo(f"interrupted; {len(rows.done)} episodes are in {rows.path}; the same command goes on", err=True)
        raise click.exceptions.Exit(130) from None


def _followed(follow: Any, count: int, *, quiet: bool) -> None:
    from agentkit.runtime.concurrency import run_sync

    solved = 0
    with _progress(quiet=quiet) as progress:
        bar = progress.add_task("playing", total=count, state="")

        def tell(seed: int, step: int) -> None:
            progress.update(bar, state=f"episode {seed}, step {step}; {solved} solved")

        def ended(success: bool) -> None:
            nonlocal solved
            solved += success
            progress.advance(bar)

        run_sync(follow(tell, ended))


def _progress(*, quiet: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, quiet=quiet)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )


def _row(kit: Any, name: str) -> dict[str, Any]:
    from agentkit.options import fields, json_schema

    factory = kit.registry.get("environment", name).factory
    defaults = {key: one.default for key, one in fields(factory).items() if one.provided is None}
    return {"name": name, "about": json_schema(factory).get("description", "").replace("``", ""), "options": defaults}


def _walk(environment: Environment, seed: int, actions: tuple[str, ...]) -> None:
    episode = environment.start(seed)
    click.echo("")
    for place, action in enumerate(actions):
        outcome = episode.step(action)
        click.echo(f"{place:4}  {action}")
        if outcome.code:
            click.echo(f"      ✗ {outcome.code}: {outcome.message}")
            return
        click.echo("".join(f"      {line}\n" for line in episode.observe().splitlines()), nl=False)
    click.echo(f"solved: {outcome.success}" if actions else "nothing to do")


def _injected(environment: Environment, seed: int, inject: str) -> tuple[str, ...]:
    kind, _, step = inject.partition("@")
    if not step.isdecimal():
        raise InputError(f"--inject takes KIND@STEP, such as {environment.errors[0]}@3, not {inject!r}")
    found = environment.inject(seed, kind, int(step))
    if found is None:
        raise InputError(f"{kind} would be no error at step {step} of this episode; take another step or seed")
    return tuple(found)


def _label(graph: Graph) -> str:
    """The models that play, or the graph where there is none."""
    named = [f"{one.use}/{one.options.get('model', '')}".strip("/") for one in graph.spec.models.values()]
    return "+".join(dict.fromkeys(one for one in named if one)) or graph.spec.name


def _parsed(options: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or not key:
            raise ConfigError(f"--option takes KEY=VALUE, not {option!r}")
        try:
            found[key.strip()] = json.loads(text)
        except ValueError:
            found[key.strip()] = text
    return found
