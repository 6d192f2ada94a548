"""``rag.NAME`` and node kinds that plugins register: an async ``run`` whose annotations are the ports."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from agentkit.errors import ConfigError
from agentkit.graph.context import NodeContext
from agentkit.graph.kinds import component, described
from agentkit.graph.kinds.kind import Checked, Run, Site, Workshop
from agentkit.graph.plain import documents, to_plain
from agentkit.graph.ports import Port, Ports, of_function, type_of
from agentkit.graph.spec import NodeSpec
from agentkit.options import Converter
from agentkit.registry import Registry
from agentkit.types import JSON, Bounds, Document

_RERANK = Ports(
    inputs={"query": Port("string", True), "documents": Port("documents", True)}, outputs={"documents": "documents"}
)


class StepKind:
    """Components of one registry ``kind``: nodes with a ``run``, or rerankers."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def check(self, node: NodeSpec, site: Site) -> Checked:
        """The ports that the annotations of ``run`` tell."""
        factory, faults = component.find(site.registry, self._kind, node.component or node.use)
        if factory is None:
            return Checked(faults=faults)
        faults += component.check_options(node, factory, site)
        try:
            return Checked(ports=_ports(factory), faults=faults)
        except ConfigError as error:
            return Checked(faults=[*faults, (("use",), f"{node.use} cannot be a node: {error}")])

    def describe(self, registry: Registry, name: str) -> described.Schema:
        """What may stand under ``with``."""
        return described.of_component(registry, self._kind, name)

    def bounds(self, node: NodeSpec, shop: Workshop) -> tuple[Bounds, ...] | None:
        """What the component says, where it asks a model."""
        return component.bounds_of(node, self._kind, shop)

    def prepare(self, node: NodeSpec, shop: Workshop) -> Run:
        """Calls ``run`` with its inputs as the annotations want them."""
        make = component.maker(node, self._kind, shop)
        factory = shop.registry.get(self._kind, node.component or node.use).factory
        if not hasattr(_made(factory), "run"):
            return _rerank(make)
        run = _made(factory).run
        hints = get_type_hints(run)
        converters = {name: _converter(hints.get(name, Any)) for name in _ports(factory).inputs}
        listens = "emit" in inspect.signature(run).parameters

        async def call(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
            values = {name: _convert(name, converters[name], value) for name, value in inputs.items()}
            listening = {"emit": context.emit} if listens else {}
            return _outputs(await make(context).run(**values, **listening))

        return call


def _made(factory: Any) -> Any:
    """What a factory makes, as far as its annotation tells: the class itself, or what the function returns."""
    if isinstance(factory, type):
        return factory
    made = get_type_hints(factory).get("return")
    if not isinstance(made, type):
        raise ConfigError("its factory does not say with an annotation what it makes")
    return made


def _ports(factory: Any) -> Ports:
    made = _made(factory)
    if hasattr(made, "run"):
        return of_function(made.run)
    if hasattr(made, "rerank"):
        return _RERANK
    raise ConfigError("it has no 'run' method")


def _rerank(make: component.Make) -> Run:
    async def call(inputs: Mapping[str, JSON], context: NodeContext) -> Mapping[str, JSON]:
        found = await make(context).rerank(inputs["query"], documents(inputs["documents"]))
        return {"documents": to_plain(found)}

    return call


def _converter(annotation: Any) -> Callable[[JSON], Any]:
    if type_of(annotation) == "documents":
        return documents
    if annotation is Document:
        return lambda value: documents([value])[0]
    return Converter(annotation).convert


def _convert(name: str, convert: Callable[[JSON], Any], value: JSON) -> Any:
    try:
        return convert(value)
    except ConfigError as error:
        raise ConfigError(f"input {name!r}: {error}") from None


def _outputs(result: Any) -> dict[str, JSON]:
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return {str(name): to_plain(value) for name, value in result.items()}
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {one.name: to_plain(getattr(result, one.name)) for one in dataclasses.fields(result)}
    return {"result": to_plain(result)}
