"""What the backends of a graph's models say of themselves, asked without a call and without a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from agentkit.errors import AgentkitError
from agentkit.graph.kinds.component import with_paths
from agentkit.graph.models import entries, owner
from agentkit.graph.spec import GraphSpec, StackOptions
from agentkit.options import build, fields
from agentkit.protocols import Model
from agentkit.registry import Registry
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities

_ADDRESS = "http://127.0.0.1/v1"  # in place of one that the environment holds, where its form is checked; nothing is sent there
_AROUND = tuple(fields(StackOptions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A backend's price, capabilities and own limit of output tokens, each None where it is not known; ``reason`` says why.

    One that asks ``others`` sends an unknown number of calls for a sample.
    """

    price: Price | None = None
    capabilities: Capabilities | None = None
    max_tokens: int | None = None
    reason: str = ""
    others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """The backends of ``spec`` and of the graphs inside it, by full name; ``given`` are objects of the caller's."""

    spec: GraphSpec
    registry: Registry
    given: Mapping[str, Model] = field(default_factory=dict)
    provided: Mapping[str, Any] = field(default_factory=dict)
    _asked: dict[str, Backend] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> Backend:
        """What is known of a model."""
        if name not in self._asked:
            self._asked[name] = self._ask(name)
        return self._asked[name]

    def _ask(self, name: str) -> Backend:
        if name not in self.given and self._asks_others(name):
            return Backend(others=True, reason="it asks other models, and nobody knows how often")
        try:
            model = self.given.get(name) or self._made(name)
            price, able = price_of(model), getattr(model, "capabilities", None)
        except AgentkitError as error:
            return Backend(reason=str(error))
        limit = getattr(model, "max_tokens", None)
        return Backend(
            price=price,
            capabilities=able if isinstance(able, Capabilities) else None,
            max_tokens=limit if isinstance(limit, int) else None,
        )

    def _asks_others(self, name: str) -> bool:
        """Whether the backend chooses between other models for every sample; replicas are one model to whoever asks."""
        factory = self.registry.get("model", entries(self.spec)[name][0].use).factory
        choosing = any(one.annotation is Model or Model in get_args(one.annotation) for one in fields(factory).values())
        return choosing and not getattr(factory, "shared", False)

    def _made(self, name: str) -> Model:
        """The backend with its secrets left as they are written, or left out where one of them is no secret but an address."""
        entry, folder = entries(self.spec)[name]
        component = self.registry.get("model", entry.use)
        options = {key: value for key, value in entry.options.items() if key not in _AROUND}
        if not entry.given:
            options = with_paths(component.factory, options, folder)
        others = owner(self.spec, name).models if entry.models else {}
        models = {other: self.given.get(others[other].name) or self._made(others[other].name) for other in entry.models}
        named = {**options, "models": list(models)} if models else options
        try:
            model: Model = build(component, named, provided=self.provided, models=models)
        except AgentkitError:
            later = {key: _ADDRESS for key, value in named.items() if isinstance(value, str) and "${env:" in value}
            if not later:
                raise
            model = build(component, {**named, **later}, provided=self.provided, models=models)
        return model
