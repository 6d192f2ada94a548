"""What a graph will cost, before it runs: the least and the most calls, tokens, money and time, by node and in all.

Bounds, not forecasts. *Least* holds for runs in which nothing fails and no budget cuts in, *most* for runs in which nothing
fails, *worst* for all: every call fails as often as it is tried again, and then on every model it falls back on. A node that
its own budget ends has failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from agentkit.graph.amount import ITEMS, Amount
from agentkit.graph.backends import Backend, Backends
from agentkit.graph.cost import UNKNOWN, Cost, cost_of
from agentkit.graph.kinds import Planned, Workshop, kind_of
from agentkit.graph.kinds.prompted import prompt_size
from agentkit.graph.nodes import retry_of
from agentkit.graph.spec import GraphSpec, ModelSpec, NodeSpec, SampleSpec, inside
from agentkit.graph.topology import Topology
from agentkit.graph.visits import certain, least, most_visits, surely
from agentkit.runtime.budget import Budget
from agentkit.strategies import stopping
from agentkit.types import Bounds

_WITH_PROMPT = ("model", "agent", "strategy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the file does not tell.

    ``items``: the longest list that a ``map`` meets (None: left open). ``value_tokens``: the most tokens that one value takes
    up in a prompt, a list with all that the prompt makes of it. ``call_seconds``: the longest that a call takes (None: unknown).
    """

    items: int | None = None
    value_tokens: int = 1000
    call_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """What a run costs at least; a call has one token of prompt at the least."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Least) -> Least:
        """Both, perhaps side by side: only one of them takes time."""
        return Least(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            seconds=max(self.seconds, other.seconds),
        )

    def __mul__(self, times: int) -> Least:
        """So many of it, perhaps side by side."""
        seconds = self.seconds * min(times, 1)
        return Least(calls=self.calls * times, tokens=self.tokens * times, usd=self.usd * times, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """A node over a whole run; ``visits`` are the least and the most, ``width`` says what multiplies its calls.

    ``clipped`` names what its own budget cuts, or that of an item or a sample, ``note`` what is not known and why.
    """

    name: str
    use: str
    visits: tuple[int, Amount]
    width: tuple[str, ...] = ()
    least: Least = field(default_factory=Least)
    most: Cost = field(default_factory=Cost)
    worst: Cost = field(default_factory=Cost)
    clipped: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The bounds of a graph; ``unclipped`` is the most without the graph's own budget, which cuts what ``clipped`` names."""

    graph: str
    assumptions: Assumptions
    nodes: tuple[NodePlan, ...]
    least: Least
    most: Cost
    worst: Cost
    unclipped: Cost
    clipped: tuple[str, ...] = ()


def plan(shop: Workshop, backends: Backends, assumptions: Assumptions) -> Plan:
    """The bounds of the graph in ``shop``."""
    return _Planner(shop, backends, assumptions).plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Once:
    """One visit of a node, before how often it is visited."""

    least: Least = field(default_factory=Least)
    most: Cost = field(default_factory=Cost)
    worst: Cost = field(default_factory=Cost)
    width: tuple[str, ...] = ()
    clipped: tuple[str, ...] = ()
    note: str = ""
    inner: Plan | None = None


class _Planner:
    def __init__(self, shop: Workshop, backends: Backends, assume: Assumptions) -> None:
        self.shop, self.backends, self.assume = shop, backends, assume
        self.spec: GraphSpec = shop.spec
        self.topology = Topology(tuple(self.spec.nodes), self.spec.edges)
        self._most, self._failing = most_visits(self.topology), most_visits(self.topology, failing=True)
        self._after = surely(self.topology)
        self._certain = certain(self.topology, self._after)
        self.call_seconds = math.inf if assume.call_seconds is None else assume.call_seconds

    def plan(self) -> Plan:
        once = {name: self._around(node, self._run(node)) for name, node in self.spec.nodes.items()}
        nodes = [one for name in once for one in self._over_the_run(self.spec.nodes[name], once[name])]
        own = [one for one in nodes if one.name in once]
        most, worst = sum((one.most for one in own), Cost()), sum((one.worst for one in own), Cost())
        budget = self.spec.budget
        return Plan(
            graph=self.spec.name,
            assumptions=self.assume,
            nodes=tuple(nodes),
            least=self._least({name: one.least for name, one in once.items()}),
            most=most.under(budget),
            worst=worst.under(budget),
            unclipped=most,
            clipped=tuple(dict.fromkeys((*most.over(budget), *worst.over(budget)))),
        )

    def _least(self, once: dict[str, Least]) -> Least:
        def of(resource: str, *, together: bool = True) -> float:
            weights = {name: float(getattr(one, resource)) for name, one in once.items()}
            return least(self.topology, weights, self._after if together else None)

        return Least(
            calls=int(of("calls")), tokens=int(of("tokens")), usd=of("usd"), seconds=of("seconds", together=False)
        )

    def _over_the_run(self, node: NodeSpec, once: _Once) -> Iterator[NodePlan]:
        """The node, and the nodes of the graph inside it, over all of its visits."""
        surely, number, failing = int(node.name in self._certain), self._most[node.name], self._failing[node.name]
        loop = (f"visits {surely}–{number}",) if number > 1 else ()
        yield NodePlan(
            name=node.name,
            use=node.use,
            visits=(surely, Amount.of(number)),
            width=(*loop, *once.width),
            least=once.least * surely,
            most=once.most * number,
            worst=once.worst * failing,
            clipped=once.clipped,
            note=once.note,
        )
        if once.inner is not None:
            runs, tried = self._repeats(node), node.retry.attempts + 1 if node.retry else 1
            yield from (_inside(node.name, one, runs * number, runs * failing * tried) for one in once.inner.nodes)

    def _run(self, node: NodeSpec) -> _Once:
        """One run of a node without the policies around it."""
        if node.name in self.spec.graphs:
            inner = _Planner(replace(self.shop, spec=self.spec.graphs[node.name]), self.backends, self.assume).plan()
            return _Once(least=inner.least, most=inner.most, worst=inner.worst, inner=inner)
        kind = kind_of(node, self.shop.registry)
        bounds = kind.bounds(node, self.shop) if isinstance(kind, Planned) else None
        if bounds is None:
            return _Once(most=UNKNOWN, worst=UNKNOWN, note=f"{node.use} does not say how many calls it makes")
        costs = [self._cost(node, one) for one in bounds]
        return _Once(
            least=sum((self._least_of(one) for one in bounds), Least()),
            most=sum((most for most, _ in costs), Cost()),
            worst=sum((worst for _, worst in costs), Cost()),
            width=_width(bounds),
            note="; ".join(dict.fromkeys(note for one in bounds for note in self._notes(one))),
        )

    def _around(self, node: NodeSpec, run: _Once) -> _Once:
        """What ``sample``, ``map``, ``retry`` and the node's own limits make of one run."""
        once = run
        if node.sample is not None:
            once = _within(once, node.sample.budget)
            few, many = _fewest(node.sample), node.sample.n
            once = _repeated(once, few, Amount.of(many), f"sample × {few}–{many}" if few < many else f"sample × {many}")
        if node.map is not None:
            items = self._items
            once = _within(once, node.map.budget)
            once = _repeated(once, 0, items, f"map × {items if self.assume.items is not None else 'items'}")
        if node.retry is not None:
            once = replace(once, worst=once.worst * (node.retry.attempts + 1))
        if node.when is not None or node.cache is not None:
            once = replace(once, least=Least())
        timed = replace(once.most, seconds=once.most.seconds.within(node.timeout))
        return _within(replace(once, most=timed), node.budget)

    @property
    def _items(self) -> Amount:
        return ITEMS if self.assume.items is None else Amount.of(self.assume.items)

    def _repeats(self, node: NodeSpec) -> Amount:
        samples = Amount.of(node.sample.n if node.sample else 1)
        return samples * self._items if node.map else samples

    def _cost(self, node: NodeSpec, bounds: Bounds) -> tuple[Cost, Cost]:
        """The cost where nothing fails, and where every call fails as often as it may."""
        calls = math.inf if bounds.most is None else bounds.most
        model = self.spec.models[str(bounds.model)]
        prompt = self._prompt(node, bounds)
        worst = [
            self._asked(one, calls, prompt, bounds) * ((node.retry or retry_of(one)).attempts + 1)
            for one in _chain(model, self.spec)
        ]
        return self._asked(model, calls, prompt, bounds), sum(worst, Cost())

    def _asked(self, model: ModelSpec, calls: float, prompt: float, bounds: Bounds) -> Cost:
        known = self.backends.of(model.name)
        if known.others:
            return UNKNOWN
        output = _output(bounds, known)
        whole = prompt + (bounds.answers * output if bounds.answers else 0.0)
        return cost_of(calls, prompt=whole, output=output, price=known.price, seconds=self.call_seconds)

    def _prompt(self, node: NodeSpec, bounds: Bounds) -> float:
        """Tokens of one prompt at most, without earlier answers."""
        if bounds.text is None:
            return math.inf
        text, values = prompt_size(node, self.shop.read) if node.kind in _WITH_PROMPT else (0, len(node.inputs))
        return bounds.problems * (text + values * self.assume.value_tokens) + bounds.text

    def _least_of(self, bounds: Bounds) -> Least:
        price = self.backends.of(self.spec.models[str(bounds.model)].name).price
        rates = (
            () if price is None else (price.input, price.input if price.cached_input is None else price.cached_input)
        )
        seconds = self.assume.call_seconds if self.assume.call_seconds and bounds.least else 0.0
        usd = bounds.least * min(rates, default=0.0)
        return Least(calls=bounds.least, tokens=bounds.least, usd=usd, seconds=seconds)

    def _notes(self, bounds: Bounds) -> Iterator[str]:
        """What keeps a bound open."""
        name = str(bounds.model)
        known = self.backends.of(self.spec.models[name].name)
        if known.reason:
            yield f"model {name}: {known.reason}"
        elif known.price is None:
            yield f"model {name} has no known price"
        if math.isinf(_output(bounds, known)) and not known.others:
            yield "no max_tokens"
        if bounds.text is None:
            yield "its prompt grows with every step"


def _within(once: _Once, budget: Budget | None) -> _Once:
    """Once under a budget of its own."""
    clipped = (*once.clipped, *once.most.over(budget), *once.worst.over(budget))
    most, worst = once.most.under(budget), once.worst.under(budget)
    return replace(once, most=most, worst=worst, clipped=tuple(dict.fromkeys(clipped)))


def _repeated(once: _Once, few: int, many: Amount, width: str) -> _Once:
    return replace(
        once,
        least=once.least * few,
        most=once.most * many,
        worst=once.worst * many,
        width=(width, *once.width),
    )


def _inside(outer: str, one: NodePlan, runs: Amount, failing: Amount) -> NodePlan:
    """A node of a graph inside a node, over all runs of that graph."""
    return replace(
        one,
        name=inside(outer, one.name),
        visits=(0, one.visits[1] * runs),
        most=one.most * runs,
        worst=one.worst * failing,
    )


def _chain(model: ModelSpec, spec: GraphSpec) -> Iterator[ModelSpec]:
    """The model and all that it falls back on."""
    yield model
    for other in model.fallback:
        yield from _chain(spec.models[other], spec)


def _output(bounds: Bounds, known: Backend) -> float:
    limit = known.max_tokens if bounds.output is None else bounds.output
    return math.inf if limit is None else limit


def _width(bounds: tuple[Bounds, ...]) -> tuple[str, ...]:
    few, many = sum(one.least for one in bounds), sum(math.inf if one.most is None else one.most for one in bounds)
    if few == many:
        return (f"{few} calls",) if few > 1 else ()
    return (f"{few}–{many:g} calls",)


def _fewest(sample: SampleSpec) -> int:
    """The samples of a vote without dissent."""
    return stopping.fewest(stopping.rule(sample.stop, confidence=sample.confidence), (), 0, sample.n)
