"""A graph and the graphs inside its nodes: each read, given its models and checked, and every mistake told where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentkit.errors import ConfigError, GraphError, did_you_mean
from agentkit.graph.check import check_spec
from agentkit.graph.files import Files
from agentkit.graph.kinds import Site
from agentkit.graph.report import Report
from agentkit.graph.shape import SCHEMA, read_model, read_spec
from agentkit.graph.spec import GraphSpec, ModelSpec, NodeSpec, inside, tool_key, tools_of
from agentkit.graph.topology import implied_edges
from agentkit.paths import resolve_ref
from agentkit.protocols import Model
from agentkit.registry import Registry
from agentkit.types import JSON
from agentkit.types import Path as DataPath
from agentkit.yaml_reader import read

MAX_DEPTH = 8
MAX_GRAPHS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a graph stands: its ``folder``, and the ``names`` of the nodes, the ``files`` and the ``models`` around it."""

    folder: Path | None
    names: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    models: Mapping[str, ModelSpec] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The names as one."""
        return "/".join(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A graph inside a node: its ``key`` among the graphs of the outer one, and the ``options`` at ``path`` that say which."""

    key: str
    path: DataPath
    options: Mapping[str, JSON]


class Loader:
    """Loads one graph with all that are inside it."""

    def __init__(self, registry: Registry, provided: Mapping[str, Any] | None = None) -> None:
        self._registry, self._provided = registry, provided or {}
        self._graphs = 0

    def load(self, report: Report, place: Place, *, given: Mapping[str, Any] | None = None) -> GraphSpec:
        """The graph that ``report.within`` holds; what is wrong is noted. ``given`` stands for entries of its ``models``.

        An entry of a graph around it has precedence over its own of the same name.
        """
        data = _part(report, place)
        spec, places = read_spec(data, report, file=report.source.file)
        spec = _with_models(spec, given or {}, place)
        if not isinstance(data, Mapping) or "edges" not in data:
            implied = implied_edges(spec.nodes, handlers=spec.edges)
            spec = replace(spec, edges=(*implied, *spec.edges), implied=True)
            places = (*(("nodes", edge.target, "in") for edge in implied), *places)
        files = Files(place.folder)
        if not place.files:
            place = replace(place, files=(Path(spec.file).resolve(),))
        inner = {one.key: self._inner(one, spec, report, place, files) for one in _graphs_of(spec.nodes)}
        spec = replace(spec, graphs={name: one for name, one in inner.items() if one is not None})
        site = Site(spec=spec, registry=self._registry, read=files.read, provided=self._provided)
        types = check_spec(spec, report, places=places, site=site)
        return replace(spec, files=files.texts, types=types)

    def _inner(self, one: Inside, outer: GraphSpec, report: Report, place: Place, files: Files) -> GraphSpec | None:
        """The graph inside a node, or None where what the node says is no graph."""
        self._graphs += 1
        here, options = one.path, one.options
        if len(place.names) >= MAX_DEPTH or self._graphs > MAX_GRAPHS:
            bound = f"nested at most {MAX_DEPTH} deep, and at most {MAX_GRAPHS} inside one"
            report.say(here, f"graphs may be {bound}")
            return None
        place = replace(place, names=(*place.names, one.key), models=outer.models)
        file, graph = options.get("file"), options.get("graph")
        if isinstance(file, str):
            return self._of_file(file, replace(report, within=(*report.within, *here, "file")), place, files)
        if isinstance(graph, Mapping):
            return self.load(replace(report, within=(*report.within, *here, "graph")), place)
        for name in options.keys() & {"file", "graph"}:
            report.say((*here, name), "must be a path like parts/name.yaml" if name == "file" else "must be a graph")
        return None

    def _of_file(self, file: str, report: Report, place: Place, files: Files) -> GraphSpec | None:
        try:
            text = files.read(file)
            path = resolve_ref(place.folder or Path(), file)
            if path in place.files:
                way = [one.name for one in (*place.files[place.files.index(path) :], path)]
                raise ConfigError(f"a graph cannot be inside itself: {' -> '.join(way)}")
            source = read(text.encode(), file=str(Path(report.source.file).parent / file))
        except GraphError as error:
            report.problems.extend(error.problems)
            return None
        except ConfigError as error:
            report.say((), str(error))
            return None
        place = replace(place, folder=path.parent, files=(*place.files, path))
        return self.load(Report(source, report.problems), place)


def _graphs_of(nodes: Mapping[str, NodeSpec]) -> Iterator[Inside]:
    """Where graphs stand inside nodes: as the node itself, or as the tools of an agent."""
    for node in nodes.values():
        path: DataPath = ("nodes", node.name, "with")
        if node.use == "graph":
            yield Inside(key=node.name, path=path, options=node.options)
        for index, tool in enumerate(tools_of(node)):
            if isinstance(tool, Mapping) and tool.get("use") == "graph":
                yield Inside(key=tool_key(node.name, index), path=(*path, "tools", index), options=tool)


def _part(report: Report, place: Place) -> JSON:
    """What stands at ``report.within``; a graph written in place may do without ``schema`` and ``name``."""
    data = report.source.data
    for key in report.within:
        data = data[key]
    if report.within and isinstance(data, Mapping):
        return {"schema": SCHEMA, "name": place.names[-1].replace(".", "_"), **data}
    return data


def _with_models(spec: GraphSpec, given: Mapping[str, Any], place: Place) -> GraphSpec:
    """The spec with its models under their full names, those given and those from around it in place of its own.

    Raises ``ConfigError`` for a name that it does not have.
    """
    for name in given:
        if name not in spec.models:
            raise ConfigError(f"{spec.file} has no model {name!r} to replace{did_you_mean(name, spec.models)}")
    own = {**spec.models, **{name: _given(name, one) for name, one in given.items()}}
    named = {name: replace(one, name=inside(place.name, name)) for name, one in own.items()}
    return replace(spec, models={**named, **place.models}, place=place.name)


def _given(name: str, value: Any) -> ModelSpec:
    if isinstance(value, Model):
        return ModelSpec(name=name, use="", given=True)
    return replace(read_model(name, value), given=True)
