"""Graphs of models, search, votes and checks: spend compute at answer time where it pays, and prove that it paid.

The names here and the modules ``graph``, ``types``, ``errors``, ``events``, ``protocols``, ``answers``, ``text``, ``testing`` are
public.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentkit.errors import AgentkitError
from agentkit.events import Event
from agentkit.hookspecs import hookimpl
from agentkit.registry import lazy, provided
from agentkit.types import (
    Bounds,
    Document,
    Finding,
    GenerateRequest,
    Message,
    Problem,
    Record,
    Sample,
    Score,
    Solution,
    Usage,
    Vote,
)

if TYPE_CHECKING:
    from agentkit.graph import Graph, GraphBuilder
    from agentkit.kit import Kit
    from agentkit.runtime.concurrency import gather, run_sync
    from agentkit.runtime.sampling import draw, draw_all, samples

# These need the event loop or the graph engine: imported when first asked for, so that `import agentkit` costs little.
_LATER = {
    "Kit": "agentkit.kit",
    "Graph": "agentkit.graph",
    "GraphBuilder": "agentkit.graph",
    "draw": "agentkit.runtime.sampling",
    "draw_all": "agentkit.runtime.sampling",
    "samples": "agentkit.runtime.sampling",
    "gather": "agentkit.runtime.concurrency",
    "run_sync": "agentkit.runtime.concurrency",
}

__all__ = [
    "AgentkitError",
    "Bounds",
    "Document",
    "Event",
    "Finding",
    "GenerateRequest",
    "Graph",
    "GraphBuilder",
    "Kit",
    "Message",
    "Problem",
    "Record",
    "Sample",
    "Score",
    "Solution",
    "Usage",
    "Vote",
    "draw",
    "draw_all",
    "gather",
    "hookimpl",
    "lazy",
    "provided",
    "run_sync",
    "samples",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'agentkit' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return __all__
