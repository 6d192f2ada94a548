"""Blocksworld: planning in its simplest form, with meaningless names and impossible goals where wanted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from agentkit.environments.planning import (
    KINDS,
    MAX_STATES,
    Planning,
    Position,
    Puzzle,
    checked,
    inject,
    obfuscated,
    renamed,
)
from agentkit.environments.play import Language, Play, between
from agentkit.errors import ConfigError

DOMAIN = """(define (domain blocksworld) (:requirements :strips)
 (:predicates (clear ?x) (ontable ?x) (handempty) (holding ?x) (on ?x ?y))
 (:action pick-up :parameters (?x)
  :precondition (and (clear ?x) (ontable ?x) (handempty))
  :effect (and (holding ?x) (not (clear ?x)) (not (ontable ?x)) (not (handempty))))
 (:action put-down :parameters (?x)
  :precondition (holding ?x)
  :effect (and (clear ?x) (handempty) (ontable ?x) (not (holding ?x))))
 (:action stack :parameters (?x ?y)
  :precondition (and (clear ?y) (holding ?x))
  :effect (and (handempty) (clear ?x) (on ?x ?y) (not (clear ?y)) (not (holding ?x))))
 (:action unstack :parameters (?x ?y)
  :precondition (and (on ?x ?y) (clear ?x) (handempty))
  :effect (and (holding ?x) (clear ?y) (not (on ?x ?y)) (not (clear ?x)) (not (handempty)))))"""

_NAMES = ["clear", "ontable", "handempty", "holding", "on", "pick-up", "put-down", "stack", "unstack", "blocksworld"]
_EXACT = 6

Stacks = Sequence[Sequence[str]]
"""Stacks of blocks, the lowest first."""


@dataclass(frozen=True, kw_only=True)
class Blocksworld(Planning):
    """Stack blocks with one hand. ``names: obfuscated`` gives every word a meaningless name.

    A share ``unsolvable`` of the episodes has a goal that cannot be reached, which is proved by visiting all states; the right
    answer is then ``no plan``. ``strict`` asks for the fewest actions. Both need at most 6 blocks.
    """

    blocks: int = 4
    names: Literal["plain", "obfuscated"] = "plain"
    unsolvable: float = 0.0
    language: Language = "en"

    def __post_init__(self) -> None:
        between("blocks", self.blocks, 2, 12)
        if not 0 <= self.unsolvable <= 1:
            raise ConfigError(f"unsolvable must be a share between 0 and 1, not {self.unsolvable:g}")
        if self.blocks > _EXACT and (self.strict or self.unsolvable):
            raise ConfigError(
                f"strict and unsolvable need at most {_EXACT} blocks: that is as far as all states can be visited"
            )

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return KINDS

    def start(self, seed: int) -> Play[Position]:
        """The blocks of this seed."""
        position = self.begin(seed)
        text = self.task(position.puzzle, self.language)
        return Play(world=self, task=text, state=position, limit=10 * self.blocks + 10)

    def begin(self, seed: int) -> Position:
        """Seeded stacks, and the stacks they are to become."""
        puzzle = _puzzle(self.blocks, self.names == "obfuscated", self.unsolvable, seed)
        return Position(checked(puzzle, strict=self.strict), puzzle.task.initial)

    def solve(self, seed: int) -> tuple[str, ...]:
        """A shortest plan up to 6 blocks; beyond, everything is put on the table first."""
        return self.begin(seed).puzzle.solve()

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``injection``."""
        return inject(self, seed, kind, step)


@lru_cache(maxsize=256)
def _puzzle(blocks: int, obfuscate: bool, unsolvable: float, seed: int) -> Puzzle:
    rng = Random(f"blocksworld/{blocks}/{seed}")
    names = [f"b{number}" for number in range(1, blocks + 1)]
    impossible = rng.random() < unsolvable
    start, end = _drawn(names, rng), _drawn(names, rng)
    while not impossible and (not _pairs(end) or set(_pairs(end)) <= set(_pairs(start))):
        start, end = _drawn(names, rng), _drawn(names, rng)
    goal = _contradiction(names, _pairs(end), rng) if impossible else [f"(on {a} {b})" for a, b in _pairs(end)]
    reference = () if impossible or blocks <= _EXACT else _unbuild_and_build(start, end)
    domain, problem = DOMAIN, _problem(names, start, goal)
    if obfuscate:
        new = obfuscated([*_NAMES, *names], rng)
        domain, problem = renamed(domain, new), renamed(problem, new)
        reference = tuple(renamed(one, new) for one in reference)
    return Puzzle(domain, problem, reference, MAX_STATES + 1 if reference else 0)


def _drawn(names: Sequence[str], rng: Random) -> list[list[str]]:
    """The blocks in a random order, each on the table or on the block before it."""
    stacks: list[list[str]] = []
    for name in rng.sample(names, len(names)):
        if stacks and rng.random() < 0.6:
            rng.choice(stacks).append(name)
        else:
            stacks.append([name])
    return stacks


def _pairs(stacks: Stacks) -> list[tuple[str, str]]:
    return [(upper, lower) for stack in stacks for lower, upper in itertools.pairwise(stack)]


def _contradiction(names: Sequence[str], pairs: Sequence[tuple[str, str]], rng: Random) -> list[str]:
    """A goal that no stacks fulfil: a circle, or two blocks on one."""
    one, two, *more = rng.sample(names, len(names))
    bad = [(one, two), (two, one)] if not more or rng.random() < 0.5 else [(one, two), (more[0], two)]
    kept = [pair for pair in pairs if pair not in bad and not {*pair} & {one, two}][:2]
    return [f"(on {a} {b})" for a, b in rng.sample([*kept, *bad], len(kept) + 2)]


def _problem(names: Sequence[str], start: Stacks, goal: Sequence[str]) -> str:
    facts = [f"(ontable {stack[0]}) (clear {stack[-1]})" for stack in start]
    facts += [f"(on {upper} {lower})" for upper, lower in _pairs(start)]
    return (
        f"(define (problem stacks) (:domain blocksworld) (:objects {' '.join(names)})\n"
        f" (:init (handempty) {' '.join(facts)})\n (:goal (and {' '.join(goal)})))"
    )


def _unbuild_and_build(start: Stacks, end: Stacks) -> tuple[str, ...]:
    plan = []
    for stack in start:
        for upper, lower in reversed(list(zip(stack[1:], stack, strict=False))):
            plan += [f"(unstack {upper} {lower})", f"(put-down {upper})"]
    for upper, lower in _pairs(end):
        plan += [f"(pick-up {upper})", f"(stack {upper} {lower})"]
    return tuple(plan)
