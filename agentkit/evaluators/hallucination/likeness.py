"""How alike a claim and its evidence are in other words: each word of the claim beside the likest word of the evidence.

A greedy alignment of contextual states, weighted by rarity (Zhang et al. 2020, "BERTScore", arXiv 1904.09675), with the states of
a small sentence encoder. It sees a paraphrase that shares no word; it hardly sees a negation or a changed number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentkit.encoder import Encoded, Encoder, pooled
from agentkit.errors import AgentkitError
from agentkit.text import rarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECES = 128  # of a sentence that are read
_LONGEST = 1500  # characters of a sentence: more would not fit


class Likeness(NamedTuple):
    """``words`` is the mean likeness of the claim's words, the rarer the more; ``worst`` the most that one word lacks;
    ``nearest`` the cosine of the claim and its nearest sentence. About 0 (unlike) to 1 (the same words)."""

    words: float
    worst: float
    nearest: float


class _Read(NamedTuple):
    """A text as the encoder sees it: its vector, and its pieces with states of unit length, the marks left out."""

    vector: NDArray[np.float32]
    offsets: tuple[tuple[int, int], ...]
    states: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Compares claims with sentences."""

    encoder: Encoder

    def compare(self, claim: str, sentences: Sequence[str]) -> Likeness:
        """The likeness of ``claim`` and ``sentences``; all 0 without a sentence."""
        import numpy as np

        if not sentences:
            return Likeness(0.0, 0.0, 0.0)
        said, *there = self._read([claim[:_LONGEST], *(one[:_LONGEST] for one in sentences)])
        if not len(said.states) or not any(len(one.states) for one in there):
            return Likeness(0.0, 0.0, 0.0)
        best = (said.states @ np.concatenate([one.states for one in there]).T).max(axis=1)
        found = [(_weight(word), float(best[first:last].mean())) for word, first, last in _words(claim, said.offsets)]
        total = sum(weight for weight, _ in found)
        return Likeness(
            words=sum(weight * one for weight, one in found) / total if total else 0.0,
            worst=max((weight * (1 - one) for weight, one in found), default=0.0),
            nearest=max(float(said.vector @ one.vector) for one in there),
        )

    def _read(self, texts: Sequence[str]) -> list[_Read]:
        """The texts, read together: what is made of one depends a little on the others, and on nothing else."""
        found = {place: _shaped(encoded) for place, encoded in self.encoder.encode(texts)}
        return [found[place] for place in range(len(texts))]


@lru_cache(maxsize=1)
def reader(cache: Path | None) -> Reader | str:
    """The one reader of this process, or why there is none; looked for once, so that a missing network is waited for once."""
    encoder = Encoder(max_tokens=_PIECES, cache=cache, use="the encoder of groundedness")
    try:
        encoder.open()
    except AgentkitError as error:
        return str(error)
    return Reader(encoder=encoder)


def _shaped(encoded: Encoded) -> _Read:
    import numpy as np

    states = encoded.states[1:-1]
    lengths = np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
    return _Read(pooled(encoded), encoded.offsets[1:-1], states / lengths)


def _words(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """The words of a text, each with its pieces ``[first, last)``."""
    first = 0
    for place in range(1, len(offsets) + 1):
        if place == len(offsets) or not _joined(text, offsets[place - 1], offsets[place]):
            yield text[offsets[first][0] : offsets[place - 1][1]], first, place
            first = place


def _joined(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[1] == other[0] and text[one[1] - 1].isalnum() and text[other[0]].isalnum()


def _weight(word: str) -> float:
    if word[:1].isdigit():
        return 1.0
    return rarity(word) if word[:1].isalpha() else 0.0
