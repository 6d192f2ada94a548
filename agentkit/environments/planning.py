"""Planning tasks as worlds: the rules are PDDL, the distances exact where all states can be visited."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from agentkit import pddl
from agentkit.environments import injection
from agentkit.environments.play import Move
from agentkit.errors import ConfigError, InputError
from agentkit.pddl.grounding import Step
from agentkit.pddl.solving import all_steps
from agentkit.pddl.task import Misstep
from agentkit.types import JSON

MAX_STATES = 20_000
"""Beyond that many states there are no distances, so no shortest plans and no ``strict``."""

NO_PLAN = "no plan"
KINDS = (*injection.KINDS, "false_no_plan")

_WORD = re.compile(r"[\w-]+")
_TASK = {
    "en": (
        "Solve this planning task. Domain:\n{domain}\nProblem:\n{problem}\nReach the goal{best}. Write an action as in PDDL: "
        "{example}\nIf the goal cannot be reached, write only: no plan"
    ),
    "ru": (
        "Решите задачу планирования. Область:\n{domain}\nЗадача:\n{problem}\nДостигните цели{best}. Действие записывается на "
        "PDDL: {example}\nЕсли цель недостижима, напишите только: no plan"
    ),
}
_BEST = {"en": " in the fewest actions", "ru": " за наименьшее число действий"}


@dataclass(frozen=True, eq=False)
class Puzzle:
    """A task in PDDL of about ``states`` states; ``reference`` is a plan for one that is too large for an exact search."""

    domain: str
    problem: str
    reference: tuple[str, ...] = ()
    states: int = 0

    @cached_property
    def task(self) -> pddl.Task:
        """Ready to check plans."""
        return pddl.load_task(self.domain, self.problem)

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """Every action that the unchanging facts allow, by its text."""
        return {step.name: step for step in all_steps(self.task) or ()}

    @cached_property
    def exact(self) -> bool:
        """Whether all states were visited."""
        return self._distances is not None

    @cached_property
    def solvable(self) -> bool:
        """Whether some plan reaches the goal: proved by visiting all states, or by the reference."""
        return bool(self.reference) or self.distance(self.task.initial) is not None

    def legal(self, state: int) -> tuple[str, ...]:
        """The actions whose conditions hold."""
        return tuple(
            name
            for name, one in self.steps.items()
            if state & one.condition.need == one.condition.need and not state & one.condition.forbid
        )

    def distance(self, state: int) -> int | None:
        """How far the goal is; raises ``ConfigError`` where there are too many states to know."""
        if self._distances is None:
            raise ConfigError(f"this task has more than {MAX_STATES:,} states, so the shortest way is not known")
        return self._distances.get(state)

    def solve(self) -> tuple[str, ...]:
        """A shortest plan where all states were visited, else the reference; ``no plan`` where there is none."""
        if self.reference and not self.exact:
            return self.reference
        if not self.solvable:
            return (NO_PLAN,)
        found, state = [], self.task.initial
        while left := self.distance(state):
            name, state = next(
                (name, after)
                for name in self.legal(state)
                if self.distance(after := _after(self.steps[name], state)) == left - 1
            )
            found.append(name)
        return tuple(found)

    @cached_property
    def _distances(self) -> Mapping[int, int] | None:
        """The distance of every state from which the goal can be reached; None for too many states."""
        if self.states > MAX_STATES:
            return None
        before: dict[int, list[int]] = {self.task.initial: []}
        waiting = deque(before)
        while waiting:
            state = waiting.popleft()
            for name in self.legal(state):
                after = _after(self.steps[name], state)
                if after not in before:
                    if len(before) >= MAX_STATES:
                        return None
                    before[after] = []
                    waiting.append(after)
                before[after].append(state)
        goal = self.task.goal
        return _backwards(before, [one for one in before if goal.holds(one, self.task.values)])


@dataclass(frozen=True, eq=False)
class Position:
    """Where a plan has come to; ``given_up`` once it was said that there is none."""

    puzzle: Puzzle
    state: int
    given_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Planning:
    """The world of a puzzle: what the environments of planning share."""

    strict: bool = False

    def show(self, position: Position) -> str:
        """The facts that can change."""
        return " ".join(f for f in _facts(position) if f[1:-1].split()[0] in position.puzzle.task.changing)

    def data(self, position: Position) -> JSON:
        """The same facts, as a list."""
        return [f for f in _facts(position) if f[1:-1].split()[0] in position.puzzle.task.changing]

    def legal(self, position: Position) -> tuple[str, ...]:
        """The actions whose conditions hold, and that there is no plan where that is so."""
        if position.puzzle.exact and not position.puzzle.solvable:
            return (*position.puzzle.legal(position.state), NO_PLAN)
        return position.puzzle.legal(position.state)

    def move(self, position: Position, text: str) -> Move[Position]:
        """Take the step, or say what it lacks."""
        puzzle = position.puzzle
        read = pddl.read_plan([text], puzzle.task)
        if read.answer == "no plan":
            return self._given_up(position)
        if len(read.steps) != 1:
            return Move(position, "unreadable", f"{text[:80]!r} is no action of this task")
        step = puzzle.task.step(read.steps[0].name, read.steps[0].arguments)
        if isinstance(step, Misstep):
            return Move(position, step.code, step.message)
        if not step.condition.holds(position.state, puzzle.task.values):
            missing = ", ".join(step.condition.unmet(position.state, puzzle.task.values, puzzle.task.atoms))
            return Move(position, "precondition_violated", f"{step.name} needs {missing}")
        after = Position(puzzle, _after(step, position.state))
        if self.strict and puzzle.solvable and _further(puzzle, position.state, after.state):
            return Move(after, "wasted_step", f"{step.name} does not lead nearer to the goal")
        return Move(after)

    def after(self, position: Position, action: str) -> Position:
        """The position after a legal action."""
        if action == NO_PLAN:
            return Position(position.puzzle, position.state, given_up=True)
        return Position(position.puzzle, _after(position.puzzle.steps[action], position.state))

    def ended(self, position: Position) -> bool | None:
        """Once the goal holds, or the player has given up."""
        if position.given_up:
            return not position.puzzle.solvable
        return True if position.puzzle.task.goal.holds(position.state, position.puzzle.task.values) else None

    def distance(self, position: Position) -> int | None:
        """See ``Puzzle.distance``."""
        return position.puzzle.distance(position.state)

    def any_action(self, position: Position, rng: Random) -> str:
        """Any action on objects of the task."""
        return rng.choice(list(position.puzzle.steps))

    def task(self, puzzle: Puzzle, language: str) -> str:
        """The domain, the problem and how to answer."""
        best = _BEST[language] if self.strict else ""
        example = next(iter(puzzle.steps))
        return _TASK[language].format(domain=puzzle.domain, problem=puzzle.problem, best=best, example=example)

    def _given_up(self, position: Position) -> Move[Position]:
        after = Position(position.puzzle, position.state, given_up=True)
        if position.puzzle.solvable:
            return Move(after, "false_no_plan", "there is a plan")
        return Move(after)


def inject(world: injection.Moves[Position], seed: int, kind: str, step: int) -> tuple[str, ...] | None:
    """``injection.inject``, and that a task with a plan has none."""
    if kind != "false_no_plan":
        return injection.inject(world, seed, kind, step)
    best = world.solve(seed)
    if not 0 <= step < len(best) or best[step] == NO_PLAN:
        return None
    return (*best[:step], NO_PLAN)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with whole words replaced."""
    return _WORD.sub(lambda found: names.get(found[0], found[0]), text)


def obfuscated(words: Sequence[str], rng: Random) -> dict[str, str]:
    """A meaningless name for each word, as in Mystery Blocksworld (Valmeekam et al. 2023, arXiv 2206.10498)."""
    made: list[str] = []
    while len(made) < len(words):
        name = "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3))
        if name not in made:
            made.append(name)
    return dict(zip(words, made, strict=True))


def checked(puzzle: Puzzle, *, strict: bool) -> Puzzle:
    """The puzzle; raises ``InputError`` where ``strict`` needs distances that it has not."""
    if strict and not puzzle.exact:
        raise InputError("strict needs a smaller task: the shortest way of this one is not known")
    return puzzle


def _facts(position: Position) -> list[str]:
    state, atoms = position.state, position.puzzle.task.atoms
    return sorted(atoms[place] for place in range(state.bit_length()) if state >> place & 1)


def _after(step: Step, state: int) -> int:
    return state & step.keep | step.add


def _further(puzzle: Puzzle, here: int, there: int) -> bool:
    before, after = puzzle.distance(here), puzzle.distance(there)
    return before is not None and (after is None or after >= before)


def _backwards(before: Mapping[int, list[int]], goals: list[int]) -> dict[int, int]:
    found = dict.fromkeys(goals, 0)
    waiting = deque(goals)
    while waiting:
        state = waiting.popleft()
        for one in before[state]:
            if one not in found:
                found[one] = found[state] + 1
                waiting.append(one)
    return found
