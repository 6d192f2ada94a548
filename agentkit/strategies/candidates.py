"""Several answers to one question, drawn side by side, for strategies that choose among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agentkit.answers import Convention, Kind, Reading, extract, read
from agentkit.protocols import Model
from agentkit.strategies import votes
from agentkit.strategies.drawing import Draws, seeded, several, spent
from agentkit.types import JSON, GenerateRequest, Sample, Solution, Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The samples with the answer found in each, and how it reads; None where none was found."""

    samples: tuple[Sample, ...]
    answers: tuple[str | None, ...]
    readings: tuple[Reading | None, ...]
    exhausted: bool

    def votes(self, weights: Sequence[float] | None = None) -> tuple[Vote, ...]:
        """The tally, by number or by weight."""
        return votes.tally(self.readings, weights)

    def solution(
        self,
        chosen: int | None,
        tally: tuple[Vote, ...],
        judging: Draws,
        metadata: Mapping[str, JSON],
    ) -> Solution:
        """The solution that answers as candidate ``chosen`` does; ``judging`` is what choosing cost."""
        exhausted = self.exhausted or judging.exhausted
        return Solution(
            answer=None if chosen is None else self.answers[chosen],
            votes=tally,
            samples=self.samples,
            stopped="budget" if exhausted else "full",
            usage=spent((*self.samples, *judging.arrived)),
            metadata={"chosen": chosen, **metadata},
        )


async def candidates(
    model: Model,
    request: GenerateRequest,
    count: int,
    *,
    seed: int,
    answer: Kind,
    convention: Convention,
    concurrency: int | None,
) -> Candidates:
    """``count`` samples of ``request``; those that fail are left out, and only when all do is the first error raised."""
    requests = [replace(request, seed=seeded(model, seed, place)) for place in range(count)]
    draws = await several(model, requests, limit=concurrency)
    if not draws.arrived:
        raise draws.errors[0]
    found = [
        extract(one.text, answer, stated=one.finish_reason == "length", convention=convention) for one in draws.arrived
    ]
    return Candidates(
        samples=draws.arrived,
        answers=tuple(found),
        readings=tuple(None if one is None else read(one, answer, convention=convention) for one in found),
        exhausted=draws.exhausted,
    )
