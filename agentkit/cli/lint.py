"""``agentkit lint``: what is odd in graph files that load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentkit.cli.findings import FORMATS, descriptor, written
from agentkit.errors import GraphError, InputError, Problem, did_you_mean

if TYPE_CHECKING:
    from agentkit.kit import Kit


@click.command(name="lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--select", multiple=True, metavar="CODES", help="Only these rules: AK001,AK010.")
@click.option("--ignore", multiple=True, metavar="CODES", help="All but these rules.")
@click.option("--strict", is_flag=True, help="Exit with 1 when there are warnings.")
@click.option("--format", "form", type=FORMATS, default="text", show_default=True)
def command(files: tuple[Path, ...], select: tuple[str, ...], ignore: tuple[str, ...], strict: bool, form: str) -> None:
    """Find what is odd in graph FILES: unreachable nodes, votes that cannot work, keys in clear, costs without a bound.

    Exit code 2 with an error, 1 with a warning under --strict, else 0. A file leaves rules out for itself with
    'x-lint: {ignore: [AK012]}'. Every rule is explained in docs/reference/lint.md.
    """
    from agentkit.graph.lint import RULES
    from agentkit.kit import Kit

    chosen = _codes(select, RULES) or frozenset(RULES)
    codes = chosen - _codes(ignore, RULES)
    kit = Kit()
    problems = list(dict.fromkeys(one for file in files for one in _problems(kit, file, codes)))
    text = written(problems, form, _descriptors())
    if text:
        click.echo(text)
    if form == "text":
        click.echo(_summary(problems, len(files)), err=True)
    raise click.exceptions.Exit(_exit_code(problems, strict))


def _codes(options: tuple[str, ...], known: Any) -> frozenset[str]:
    codes = [code.strip().upper() for option in options for code in option.split(",") if code.strip()]
    for code in codes:
        if code not in known:
            raise InputError(f"no lint rule has the code {code!r}{did_you_mean(code, known)}")
    return frozenset(codes)


def _problems(kit: Kit, file: Path, codes: frozenset[str]) -> list[Problem]:
    from agentkit.graph.lint import DOES_NOT_LOAD

    try:
        return kit.graph(file).lint(codes=codes)
    except GraphError as error:
        return [replace(problem, code=DOES_NOT_LOAD) for problem in error.problems]


def _descriptors() -> dict[str, Any]:
    from agentkit.graph.lint import DOES_NOT_LOAD, RULES

    loads = descriptor(DOES_NOT_LOAD, "does-not-load", "The file cannot be loaded.", "error")
    rules = {code: RULES[code] for code in sorted(RULES)}
    return {
        DOES_NOT_LOAD: loads,
        **{code: descriptor(code, one.name, one.about, one.severity) for code, one in rules.items()},
    }


def _summary(problems: Sequence[Problem], files: int) -> str:
    counts = Counter(problem.severity for problem in problems)
    found = [
        f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}"
        for kind in ("error", "warning", "note")
        if counts[kind]
    ]
    return f"{', '.join(found) or 'nothing found'} in {files} file{'' if files == 1 else 's'}"


def _exit_code(problems: Sequence[Problem], strict: bool) -> int:
    severities = {problem.severity for problem in problems}
    if "error" in severities:
        return 2
    return 1 if strict and "warning" in severities else 0
