"""Sentence embeddings on the CPU: all-MiniLM-L6-v2 with 8-bit weights, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit import weights
from agentkit.errors import ConfigError, MissingExtraError
from agentkit.registry import provided

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIMENSIONS = 384
_LONGEST = 512
_BATCH = 8  # larger ones were slower


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
        if not 3 <= self.max_tokens <= _LONGEST:
            raise ConfigError(f"max_tokens of the embedder must be from 3 to {_LONGEST}, not {self.max_tokens}")

    @property
    def name(self) -> str:
        """Weights and settings: ``minilm-int8-v1`` at the default length."""
        return "minilm-int8-v1" if self.max_tokens == 256 else f"minilm-int8-v1-{self.max_tokens}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A float32 array of shape (len(texts), 384) with rows of unit length, in the order of ``texts``."""
        import numpy as np

        vectors = np.zeros((len(texts), _DIMENSIONS), dtype=np.float32)
        if not len(texts):
            return vectors
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place].ids))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            vectors[places] = self._run([encoded[place].ids for place in places])
        return vectors

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The pooled, normalised vectors of a batch of token ids."""
        import numpy as np

        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return _pool(states, mask)

    @cached_property
    def _inputs(self) -> tuple[str, ...]:
        return tuple(one.name for one in self._session.get_inputs())

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("onnxruntime", "chroma", "the embedder minilm") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._file("minilm")), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            import tokenizers
        except ImportError:
            raise MissingExtraError("tokenizers", "chroma", "the embedder minilm") from None
        tokenizer = tokenizers.Tokenizer.from_file(str(self._file("minilm_tokenizer")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_tokens)
        return tokenizer

    def _file(self, name: str) -> Path:
        return weights.ensure(
            name, cache=self.cache or weights.default_cache(), progress=self.progress or weights.quiet
        )


def _pool(states: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """The mean of the token states under ``mask``, scaled to unit length; (batch, tokens, d) -> (batch, d)."""
    import numpy as np

    weight = mask[:, :, None].astype(np.float32)
    means = (states * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
    pooled: NDArray[np.float32] = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return pooled.astype(np.float32)
