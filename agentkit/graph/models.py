"""The models of a graph: entries of the file turned into open models, secrets filled in at the last moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError
from agentkit.graph.context import Choose
from agentkit.graph.kinds.component import with_paths
from agentkit.graph.spec import GraphSpec, ModelSpec
from agentkit.models.cassette import Cassette
from agentkit.models.replay import Recording, Replay
from agentkit.options import build
from agentkit.protocols import Model
from agentkit.registry import Registry
from agentkit.types import JSON

_SECRET = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")

Open = Callable[[Mapping[str, Any]], Model]
"""Opens the backend of an entry, ``{use: NAME, ...}``; retries and fallbacks are put around it by the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Opens the models of ``spec``, and of the graphs inside it, by full name.

    ``given`` are objects of the caller's, ``environ`` is where secrets come from.
    """

    spec: GraphSpec
    registry: Registry
    open: Open
    given: Mapping[str, Model] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    _opened: dict[str, Model] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """Raises ``ConfigError`` for the first secret that is not set, before anything is spent."""
        for model, folder in entries(self.spec).values():
            if model.use:
                self._filled(model, folder)

    def model(self, name: str) -> Model:
        """The model, opened when it is first asked for; all runs share it, and with it its limit of concurrent calls."""
        if name not in self._opened:
            model, folder = entries(self.spec)[name]
            self._opened[name] = self._open(model, folder) if model.use else self.given[name]
        return self._opened[name]

    def choosing(self, name: str) -> Choose | None:
        """What makes the model ``name`` from those it chooses between; None for a backend, or for one that all runs share."""
        model, folder = entries(self.spec)[name]
        component = self.registry.get("model", model.use) if model.models else None
        if component is None or getattr(component.factory, "shared", False):
            return None
        options = {**self._filled(model, folder), "models": list(model.models)}
        return lambda others: build(component, options, provided={}, models=others)

    def _open(self, model: ModelSpec, folder: Path) -> Model:
        options = self._filled(model, folder)
        if model.models:
            graph = owner(self.spec, model.name)
            options["models"] = tuple(self.model(graph.models[other].name) for other in model.models)
        return self.open({"use": model.use, **options})

    def _filled(self, model: ModelSpec, folder: Path) -> dict[str, JSON]:
        options = {name: value for name, value in model.options.items() if name != "retry"}
        if not model.given:
            options = with_paths(self.registry.get("model", model.use).factory, options, folder)
        return {name: self._fill(value, f"models.{model.name}.{name}") for name, value in options.items()}

    def _fill(self, value: JSON, place: str) -> JSON:
        if isinstance(value, Mapping):
            return {key: self._fill(item, f"{place}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, place) for item in value]
        return _SECRET.sub(lambda found: self._secret(found[1], place), value) if isinstance(value, str) else value

    def _secret(self, name: str, place: str) -> str:
        try:
            return self.environ[name]
        except KeyError:
            raise ConfigError(f"{self.spec.file}: {place}: the environment variable {name} is not set") from None


def entries(spec: GraphSpec) -> dict[str, tuple[ModelSpec, Path]]:
    """The models of a graph and of those inside it, by full name, each with the folder that its paths begin at."""
    found = {one.name: (one, Path(spec.file).parent) for name, one in spec.models.items() if spec.owns(name)}
    for inner in spec.graphs.values():
        found |= entries(inner)
    return found


def owner(spec: GraphSpec, name: str) -> GraphSpec:
    """The graph, ``spec`` or one inside it, whose file has the entry of the model with this full name."""
    if any(one.name == name and spec.owns(local) for local, one in spec.models.items()):
        return spec
    return next(owner(inner, name) for inner in spec.graphs.values() if name in entries(inner))


def recorded(opener: Callable[[str], Model], path: Path) -> Callable[[str], Model]:
    """``opener`` with every response written to a new cassette."""
    cassette = Cassette(path)
    return lambda name: Recording(model=opener(name), cassette=cassette, label=name)


def replayed(path: Path) -> Callable[[str], Model]:
    """Every model answered from a cassette, each as it answered itself."""
    return cache(lambda name: Replay(path=path, model=name))
