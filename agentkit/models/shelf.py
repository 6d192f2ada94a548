"""Prompts that were read once and are kept for those who want the same."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path


class Shelf:
    """Counts who still wants a prompt, lets one at a time read it, and names the file in ``folder`` that keeps it.

    The file goes when nobody wants the prompt any more. Use from any thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: Counter[str] = Counter()
        self._turns: dict[str, threading.Lock] = {}
        self._kept: dict[str, Path] = {}
        self._named = 0
        self._lock = threading.Lock()

    def want(self, prompt: str, count: int = 1) -> None:
        """``count`` samples are going to need ``prompt``."""
        with self._lock:
            self._wanted[prompt] += count
            self._turns.setdefault(prompt, threading.Lock())

    def leave(self, prompt: str, count: int = 1) -> None:
        """``count`` samples have got it, or do without."""
        with self._lock:
            self._wanted[prompt] -= count
            if self._wanted[prompt] > 0:
                return
            self._wanted.pop(prompt)
            self._turns.pop(prompt, None)
            if path := self._kept.pop(prompt, None):
                path.unlink(missing_ok=True)

    def wanted(self, prompt: str) -> int:
        """How many samples want it, the one that asks included."""
        with self._lock:
            return self._wanted[prompt]

    def turn(self, prompt: str) -> threading.Lock:
        """Held by whoever reads the prompt; only for one who wants it."""
        with self._lock:
            return self._turns[prompt]

    def kept(self, prompt: str) -> Path | None:
        """The file that keeps it, if there is one."""
        with self._lock:
            return self._kept.get(prompt)

    def name(self) -> Path:
        """A file to keep a prompt in."""
        with self._lock:
            self._named += 1
            return self._folder / f"{self._named}.state"

    def keep(self, prompt: str, path: Path) -> None:
        """The prompt is in this file now."""
        with self._lock:
            self._kept[prompt] = path
