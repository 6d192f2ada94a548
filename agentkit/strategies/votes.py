"""Votes as pure tallies: abstentions count for nothing, ties go to the earliest sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentkit.answers import Reading, partition
from agentkit.types import Vote


def tally(readings: Sequence[Reading | None], weights: Sequence[float] | None = None) -> tuple[Vote, ...]:
    """The votes, most weight first and among equals the one cast first; ``readings`` are in the order of the samples.

    A sample weighs 1 unless ``weights`` says otherwise; None is an abstention. A vote is named by the canonical key of its
    earliest sample, and ``Vote.samples`` are places in ``readings``.
    """
    weighing = [1.0] * len(readings) if weights is None else weights
    names = ["" if reading is None else reading.key for reading in readings]
    votes = [_vote(group, names, weighing) for group in partition(readings)]
    return tuple(sorted(votes, key=lambda vote: (-vote.weight, vote.samples[0])))


def keys(answers: Sequence[str | None]) -> tuple[Reading | None, ...]:
    """Readings of answers that are canonical keys already, for ``tally``."""
    return tuple(None if one is None else Reading(one) for one in answers)


def majority(answers: Sequence[str | None]) -> str | None:
    """The key that most of ``answers`` (canonical keys) give, the earliest of them on a tie; None when all abstain."""
    return _winner(tally(keys(answers)))


def weighted(answers: Sequence[str | None], weights: Sequence[float]) -> str | None:
    """The key with the largest sum of weights, the earliest of them on a tie; None when all abstain."""
    return _winner(tally(keys(answers), weights))


def counts(votes: Sequence[Vote]) -> Mapping[str, int]:
    """Key -> number of samples, in the order in which the keys were first given."""
    return {vote.answer: vote.count for vote in sorted(votes, key=lambda vote: vote.samples[0])}


def streak(votes: Sequence[Vote]) -> int:
    """How many of the last samples that answered agree with the very last one, abstentions passed over."""
    given = sorted(((place, vote.answer) for vote in votes for place in vote.samples), reverse=True)
    length = 0
    for _, answer in given:
        if answer != given[0][1]:
            break
        length += 1
    return length


def _winner(votes: Sequence[Vote]) -> str | None:
    return votes[0].answer if votes else None


def _vote(group: Sequence[int], names: Sequence[str], weights: Sequence[float]) -> Vote:
    total = sum(weights[place] for place in group)
    return Vote(answer=names[group[0]], count=len(group), weight=total, samples=tuple(group))
