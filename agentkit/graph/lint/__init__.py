"""Lint: what a graph that loads still should not do. Each rule is a small function with a stable code."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from agentkit.errors import Problem
from agentkit.graph.backends import Backends
from agentkit.graph.kinds import Workshop
from agentkit.graph.lint import cost, flow, form, models, policies, values
from agentkit.graph.lint.rule import RULES, Rule, Subject
from agentkit.graph.spec import GraphSpec, tool_place
from agentkit.types import JSON
from agentkit.yaml_reader import Source, read

__all__ = ["DOES_NOT_LOAD", "RULES", "Rule", "lint"]

MODULES = (flow, values, models, cost, policies, form)
"""The modules of rules, each of which registers its own."""

DOES_NOT_LOAD = "AK000"
"""The code of what keeps a file from being loaded at all; it cannot be ignored."""


def lint(shop: Workshop, backends: Backends, source: Source, *, codes: Collection[str] | None = None) -> list[Problem]:
    """What the rules find in the graph of ``shop``, which ``source`` holds, and in those inside it; in file order.

    ``codes`` are the rules to ask (None: all). A file's own ``x-lint: {ignore: [...]}`` leaves out some of them.
    """
    wanted = [RULES[code] for code in sorted(RULES) if codes is None or code in codes]
    found: dict[Problem, None] = {}
    for subject in _subjects(Subject(shop, backends, source)):
        ignored = _ignored(subject.source.data) | _ignored(subject.data)
        for rule in wanted:
            if rule.code not in ignored:
                found |= dict.fromkeys(_problems(subject, rule))
    files = list(dict.fromkeys(one.file for one in found))
    return sorted(found, key=lambda one: (files.index(one.file), one.line, one.column, one.code))


def _problems(subject: Subject, rule: Rule) -> Iterator[Problem]:
    for path, message in rule.check(subject):
        problem = subject.source.problem((*subject.within, *path), message, code=rule.code)
        yield replace(problem, severity=rule.severity)


def _subjects(subject: Subject) -> Iterator[Subject]:
    """The graph and all that are inside it, each with the file that it stands in."""
    yield subject
    for name, spec in subject.spec.graphs.items():
        yield from _subjects(_inner(subject, name, spec))


def _inner(subject: Subject, name: str, spec: GraphSpec) -> Subject:
    shop, (node, place) = replace(subject.shop, spec=spec), tool_place(name)
    options, where = subject.nodes[node].options, (*subject.within, "nodes", node, "with")
    if place is not None:
        options, where = options["tools"][place], (*where, "tools", place)
    if "graph" in options:
        return Subject(shop, subject.backends, subject.source, (*where, "graph"))
    text = subject.spec.files.get(str(options.get("file")), "")
    return Subject(shop, subject.backends, read(text, file=str(FilePath(spec.file))))


def _ignored(data: JSON) -> frozenset[str]:
    """The codes that a file leaves out."""
    option = data.get("x-lint") if isinstance(data, Mapping) else None
    codes = option.get("ignore") if isinstance(option, Mapping) else None
    return frozenset(one for one in codes if isinstance(one, str)) if isinstance(codes, list) else frozenset()
