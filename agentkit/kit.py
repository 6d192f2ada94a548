"""The composition root: plugins, components and graphs meet here, and all state lives in the Kit you made."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.errors import ConfigError
from agentkit.plugins import Plugins
from agentkit.registry import Component, Registry

if TYPE_CHECKING:
    from agentkit.evaluation.report import Report
    from agentkit.graph import Graph, GraphBuilder
    from agentkit.graph.runs import Runs
    from agentkit.otel import OpenTelemetry
    from agentkit.protocols import Environment, Evaluator, Model, Retriever, SampleStream, Strategy, Tool
    from agentkit.runtime.runstore import Durability
    from agentkit.tools.servers import Servers
    from agentkit.types import Capabilities, Delta, GenerateRequest, Record, Sample


class Kit:
    """Everything agentkit can do, with the plugins it found.

    ``plugins`` are modules or objects with hook implementations of your own; ``installed=False`` leaves out what pip
    installed; ``without`` names plugins to leave out. ``home`` is where indexes and runs live (default: ``$AGENTKIT_HOME``
    or ``.agentkit`` in the current folder), ``cache`` where downloaded weights live. ``progress(name, done, total)`` hears
    about downloads, in bytes. ``networks`` are the private networks that ``tool.http`` may reach. ``store`` is where runs are
    kept instead of files under ``home`` (``postgresql://...``), and ``durability`` says what a commit survives: ``process``
    or ``power``. ``mcp`` is the file that declares your MCP servers (default: ``$AGENTKIT_MCP``, else ``agentkit/mcp.yaml`` in
    your folder of configuration). ``otel`` sends OpenTelemetry spans of every run (None: if ``$AGENTKIT_OTEL`` is ``1``).
    Backends are shared: two graphs of one Kit load the same local model once.
    """

    def __init__(
        self,
        *,
        plugins: Iterable[object] = (),
        installed: bool = True,
        without: Iterable[str] = (),
        home: str | Path | None = None,
        cache: str | Path | None = None,
        progress: Callable[[str, int, int], None] | None = None,
        networks: Iterable[str] = (),
        store: str | None = None,
        durability: Durability | None = None,
        mcp: str | Path | None = None,
        otel: bool | None = None,
    ) -> None:
        self._telemetry = _telemetry(otel)
        self.plugins = Plugins([*plugins, *self._telemetry], installed=installed, without=without)
        self.home = Path(home or os.environ.get("AGENTKIT_HOME") or ".agentkit")
        self.cache = Path(cache) if cache else default_cache()
        self._progress = progress
        self._networks = tuple(networks)
        self._store, self._durability = store, durability
        self._mcp = None if mcp is None else Path(mcp)
        self._backends: dict[str, Model] = {}
        self._limited: dict[str, Model] = {}

    @property
    def registry(self) -> Registry:
        """The components of this Kit."""
        return self.plugins.registry

    @property
    def provided(self) -> dict[str, Any]:
        """What components may ask of the Kit with ``provided(name)``."""
        return {
            "home": self.home,
            "cache": self.cache,
            "progress": self._progress,
            "networks": self._networks,
            "mcp": self.servers,
            "sandbox": self.sandbox,
        }

    @cached_property
    def sandbox(self) -> Tool:
        """Where components run programs that a model wrote, once their options allow it."""
        from agentkit.tools.python_sandbox import PythonSandbox

        return PythonSandbox(enabled=True, seconds=20)

    @cached_property
    def servers(self) -> Servers:
        """The MCP servers that the user declared, and the pins of their tools."""
        from agentkit.tools.servers import Servers, default_file

        return Servers(self._mcp or default_file(os.environ), networks=self._networks)

    @cached_property
    def runs(self) -> Runs:
        """The runs that were kept: list, show, resume, fork, compare and export them."""
        from agentkit.graph.runs import Runs
        from agentkit.runtime.runstore import open_store

        return Runs(open_store(self.home, self._store, durability=self._durability), self.graph)

    def graph(
        self,
        source: str | Path | GraphBuilder,
        *,
        models: Mapping[str, Any] | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Graph:
        """The graph of a YAML file or of a builder, checked.

        ``models`` replaces entries of its ``models:`` by name, with addresses or models. ``changes`` replaces values by dotted
        path, as in ``{"nodes.solve.with.temperature": 0.2}``. Raises ``GraphError`` with every problem found.
        """
        from agentkit.graph import Graph, GraphBuilder, load
        from agentkit.protocols import Model

        given = dict(models or {})
        settings = {"models": given, "changes": changes, "provided": self.provided}
        if isinstance(source, GraphBuilder):
            registry = source.registry(self.registry)
            spec, written = source.load(registry, **settings), source.source()
        else:
            registry, written = self.registry, None
            spec = load(Path(source), registry=registry, **settings)
        return Graph(
            spec,
            source=written,
            registry=registry,
            open_model=self._open,
            models={name: one for name, one in given.items() if isinstance(one, Model)},
            provided=self.provided,
            home=self.home,
            store=self.runs.store,
            listeners=(self.plugins.emit,),
        )

    def model(self, spec: str | Mapping[str, Any], **options: Any) -> OpenModel:
        """A model by its address, ``backend/name`` or ``{use: backend, model: name, ...}``; also an async context manager."""
        return OpenModel(self._open({**parse_model(spec), **options}))

    def strategy(self, name: str, **options: Any) -> Strategy:
        """A strategy by name, e.g. ``kit.strategy("self_consistency", samples=16)``."""
        return self._make("strategy", name, options)  # type: ignore[no-any-return]

    def retriever(self, name: str, **options: Any) -> Retriever:
        """A retriever by name, e.g. ``kit.retriever("hybrid", index="handbook")``."""
        return self._make("retriever", name, options)  # type: ignore[no-any-return]

    def evaluator(self, name: str, **options: Any) -> Evaluator:
        """An evaluator by name, e.g. ``kit.evaluator("groundedness")``."""
        return self._make("evaluator", name, options)  # type: ignore[no-any-return]

    def tool(self, name: str, **options: Any) -> Tool:
        """A tool by name."""
        return self._make("tool", name, options)  # type: ignore[no-any-return]

    def environment(self, name: str, **options: Any) -> Environment:
        """An environment by name, e.g. ``kit.environment("tower_of_hanoi", discs=5)``."""
        return self._make("environment", name, options)  # type: ignore[no-any-return]

    async def evaluate(
        self,
        task: Any,
        *,
        dataset: str | Path | Iterable[Record],
        evaluators: Iterable[str | Evaluator] = ("answer_match",),
        **settings: Any,
    ) -> Report:
        """Run ``task`` (a graph, or an async function of a record) over a data set and judge what comes out."""
        from agentkit.evaluation import evaluate, load_dataset

        records = load_dataset(Path(dataset)) if isinstance(dataset, str | Path) else tuple(dataset)
        judges = [self.evaluator(one) if isinstance(one, str) else one for one in evaluators]
        return await evaluate(task, records, judges, **{"emit": self.plugins.emit, **settings})

    def close(self) -> None:
        """Stop what backends keep running in this process, such as an embedded model's server, and send the last spans."""
        for listener in self._telemetry:
            listener.close()
        for backend in self._backends.values():
            close = getattr(backend, "close", None)
            if close is not None:
                close()
        self._backends.clear()
        self._limited.clear()

    def __enter__(self) -> Kit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self, kind: str, name: str, options: Mapping[str, Any]) -> Any:
        from agentkit.options import build

        component = self.registry.get(kind, name)
        return build(component, options, provided=self.provided, models=self._named(component, options))

    def _named(self, component: Component, options: Mapping[str, Any]) -> dict[str, Model]:
        """The models that options name by address, as in ``judge="local/smollm2"``, opened."""
        from agentkit.options import fields

        known = fields(component.factory)
        named = {one for key, one in options.items() if isinstance(one, str) and key in known and known[key].model}
        return {address: self._open(parse_model(address)) for address in named}

    def _open(self, spec: Mapping[str, Any]) -> Model:
        """The backend of ``spec``, made once a Kit: all runs share its weights, its limits and what is known of its health."""
        around = {name: spec[name] for name in _AROUND if name in spec}
        backend = self._backend({name: value for name, value in spec.items() if name not in _AROUND})
        return self._limited.setdefault(_key(spec), _limited(backend, around)) if around else backend

    def _backend(self, spec: Mapping[str, Any]) -> Model:
        from agentkit.options import build

        if _key(spec) not in self._backends:
            options = {name: value for name, value in spec.items() if name != "use"}
            if "models" in options:
                options["models"] = tuple(self._opened(one) for one in options["models"])
            component = self.registry.get("model", spec["use"])
            self._backends[_key(spec)] = build(component, options, provided=self.provided, models={})
        return self._backends[_key(spec)]

    def _opened(self, spec: Any) -> Model:
        from agentkit.protocols import Model

        return spec if isinstance(spec, Model) else self._open(parse_model(spec))


@dataclass(frozen=True)
class OpenModel:
    """A Model that gives its connections back when you leave ``async with``."""

    inner: Model

    @property
    def name(self) -> str:
        """The inner model's."""
        return self.inner.name

    @property
    def capabilities(self) -> Capabilities:
        """The inner model's."""
        return self.inner.capabilities

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """The inner model's stream."""
        stream: AsyncGenerator[Sample | Delta, None] = self.inner.generate(request)
        async with aclosing(stream):
            async for item in stream:
                yield item

    async def __aenter__(self) -> OpenModel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give connections back; the model can be used again and will reconnect."""
        close = getattr(self.inner, "aclose", None)
        if close is not None:
            await close()


def parse_model(spec: str | Mapping[str, Any]) -> dict[str, Any]:
    """``local/smollm2`` as ``{use: local, model: smollm2}``; a mapping as it is; raises ``ConfigError`` without a backend."""
    if isinstance(spec, Mapping):
        parsed = dict(spec)
    else:
        use, _, model = spec.partition("/")
        parsed = {"use": use, "model": model} if model else {"use": use}
    if not parsed.get("use"):
        raise ConfigError(f"a model is written backend/name or {{use: backend, model: name}}, not {spec!r}")
    return parsed


_AROUND = ("concurrency", "requests_per_minute", "tokens_per_minute", "breaker")
"""What an entry says about its server rather than to its backend."""


def _limited(model: Model, around: Mapping[str, Any]) -> Model:
    """``model`` behind its circuit breaker, and behind the limits of its server."""
    from agentkit.models.circuit_breaker import CircuitBreaker
    from agentkit.models.limit import Limited

    limits = {name: value for name, value in around.items() if name != "breaker"}
    if breaker := around.get("breaker"):
        model = CircuitBreaker(model, **breaker)
    return Limited(model, **{"concurrency": None, **limits}) if limits else model


def _key(spec: Mapping[str, Any]) -> str:
    """What tells backends apart; models inside one by who they are, since a name may stand for several."""
    named = {name: [_who(one) for one in value] if name == "models" else value for name, value in spec.items()}
    return repr(sorted(named.items()))


def _who(model: Any) -> Any:
    return id(model) if hasattr(model, "generate") else model


def _telemetry(wanted: bool | None) -> tuple[OpenTelemetry, ...]:
    if wanted is None:
        wanted = os.environ.get("AGENTKIT_OTEL", "").lower() in ("1", "true", "yes", "on")
    if not wanted:
        return ()
    from agentkit.otel import OpenTelemetry

    return (OpenTelemetry(),)


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/agentkit``, else ``~/.cache/agentkit``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "agentkit"
