"""``agentkit plan``: the least and the most that a graph file will cost, before it runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from agentkit.graph.amount import Amount
    from agentkit.graph.cost import Cost
    from agentkit.graph.plan import Assumptions, Least, NodePlan, Plan

_RESOURCES = ("calls", "tokens", "usd", "seconds")


@click.command(name="plan")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", "-m", "models", multiple=True, metavar="NAME=SPEC", help="Use another model under this name.")
@click.option("--items", type=click.IntRange(0), help="The longest list that a map meets. [default: left open]")
@click.option(
    "--value-tokens",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="The most tokens that one value (a question, all documents together) takes up in a prompt.",
)
@click.option("--call-seconds", type=click.FloatRange(0, min_open=True), help="The longest that one call takes.")
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="RESOURCE=N",
    help="Exit with 1 when the most is above (calls=, usd=...).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as data.")
def command(
    file: Path,
    models: tuple[str, ...],
    items: int | None,
    value_tokens: int,
    call_seconds: float | None,
    limits: tuple[str, ...],
    as_json: bool,
) -> None:
    """Bound the calls, tokens, money and time of a run of the graph FILE; nothing is called and nothing is spent."""
    from agentkit.cli.run import split
    from agentkit.kit import Kit

    wanted = _limits(split(limits, "--limit"))
    graph = Kit().graph(file, models=split(models, "--model"))
    plan = graph.plan(items=items, value_tokens=value_tokens, call_seconds=call_seconds)
    if as_json:
        click.echo(json.dumps(plan_data(plan), indent=2, ensure_ascii=False))
    else:
        _print(plan)
    over = [name for name, limit in wanted.items() if getattr(plan.most, name).exceeds(limit)]
    for name in over:
        click.echo(f"over the limit: {name} at most {getattr(plan.most, name)}, allowed {wanted[name]:g}", err=True)
    if over:
        raise click.exceptions.Exit(1)


def _limits(pairs: dict[str, str]) -> dict[str, float]:
    for name, text in pairs.items():
        if name not in _RESOURCES:
            raise InputError(f"--limit knows {', '.join(_RESOURCES)}, not {name!r}{did_you_mean(name, _RESOURCES)}")
        if not text.replace(".", "", 1).isdecimal():
            raise InputError(f"--limit {name} must be a number, not {text!r}")
    return {name: float(text) for name, text in pairs.items()}


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as plain data; null is an amount without bound, and one that depends on a list is a list of its terms."""
    return {
        "graph": plan.graph,
        "assumptions": {
            "items": plan.assumptions.items,
            "value_tokens": plan.assumptions.value_tokens,
            "call_seconds": plan.assumptions.call_seconds,
        },
        "least": _least(plan.least),
        "most": _cost(plan.most),
        "worst": _cost(plan.worst),
        "unclipped": _cost(plan.unclipped),
        "clipped": list(plan.clipped),
        "nodes": [_node(one) for one in plan.nodes],
    }


def _node(one: NodePlan) -> dict[str, Any]:
    return {
        "node": one.name,
        "use": one.use,
        "visits": {"least": one.visits[0], "most": _amount(one.visits[1])},
        "width": list(one.width),
        "least": _least(one.least),
        "most": _cost(one.most),
        "worst": _cost(one.worst),
        "clipped": list(one.clipped),
        "note": one.note,
    }


def _least(one: Least) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _RESOURCES}


def _cost(one: Cost) -> dict[str, Any]:
    return {name: _amount(getattr(one, name)) for name in _RESOURCES}


def _amount(one: Amount) -> Any:
    """A number; null without bound; ``{"items": [a, b]}`` for ``a + b * items``."""
    if not one.bounded:
        return None
    return {"items": list(one.terms)} if one.number is None else one.number


def _print(plan: Plan) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("node", "use", "width", "calls", "tokens at most", "usd at most", box=None)
    for one in plan.nodes:
        table.add_row(one.name, one.use, ", ".join(one.width), *_columns(one.least, one.most, one.clipped))
    table.add_section()
    table.add_row("in all", "", "", *_columns(plan.least, plan.most, plan.clipped))
    table.add_row("if every call fails", "", "", *_columns(None, plan.worst, ()))
    console = Console()
    console.print(table)
    for line in _remarks(plan):
        click.echo(line)


def _columns(least: Least | None, most: Cost, clipped: Iterable[str]) -> list[str]:
    few = "" if least is None or most.calls.number == least.calls else f"{least.calls}–"
    shown = {
        "calls": f"{few}{most.calls}",
        "tokens": str(most.tokens),
        "usd": f"${most.usd.number:.4f}" if most.usd.number is not None else str(most.usd),
    }
    return [f"{text} (budget)" if name in clipped else text for name, text in shown.items()]


def _remarks(plan: Plan) -> Iterable[str]:
    """What the numbers rest on, and what keeps them open."""
    yield f"assuming {_assumed(plan.assumptions)}"
    if plan.most.seconds.bounded and plan.most.seconds.number:
        few = f"at least {plan.least.seconds:g} s and " if plan.least.seconds else ""
        yield f"time in models: {few}at most {plan.most.seconds.number:g} s, one call after another"
    for one in plan.nodes:
        if one.note:
            yield f"{one.name}: {one.note}"


def _assumed(one: Assumptions) -> str:
    parts = [f"at most {one.value_tokens:,} tokens a value in prompts (--value-tokens)"]
    if one.items is not None:
        parts.append(f"lists of at most {one.items:,} items")
    if one.call_seconds is not None:
        parts.append(f"at most {one.call_seconds:g} s a call")
    return ", ".join(parts)
