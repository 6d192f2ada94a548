"""Problems of files as text for people, JSON for programs, and SARIF 2.1.0 for code hosts and editors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agentkit.errors import Problem

FORMATS = click.Choice(["text", "json", "sarif"])
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def written(problems: Sequence[Problem], form: str, rules: Mapping[str, Mapping[str, Any]]) -> str:
    """The problems in a format; ``rules`` are SARIF's descriptors by code."""
    if form == "json":
        return json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False)
    if form == "sarif":
        return json.dumps(sarif(problems, rules), indent=2, ensure_ascii=False)
    return "\n".join(line(problem) for problem in problems)


def line(problem: Problem) -> str:
    """``file:line:column: warning AK010: path: message``."""
    where = f"{problem.file}:{problem.line}:{problem.column}"
    told = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"{where}: {problem.severity} {problem.code}: {told}"


def descriptor(code: str, name: str, about: str, severity: str) -> dict[str, Any]:
    """What SARIF wants to know of a rule."""
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": about.partition("\n")[0]},
        "fullDescription": {"text": about},
        "defaultConfiguration": {"level": severity},
    }


def sarif(problems: Iterable[Problem], rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A SARIF log of one run."""
    from importlib.metadata import version

    order = list(rules)
    driver = {"name": "agentkit", "version": version("agentkit"), "rules": [rules[code] for code in order]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, order) for problem in problems],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(problem: Problem, order: Sequence[str]) -> dict[str, Any]:
    region = {"startLine": problem.line, "startColumn": problem.column}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(problem.file)}, "region": region},
    }
    if problem.path:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    return {
        "ruleId": problem.code,
        "ruleIndex": order.index(problem.code),
        "level": problem.severity,
        "message": {"text": problem.message},
        "locations": [location],
    }


def _uri(file: str) -> str:
    """A relative path as it is, an absolute one as a file URI; both with what a URI may not hold escaped."""
    from urllib.parse import quote

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
