"""The models of a graph: entries of the file turned into open models, secrets filled in at the last moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError
from agentkit.graph.kinds.component import with_paths
from agentkit.graph.spec import GraphSpec, ModelSpec
from agentkit.models.cassette import Cassette
from agentkit.models.replay import Recording, Replay
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
            filled = {"use": model.use, **self._filled(model, folder)} if model.use else {}
            self._opened[name] = self.open(filled) if filled else self.given[name]
        return self._opened[name]

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


def recorded(opener: Callable[[str], Model], path: Path) -> Callable[[str], Model]:
    """``opener`` with every response written to a new cassette."""
    cassette = Cassette(path)
    return lambda name: Recording(model=opener(name), cassette=cassette, label=name)


def replayed(path: Path) -> Callable[[str], Model]:
    """Every model answered from a cassette, each as it answered itself."""
    return cache(lambda name: Replay(path=path, model=name))
