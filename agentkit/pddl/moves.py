"""All the steps that there are, and those that make a literal true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, product
from typing import TYPE_CHECKING

from agentkit.pddl.grounding import Step
from agentkit.pddl.syntax import Action, Atom, Both, Change, Formula

if TYPE_CHECKING:
    from agentkit.pddl.task import Task

_TRIED = 200
"""Ways to fill in the free variables of an action that achieves a literal."""


class Moves:
    """Makes the steps of a task; what the unchanging facts forbid is left out."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._achieving: dict[tuple[int, bool], tuple[Step, ...]] = {}

    def all(self) -> Iterator[Step]:
        """Every step on objects of the right types."""
        for action in self.task.domain.actions.values():
            yield from self._of(action, {})

    def achieving(self, place: int, positive: bool) -> tuple[Step, ...]:
        """Steps that make the atom at ``place`` true (or false), whatever the state; not all where there are many."""
        found = self._achieving.get((place, positive))
        if found is None:
            found = self._achieving[place, positive] = tuple(self._achievers(place, positive))
        return found

    def _achievers(self, place: int, positive: bool) -> Iterator[Step]:
        predicate, *terms = self.task.atoms[place][1:-1].split(" ")
        for action in self.task.domain.actions.values():
            for effect in action.effects:
                if isinstance(effect, Change) and effect.true == positive and effect.atom.predicate == predicate:
                    bound = _matched(effect.atom, terms, {})
                    yield from islice(self._of(action, bound), _TRIED) if bound is not None else ()

    def _of(self, action: Action, bound: dict[str, str]) -> Iterator[Step]:
        """The steps of an action, some of its variables given."""
        names = [one.name for one in action.parameters]
        for binding in self._joined(self._fixed[action.name], bound):
            free = [one for one in action.parameters if one.name not in binding]
            for chosen in product(*(self.task.grounder.objects(one) for one in free)):
                whole = {**binding, **dict(zip((one.name for one in free), chosen, strict=True))}
                step = self.task.step(action.name, tuple(whole[name] for name in names))
                if isinstance(step, Step):
                    yield step

    def _joined(self, atoms: Sequence[Atom], bound: dict[str, str]) -> Iterator[dict[str, str]]:
        """The ways to fill in the variables of ``atoms``, which never change, so that all of them are facts."""
        if not atoms:
            yield bound
            return
        for terms in self._candidates(atoms[0], bound):
            binding = _matched(atoms[0], terms, bound)
            if binding is not None:
                yield from self._joined(atoms[1:], binding)

    def _candidates(self, atom: Atom, bound: Mapping[str, str]) -> Sequence[tuple[str, ...]]:
        """Facts that may be the atom: those with its predicate and, where one is known, with the same object in its place."""
        for place, term in enumerate(atom.terms):
            known = bound.get(term) if term.startswith("?") else term
            if known is not None:
                return self._facts.get((atom.predicate, place, known), ())
        return self._facts.get((atom.predicate, -1, ""), ())

    @cached_property
    def _facts(self) -> dict[tuple[str, int, str], list[tuple[str, ...]]]:
        """The terms of the facts by predicate, and by predicate and the object in each place."""
        found: dict[tuple[str, int, str], list[tuple[str, ...]]] = {}
        for atom in self.task.problem.true:
            for place, term in ((-1, ""), *enumerate(atom.terms)):
                found.setdefault((atom.predicate, place, term), []).append(atom.terms)
        return found

    @cached_property
    def _fixed(self) -> dict[str, list[Atom]]:
        """The facts that each action needs and none changes, those that share variables next to one another."""
        return {name: self._ordered(action) for name, action in self.task.domain.actions.items()}

    def _ordered(self, action: Action) -> list[Atom]:
        left = [atom for atom in facts(action.condition) if atom.predicate not in self.task.changing]
        found: list[Atom] = []
        seen: set[str] = set()
        while left:
            best = max(left, key=lambda atom: (len(seen.intersection(atom.terms)), -len(atom.terms)))
            left.remove(best)
            found.append(best)
            seen.update(best.terms)
        return found


def facts(formula: Formula) -> Iterator[Atom]:
    """The atoms that must be true for the formula to hold, as far as they stand in a conjunction."""
    if isinstance(formula, Atom):
        yield formula
    elif isinstance(formula, Both):
        for part in formula.parts:
            yield from facts(part)


def _matched(atom: Atom, terms: Sequence[str], bound: Mapping[str, str]) -> dict[str, str] | None:
    """``bound`` with the variables for which ``atom`` is the atom of ``terms``; None where it cannot be."""
    found = dict(bound)
    for variable, term in zip(atom.terms, terms, strict=True):
        if (found.setdefault(variable, term) if variable.startswith("?") else variable) != term:
            return None
    return found
