"""A text encoder on the CPU: all-MiniLM-L6-v2 with 8-bit weights. Owner of onnxruntime and tokenizers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit import weights
from agentkit.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 384
LONGEST = 512
_BATCH = 8  # larger ones were slower
_HALF = re.compile("[\ud800-\udfff]")  # half a character, which no tokenizer takes


class Encoded(NamedTuple):
    """One text: the characters ``(start, end)`` of each word piece, and a state for each of them.

    ``states`` is a float32 array of shape (pieces, 384); the marks at the beginning and the end are the first and last piece.
    """

    offsets: tuple[tuple[int, int], ...]
    states: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Contextual states of the first ``max_tokens`` word pieces of English texts.

    Weights are fetched at first use, telling ``progress``. One thread of one core works: a second made it slower. Texts of one
    batch share the scale of their 8-bit numbers, so a state depends a little on the company it is read in.
    Raises ``WeightsError`` and ``MissingExtraError``; ``use`` says there what needs the extra.

    Reimers and Gurevych 2019, "Sentence-BERT", with the weights of sentence-transformers/all-MiniLM-L6-v2.
    """

    max_tokens: int = 256
    cache: Path | None = None
    progress: weights.Progress | None = None
    use: str = "the embedder minilm"

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        """Each text's place and what became of it; short ones first, so that a batch is of one length."""
        encoded = self._tokenizer.encode_batch([_HALF.sub("\ufffd", text) for text in texts])
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place].ids))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            states = self._run([encoded[place].ids for place in places])
            for row, place in enumerate(places):
                offsets = tuple(encoded[place].offsets)
                yield place, Encoded(offsets, states[row, : len(offsets)])

    def open(self) -> None:
        """Load everything now."""
        self._session  # noqa: B018
        self._tokenizer  # noqa: B018

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import numpy as np

        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: NDArray[np.float32] = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return states

    @cached_property
    def _inputs(self) -> tuple[str, ...]:
        return tuple(one.name for one in self._session.get_inputs())

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("onnxruntime", "chroma", self.use) from None
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
            raise MissingExtraError("tokenizers", "chroma", self.use) from None
        tokenizer = tokenizers.Tokenizer.from_file(str(self._file("minilm_tokenizer")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_tokens)
        return tokenizer

    def _file(self, name: str) -> Path:
        return weights.ensure(
            name, cache=self.cache or weights.default_cache(), progress=self.progress or weights.quiet
        )


def pooled(encoded: Encoded) -> NDArray[np.float32]:
    """The sentence's vector: the mean of its states, scaled to unit length; shape (384,)."""
    import numpy as np

    mean = encoded.states.mean(axis=0)
    vector: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return vector.astype(np.float32)
