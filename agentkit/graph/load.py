"""From a graph file to a checked spec, or to every reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError, GraphError, Problem, did_you_mean
from agentkit.graph.nested import Loader, Place
from agentkit.graph.report import Report
from agentkit.graph.spec import GraphSpec
from agentkit.registry import Registry
from agentkit.types import JSON
from agentkit.yaml_reader import MAX_BYTES, Source, read


def load(
    path: str | Path,
    *,
    registry: Registry,
    models: Mapping[str, Any] | None = None,
    changes: Mapping[str, JSON] | None = None,
    provided: Mapping[str, Any] | None = None,
) -> GraphSpec:
    """The graph in the file at ``path``; ``models`` replaces entries of its ``models:`` by name, with entries or with models.

    ``changes`` puts values in place of what the file says, by dotted path: ``{"nodes.solve.with.temperature": 0.2}``.
    ``provided`` is what the Kit fills into components.

    Raises ``GraphError`` with every problem found, each with file, line and column.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise GraphError([Problem(str(path), 1, 1, "", f"the file cannot be read: {error.strerror}")]) from None
    return load_text(
        data, registry=registry, models=models, file=str(path), folder=path.parent, changes=changes, provided=provided
    )


def load_text(
    text: str | bytes,
    *,
    registry: Registry,
    models: Mapping[str, Any] | None = None,
    file: str = "<graph>",
    folder: Path | None = None,
    changes: Mapping[str, JSON] | None = None,
    provided: Mapping[str, Any] | None = None,
) -> GraphSpec:
    """The graph in ``text``; files it refers to are looked for below ``folder``."""
    source = read(text, file=file)
    return load_source(source, registry=registry, models=models, folder=folder, changes=changes, provided=provided)


def load_source(
    source: Source,
    *,
    registry: Registry,
    models: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    changes: Mapping[str, JSON] | None = None,
    provided: Mapping[str, Any] | None = None,
) -> GraphSpec:
    """The graph in data that was read or built."""
    if changes:
        source = replace(source, data=_changed(source, changes))
    report = Report(source)
    spec = Loader(registry, provided).load(report, Place(folder=folder), given=models)
    report.raise_if_any()
    return replace(spec, changes=dict(changes or {}))


def _changed(source: Source, changes: Mapping[str, JSON]) -> Any:
    """The document with other values at some paths; raises ``ConfigError`` where a path leads nowhere."""
    data = deepcopy(source.data)
    for path, value in changes.items():
        *way, last = path.split(".")
        place = data
        for part in way:
            if not isinstance(place, dict) or part not in place:
                known = place if isinstance(place, dict) else ()
                raise ConfigError(
                    f"{source.file} has no {path!r} to set: {part!r} is not there{did_you_mean(part, known)}"
                )
            place = place[part]
        if not isinstance(place, dict):
            raise ConfigError(f"{source.file} has no {path!r} to set: {'.'.join(way)!r} holds no keys")
        place[last] = value
    return data
