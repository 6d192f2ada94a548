"""Money, tokens and votes: AK030 to AK039."""

from __future__ import annotations

from collections.abc import Iterator

from agentkit.graph.lint.rule import Found, Subject, rule
from agentkit.graph.plan import Least
from agentkit.graph.spec import NodeSpec
from agentkit.runtime.budget import Budget
from agentkit.types import Path

_LIMITS = ("calls", "tokens", "usd")
_ALL_LIMITS = (*_LIMITS, "seconds")


@rule("AK030", "budget-too-small", "error")
def budget_too_small(subject: Subject) -> Iterator[Found]:
    """The budget is less than the least that the work takes when nothing fails, so no run can finish within it.

    `agentkit plan` tells what it takes.
    """
    least = {one.name: one for one in subject.plan.nodes}
    parts: list[tuple[Path, Budget | None, Least, int]] = [(("budget",), subject.spec.budget, subject.plan.least, 1)]
    for name, node in subject.nodes.items():
        visits = max(1, least[name].visits[0])
        parts.append((("nodes", name, "budget"), node.budget, least[name].least, visits))
    for place, budget, need, visits in parts:
        for limit in _LIMITS:
            allowed, wanted = getattr(budget, limit, None), getattr(need, limit) / visits
            if allowed is not None and wanted > allowed * (1 + 1e-9):
                yield (*place, limit), f"at least {wanted:g} {limit} are needed, and {allowed:g} are allowed"


@rule("AK031", "tokens-without-bound", "warning")
def tokens_without_bound(subject: Subject) -> Iterator[Found]:
    """A budget in tokens over calls without `max_tokens`: how long an answer gets is not known before it is there.

    A call may then take more than what is left. Set `max_tokens`.
    """
    for name, node in subject.nodes.items():
        if _limited(subject, node, "tokens") and _endless(subject, name):
            yield subject.at(name, "with"), f"a budget in tokens cannot foresee the answers of {name!r}; set max_tokens"


@rule("AK032", "cost-without-bound", "error")
def cost_without_bound(subject: Subject) -> Iterator[Found]:
    """A budget in `usd` over calls of a priced model without `max_tokens`: they are refused, as they could cost any amount."""
    for name, node in subject.nodes.items():
        models = _endless(subject, name)
        prices = [subject.backend(model).price for model in models]
        if _limited(subject, node, "usd") and any(price is not None and price.output for price in prices):
            yield (
                subject.at(name, "with"),
                f"a call of {name!r} could cost any amount, which usd forbids; set max_tokens",
            )


@rule("AK033", "no-budget", "note")
def no_budget(subject: Subject) -> Iterator[Found]:
    """A graph that asks models has no `budget`, nor has one around it: nothing but its own limits bounds what it spends."""
    if subject.spec.budget is None and not subject.spec.place and any(subject.bounds.values()):
        yield (), "the graph has no budget; add one, such as {calls: 50, seconds: 120}"


@rule("AK034", "unbounded-map", "warning")
def unbounded_map(subject: Subject) -> Iterator[Found]:
    """A `map` over a list of any length asks a model for each item, and no budget bounds the calls, tokens or usd."""
    for name, node in subject.nodes.items():
        asks = bool(subject.bounds[name]) or name in subject.spec.graphs
        if node.map is not None and asks and not any(_limited(subject, node, one) for one in _LIMITS):
            yield subject.at(name, "map"), "a list of any length costs any amount; give the node or the graph a budget"


@rule("AK035", "budget-never-binds", "note")
def budget_never_binds(subject: Subject) -> Iterator[Found]:
    """A node's budget allows as much as the graph's or more, so the graph's always ends first."""
    for name, node in subject.nodes.items():
        for limit in _ALL_LIMITS:
            inner, outer = getattr(node.budget, limit, None), getattr(subject.spec.budget, limit, None)
            if inner is not None and outer is not None and inner >= outer:
                yield subject.at(name, "budget", limit), f"the graph's budget of {outer:g} {limit} ends first"


@rule("AK036", "vote-at-zero-temperature", "warning")
def vote_at_zero_temperature(subject: Subject) -> Iterator[Found]:
    """Several samples at temperature 0 are the same sample several times: the vote costs more and tells nothing."""
    for name, node in subject.nodes.items():
        votes = any(one.vote for one in subject.bounds[name]) or (node.sample is not None and node.sample.n > 1)
        if votes and node.options.get("temperature") == 0:
            yield (
                subject.at(name, "with", "temperature"),
                "samples at temperature 0 are all alike; raise it, or ask once",
            )


@rule("AK037", "vote-of-too-few", "warning")
def vote_of_too_few(subject: Subject) -> Iterator[Found]:
    """A vote of one or two samples has no majority but a unanimous one; two that differ leave the first one standing."""
    for name, node in subject.nodes.items():
        if node.sample is not None and node.sample.n < 3:
            yield subject.at(name, "sample", "n"), f"{node.sample.n} samples make no majority; take 3 or more"
        if node.use == "strategy.self_consistency" and node.options.get("samples", 3) < 3:
            yield (
                subject.at(name, "with", "samples"),
                f"{node.options['samples']} samples make no majority; take 3 or more",
            )


def _limited(subject: Subject, node: NodeSpec, limit: str) -> bool:
    """Whether a budget around the node bounds this."""
    budgets: tuple[Budget | None, ...] = (node.budget, subject.spec.budget)
    return any(getattr(one, limit, None) is not None for one in budgets)


def _endless(subject: Subject, node: str) -> list[str]:
    """The models that the node asks without a bound on the answer."""
    return [
        str(one.model)
        for one in subject.bounds[node]
        if one.output is None and subject.backend(str(one.model)).max_tokens is None
    ]
