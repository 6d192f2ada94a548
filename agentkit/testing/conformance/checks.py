"""What the kits share: demanding something, and running checks under a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from agentkit.protocols import Model, SampleStream
from agentkit.types import Capabilities, GenerateRequest, Sample, Usage

T = TypeVar("T")


def demand(condition: object, sentence: str) -> None:
    """Raise ``AssertionError`` with the sentence unless the condition holds (also under ``python -O``)."""
    if not condition:
        raise AssertionError(sentence)


async def run_checks(
    make: Callable[[], T], checks: Iterable[Callable[[T], Awaitable[None]]], *, seconds: float
) -> None:
    """Run each check on a component of its own; one that takes longer than ``seconds`` fails."""
    for check in checks:
        try:
            async with asyncio.timeout(seconds):
                await check(make())
        except TimeoutError:
            what = getattr(check, "__name__", "a check").replace("_", " ")
            raise AssertionError(f"the check {what!r} did not end within {seconds:g} s") from None


@dataclass(kw_only=True)
class Watched:
    """A model that remembers what it gave: every sample, and how many of its streams are still open."""

    model: Model
    samples: list[Sample] = field(default_factory=list)
    asked: int = 0
    open: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The model's own."""
        return self.model.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's own."""
        return self.model.capabilities

    @property
    def usage(self) -> Usage:
        """What all the samples cost."""
        return sum((sample.usage for sample in self.samples), Usage())

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """The model's stream, watched."""
        self.asked += 1
        self.open += 1
        self.begun.set()
        try:
            async with aclosing(self.model.generate(request)) as stream:
                async for item in stream:
                    if isinstance(item, Sample):
                        self.samples.append(item)
                    yield item
        finally:
            self.open -= 1
