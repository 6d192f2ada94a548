"""PlanBench as it was recorded (Valmeekam et al. 2023, arXiv 2206.10498; MIT): tasks, plans, items to verify, validator loops."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentkit import pddl

STANDARD = frozenset(
    (
        "task_1_plan_generation",
        "task_1_plan_generation_pddl",
        "task_1_plan_generation_zero_shot",
        "task_1_plan_generation_zero_shot_pddl",
        "task_1_zero_shot_plan_generation",
        "task_1_zero_shot_plan_generation_pddl",
    )
)
"""The prompt styles that ask for a plan once, without feedback."""
DOMAINS = frozenset(
    ("blocksworld", "blocksworld_3", "logistics", "mystery_blocksworld", "mystery_blocksworld_3", "sokoban")
)
"""Domains whose recorded names are those of the stored PDDL and whose every task has a plan."""
MYSTERY = {"clear": "province", "ontable": "planet", "handempty": "harmony", "holding": "pain", "on": "craves"}
"""What the mystery domain calls the predicates of blocksworld."""
_PLAIN = re.compile(rf"\(({'|'.join(MYSTERY)})\b")


@dataclass(frozen=True)
class PlanBench:
    """The folder, and the PDDL text of its tasks by (domain, instance)."""

    folder: Path
    domains: dict[str, str]
    problems: dict[tuple[str, int], str]

    @classmethod
    def read(cls, folder: Path) -> PlanBench:
        """Everything but the recorded runs, which are read as they are asked for."""
        domains = {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "domains").glob("*.pddl"))}
        rows = (row for path in sorted((folder / "instances").iterdir()) for row in _rows(path))
        return cls(folder, domains, {(row["domain"], row["instance_id"]): row["problem_pddl"] for row in rows})

    def task(self, domain: str, instance: int) -> pddl.Task | None:
        """The task, read once; None where its PDDL was not recorded. ``mystery_new`` is blocksworld_hard in other words."""
        if domain == "mystery_new":
            problem = self.problems.get(("blocksworld_hard", instance))
            renamed = None if problem is None else _PLAIN.sub(lambda found: f"({MYSTERY[found[1]]}", problem)
            return None if renamed is None else pddl.load_task(self.domains["mystery_blocksworld"], renamed)
        problem = self.problems.get((domain, instance))
        return None if problem is None else pddl.load_task(self.domains[domain], problem)

    def rows(self, part: str, pattern: str = "*") -> Iterator[dict[str, Any]]:
        """Recorded rows of ``plan_generation``, ``verification`` or ``backprompting``, with the name of their ``file``."""
        for path in sorted((self.folder / part).glob(f"{pattern}.jsonl*")):
            for row in _rows(path):
                yield {**row, "file": path.name.partition(".")[0]}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
