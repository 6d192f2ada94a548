"""Several rankings into one."""

from __future__ import annotations

from collections.abc import Sequence

Ranking = list[tuple[str, float]]
"""(passage id, score), best first."""

RRF_K = 60
"""The constant of Cormack et al.: how little the very first places count for more than those after them."""


def reciprocal_rank(rankings: Sequence[Sequence[str]], weights: Sequence[float], *, k: int = RRF_K) -> Ranking:
    """(id, score) of everything ranked, best first: each ranking gives its weight / (k + rank), ranks from 1.

    Ties go to what stands higher in the earlier ranking. Scores are comparable within one call only.
    Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods".
    """
    scores: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, key in enumerate(dict.fromkeys(ranking), 1):
            scores[key] = scores.get(key, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])
