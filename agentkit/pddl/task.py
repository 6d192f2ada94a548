"""A planning task ready to check plans: domain and problem together, read once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from agentkit.errors import PDDLError, did_you_mean
from agentkit.pddl.grounding import Grounder, Step, Template
from agentkit.pddl.moves import Moves
from agentkit.pddl.names import Names
from agentkit.pddl.reading import parse_domain, parse_problem
from agentkit.pddl.sentences import Sentences
from agentkit.pddl.syntax import Action, Change, Domain, Effect, Problem, When

_REMEMBERED = 50_000
_COST = {"(total-cost)": 0.0}  # many problems do not say that nothing is spent yet
Trouble = Literal["unknown_action", "bad_arguments", "unknown_object"]


@dataclass(frozen=True, slots=True)
class Misstep:
    """A step that names no action on objects of this task: what is wrong, and the word that is.

    ``said`` is the sentence for it; ``known`` the names among which the right one may be.
    """

    code: Trouble
    name: str
    evidence: str
    said: str
    known: Collection[str] = ()

    @property
    def message(self) -> str:
        """The sentence, with what was perhaps meant."""
        hint = did_you_mean(self.evidence, self.known)
        if not hint and self.code == "unknown_action":
            hint = f"; the actions are {', '.join(list(self.known)[:12])}"
        return f"{self.said}{hint}"


class Task:
    """The objects, the initial state and the goal; makes steps of names and arguments, and remembers them."""

    def __init__(self, domain: Domain, problem: Problem, *, templates: dict[str, Template] | None = None) -> None:
        self.domain, self.problem = domain, problem
        self.grounder = Grounder(problem.objects, domain.ancestors, templates)
        self.initial = 0
        for atom in problem.true:
            self.initial |= 1 << self.grounder.place(atom.predicate, atom.terms)
        given = {self.grounder.fluent(fluent, {}): value for fluent, value in problem.numbers.items()}
        self.values: Mapping[str, float] = {**_COST, **given} if "total-cost" in domain.functions else given
        self.goal = self.grounder.condition(problem.goal, {})
        self.metric = None if problem.metric is None else self.grounder.number(problem.metric, {})
        self.known: dict[str, Step | Misstep] = {}

    @property
    def atoms(self) -> list[str]:
        """The names of the bits."""
        return self.grounder.names

    @cached_property
    def names(self) -> Names:
        """What else the objects may be called."""
        return Names(self.problem.objects, self.domain.ancestors)

    @cached_property
    def sentences(self) -> Sentences:
        """Reads steps that are told in sentences."""
        return Sentences(self)

    @cached_property
    def moves(self) -> Moves:
        """Makes all the steps that there are."""
        return Moves(self)

    @cached_property
    def changing(self) -> frozenset[str]:
        """The predicates that some action changes; the others stay as they began."""
        return frozenset(name for action in self.domain.actions.values() for name in _changed(action.effects))

    def step(self, name: str, arguments: tuple[str, ...]) -> Step | Misstep:
        """The step that ``name`` and ``arguments`` (in lower case) mean, or what is wrong with them; made once."""
        written = f"({' '.join((name, *arguments))})"
        found = self.known.get(written)
        if found is None:
            found = self._step(name, arguments, written)
            self.remember(written, found)
        return found

    def remember(self, text: str, step: Step | Misstep) -> None:
        """Know the step by this text from now on, until there are too many to know."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        self.known[text] = step

    def _step(self, name: str, arguments: tuple[str, ...], written: str) -> Step | Misstep:
        action = self.domain.actions.get(name)
        if action is None:
            return Misstep("unknown_action", written, name, f"there is no action {name!r}", self.domain.actions)
        if len(arguments) != len(action.parameters):
            return self._miscounted(action, arguments, written)
        kinds = self.grounder.kinds
        objects = tuple(one if one in kinds else self.names.resolved(one) or one for one in arguments)
        for one in objects:
            if one not in kinds:
                return Misstep("unknown_object", written, one, f"there is no object {one!r}", kinds)
        for parameter, one in zip(action.parameters, objects, strict=True):
            if kinds[one].isdisjoint(parameter.kinds):
                wanted, given = " or ".join(parameter.kinds), " or ".join(self.problem.objects[one])
                said = f"{parameter.name} of {name} must be a {wanted}; {one} is a {given}"
                return Misstep("bad_arguments", written, f"{one} - {given}", said)
        return self._grounded(action, objects, written)

    def _grounded(self, action: Action, objects: tuple[str, ...], written: str) -> Step | Misstep:
        try:
            return self.grounder.step(action, objects)
        except PDDLError as error:
            return Misstep("bad_arguments", written, written, str(error))

    def _miscounted(self, action: Action, arguments: tuple[str, ...], written: str) -> Misstep:
        signature = f"({' '.join((action.name, *(one.name for one in action.parameters)))})"
        count = len(action.parameters)
        message = f"{action.name} takes {count} argument{'' if count == 1 else 's'} {signature}, not {len(arguments)}"
        return Misstep("bad_arguments", written, signature, message)


def load_task(domain: str, problem: str) -> Task:
    """The task of two PDDL texts; the latest ones are kept, so that many plans for one problem read it once.

    Raises ``PDDLError`` with line and column where a text is wrong or needs what is not supported.
    """
    return _task(domain, problem)


@lru_cache(maxsize=64)
def _domain(text: str) -> tuple[Domain, dict[str, Template]]:
    return parse_domain(text), {}


@lru_cache(maxsize=2048)
def _task(domain: str, problem: str) -> Task:
    known, templates = _domain(domain)
    return Task(known, parse_problem(problem, known), templates=templates)


def _changed(effects: tuple[Effect, ...]) -> frozenset[str]:
    found: set[str] = set()
    for effect in effects:
        if isinstance(effect, Change):
            found.add(effect.atom.predicate)
        elif isinstance(effect, When):
            found |= _changed(effect.effects)
    return frozenset(found)
