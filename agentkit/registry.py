"""Names and what they make. A graph file can only say a registered name, never a Python path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from agentkit.errors import ConfigError, DuplicateComponentError, UnknownComponentError

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

KINDS = ("model", "strategy", "retriever", "evaluator", "tool", "rag", "node", "environment")


@dataclass(frozen=True, slots=True)
class lazy:
    """A factory known by its address, imported when it is first used."""

    address: str

    def load(self) -> Callable[..., Any]:
        """The class or function itself."""
        module, _, attribute = self.address.partition(":")
        factory: Callable[..., Any] = getattr(import_module(module), attribute)
        return factory

    def __call__(self, **options: Any) -> Any:
        return self.load()(**options)


def provided(name: str) -> Any:
    """A dataclass field that the Kit fills (``home``, ``cache``): not an option, so no graph file can set it."""
    return field(default=None, metadata={"provided": name}, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Component:
    """One registration: kind, name, who registered it, and the factory."""

    kind: str
    name: str
    plugin: str
    source: Callable[..., Any]

    @property
    def address(self) -> str:
        """``module:qualname`` of the factory, known without importing it."""
        if isinstance(self.source, lazy):
            return self.source.address
        return f"{self.source.__module__}:{getattr(self.source, '__qualname__', type(self.source).__qualname__)}"

    @property
    def factory(self) -> Callable[..., Any]:
        """The class or function that makes the component, imported now if it was lazy."""
        return self.source.load() if isinstance(self.source, lazy) else self.source


class Registry:
    """The components of one Kit, by kind and name."""

    def __init__(self) -> None:
        self._components: dict[tuple[str, str], Component] = {}

    def add(self, kind: str, name: str, factory: Callable[..., Any], *, plugin: str) -> None:
        """Register a component; raises ``ConfigError`` for a malformed name, ``DuplicateComponentError`` for a second one."""
        if not _NAME.match(name):
            raise ConfigError(f"{kind} name {name!r} of plugin {plugin!r} must be lower_snake_case")
        component = Component(kind, name, plugin, factory)
        if other := self._components.get((kind, name)):
            raise DuplicateComponentError(
                f"{kind} {name!r} is registered by both {other.plugin} ({other.address}) and {plugin} "
                f"({component.address}); disable one of the two plugins"
            )
        self._components[kind, name] = component

    def get(self, kind: str, name: str) -> Component:
        """The component, or ``UnknownComponentError`` with the nearest name."""
        try:
            return self._components[kind, name]
        except KeyError:
            raise UnknownComponentError(kind, name, self.names(kind)) from None

    def names(self, kind: str) -> list[str]:
        """The registered names of a kind, sorted."""
        return sorted(name for known, name in self._components if known == kind)

    def __iter__(self) -> Iterator[Component]:
        return iter(sorted(self._components.values(), key=lambda one: (one.kind, one.name)))

    def copy(self) -> Registry:
        """The same components in a registry of its own."""
        found = Registry()
        found._components = dict(self._components)
        return found

    def drop(self, plugin: str) -> None:
        """Forget everything a plugin registered."""
        self._components = {key: one for key, one in self._components.items() if one.plugin != plugin}
