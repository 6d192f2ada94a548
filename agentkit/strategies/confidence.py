"""How sure a model was of a text while it wrote it, from the log-probabilities of its tokens (Fu et al. 2025, arXiv 2508.15260).

The confidence of a token is the mean of -log P over its likeliest alternatives: where one alternative takes nearly all of the
probability, the others are very unlikely, and the mean is high. So higher is surer.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agentkit.types import TokenLogprob

Measure = Literal["lowest", "bottom", "tail", "mean", "logprob"]
_BOTTOM = 0.1  # the share of the least sure groups that ``bottom`` is the mean of


def token_confidence(token: TokenLogprob) -> float:
    """The mean of -log P over the token's alternatives; over the drawn token alone where none were given."""
    logs = [logprob for _, logprob in token.top] or [token.logprob]
    return -sum(logs) / len(logs)


@dataclass(slots=True)
class Groups:
    """The mean confidence of every ``window`` tokens in a row, kept up as tokens come. ``lowest`` is None until one is full."""

    window: int
    lowest: float | None = None
    means: list[float] = field(default_factory=list)
    _inside: deque[float] = field(default_factory=deque)
    _sum: float = 0.0

    def add(self, tokens: Iterable[TokenLogprob]) -> None:
        """Take in what was drawn."""
        for token in tokens:
            value = token_confidence(token)
            self._inside.append(value)
            self._sum += value
            if len(self._inside) > self.window:
                self._sum -= self._inside.popleft()
            if len(self._inside) == self.window:
                self.means.append(self._sum / self.window)
                self.lowest = self.means[-1] if self.lowest is None else min(self.lowest, self.means[-1])


def confidence(tokens: Sequence[TokenLogprob], measure: Measure, *, window: int) -> float | None:
    """The confidence of a whole text; None without tokens.

    ``lowest`` is that of its least sure group of ``window`` tokens, ``bottom`` the mean of the least sure tenth of the groups,
    ``tail`` the mean of the last ``window`` tokens and ``mean`` of all; a text shorter than the window is one group.
    ``logprob`` is the geometric mean of the drawn tokens' probabilities instead, in (0, 1].
    """
    if not tokens:
        return None
    if measure == "logprob":
        return math.exp(sum(token.logprob for token in tokens) / len(tokens))
    values = [token_confidence(token) for token in tokens]
    if measure == "mean" or len(values) <= window:
        return sum(values) / len(values)
    if measure == "tail":
        return sum(values[-window:]) / window
    groups = Groups(window)
    groups.add(tokens)
    least = sorted(groups.means)[: max(1, int(_BOTTOM * len(groups.means)))]
    return least[0] if measure == "lowest" else sum(least) / len(least)


def bar(confidences: Sequence[float], keep: float) -> float:
    """The confidence that the surest share ``keep`` of texts reaches: the percentile 100 (1 - keep), interpolated.

    Raises ``ValueError`` for no texts.
    """
    if not confidences:
        raise ValueError("there is no bar without texts")
    ordered = sorted(confidences)
    place = (1 - keep) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def consensus(weights: Sequence[float]) -> float:
    """The share of the weight that the heaviest answer has; 0 where there is no weight."""
    total = sum(weights)
    return max(weights) / total if total > 0 else 0.0
