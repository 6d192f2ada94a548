"""Small planning tasks, each of which exercises one thing."""

from pathlib import Path

import pytest

from agentkit.pddl import Task, load_task

TASKS = Path(__file__).parent / "tasks"


def load(domain: str, problem: str) -> Task:
    return load_task((TASKS / f"{domain}.pddl").read_text(), (TASKS / f"{problem}.pddl").read_text())


@pytest.fixture
def swap() -> Task:
    """Blocks b under a, and c, to be stacked c on b on a."""
    return load("blocks", "swap")


@pytest.fixture
def circle() -> Task:
    """Two blocks, each to be on the other: no plan."""
    return load("blocks", "circle")


@pytest.fixture
def deliver() -> Task:
    """Types, constants, negation, equality, fuel and cost."""
    return load("delivery", "deliver")


@pytest.fixture
def light() -> Task:
    """``or imply forall exists`` and conditional effects."""
    return load("lights", "light")
