"""What a graph file says, as values. Nothing here reads, checks or runs anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from agentkit.answers import Kind
from agentkit.runtime.budget import Budget
from agentkit.types import JSON

RetryCause = Literal["rate_limit", "timeout", "unreachable", "server", "tool"]

INPUTS = "inputs"
"""The name under which references and expressions find the inputs of the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """An input of the graph; ``type`` is the name of a port type, ``default`` stands in where ``required`` is false."""

    name: str
    type: str = "string"
    required: bool = True
    default: JSON = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Port ``port`` of node ``node``; the node ``inputs`` stands for the graph's inputs."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the file."""

    value: JSON


Binding = tuple[Reference | Constant, ...]
"""Where a port's value comes from: the first that is present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model of the graph: backend ``use``, its ``options`` (secrets still as ``${env:NAME}``), and whom to ask instead.

    One that chooses between other models of the graph (a cascade, a balance) names them in ``models``.

    ``given`` by the caller and not by the file: its paths are the caller's own. One without ``use`` is an object of the
    caller's. ``name`` is that in the file, behind the names of the nodes that its graph is inside of: ``review/small``.
    """

    name: str
    use: str
    options: Mapping[str, JSON] = field(default_factory=dict)
    fallback: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    given: bool = False

    @property
    def others(self) -> tuple[str, ...]:
        """Every model that may be asked in its place."""
        return (*self.models, *self.fallback)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySpec:
    """Try a call that failed again, at most ``attempts`` times more; ``on`` names the failures (none: all that can mend).

    Calls of models are tried again one by one; a node without models, or one that ran into its ``timeout``, is run again
    as a whole. ``first_delay`` (seconds) doubles with every attempt up to ``max_delay``; ``deadline`` bounds a model call with
    all its attempts.
    """

    attempts: int = 2
    on: tuple[RetryCause, ...] = ()
    deadline: float | None = None
    first_delay: float = 0.5
    max_delay: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.attempts <= 100:
            raise ValueError(f"attempts must be between 0 and 100, not {self.attempts}")
        if self.deadline is not None and self.deadline <= 0:
            raise ValueError(f"deadline must be above 0 seconds, not {self.deadline:g}")
        if not 0 <= self.first_delay <= self.max_delay <= 3600:
            raise ValueError("0 <= first_delay <= max_delay <= 3600 seconds must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSpec:
    """Leave a model alone for ``cooldown`` seconds once ``failures`` calls in a row have failed."""

    failures: int = 5
    cooldown: float = 30.0

    def __post_init__(self) -> None:
        if self.failures < 1 or self.cooldown <= 0:
            raise ValueError("a breaker needs at least 1 failure and a cooldown above 0 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """What a model's entry may say beside its backend's options: how calls are retried, how many may run at once (``auto``:
    as many as the server bears), how many requests and tokens a minute it takes, and when to leave it alone.
    """

    retry: RetrySpec | None = None
    concurrency: int | Literal["auto"] | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    breaker: BreakerSpec | None = None

    def __post_init__(self) -> None:
        if isinstance(self.concurrency, int) and self.concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {self.concurrency}")
        for name in ("requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0, not {value:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSpec:
    """Run the node once for each item of the list ``over`` (``node.port``), ``concurrency`` at a time.

    The inputs bound to that list get an item each. With ``on_error: skip`` an item that fails is null among the outputs.
    ``budget`` is that of an item.
    """

    over: str
    concurrency: int = 8
    on_error: Literal["skip", "fail"] = "fail"
    budget: Budget | None = None

    def __post_init__(self) -> None:
        if not all(self.over.partition(".")):
            raise ValueError(f"'over' is a list of another node or of the inputs, written node.port, not {self.over!r}")
        if self.concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {self.concurrency}")

    @property
    def reference(self) -> Reference:
        """Where the list comes from."""
        node, _, port = self.over.partition(".")
        return Reference(node, port)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSpec:
    """Run the node up to ``n`` times and vote over its port ``vote``, until the rule ``stop`` holds.

    ``answer`` says what a text is read as, ``budget`` what a sample may spend. Without ``vote`` it is ``answer``, ``data`` or
    ``text``, the first that the node has.
    """

    n: int
    vote: str = ""
    stop: Literal["regret", "beta", "dirichlet", "esc", "certain", "fixed", "paired"] = "regret"
    confidence: float = 0.95
    answer: Kind = "auto"
    ahead: int = 0
    concurrency: int | None = None
    budget: Budget | None = None

    def __post_init__(self) -> None:
        for name, least in (("n", 1), ("ahead", 0), ("concurrency", 1)):
            value = getattr(self, name)
            if value is not None and not least <= value <= 1000:
                raise ValueError(f"{name} must be between {least} and 1000, not {value}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {self.confidence:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpec:
    """Take the node's outputs from an earlier run with the same node, models, seed and inputs.

    None is taken that is older than ``ttl`` seconds. ``key`` names the inputs that count (none: all). ``scope`` says whose
    outputs are taken: those of this node in runs of this ``graph``, or of any equal node in the runs of this ``home``.
    """

    ttl: float | None = None
    scope: Literal["graph", "home"] = "graph"
    key: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.ttl is not None and self.ttl <= 0:
            raise ValueError(f"ttl must be above 0 seconds, not {self.ttl:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """A node: the component it uses, its options and inputs, and the policies around it (``timeout`` in seconds).

    ``degrade`` holds the options that its cheaper form has in place of its own.
    """

    name: str
    use: str
    options: Mapping[str, JSON] = field(default_factory=dict)
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    when: str | None = None
    retry: RetrySpec | None = None
    timeout: float | None = None
    budget: Budget | None = None
    map: MapSpec | None = None
    sample: SampleSpec | None = None
    cache: CacheSpec | None = None
    degrade: Mapping[str, JSON] | None = None

    @property
    def cheaper(self) -> NodeSpec | None:
        """The node in its cheaper form, if it has one."""
        if self.degrade is None:
            return None
        return replace(self, options={**self.options, **self.degrade}, degrade=None)

    @property
    def kind(self) -> str:
        """The part of ``use`` before the dot: ``strategy`` of ``strategy.self_consistency``."""
        return self.use.partition(".")[0]

    @property
    def component(self) -> str:
        """The part of ``use`` after the dot; empty for a kind that needs none."""
        return self.use.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSpec:
    """A way from ``source`` to ``target``: taken when ``when`` holds, at most ``max`` times a run.

    One with ``error`` is taken when the source fails, and only then.
    """

    source: str
    target: str
    when: str | None = None
    max: int | None = None
    error: bool = False

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec:
    """A whole graph file.

    ``edges`` are in the order they are tried; ``implied`` says that the file had none and they follow the references.
    ``files`` holds the text of every file the graph refers to, ``file`` is where it came from, ``extra`` its ``x-*`` keys,
    ``changes`` what the caller put in place of what the file says, by dotted path. ``graphs`` are the graphs inside its
    nodes, by node, or by ``tool_key`` for those that an agent calls; ``place`` names the nodes that this one is inside of.
    ``types`` are the port types of its outputs.
    """

    name: str
    nodes: Mapping[str, NodeSpec]
    description: str = ""
    inputs: Mapping[str, InputSpec] = field(default_factory=dict)
    outputs: Mapping[str, Binding] = field(default_factory=dict)
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    budget: Budget | None = None
    edges: tuple[EdgeSpec, ...] = ()
    implied: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, JSON] = field(default_factory=dict)
    file: str = "<graph>"
    changes: Mapping[str, JSON] = field(default_factory=dict)
    graphs: Mapping[str, GraphSpec] = field(default_factory=dict)
    place: str = ""
    types: Mapping[str, str] = field(default_factory=dict)

    def inside(self, node: str) -> tuple[GraphSpec, ...]:
        """The graphs inside a node."""
        return tuple(one for key, one in self.graphs.items() if key.partition(".")[0] == node)

    def owns(self, model: str) -> bool:
        """Whether a model is this graph's own, and not that of a graph around it."""
        return self.models[model].name == inside(self.place, model)

    def data(self) -> dict[str, JSON]:
        """The graph as plain data, without where it came from: what its fingerprint is made of."""
        bare = replace(self, graphs={}, file="<graph>", extra={}, description="", changes={}, types={})
        return {**as_data(bare), "graphs": {name: one.data() for name, one in self.graphs.items()}}


def as_data(value: Any) -> Any:
    """A spec as plain data, fields at their defaults left out: one that a later release adds changes no fingerprint."""
    if is_dataclass(value):
        given = {one.name: getattr(value, one.name) for one in fields(value)}
        return {one.name: as_data(given[one.name]) for one in fields(value) if given[one.name] != _default(one)}
    if isinstance(value, Mapping):
        return {name: as_data(item) for name, item in value.items()}
    return [as_data(item) for item in value] if isinstance(value, list | tuple) else value


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def inside(place: str, name: str) -> str:
    """The full name of what a graph at ``place`` calls ``name``."""
    return f"{place}/{name}" if place else name


def tools_of(node: NodeSpec) -> Sequence[JSON]:
    """What an agent says under ``tools``; nothing for any other node."""
    tools = node.options.get("tools") if node.use == "agent" else None
    return tools if isinstance(tools, list) else ()


def tool_key(node: str, index: int) -> str:
    """The key, among the graphs of a spec, of the one that is the tool number ``index`` of an agent: ``desk.0``."""
    return f"{node}.{index}"


def tool_place(key: str) -> tuple[str, int | None]:
    """The node of a key among the graphs of a spec, and the number of the tool that the graph is, if it is one."""
    node, _, index = key.partition(".")
    return node, int(index) if index else None
