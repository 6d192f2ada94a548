"""Collects everything wrong with a graph, so that it is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agentkit.errors import GraphError, Problem
from agentkit.options import Fault
from agentkit.types import Path
from agentkit.yaml_reader import Source

_MOST = 200


@dataclass(frozen=True, slots=True)
class Report:
    """The problems of one ``source``; ``within`` is the path of the part that paths begin at."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    within: Path = ()

    def say(self, path: Path, message: str, *, key: bool = False) -> None:
        """Note a problem at the value of ``path``, or at its key."""
        self.problems.append(self.source.problem((*self.within, *path), message, key=key))

    def faults(self, path: Path, faults: Iterable[Fault]) -> bool:
        """Note faults whose paths begin at ``path``; True when there were any."""
        found = list(faults)
        for inner, message in found:
            self.say((*path, *inner), message, key=message.startswith("unknown "))
        return bool(found)

    def raise_if_any(self) -> None:
        """Raise ``GraphError`` with what was noted, this source first, each in file order."""
        if self.problems:
            order = [self.source.file, *dict.fromkeys(one.file for one in self.problems)]
            ordered = sorted(
                dict.fromkeys(self.problems), key=lambda one: (order.index(one.file), one.line, one.column)
            )
            raise GraphError(ordered[:_MOST])
