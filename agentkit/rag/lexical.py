"""Words of passages, found by BM25."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agentkit.errors import MissingExtraError
from agentkit.rag.fuse import Ranking
from agentkit.text import Word, stem, words

_JOINTS = re.compile(r"[-\u2010\u2011'’/._@:]+")
_K1, _B = 1.2, 0.75  # the values of Lucene


class Lexicon:
    """Stemmed words of passages, scored by BM25 (Robertson et al. 1994, in Lucene's form)."""

    def __init__(self, ids: Sequence[str], model: Any) -> None:
        self._ids = ids
        self._model = model

    @classmethod
    def build(cls, texts: Iterable[tuple[str, str, str]]) -> Lexicon:
        """From (id, text, language) of each passage."""
        rows = [(key, stems(text, language)) for key, text, language in texts]
        model = _bm25s().BM25(method="lucene", k1=_K1, b=_B)
        model.index([row for _, row in rows] or [[""]], show_progress=False)
        return cls([key for key, _ in rows], model)

    @classmethod
    def load(cls, folder: Path) -> Lexicon:
        """What ``save`` wrote."""
        model = _bm25s().BM25.load(folder, load_corpus=False, show_progress=False)
        return cls(json.loads((folder / "ids.json").read_text("utf-8")), model)

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        self._model.save(folder, show_progress=False)
        (folder / "ids.json").write_text(json.dumps(self._ids), "utf-8")

    def best(self, terms: Sequence[str], most: int) -> Ranking:
        """The passages that hold any of ``terms``, at most ``most``; ties go by id."""
        known = [term for term in terms if term in self._model.vocab_dict]
        if not known or not self._ids:
            return []
        scores = self._model.get_scores(known)
        order = sorted(scores.nonzero()[0].tolist(), key=lambda place: (-scores[place], self._ids[place]))
        return [(self._ids[place], float(scores[place])) for place in order[:most]]


def stems(text: str, language: str) -> list[str]:
    """The words and numbers of ``text`` in the form in which they are compared; compounds and names in their parts.

    So ``insulin-like`` is found by ``insulin``, and ``SQLITE_MAX_LENGTH`` by ``length`` (nDCG@10 on SciFact .669 -> .683).
    """
    return [key for word in words(text, language) for key in _keys(word, language)]


def _keys(word: Word, language: str) -> list[str]:
    if word.kind == "punctuation":
        return []
    parts = [part for part in _JOINTS.split(word.text) if part] if word.kind == "word" else []
    return [stem(part, language) for part in parts] if len(parts) > 1 else [word.stem]


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError:
        raise MissingExtraError("bm25s", "chroma", "a document index") from None
    return bm25s
