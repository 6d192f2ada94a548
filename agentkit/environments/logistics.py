"""Logistics: packages by truck within a city and by plane between cities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from agentkit.environments.planning import KINDS, Planning, Position, Puzzle, checked, inject, obfuscated, renamed
from agentkit.environments.play import Language, Play, between

DOMAIN = """(define (domain logistics) (:requirements :strips :typing)
 (:types truck plane - vehicle package vehicle - thing airport - location city location thing - object)
 (:predicates (in-city ?place - location ?city - city) (at ?thing - thing ?place - location)
  (inside ?package - package ?vehicle - vehicle))
 (:action load :parameters (?package - package ?vehicle - vehicle ?place - location)
  :precondition (and (at ?vehicle ?place) (at ?package ?place))
  :effect (and (not (at ?package ?place)) (inside ?package ?vehicle)))
 (:action unload :parameters (?package - package ?vehicle - vehicle ?place - location)
  :precondition (and (at ?vehicle ?place) (inside ?package ?vehicle))
  :effect (and (not (inside ?package ?vehicle)) (at ?package ?place)))
 (:action drive :parameters (?truck - truck ?from - location ?to - location ?city - city)
  :precondition (and (at ?truck ?from) (in-city ?from ?city) (in-city ?to ?city))
  :effect (and (not (at ?truck ?from)) (at ?truck ?to)))
 (:action fly :parameters (?plane - plane ?from - airport ?to - airport)
  :precondition (at ?plane ?from)
  :effect (and (not (at ?plane ?from)) (at ?plane ?to))))"""

_NAMES = (
    "in-city",
    "at",
    "inside",
    "load",
    "unload",
    "drive",
    "fly",
    "truck",
    "plane",
    "vehicle",
    "package",
    "thing",
    "airport",
    "location",
    "city",
    "logistics",
)


@dataclass(frozen=True, kw_only=True)
class Logistics(Planning):
    """Bring packages to other cities. ``names: obfuscated`` gives every word a meaningless name.

    Plans are shortest while all states can be visited (2 cities of 2 places and 3 packages); beyond, they are brought one by one.
    ``strict`` asks for the fewest actions and needs a task of that size.
    """

    cities: int = 2
    places: int = 2
    packages: int = 2
    names: Literal["plain", "obfuscated"] = "plain"
    language: Language = "en"

    def __post_init__(self) -> None:
        between("cities", self.cities, 2, 6)
        between("places", self.places, 1, 6)
        between("packages", self.packages, 1, 10)

    @property
    def errors(self) -> tuple[str, ...]:
        """The kinds of errors that can be planted."""
        return KINDS

    def start(self, seed: int) -> Play[Position]:
        """The packages of this seed."""
        position = self.begin(seed)
        text = self.task(position.puzzle, self.language)
        return Play(world=self, task=text, state=position, limit=30 * self.packages + 10)

    def begin(self, seed: int) -> Position:
        """Seeded places of all that moves."""
        puzzle = _puzzle(self.cities, self.places, self.packages, self.names == "obfuscated", seed)
        return Position(checked(puzzle, strict=self.strict), puzzle.task.initial)

    def solve(self, seed: int) -> tuple[str, ...]:
        """A shortest plan, or one package after another."""
        return self.begin(seed).puzzle.solve()

    def inject(self, seed: int, kind: str, step: int) -> tuple[str, ...] | None:
        """See ``injection``."""
        return inject(self, seed, kind, step)


@lru_cache(maxsize=256)
def _puzzle(cities: int, places: int, packages: int, obfuscate: bool, seed: int) -> Puzzle:
    rng = Random(f"logistics/{cities}/{places}/{packages}/{seed}")
    where = {city: [f"l{city}-{place}" for place in range(places)] for city in range(cities)}
    anywhere = [place for one in where.values() for place in one]
    at = {f"t{city}": rng.choice(where[city]) for city in where} | {
        "a1": rng.choice([one[0] for one in where.values()])
    }
    at |= {f"p{number}": rng.choice(anywhere) for number in range(1, packages + 1)}
    goal = {name: rng.choice([one for one in anywhere if one != at[name]]) for name in at if name.startswith("p")}
    domain, problem = DOMAIN, _problem(where, at, goal)
    reference = tuple(_one_by_one(dict(at), goal))
    if obfuscate:
        new = obfuscated([*_NAMES, *(f"c{city}" for city in where), *anywhere, *at], rng)
        domain, problem = renamed(domain, new), renamed(problem, new)
        reference = tuple(renamed(one, new) for one in reference)
    states = (len(anywhere) + cities + 1) ** packages * places**cities * cities
    return Puzzle(domain, problem, reference, states)


def _problem(where: Mapping[int, Sequence[str]], at: Mapping[str, str], goal: Mapping[str, str]) -> str:
    kinds = {"t": "truck", "a": "plane", "p": "package"}
    objects = [f"c{city} - city" for city in where]
    objects += [
        f"{one} - {'location' if place else 'airport'}" for names in where.values() for place, one in enumerate(names)
    ]
    objects += [f"{name} - {kinds[name[0]]}" for name in at]
    facts = [f"(in-city {one} c{city})" for city, names in where.items() for one in names]
    facts += [f"(at {name} {place})" for name, place in at.items()]
    goals = " ".join(f"(at {name} {place})" for name, place in goal.items())
    return (
        f"(define (problem parcels) (:domain logistics)\n (:objects {' '.join(objects)})\n (:init {' '.join(facts)})\n"
        f" (:goal (and {goals})))"
    )


def _one_by_one(at: dict[str, str], goal: Mapping[str, str]) -> list[str]:
    """Each package by truck to the airport, by plane to its city, by truck to its place."""
    plan: list[str] = []
    for package, target in goal.items():
        home, away = _city(at[package]), _city(target)
        if home == away:
            plan += _ride(package, f"t{home}", target, at)
            continue
        plan += _ride(package, f"t{home}", f"l{home}-0", at)
        plan += _ride(package, "a1", f"l{away}-0", at)
        plan += _ride(package, f"t{away}", target, at)
    return plan


def _ride(package: str, vehicle: str, target: str, at: dict[str, str]) -> list[str]:
    source = at[package]
    if source == target:
        return []
    plan = _go(vehicle, source, at)
    plan.append(f"(load {package} {vehicle} {source})")
    plan += _go(vehicle, target, at)
    plan.append(f"(unload {package} {vehicle} {target})")
    at[package] = target
    return plan


def _go(vehicle: str, target: str, at: dict[str, str]) -> list[str]:
    source = at[vehicle]
    at[vehicle] = target
    if source == target:
        return []
    if vehicle == "a1":
        return [f"(fly a1 {source} {target})"]
    return [f"(drive {vehicle} {source} {target} c{_city(source)})"]


def _city(place: str) -> int:
    return int(place[1:].partition("-")[0])
