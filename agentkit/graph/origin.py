"""Where a run came from: what its record says so that one can go on with it, and what has changed in the graph since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentkit.errors import InputError
from agentkit.events import NodeStarted, Scope
from agentkit.graph.spec import GraphSpec, ModelSpec
from agentkit.runtime.journal import Journal
from agentkit.types import JSON

_SHORT = 16  # hexadecimal digits: enough to tell a changed node, and a run of 50 nodes stays small


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The graph's ``file`` (None: it had none) with the caller's ``models`` (None: not an address, to be given again) and
    ``changes`` to it, the ``seed``, a fingerprint of each node, and for a fork the ``run`` it began with, ``at`` which node,
    and the ``outputs`` that were put in the place of that node's own.
    """

    file: str | None = None
    seed: int = 0
    models: Mapping[str, str | None] = field(default_factory=dict)
    changes: Mapping[str, JSON] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    run: str | None = None
    at: str | None = None
    outputs: Mapping[str, JSON] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, JSON]) -> Origin:
        """The origin in a run's header; what is missing there, or of the wrong kind, stays at its default."""
        known: dict[str, Any] = {
            name: value for name, kind in _KINDS.items() if isinstance(value := data.get(name), kind)
        }
        return cls(**known)

    def data(self) -> dict[str, JSON]:
        """The same as plain data."""
        found = {name: getattr(self, name) for name in _KINDS}
        return {name: dict(v) if isinstance(v, Mapping) else v for name, v in found.items() if v}


_KINDS: Mapping[str, type] = {
    "file": str,
    "seed": int,
    "models": dict,
    "changes": dict,
    "nodes": dict,
    "run": str,
    "at": str,
    "outputs": dict,
}


def origin_of(spec: GraphSpec, identities: Mapping[str, str]) -> Origin:
    """The origin of runs of ``spec``, whose nodes depend on ``identities``, with seed 0."""
    file = Path(spec.file)
    return Origin(
        file=str(file.absolute()) if file.is_file() else None,
        models={name: _address(one) for name, one in spec.models.items() if one.given},
        changes=spec.changes,
        nodes={name: one[:_SHORT] for name, one in identities.items()},
    )


def changed(before: Origin, now: Origin) -> tuple[str, ...]:
    """The nodes that are not as they were: new ones, and those with another component, option, text or model."""
    return tuple(name for name, mark in now.nodes.items() if before.nodes and before.nodes.get(name) != mark)


def visits_before(earlier: Journal, at: str, after: Iterable[str], visit: int = 0) -> Callable[[Scope], bool]:
    """Says of a place in a run whether it came before that visit of the node ``at``, or is on no way from it.

    ``after`` are the nodes that can follow ``at``. Raises ``InputError`` when the run never came to ``at``.
    """
    begun = begun_at(earlier, at, visit)
    done = {(one.scope.node, one.scope.visit) for one in earlier.visits() if one.at <= begun and not one.scope.path}
    live = {at, *after}
    return lambda scope: scope.node not in live or (scope.node, scope.visit) in done


def begun_at(earlier: Journal, at: str, visit: int = 0) -> float:
    """When that visit of the node began; raises ``InputError`` when the run never came to it."""
    found = [
        one.at for one in earlier.events() if isinstance(one.event, NodeStarted) and _is(one.event.scope, at, visit)
    ]
    if not found:
        again = f" a {visit + 1}. time" if visit else ""
        raise InputError(f"run {earlier.header.id} never came to the node {at!r}{again}, so it cannot be forked there")
    return min(found)


def _is(scope: Scope, node: str, visit: int) -> bool:
    return not scope.path and (scope.node, scope.visit) == (node, visit)


def _address(model: ModelSpec) -> str | None:
    """``backend/name``; options beside the name may be secrets, so they are not recorded."""
    if not model.use or model.options.keys() - {"model"} or model.fallback:
        return None
    name = model.options.get("model")
    return f"{model.use}/{name}" if name else model.use
