"""Sentence embeddings on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit import weights
from agentkit.encoder import DIMENSIONS, LONGEST, Encoder, pooled
from agentkit.errors import ConfigError
from agentkit.registry import provided

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class MiniLM:
    """Vectors of English texts: shape (len(texts), 384), float32, rows of unit length, so a dot product is the cosine.

    Of each text the first ``max_tokens`` word pieces are read (the model was trained on up to 256). Weights are fetched
    at first use, telling ``progress``. One thread of one core works: a second made it slower. Raises ``WeightsError``,
    ``MissingExtraError``.

    Reimers and Gurevych 2019, "Sentence-BERT", with the weights of sentence-transformers/all-MiniLM-L6-v2.
    """

    max_tokens: int = 256
    cache: Path | None = provided("cache")
    progress: weights.Progress | None = provided("progress")

    def __post_init__(self) -> None:
        if not 3 <= self.max_tokens <= LONGEST:
            raise ConfigError(f"max_tokens of the embedder must be from 3 to {LONGEST}, not {self.max_tokens}")

    @property
    def name(self) -> str:
        """Weights and settings: ``minilm-int8-v1`` at the default length."""
        return "minilm-int8-v1" if self.max_tokens == 256 else f"minilm-int8-v1-{self.max_tokens}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A float32 array of shape (len(texts), 384) with rows of unit length, in the order of ``texts``."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if len(texts):
            for place, encoded in self._encoder.encode(texts):
                vectors[place] = pooled(encoded)
        return vectors

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(max_tokens=self.max_tokens, cache=self.cache, progress=self.progress)
