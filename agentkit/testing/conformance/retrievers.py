"""The contract of a retriever: passages best first, no more than asked for, the same each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from agentkit.protocols import Retriever
from agentkit.testing.conformance.checks import demand, run_checks
from agentkit.types import Document

AWKWARD_QUERIES = ("", "   ", "\x00\x07\u202e", "\ud800", '"(*) AND -:', "a" * 100_000, "что такое ядро?")
"""Queries that must bring documents or none, but no crash."""


async def check_retriever(
    make_retriever: Callable[[], Retriever], *, query: str, top_k: int | None = None, seconds: float = 60.0
) -> None:
    """Check a retriever over documents of which ``query`` finds some.

    ``top_k`` is the most it may return, its own attribute ``top_k`` when None. Raises ``AssertionError`` with what it does wrong.
    """

    async def finds_the_best_first(retriever: Retriever) -> None:
        found = await retriever.retrieve(query)
        demand(found, f"nothing was found for {query!r}")
        _proper(found, _most(retriever, top_k))

    async def bears_awkward_queries(retriever: Retriever) -> None:
        for awkward in AWKWARD_QUERIES:
            _proper(await retriever.retrieve(awkward), _most(retriever, top_k))

    async def repeats_itself(retriever: Retriever) -> None:
        first, second = list(await retriever.retrieve(query)), list(await retriever.retrieve(query))
        demand(first == second, f"two searches for {query!r} found different passages")

    checks = (finds_the_best_first, bears_awkward_queries, repeats_itself)
    await run_checks(make_retriever, checks, seconds=seconds)


def _most(retriever: Retriever, top_k: int | None) -> float:
    return top_k if top_k is not None else getattr(retriever, "top_k", math.inf)


def _proper(found: Sequence[Document], most: float) -> None:
    demand(all(isinstance(one, Document) for one in found), f"retrieve must return Documents, not {found!r}")
    demand(len(found) <= most, f"{len(found)} passages were returned where at most {most} were asked for")
    scores = [one.score for one in found if one.score is not None]
    demand(len(scores) == len(found), "every passage must have a score")
    demand(all(math.isfinite(score) for score in scores), f"scores must be numbers: {scores}")
    demand(scores == sorted(scores, reverse=True), f"passages must come best first, their scores are {scores}")
    places = [(one.id, one.source, one.start) for one in found]
    demand(len(set(places)) == len(places), f"a passage was returned twice: {places}")
