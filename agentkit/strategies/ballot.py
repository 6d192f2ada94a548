"""The ballot box of one vote: samples and failures by place, and the tally over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentkit.answers import Convention, Kind, Reading, extract, read
from agentkit.strategies import votes
from agentkit.strategies.drawing import spent
from agentkit.types import JSON, Sample, Solution, Vote


@dataclass(slots=True, kw_only=True)
class Ballot:
    """Takes samples in any order and counts them in the order of their places, so that arrival changes nothing."""

    answer: Kind = "auto"
    convention: Convention = "us"
    errors: dict[int, BaseException] = field(default_factory=dict)
    _cast: dict[int, tuple[Sample, str | None, Reading | None]] = field(default_factory=dict)
    _tally: tuple[Vote, ...] | None = None

    def cast(self, place: int, sample: Sample) -> None:
        """Count a sample; one that was cut off counts only when it had stated its answer."""
        cut_off = sample.finish_reason == "length"
        found = extract(sample.text, self.answer, stated=cut_off, convention=self.convention)
        reading = None if found is None else read(found, self.answer, convention=self.convention)
        self._cast[place] = (sample, found, reading)
        self._tally = None

    def fail(self, place: int, error: BaseException) -> None:
        """Count a sample that could not be had: an abstention."""
        self.errors[place] = error

    @property
    def drawn(self) -> int:
        """Samples settled, failures included."""
        return len(self._cast) + len(self.errors)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Those that arrived, in the order of their places."""
        return tuple(self._cast[place][0] for place in sorted(self._cast))

    def tally(self) -> tuple[Vote, ...]:
        """The votes so far, best first; ``Vote.samples`` are places in ``samples``."""
        if self._tally is None:
            self._tally = votes.tally([self._cast[place][2] for place in sorted(self._cast)])
        return self._tally

    def tallies(self) -> tuple[tuple[Vote, ...], ...]:
        """The one tally there is."""
        return (self.tally(),)

    def vote_of(self, place: int) -> str | None:
        """The name of the class that sample ``place`` voted for, None for an abstention."""
        if place not in self._cast:
            return None
        order = sorted(self._cast).index(place)
        return next((vote.answer for vote in self.tally() if order in vote.samples), None)

    def solution(self, stopped: str, metadata: Mapping[str, JSON]) -> Solution:
        """The answer of the earliest sample in the winning class, as that sample gave it, with all the votes."""
        tally = self.tally()
        failed = [{"sample": place, "error": str(error)} for place, error in sorted(self.errors.items())]
        return Solution(
            answer=self._answers()[tally[0].samples[0]] if tally else None,
            votes=tally,
            samples=self.samples,
            confidence=tally[0].count / len(self._cast) if tally else None,
            stopped=stopped,
            usage=spent(self.samples),
            metadata={**metadata, "errors": failed} if failed else metadata,
        )

    def _answers(self) -> list[str | None]:
        return [self._cast[place][1] for place in sorted(self._cast)]
