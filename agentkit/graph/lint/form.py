"""The form of a file: AK050 to AK059."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentkit.errors import did_you_mean
from agentkit.graph.lint.rule import RULES, Found, Subject, rule, stem


@rule("AK050", "no-description", "note")
def no_description(subject: Subject) -> Iterator[Found]:
    """A graph without a `description`: whoever finds the file has to read it all to know what it is for."""
    if not subject.spec.description and not subject.within:
        yield (), "the graph says nothing about itself; add a 'description'"


@rule("AK051", "name-is-not-the-file-s", "note")
def name_is_not_the_files(subject: Subject) -> Iterator[Found]:
    """The graph's name differs from that of its file: `agentkit runs` lists the one, and you look for the other."""
    file = stem(subject.spec.file)
    if not subject.within and file != subject.spec.name:
        yield ("name",), f"the graph is named {subject.spec.name!r} and its file {file!r}"


@rule("AK052", "no-outputs", "warning")
def no_outputs(subject: Subject) -> Iterator[Found]:
    """A graph without `outputs` gives nothing back, whatever it does."""
    if not subject.spec.outputs:
        yield (), "the graph has no 'outputs', so a run gives nothing back"


@rule("AK053", "wrong-x-lint", "warning")
def wrong_x_lint(subject: Subject) -> Iterator[Found]:
    """`x-lint` is not of the form `{ignore: [AK001, ...]}`, or names a code that no rule has."""
    if "x-lint" not in subject.spec.extra:
        return
    option = subject.spec.extra["x-lint"]
    codes = option.get("ignore") if isinstance(option, Mapping) and set(option) == {"ignore"} else None
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        yield ("x-lint",), "x-lint must be of the form {ignore: [AK001]}"
        return
    for index, code in enumerate(codes):
        if code not in RULES:
            yield ("x-lint", "ignore", index), f"no rule has the code {code!r}{did_you_mean(code, RULES)}"
