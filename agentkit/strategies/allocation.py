"""Many questions, one budget: the next sample goes where it can still change an answer.

Stopping rules look at one question and spend what they like. Here the samples are a common purse: every question has an index,
the regret that a draw for it is expected to save, and the question with the highest is drawn for next. The purse
may be closed at any moment; every question then has its best answer so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import inf
from random import Random
from statistics import fmean

from agentkit.errors import ConfigError
from agentkit.strategies.pools import Outcome, Pooled
from agentkit.strategies.stopping import UNSEEN, regret, top_two

_LEAST, _MOST = 0.05, 5.0
_FIRST_LESSON = 64


@lru_cache(maxsize=65536)
def index(first: int, second: int, votes: int, left: int, unseen: float = UNSEEN) -> float:
    """The most regret a draw that looking h samples ahead can save, over all h; 0 where the vote can no longer change.

    ``first`` and ``second`` are the votes of the leader and the runner-up among ``votes``, ``left`` the samples that may
    still be drawn. A question without any vote comes before all others.
    """
    if left <= 0:
        return 0.0
    if votes == 0:
        return inf
    horizons = range(max(1, first - second + 1), left + 1)
    return max((regret(first, second, votes, h, unseen) / h for h in horizons), default=0.0)


def newness(questions: Sequence[Sequence[int]]) -> float:
    """How readily new answers turn up, learned from the votes of many questions without knowing which answer is right.

    It is the concentration of the Chinese restaurant process with the greatest likelihood (Ewens 1972), the weight of what
    was not given yet beside one of each vote: the root of sum(distinct answers - expected distinct answers), which
    falls in it. ``UNSEEN`` where no question has two votes; between 0.05 and 5.
    """
    sizes = [(sum(counts), sum(map(bool, counts))) for counts in questions if sum(counts) > 1]
    if not sizes:
        return UNSEEN
    longest = max(votes for votes, _ in sizes)
    reached = [sum(votes > place for votes, _ in sizes) for place in range(longest)]
    distinct = sum(kinds for _, kinds in sizes)
    low, high = _LEAST, _MOST
    for _ in range(40):
        middle = (low + high) / 2
        expected = sum(middle / (middle + place) * many for place, many in enumerate(reached))
        low, high = (middle, high) if expected < distinct else (low, middle)
    return round((low + high) / 2, 2)


@dataclass(slots=True, kw_only=True)
class Allocator:
    """Says for which question to draw next, until ``budget`` samples are handed out.

    ``limits`` are the most samples of each question. Nothing is drawn for a question whose index is at most ``price``. With
    ``learn`` the weight of unseen answers is learned from the questions themselves, each time twice as many samples are in.
    A question is not offered again before the sample handed out for it is settled, so several may be under way.
    """

    limits: Sequence[int]
    budget: int
    price: float = 0.0
    learn: bool = False
    unseen: float = UNSEEN
    handed: int = 0
    _settled: int = 0
    _lesson: int = _FIRST_LESSON
    _counts: list[Sequence[int]] = field(default_factory=list)
    _drawn: list[int] = field(default_factory=list)
    _heap: list[tuple[float, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.budget < 0:
            raise ConfigError(f"a budget is a number of samples from 0 on, not {self.budget}")
        self._counts = [()] * len(self.limits)
        self._drawn = [0] * len(self.limits)
        self._heap = [(-inf, 0, question) for question, limit in enumerate(self.limits) if limit > 0]

    def take(self) -> int | None:
        """The question to draw for, and that sample is spent; None when nothing is worth drawing now."""
        if self.handed >= self.budget or not self._heap:
            return None
        self.handed += 1
        return heappop(self._heap)[2]

    def settle(self, question: int, counts: Sequence[int]) -> None:
        """The sample for ``question`` is in, and its votes are now ``counts``; an abstention leaves them as they were."""
        self._counts[question] = tuple(counts)
        self._drawn[question] += 1
        self._settled += 1
        self._offer(question)
        if self.learn and self._settled >= self._lesson:
            self._lesson *= 2
            self._relearn()

    def worth(self, question: int) -> float:
        """The index of a question as it stands."""
        counts = self._counts[question]
        left = self.limits[question] - self._drawn[question]
        return index(*top_two(counts), sum(counts), left, self.unseen)

    def _offer(self, question: int) -> None:
        worth = self.worth(question)
        if worth > self.price:
            heappush(self._heap, (-worth, self._drawn[question], question))

    def _relearn(self) -> None:
        """Learn the weight of unseen answers, and put the questions on offer in their new order."""
        self.unseen = newness(self._counts)
        offered = sorted(question for *_, question in self._heap)
        self._heap = [(-self.worth(one), self._drawn[one], one) for one in offered]
        self._heap = [entry for entry in self._heap if -entry[0] > self.price]
        heapify(self._heap)


def allocate(
    questions: Sequence[Sequence[int | None]], budget: int, *, price: float = 0.0, learn: bool = False
) -> list[tuple[int | None, int]]:
    """The winning class and the samples drawn of each question, when ``budget`` samples are shared out among all.

    ``questions`` are class numbers in the order in which the samples would come, None for an abstention.
    """
    purse = Allocator(limits=[len(labels) for labels in questions], budget=budget, price=price, learn=learn)
    counts: list[dict[int, int]] = [{} for _ in questions]
    drawn = [0] * len(questions)
    while (question := purse.take()) is not None:
        label = questions[question][drawn[question]]
        drawn[question] += 1
        if label is not None:
            counts[question][label] = counts[question].get(label, 0) + 1
        purse.settle(question, list(counts[question].values()))
    winners = [max(votes, key=votes.__getitem__, default=None) for votes in counts]
    return list(zip(winners, drawn, strict=True))


def measure_allocation(
    questions: Sequence[Pooled],
    mean_samples: float,
    name: str = "allocator",
    *,
    learn: bool = False,
    orders: int = 40,
    seed: int = 0,
) -> Outcome:
    """The allocator on all questions at once, ``mean_samples`` a question at most, in the orders that ``measure`` uses."""
    chances = [Random(f"{seed}/{question.id}") for question in questions]
    budget = int(mean_samples * len(questions) + 1e-9)
    runs = []
    for _ in range(orders):
        drawn = [one.shuffled(rng) for rng, one in zip(chances, questions, strict=True)]
        runs.append(allocate(drawn, budget, learn=learn))
    columns = list(zip(*runs, strict=True))
    right = [
        fmean(won is not None and won == one.right for won, _ in runs)
        for one, runs in zip(questions, columns, strict=True)
    ]
    return Outcome(rule=name, right=tuple(right), drawn=tuple(fmean(count for _, count in runs) for runs in columns))
