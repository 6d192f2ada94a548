"""A Python function as a tool: its annotations are the schema, its docstring what the model is told."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from agentkit.errors import ConfigError, ToolError
from agentkit.options import Converter
from agentkit.types import JSON, ToolSpec


@dataclass(frozen=True)
class Function:
    """The tool that calls ``function``, sync (in a thread) or async.

    A plugin registers one as ``register("look_up", lambda: Function(look_up))``. Raises ``ConfigError`` for a parameter
    without an annotation, and for ``*args``.
    """

    function: Callable[..., Any]
    name: str = ""
    spec: ToolSpec = field(init=False, repr=False, compare=False)
    _converters: dict[str, Converter] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        converters = {name: Converter(hint) for name, hint in _hints(self.function).items()}
        object.__setattr__(self, "_converters", converters)
        object.__setattr__(self, "spec", _spec(self.function, self.name, converters))

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """What the function returns; raises ``ToolError`` for arguments that do not fit, and what the function raises."""
        try:
            values = {name: self._converters[name].convert(value) for name, value in arguments.items()}
        except (ConfigError, KeyError) as error:
            raise ToolError(f"the arguments do not fit {self.spec.name}: {error}") from None
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**values)
        return await asyncio.to_thread(self.function, **values)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    hints = get_type_hints(function)
    for name, one in inspect.signature(function).parameters.items():
        if one.kind not in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD) or name not in hints:
            raise ConfigError(f"{function.__name__}: the parameter {name!r} needs a name of its own and an annotation")
    return {name: hint for name, hint in hints.items() if name != "return"}


def _spec(function: Callable[..., Any], name: str, converters: dict[str, Converter]) -> ToolSpec:
    parameters = inspect.signature(function).parameters
    schema = {
        "type": "object",
        "properties": {key: one.schema() for key, one in converters.items()},
        "required": [key for key, one in parameters.items() if one.default is one.empty],
        "additionalProperties": False,
    }
    return ToolSpec(name=name or function.__name__, description=inspect.getdoc(function) or "", parameters=schema)
