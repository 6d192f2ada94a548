"""Every hook, on one screen. Hooks are synchronous and only register; work is async and goes through the protocols.

``register(name, factory)`` takes a class or callable whose keyword arguments are the component's options, or
``lazy("module:Class")``, which imports the module when the component is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from agentkit.events import Event

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("agentkit")
hookimpl = pluggy.HookimplMarker("agentkit")


class Register(Protocol):
    """Handed to every ``register_*`` hook: call it once a component."""

    def __call__(self, name: str, factory: Callable[..., Any]) -> None: ...


@hookspec
def register_models(register: Register) -> None:
    """Add model backends; ``models: {m: {use: NAME, ...}}`` or ``NAME/...`` in a graph file finds them."""


@hookspec
def register_strategies(register: Register) -> None:
    """Add strategies: ``use: strategy.NAME``."""


@hookspec
def register_retrievers(register: Register) -> None:
    """Add retrievers: ``use: retriever.NAME``."""


@hookspec
def register_evaluators(register: Register) -> None:
    """Add evaluators: ``use: evaluator.NAME``."""


@hookspec
def register_tools(register: Register) -> None:
    """Add tools: ``use: tool.NAME``."""


@hookspec
def register_rag(register: Register) -> None:
    """Add RAG steps (nodes that prompt, rerank, cite): ``use: rag.NAME``."""


@hookspec
def register_environments(register: Register) -> None:
    """Add environments to play: ``agentkit env run NAME``."""


@hookspec
def register_nodes(register: Register) -> None:
    """Add node kinds of your own: ``use: NAME``."""


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the ``agentkit`` command line."""


@hookspec
def on_event(event: Event) -> None:
    """See everything that happens in a run. Be quick; never raise."""
