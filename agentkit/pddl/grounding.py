"""Formulas and actions with objects in the place of variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from agentkit.errors import PDDLError
from agentkit.pddl import conditions as concrete
from agentkit.pddl.conditions import AnyOf, Assignment, Condition, Never, Number, Numeric, Part
from agentkit.pddl.syntax import (
    Action,
    Assign,
    Atom,
    Both,
    Change,
    Compared,
    Effect,
    Either,
    Expression,
    Fluent,
    Formula,
    Kinds,
    Not,
    Operation,
    Parameter,
    Quantified,
    Same,
    When,
)

MAX_PARTS = 200_000
"""Literals that one action or goal may have once its quantifiers are spelt out."""
Binding = Mapping[str, str]
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Step(NamedTuple):
    """An action on objects. The bits of ``keep`` stay, those of ``add`` are set; ``changes`` hold where their conditions do."""

    name: str
    action: str
    arguments: tuple[str, ...]
    condition: Condition
    keep: int
    add: int
    changes: tuple[concrete.Change, ...]

    @property
    def touched(self) -> int:
        """The bits that it may set or clear."""
        found = self.add | ~self.keep
        for change in self.changes:
            found |= change.add | change.delete
        return found

    def applied(self, state: int, values: Mapping[str, float]) -> tuple[int, Mapping[str, float]]:
        """State and numbers after it, whether or not its condition holds."""
        if not self.changes:
            return state & self.keep | self.add, values
        happening = [one for one in self.changes if one.condition.holds(state, values)]
        add, delete, new = self.add, ~self.keep, dict(values)
        for change in happening:
            add |= change.add
            delete |= change.delete
            for assignment in change.assignments:
                value = concrete.assigned(assignment, values)
                if value is None:
                    new.pop(assignment.name, None)
                else:
                    new[assignment.name] = value
        return state & ~delete | add, new


class Template(NamedTuple):
    """The names of an action's literals, one a line, those of its condition first, with ``{0}`` for the first argument.

    ``masks`` says where the bit of each goes, ``wanted`` which of the condition are to be true. ``general``: there is more
    to the action than literals.
    """

    patterns: str
    masks: tuple[int, ...]
    wanted: tuple[bool, ...]
    general: bool = False


_FORBID, _NEED, _DELETE, _ADD = range(4)


def _template(action: Action) -> Template:
    places = {one.name: f"{{{place}}}" for place, one in enumerate(action.parameters)}
    literals = _literals(action.condition)
    if literals is None or not all(isinstance(effect, Change) for effect in action.effects):
        return Template("", (), (), general=True)
    changes = [effect for effect in action.effects if isinstance(effect, Change)]
    atoms = [atom for atom, _ in literals] + [effect.atom for effect in changes]
    return Template(
        patterns="\n".join(_pattern(atom, places) for atom in atoms),
        masks=(*(int(wanted) for _, wanted in literals), *(_DELETE + one.true for one in changes)),
        wanted=tuple(wanted for _, wanted in literals),
    )


def _pattern(atom: Atom, places: Mapping[str, str]) -> str:
    words = [places.get(one) or one.replace("{", "{{").replace("}", "}}") for one in (atom.predicate, *atom.terms)]
    return f"({' '.join(words)})"


def _literals(formula: Formula) -> list[tuple[Atom, bool]] | None:
    """The literals of a conjunction of them; None for any other formula."""
    if isinstance(formula, Atom):
        return [(formula, True)]
    if isinstance(formula, Not) and isinstance(formula.part, Atom):
        return [(formula.part, False)]
    if not isinstance(formula, Both):
        return None
    inner = [_literals(part) for part in formula.parts]
    return None if None in inner else list(dict.fromkeys(one for part in inner if part for one in part))


@dataclass(slots=True)
class _Pile:
    """The literals and parts of a conjunction while it is built."""

    literals: dict[tuple[int, bool], None] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def condition(self) -> Condition:
        need = forbid = 0
        for place, positive in self.literals:
            need |= positive << place
            forbid |= (not positive) << place
        return Condition(need=need, forbid=forbid, literals=tuple(self.literals), parts=tuple(self.parts))


class Grounder:
    """Knows the objects and numbers the atoms as they are met; ``names`` are the atoms in the order of their bits.

    ``templates`` are kept for other problems of the same domain.
    """

    def __init__(
        self,
        objects: Mapping[str, Kinds],
        ancestors: Mapping[str, frozenset[str]],
        templates: dict[str, Template] | None = None,
    ) -> None:
        self.kinds = {name: frozenset().union(*(ancestors[kind] for kind in kinds)) for name, kinds in objects.items()}
        self.names: list[str] = []
        self._places: dict[str, int] = {}
        self._templates = {} if templates is None else templates
        self._left = MAX_PARTS

    def place(self, predicate: str, terms: Sequence[str]) -> int:
        """The bit of an atom."""
        name = f"({' '.join((predicate, *terms))})"
        return self._places[name] if name in self._places else self._new(name)

    def condition(self, formula: Formula, binding: Binding) -> Condition:
        """The formula for these objects."""
        self._left = MAX_PARTS
        return self._condition(formula, binding, True)

    def step(self, action: Action, arguments: tuple[str, ...]) -> Step:
        """The action on these objects, whose number and types must be right."""
        template = self._templates.get(action.name)
        if template is None:
            template = self._templates[action.name] = _template(action)
        return self._general(action, arguments) if template.general else self._strips(action, template, arguments)

    def _strips(self, action: Action, template: Template, arguments: tuple[str, ...]) -> Step:
        """The step of an action that is conjunctions of literals: names filled into patterns, no formula walked."""
        names = template.patterns.format(*arguments).split("\n") if template.patterns else ()
        places = self._places
        bits = [places[name] if name in places else self._new(name) for name in names]
        masks = [0, 0, 0, 0]
        for place, mask in zip(bits, template.masks, strict=True):
            masks[mask] |= 1 << place
        literals = tuple(zip(bits, template.wanted, strict=False))
        condition = Condition(masks[_NEED], masks[_FORBID], literals)
        name = f"({' '.join((action.name, *arguments))})"
        return Step(name, action.name, arguments, condition, ~masks[_DELETE], masks[_ADD], ())

    def _new(self, name: str) -> int:
        self._places[name] = len(self.names)
        self.names.append(name)
        return len(self.names) - 1

    def _general(self, action: Action, arguments: tuple[str, ...]) -> Step:
        binding = dict(zip((one.name for one in action.parameters), arguments, strict=True))
        condition = self.condition(action.condition, binding)
        add = delete = 0
        changes: list[concrete.Change] = []
        for change in self._changes(action.effects, binding):
            if change.condition == _ALWAYS and not change.assignments:
                add, delete = add | change.add, delete | change.delete
            else:
                changes.append(change)
        return Step(
            name=f"({' '.join((action.name, *arguments))})",
            action=action.name,
            arguments=arguments,
            condition=condition,
            keep=~delete,
            add=add,
            changes=tuple(changes),
        )

    def fits(self, name: str, parameter: Parameter) -> bool:
        """Whether the object is of the parameter's type."""
        return not self.kinds[name].isdisjoint(parameter.kinds)

    def objects(self, parameter: Parameter) -> list[str]:
        """The objects that the parameter may stand for."""
        return [name for name in self.kinds if self.fits(name, parameter)]

    def number(self, expression: Expression, binding: Binding) -> Number:
        """The expression for these objects."""
        if isinstance(expression, Fluent):
            return self.fluent(expression, binding)
        if isinstance(expression, Operation):
            return expression.sign, tuple(self.number(one, binding) for one in expression.parts)
        return float(expression)

    def fluent(self, fluent: Fluent, binding: Binding) -> str:
        """The name of the number: ``(fuel truck1)``."""
        return f"({' '.join((fluent.name, *_values(fluent.terms, binding)))})"

    def _condition(self, formula: Formula, binding: Binding, wanted: bool) -> Condition:
        pile = _Pile()
        self._conjoin(formula, binding, wanted, pile)
        return pile.condition()

    def _conjoin(self, formula: Formula, binding: Binding, wanted: bool, pile: _Pile) -> None:
        """Add the formula (or, not wanted, its opposite) to the pile; negations move inwards on the way."""
        self._spend()
        if isinstance(formula, Atom):
            pile.literals[self.place(formula.predicate, _values(formula.terms, binding)), wanted] = None
        elif isinstance(formula, Not):
            self._conjoin(formula.part, binding, not wanted, pile)
        elif isinstance(formula, Both if wanted else Either):
            for part in formula.parts:
                self._conjoin(part, binding, wanted, pile)
        elif isinstance(formula, Quantified) and formula.every == wanted:
            for inner in self._bindings(formula.variables, binding):
                self._conjoin(formula.part, inner, wanted, pile)
        elif (rest := self._part(formula, binding, wanted)) is not None:
            pile.parts.append(rest)

    def _part(self, formula: Formula, binding: Binding, wanted: bool) -> Part | None:
        """What is no conjunction of literals; None where it always holds."""
        if isinstance(formula, Same):
            left, right = _values((formula.left, formula.right), binding)
            return None if (left == right) == wanted else Never(_negated(f"(= {left} {right})", wanted))
        if isinstance(formula, Compared):
            left_number, right_number = (self.number(one, binding) for one in (formula.left, formula.right))
            if wanted:
                return Numeric(formula.sign, left_number, right_number)
            return self._not_compared(formula.sign, left_number, right_number)
        return self._any_of(formula, binding, wanted)

    def _not_compared(self, sign: str, left: Number, right: Number) -> Part:
        if sign != "=":
            return Numeric(_OPPOSITE[sign], left, right)
        text = f"(not (= {concrete.written(left)} {concrete.written(right)}))"
        return AnyOf(tuple(Condition(parts=(Numeric(one, left, right),)) for one in "<>"), text)

    def _any_of(self, formula: Formula, binding: Binding, wanted: bool) -> Part | None:
        if isinstance(formula, Quantified):
            inner = self._bindings(formula.variables, binding)
            options = [self._condition(formula.part, one, wanted) for one in inner]
        else:
            assert isinstance(formula, Both | Either)
            options = [self._condition(one, binding, wanted) for one in formula.parts]
        if _ALWAYS in options:
            return None
        options = [one for one in options if not any(isinstance(part, Never) for part in one.parts)]
        text = _negated(spelt(formula, binding), wanted)
        return AnyOf(tuple(options), text) if options else Never(text)

    def _changes(self, effects: Sequence[Effect], binding: Binding) -> Iterator[concrete.Change]:
        for effect in effects:
            self._spend()
            if isinstance(effect, When):
                for inner in self._bindings(effect.variables, binding):
                    held = self._condition(effect.condition, inner, True)
                    for change in self._changes(effect.effects, inner):
                        yield change._replace(condition=_joined(held, change.condition))
            elif isinstance(effect, Change):
                bit = 1 << self.place(effect.atom.predicate, _values(effect.atom.terms, binding))
                yield concrete.Change(_ALWAYS, bit if effect.true else 0, 0 if effect.true else bit, ())
            else:
                yield concrete.Change(_ALWAYS, 0, 0, (self._assignment(effect, binding),))

    def _assignment(self, effect: Assign, binding: Binding) -> Assignment:
        return Assignment(effect.verb, self.fluent(effect.fluent, binding), self.number(effect.value, binding))

    def _bindings(self, variables: Sequence[Parameter], binding: Binding) -> Iterator[dict[str, str]]:
        for objects in product(*(self.objects(one) for one in variables)):
            self._spend()
            yield {**binding, **dict(zip((one.name for one in variables), objects, strict=True))}

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PDDLError(
                f"a quantifier spells out to more than {MAX_PARTS:,} parts over {len(self.kinds):,} objects"
            )


def spelt(formula: Formula, binding: Binding, depth: int = 6) -> str:
    """The formula in PDDL with the objects put in; deep insides are left out."""
    if depth == 0:
        return "..."
    if isinstance(formula, Atom):
        return f"({' '.join((formula.predicate, *_values(formula.terms, binding)))})"
    if isinstance(formula, Same):
        return f"(= {' '.join(_values((formula.left, formula.right), binding))})"
    if isinstance(formula, Not):
        return f"(not {spelt(formula.part, binding, depth - 1)})"
    if isinstance(formula, Both | Either):
        parts = " ".join(spelt(one, binding, depth - 1) for one in formula.parts[:8])
        return f"({'and' if isinstance(formula, Both) else 'or'} {parts})"
    if isinstance(formula, Quantified):
        names = " ".join(one.name for one in formula.variables)
        return f"({'forall' if formula.every else 'exists'} ({names}) {spelt(formula.part, binding, depth - 1)})"
    return f"({formula.sign} ... ...)"


_ALWAYS = Condition()


def _joined(one: Condition, other: Condition) -> Condition:
    if other == _ALWAYS:
        return one
    return Condition(
        need=one.need | other.need,
        forbid=one.forbid | other.forbid,
        literals=(*one.literals, *other.literals),
        parts=(*one.parts, *other.parts),
    )


def _values(terms: Sequence[str], binding: Binding) -> tuple[str, ...]:
    return tuple(binding.get(term, term) for term in terms)


def _negated(text: str, wanted: bool) -> str:
    return text if wanted else f"(not {text})"
