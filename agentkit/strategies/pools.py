"""Replay recorded samples under a stopping rule: what would it have answered, and after how many samples?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import fmean

from agentkit.answers import Convention, Kind, extract, partition, read
from agentkit.statistics import Interval, mean, paired_difference
from agentkit.strategies.stopping import Rule

DEFAULT = "regret"
"""The rule that strategies use unless told otherwise."""

_RESAMPLES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The samples of one question as class numbers in the order drawn, None for an abstention.

    ``right`` is the class to come out at, None when no sample is in it. ``parts`` are how many of the samples are from each
    of several prompts that take turns, nothing where there is but one.
    """

    id: str
    labels: tuple[int | None, ...]
    right: int | None
    parts: tuple[int, ...] = ()

    def shuffled(self, rng: Random) -> list[int | None]:
        """The samples in a random order; with ``parts`` as many as the largest has, prompt by prompt in turns."""
        if not self.parts:
            return rng.sample(self.labels, len(self.labels))
        ends = [*accumulate(self.parts)]
        decks = [rng.sample(self.labels[end - size : end], size) for size, end in zip(self.parts, ends, strict=True)]
        decks = rng.sample(decks, len(decks))
        taken = [deck[turn] for turn in range(max(self.parts)) for deck in decks if turn < len(deck)]
        return taken[: max(self.parts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule does to a pool: for each question the share of orders that came out right and the mean samples drawn."""

    rule: str
    right: tuple[float, ...]
    drawn: tuple[float, ...]

    def accuracy(self, *, seed: int = 0) -> Interval:
        """Mean over the questions, with its 95 % bootstrap interval."""
        return mean(self.right, rng=Random(seed), resamples=_RESAMPLES)

    def samples(self, *, seed: int = 0) -> Interval:
        """Mean samples a question."""
        return mean(self.drawn, rng=Random(seed), resamples=_RESAMPLES)

    def loss(self, full: Outcome, *, seed: int = 0) -> Interval:
        """Accuracy minus that of ``full`` on the same questions."""
        return paired_difference(full.right, self.right, rng=Random(seed), resamples=_RESAMPLES)

    def saving(self, full: Outcome) -> float:
        """The share of the samples of ``full`` that were not drawn; 0 where there were none."""
        return 1 - fmean(self.drawn) / fmean(full.drawn) if any(full.drawn) else 0.0


def pooled(
    name: str,
    texts: Sequence[str | None],
    gold: str | None,
    kind: Kind = "auto",
    *,
    convention: Convention = "us",
    parts: tuple[int, ...] = (),
) -> Pooled:
    """The samples of one question sorted into classes of equal answers.

    Without ``gold`` the right class is that of the vote over all samples, so that accuracy becomes agreement with it.
    """
    found = [None if text is None else extract(text, kind, convention=convention) for text in texts]
    readings = [None if one is None else read(one, kind, convention=convention) for one in found]
    wanted = [] if gold is None else [read(gold, kind, convention=convention)]
    groups = partition([*readings, *wanted])
    labels = {place: label for label, group in enumerate(groups) for place in group}
    drawn = tuple(labels.get(place) for place in range(len(texts)))
    right = labels.get(len(texts)) if wanted else _largest(groups)
    return Pooled(id=name, labels=drawn, right=right if right in drawn else None, parts=parts)


def replay(labels: Sequence[int | None], rule: Rule) -> tuple[int | None, int]:
    """The winning class and the samples drawn when ``rule`` watches the samples in this order, one at a time."""
    counts: dict[int, int] = {}
    last, streak = None, 0
    for drawn, label in enumerate(labels, 1):
        if label is not None:
            counts[label] = counts.get(label, 0) + 1
            streak = streak + 1 if label == last else 1
            last = label
        if rule.done(list(counts.values()), drawn, len(labels), streak):
            return max(counts, key=counts.__getitem__, default=None), drawn
    return None, 0


def measure(questions: Sequence[Pooled], rule: Rule, name: str, *, orders: int = 40, seed: int = 0) -> Outcome:
    """``rule`` on every question in ``orders`` random orders, the same ones for every rule."""
    right, drawn = [], []
    for question in questions:
        rng = Random(f"{seed}/{question.id}")
        results = [replay(question.shuffled(rng), rule) for _ in range(orders)]
        right.append(fmean(label is not None and label == question.right for label, _ in results))
        drawn.append(fmean(count for _, count in results))
    return Outcome(rule=name, right=tuple(right), drawn=tuple(drawn))


def cheapest(outcomes: Sequence[Outcome], full: Outcome, *, tolerance: float) -> Outcome:
    """The outcome with the fewest samples among those that lose at most ``tolerance`` of accuracy against ``full``."""
    floor = fmean(full.right) - tolerance - 1e-12
    return min((one for one in (*outcomes, full) if fmean(one.right) >= floor), key=lambda one: fmean(one.drawn))


def _largest(groups: Sequence[Sequence[int]]) -> int | None:
    return max(range(len(groups)), key=lambda label: len(groups[label]), default=None)
