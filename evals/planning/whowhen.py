"""The labelled logs that attribution is measured on, each as question, history and the label (steps from 0)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A failed run; ``group`` is the question, so that two runs on one question never stand on both sides of a split."""

    id: str
    group: str
    question: str
    history: Sequence[dict[str, Any]]
    agent: str
    step: int


def who_and_when(folder: Path, part: str = "algorithm-generated") -> list[Labelled]:
    """A part of Who&When (Zhang et al. 2025, arXiv 2505.00212): ``algorithm-generated`` or ``hand-crafted``."""
    return [
        Labelled(
            id=row["id"],
            group=str(row.get("question_id") or row["question"]),
            question=row["question"],
            history=row["history"],
            agent=row["mistake_agent"],
            step=int(row["mistake_step"]),
        )
        for row in _rows(folder / "who_and_when" / f"{part}.jsonl")
    ]


def agentrx(folder: Path) -> list[Labelled]:
    """The failed tau-retail runs of AgentRx (Microsoft 2026, arXiv 2602.02475) with their root cause; its steps count from 1."""
    return [_root_cause(row) for row in _rows(folder / "agentrx" / "tau_retail_failed_labelled.jsonl")]


def _root_cause(row: dict[str, Any]) -> Labelled:
    labels = row["labels"]
    root = next(one for one in labels["failures"] if one["failure_id"] == labels["root_cause"]["failure_id"])
    return Labelled(
        id=row["id"],
        group=str(row["task_id"]),
        question=row["instruction"],
        history=row["messages"],
        agent=root["failed_agent"].casefold(),
        step=root["step_number"] - 1,
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
