"""Parts of a request: ask for some of its samples, and give them their places in the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agentkit.errors import ServerError
from agentkit.types import Delta, GenerateRequest, Sample


def part(request: GenerateRequest, start: int, count: int) -> GenerateRequest:
    """The request for samples ``start`` to ``start + count`` of ``request``; a seed moves along with them."""
    if (start, count) == (0, request.n):
        return request
    return replace(request, n=count, seed=None if request.seed is None else request.seed + start)


def parts(request: GenerateRequest, wanted: Sequence[int]) -> Iterator[tuple[GenerateRequest, Sequence[int]]]:
    """Requests that together draw the samples ``wanted`` (ascending), each with the places its samples take.

    Without a seed one request is enough; with a seed each unbroken stretch needs its own.
    """
    if request.seed is None:
        yield part(request, 0, len(wanted)), wanted
        return
    stretch: list[int] = []
    for place in wanted:
        if stretch and place != stretch[-1] + 1:
            yield part(request, stretch[0], len(stretch)), stretch
            stretch = []
        stretch.append(place)
    yield part(request, stretch[0], len(stretch)), stretch


def placed(item: Sample | Delta, places: Sequence[int], model: str) -> Sample | Delta:
    """``item`` with its place in the whole; raises ``ServerError`` when the model numbered it beyond what was asked."""
    if not 0 <= item.index < len(places):
        raise ServerError(f"{model} answered a request for {len(places)} samples with sample number {item.index}")
    place = places[item.index]
    return item if place == item.index else replace(item, index=place)


def replayed(sample: Sample, *, stream: bool) -> Iterator[Sample | Delta]:
    """A recorded sample; for a request with ``stream`` its text comes first, as one delta."""
    if stream:
        yield Delta(text=sample.text, reasoning=sample.reasoning, logprobs=sample.logprobs or (), index=sample.index)
    yield sample
