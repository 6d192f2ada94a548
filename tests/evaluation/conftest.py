"""Small real parts that the tests of this folder share."""

from dataclasses import dataclass, field

import pytest

from agentkit.types import Record, Score


@dataclass(frozen=True, kw_only=True)
class Equal:
    """Right when the output equals the target."""

    async def evaluate(self, record: Record) -> Score:
        return Score(value=float(record.output == record.target))


@dataclass(kw_only=True)
class Doubling:
    """A task that doubles its input and remembers what it was asked."""

    calls: list[str] = field(default_factory=list)
    identity: str = "doubling"

    async def __call__(self, record: Record) -> dict[str, object]:
        self.calls.append(record.id)
        return {"answer": record.input * 2}


def numbers(count: int) -> list[Record]:
    """Records whose doubled input is their target, but for each fifth one."""
    return [Record(id=f"r{index}", input=index, target=index * 2 + (index % 5 == 4)) for index in range(count)]


@pytest.fixture
def doubling() -> Doubling:
    return Doubling()


@pytest.fixture
def equal() -> Equal:
    return Equal()


@pytest.fixture
def ten() -> list[Record]:
    return numbers(10)
