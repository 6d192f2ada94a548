"""The actions of an environment as tools of an agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentkit.errors import ToolError
from agentkit.protocols import Tool
from agentkit.registry import provided
from agentkit.types import JSON, Outcome, ToolSpec

Act = Callable[[str, dict[str, JSON]], Outcome]
"""Takes the call of a tool in the episode that is being played."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An episode that is being played: its tools, and what takes their calls."""

    tools: Sequence[ToolSpec]
    act: Act


@dataclass(frozen=True, kw_only=True)
class EnvironmentTools:
    """The tools of the episode that ``agentkit env run`` plays; none outside of one."""

    stage: Stage | None = provided("stage")

    @property
    def tools(self) -> tuple[Tool, ...]:
        """One for each action."""
        if self.stage is None:
            return ()
        return tuple(_Action(spec=spec, act=self.stage.act) for spec in self.stage.tools)


@dataclass(frozen=True, kw_only=True)
class _Action:
    """One action."""

    spec: ToolSpec
    act: Act

    async def call(self, arguments: dict[str, JSON]) -> JSON:
        """What came of it; ``ToolError`` for an action that was refused."""
        outcome = self.act(self.spec.name, arguments)
        if outcome.code:
            raise ToolError(outcome.message)
        told = outcome.result if outcome.result is not None else outcome.state
        return {"result": told, "over": True} if outcome.done else {"result": told}
