"""A small deterministic embedder and a folder of documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest


@dataclass
class HashingEmbedder:
    """Words hashed into 64 places; remembers what it was asked, and may fail at the n-th text."""

    name: str = "hashing-64"
    embedded: list[str] = field(default_factory=list)
    fail_after: int | None = None

    def embed(self, texts):
        if self.fail_after is not None and len(self.embedded) + len(texts) > self.fail_after:
            raise KeyboardInterrupt
        self.embedded += texts
        vectors = np.full((len(texts), 64), 1e-6, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, int(hashlib.sha256(word.encode()).hexdigest(), 16) % 64] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def new_embedder() -> type[HashingEmbedder]:
    return HashingEmbedder


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes files given as name=content into a folder and returns it."""

    def write(files: dict[str, str | bytes]) -> Path:
        place = tmp_path / "documents"
        place.mkdir(exist_ok=True)
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    return write
