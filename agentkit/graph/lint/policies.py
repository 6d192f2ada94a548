"""Retries, budgets and timeouts that do not do what they seem to: AK040 to AK049."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.graph.lint.rule import Found, Subject, rule
from agentkit.options import build

_NEVER_FAIL = ("template", "set", "switch")


@rule("AK040", "retried-side-effect", "warning")
def retried_side_effect(subject: Subject) -> Iterator[Found]:
    """A tool that may change something is called again after a failure, which it may have survived: an order is placed twice.

    Leave `retry` away, or use a tool that says it can be repeated (its `idempotent` is true).
    """
    for name, node in subject.nodes.items():
        causes = node.retry.on if node.retry else ()
        if (
            node.kind == "tool"
            and node.retry
            and (not causes or {"tool", "timeout"} & {*causes})
            and not _repeats(subject, name)
        ):
            yield subject.at(name, "retry"), f"{node.use} does not say that it can be repeated; a retry may do it twice"


@rule("AK041", "idle-retry", "note")
def idle_retry(subject: Subject) -> Iterator[Found]:
    """A `retry` on a node that only computes: what fails there fails again."""
    for name, node in subject.nodes.items():
        if node.retry is not None and node.use in _NEVER_FAIL:
            yield subject.at(name, "retry"), f"a {node.use!r} node fails the same way every time; remove 'retry'"


@rule("AK042", "no-best-so-far", "warning")
def no_best_so_far(subject: Subject) -> Iterator[Found]:
    """`on_exhausted: best_so_far` on a node that has none: only a strategy has. Another node fails when its budget is spent."""
    for name, node in subject.nodes.items():
        keeps = node.kind == "strategy" or name in subject.spec.graphs
        if node.budget is not None and node.budget.on_exhausted == "best_so_far" and not keeps:
            place = subject.at(name, "budget", "on_exhausted")
            yield place, f"{node.use} has no best so far: the node fails when the budget is spent"


@rule("AK043", "timeout-never-fires", "note")
def timeout_never_fires(subject: Subject) -> Iterator[Found]:
    """A node's `timeout` is no shorter than the seconds that a budget around it allows, so the budget always ends first."""
    for name, node in subject.nodes.items():
        allowed = [
            one.seconds for one in (node.budget, subject.spec.budget) if one is not None and one.seconds is not None
        ]
        if node.timeout is not None and allowed and node.timeout >= min(allowed):
            yield subject.at(name, "timeout"), f"the budget of {min(allowed):g} seconds ends first"


def _repeats(subject: Subject, node: str) -> bool:
    """Whether the tool of a node says that a second call does no harm."""
    spec = subject.nodes[node]
    component = subject.shop.registry.get("tool", spec.component)
    tool = build(component, spec.options, provided=subject.shop.provided, models={})
    return bool(getattr(tool, "idempotent", False))
