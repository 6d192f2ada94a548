"""An episode: a world's state, the actions taken, and the verdict on each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from agentkit.errors import ConfigError
from agentkit.types import JSON, Outcome, ToolSpec

S = TypeVar("S")

Language = Literal["en", "ru"]

DONE = "done"
_STOP = re.compile(r"\W*(?:done|stop|finished|готово|стоп)\W*", re.IGNORECASE)
_FACT = re.compile(r"\([^()]*\)")
_WORD = re.compile(r"[^\s;,]+")
_LONGEST = 10_000

ACT = ToolSpec(
    name="act",
    description="Take one action, written as the task says. The answer is what you then see, or why it was refused.",
    parameters={
        "type": "object",
        "properties": {"action": {"type": "string", "description": "one action, on one line"}},
        "required": ["action"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """What an action does: the state after it (as before, where it was refused), or what is wrong with it."""

    state: S
    code: str = ""
    message: str = ""
    result: JSON = None


class World(Protocol[S]):
    """The rules of an environment, as functions of a state that never changes in place."""

    def show(self, state: S) -> str:
        """What the player may know of the state."""
        ...

    def data(self, state: S) -> JSON:
        """The state as plain data, for the record."""
        ...

    def legal(self, state: S) -> tuple[str, ...]:
        """See ``Episode.legal``."""
        ...

    def move(self, state: S, text: str) -> Move[S]:
        """What the action does."""
        ...

    def ended(self, state: S) -> bool | None:
        """Whether the task is solved once the world has come to its end; None before that."""
        ...


@dataclass(slots=True, kw_only=True)
class Play(Generic[S]):
    """An episode of a world. A refused action changes nothing and the episode goes on, up to ``limit`` actions.

    A line may end in `` | `` and the state that the player believes to come of it; that is checked too. ``done`` ends the
    episode, too early where the goal is not reached. ``spotless``: one error and the task is not solved any more.
    """

    world: World[S]
    task: str
    state: S
    limit: int
    tools: Sequence[ToolSpec] = (ACT,)
    spotless: bool = False
    _taken: int = field(default=0, init=False)
    _refusal: str = field(default="", init=False)
    _failed: bool = field(default=False, init=False)
    _success: bool | None = field(default=None, init=False)

    def observe(self) -> str:
        """The state as shown, and why the last action was refused."""
        shown = self.world.show(self.state)
        return f"{shown}\n{self._refusal}" if self._refusal else shown

    def legal(self) -> Sequence[str]:
        """What the world allows now."""
        return () if self._success is not None else self.world.legal(self.state)

    def step(self, action: str) -> Outcome:
        """Take the action and judge it."""
        if self._success is not None:
            return self._outcome(Move(self.state, "after_end", "the episode is over; nothing can be done any more"))
        self._taken += 1
        if _STOP.fullmatch(action):
            self._success = False
            return self._outcome(Move(self.state, "goal_unmet", "stopped before the goal was reached"))
        move = self._move(action[:_LONGEST])
        self.state = move.state
        self._failed = self._failed or bool(move.code)
        self._refusal = "" if self.spotless or not move.code else f"The last action was wrong: {move.message}"
        self._success = self._ended()
        return self._outcome(move)

    def _move(self, action: str) -> Move[S]:
        line, bar, said = action.strip().rpartition(" | ")
        if not bar:
            return self.world.move(self.state, action.strip())
        move = self.world.move(self.state, line)
        true = self.world.show(move.state)
        if move.code or _canonical(said) == _canonical(true):
            return move
        message = f"the state after it is {' '.join(true.split())!r}, not {said[:300]!r}"
        return Move(move.state, "wrong_state", message, move.result)

    def _ended(self) -> bool | None:
        success = self.world.ended(self.state)
        if success is None:
            return False if self._taken >= self.limit else None
        return success and not (self.spotless and self._failed)

    def _outcome(self, move: Move[S]) -> Outcome:
        return Outcome(
            code=move.code,
            message=move.message,
            result=move.result,
            state=self.world.data(self.state),
            done=self._success is not None,
            success=self._success,
        )


def call(tool: str, /, **arguments: JSON) -> str:
    """A call as the text of an action."""
    return f"{tool} {json.dumps(arguments, ensure_ascii=False)}"


def action_of(tool: str, arguments: Mapping[str, JSON]) -> str:
    """The action that calling one of an episode's tools takes."""
    return str(arguments.get("action", "")) if tool == ACT.name else call(tool, **arguments)


def read_call(text: str) -> tuple[str, dict[str, Any] | None]:
    """The tool and the arguments of an action; arguments None where they are no JSON object, ``{}`` where there are none."""
    name, _, written = text.strip().partition(" ")
    try:
        arguments = json.loads(written) if written.strip() else {}
    except (ValueError, RecursionError):
        return name, None
    return name, arguments if isinstance(arguments, dict) else None


def between(name: str, value: int, low: int, high: int) -> None:
    """Raise ``ConfigError`` unless the option is between the bounds."""
    if not low <= value <= high:
        raise ConfigError(f"{name} must be between {low} and {high}, not {value}")


def _canonical(text: str) -> list[str]:
    """A state as words; facts in brackets are a set, in whatever order."""
    facts = _FACT.findall(text)
    return sorted({" ".join(fact.casefold().split()) for fact in facts}) if facts else _WORD.findall(text.casefold())
