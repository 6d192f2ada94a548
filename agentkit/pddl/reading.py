"""``parse_domain`` and ``parse_problem``: PDDL text as values (McDermott et al. 1998; Fox and Long 2003)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentkit.errors import did_you_mean
from agentkit.pddl.formulas import TRUE, Scope, number
from agentkit.pddl.sexpr import Group, Node, Word, fail, parse, shown
from agentkit.pddl.syntax import Action, Atom, Domain, Expression, Fluent, Formula, Kinds, Parameter, Problem
from agentkit.pddl.typed import check_kinds, hierarchy, parameters, typed_list

_UNSUPPORTED = {
    ":durative-action": "durative actions",
    ":derived": "derived predicates",
    ":event": "events",
    ":process": "processes",
    ":constraints": "constraints on trajectories",
    ":task": "hierarchical tasks",
    ":method": "hierarchical tasks",
    ":htn": "hierarchical tasks",
}


def parse_domain(text: str) -> Domain:
    """The domain that ``text`` defines; raises ``PDDLError`` with line and column for what is wrong or not supported."""
    top = parse(text, "domain")
    name = _defined(top, "domain")
    sections = _sections(top)
    ancestors = hierarchy(_body(sections, ":types"))
    constants = _objects(_body(sections, ":constants"), ancestors)
    predicates = _signatures(_body(sections, ":predicates"), ancestors)
    functions = _functions(_body(sections, ":functions"), ancestors)
    scope = Scope(ancestors=ancestors, predicates=predicates, functions=functions, terms=frozenset(constants))
    actions: dict[str, Action] = {}
    for group in sections.get(":action", []):
        action = _action(group, scope)
        if action.name in actions:
            fail(group, f"the action {action.name!r} is defined twice")
        actions[action.name] = action
    return Domain(
        name=name, ancestors=ancestors, constants=constants, predicates=predicates, functions=functions, actions=actions
    )


def parse_problem(text: str, domain: Domain) -> Problem:
    """The problem that ``text`` defines over ``domain``; raises ``PDDLError`` as ``parse_domain`` does."""
    top = parse(text, "problem")
    name = _defined(top, "problem")
    sections = _sections(top)
    objects = {**domain.constants, **_objects(_body(sections, ":objects"), domain.ancestors)}
    scope = Scope(
        ancestors=domain.ancestors,
        predicates=domain.predicates,
        functions=domain.functions,
        terms=frozenset(objects),
    )
    true, numbers = _initial(_body(sections, ":init"), scope)
    metric, maximise = _metric(sections, scope)
    return Problem(
        name=name,
        objects=objects,
        true=true,
        numbers=numbers,
        goal=_goal(sections, scope, top),
        metric=metric,
        maximise=maximise,
    )


def _defined(top: Group, kind: str) -> str:
    if top.head != "define" or len(top) < 2:
        fail(top, f"expected (define ({kind} NAME) ...), not {shown(top)}")
    named = top[1]
    if not isinstance(named, Group) or named.head != kind or len(named) != 2 or not isinstance(named[1], Word):
        fail(named, f"expected ({kind} NAME), not {shown(named)}")
    return str(named[1])


def _sections(top: Group) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = {}
    for node in top[2:]:
        if not isinstance(node, Group) or not node.head.startswith(":"):
            fail(node, f"expected a section such as (:init ...), not {shown(node)}")
        if node.head in _UNSUPPORTED:
            fail(node, f"{_UNSUPPORTED[node.head]} ({node.head}) are not supported")
        found.setdefault(node.head, []).append(node)
    return found


def _body(sections: Mapping[str, list[Group]], name: str) -> list[Node]:
    return [node for section in sections.get(name, []) for node in section[1:]]


def _objects(nodes: list[Node], ancestors: Mapping[str, frozenset[str]]) -> dict[str, Kinds]:
    found: dict[str, Kinds] = {}
    for name, kinds in typed_list(nodes):
        if name.startswith("?"):
            fail(name, f"an object has no '?': {name}")
        check_kinds(name, kinds, ancestors)
        # An object written twice has both types (some generators list objects once a type).
        found[name] = (*found.get(name, ()), *kinds)
    return found


def _signatures(nodes: list[Node], ancestors: Mapping[str, frozenset[str]]) -> dict[str, tuple[Parameter, ...]]:
    found: dict[str, tuple[Parameter, ...]] = {}
    for node in nodes:
        if not isinstance(node, Group) or not node.head:
            fail(node, f"expected a signature such as (on ?x ?y), not {shown(node)}")
        rest = Group(node[1:])
        rest.at = node.at
        found[node.head] = parameters(rest, ancestors)
    return found


def _functions(nodes: list[Node], ancestors: Mapping[str, frozenset[str]]) -> dict[str, tuple[Parameter, ...]]:
    kept = []
    for place, node in enumerate(nodes):
        if isinstance(node, Group):
            kept.append(node)
        elif node not in ("-", "number"):
            fail(node, f"functions to {node!r} are not supported, only those to numbers")
        elif node == "-" and nodes[place + 1 : place + 2] != ["number"]:
            fail(node, "functions are numbers: write '- number' or nothing")
    return _signatures(list(kept), ancestors)


class _Parts(NamedTuple):
    parameters: Node | None
    condition: Node | None
    effect: Node | None


def _action(group: Group, scope: Scope) -> Action:
    if len(group) < 2 or not isinstance(group[1], Word):
        fail(group, "an action needs a name")
    parts = _parts(group)
    variables = parameters(parts.parameters, scope.ancestors) if parts.parameters is not None else ()
    inner = scope.inside(variables)
    return Action(
        name=str(group[1]),
        parameters=variables,
        condition=TRUE if parts.condition is None else inner.formula(parts.condition),
        effects=() if parts.effect is None else inner.effects(parts.effect),
    )


def _parts(group: Group) -> _Parts:
    known = {":parameters": 0, ":precondition": 1, ":effect": 2}
    found: list[Node | None] = [None, None, None]
    for place in range(2, len(group), 2):
        key = group[place]
        if not isinstance(key, Word) or key not in known:
            hint = did_you_mean(key, known) if isinstance(key, Word) else ""
            fail(key, f"expected :parameters, :precondition or :effect, not {shown(key)}{hint}")
        if place + 1 == len(group):
            fail(key, f"nothing follows {key}")
        if found[known[key]] is not None:
            fail(key, f"{key} is written twice")
        found[known[key]] = group[place + 1]
    return _Parts(*found)


def _initial(nodes: list[Node], scope: Scope) -> tuple[tuple[Atom, ...], dict[Fluent, float]]:
    true: dict[Atom, None] = {}
    numbers: dict[Fluent, float] = {}
    for node in _flat(nodes):
        if not isinstance(node, Group):
            fail(node, f"expected a fact in brackets, not {shown(node)}")
        if node.head == "=" and "=" not in scope.predicates:
            if len(node) != 3:
                fail(node, f"expected (= (function ...) number), not {shown(node)}")
            numbers[scope.fluent(node[1])] = number(node[2])
        elif node.head == "at" and len(node) == 3 and isinstance(node[2], Group):
            fail(node, "timed initial literals are not supported")
        elif node.head == "not":  # what is not said to be true is false
            scope.atom(node[1] if len(node) == 2 else node)
        else:
            true[scope.atom(node)] = None
    return tuple(true), numbers


def _flat(nodes: list[Node]) -> Iterator[Node]:
    """The facts; some generators put an ``and`` around them."""
    for node in nodes:
        if isinstance(node, Group) and node.head == "and":
            yield from node[1:]
        else:
            yield node


def _goal(sections: Mapping[str, list[Group]], scope: Scope, top: Group) -> Formula:
    goals = sections.get(":goal", [])
    if len(goals) != 1 or len(goals[0]) != 2:
        fail(goals[-1] if goals else top, "a problem needs one goal: (:goal CONDITION)")
    return scope.formula(goals[0][1])


def _metric(sections: Mapping[str, list[Group]], scope: Scope) -> tuple[Expression | None, bool]:
    for group in sections.get(":metric", []):
        if len(group) != 3 or group[1] not in ("minimize", "maximize"):
            fail(group, "expected (:metric minimize EXPRESSION) or (:metric maximize EXPRESSION)")
        if group[2] == ["total-time"] or group[2] == "total-time":
            return None, False
        return scope.expression(group[2]), group[1] == "maximize"
    return None, False
