"""Where indexes stand: one folder each, with numbered generations of which the manifest names the current one.

A generation, once published, never changes: readers need no lock, and a writer that dies leaves the current one whole.
The one before the current stays until the next is published, for readers that still hold it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from agentkit.errors import ConfigError, IndexNotFoundError, StoreError, did_you_mean
from agentkit.types import JSON

FORMAT = 1
"""The layout this release writes and reads."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_GENERATION = re.compile(r"\d{4,}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is known of an index without opening it. ``embedder`` names the weights that its vectors come from."""

    name: str
    generation: str
    embedder: str
    folder: str
    pages: int
    passages: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Shelf:
    """The indexes under ``home``."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where the indexes stand."""
        return self.home / "indexes"

    def names(self) -> list[str]:
        """The published indexes, sorted."""
        return sorted(path.parent.name for path in self.folder.glob("*/manifest.json"))

    def place(self, name: str) -> Path:
        """The folder of an index, there or not; raises ``ConfigError`` for a name that is not one."""
        if not _NAME.match(name):
            raise ConfigError(
                f"{name!r} cannot name an index: use up to 64 lower-case letters, digits, '-' and '_', a letter or digit first"
            )
        return self.folder / name

    def manifest(self, name: str) -> Manifest:
        """Of a published index. Raises ``IndexNotFoundError``, or ``StoreError`` when it is damaged or newer than we know."""
        path = self.place(name) / "manifest.json"
        try:
            return _manifest(name, json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            raise self._unknown(name) from None
        except (OSError, ValueError, TypeError) as error:
            raise damaged(name, path) from error

    def current(self, name: str) -> Path:
        """The folder of the current generation."""
        return self.place(name) / self.manifest(name).generation

    def next(self, name: str) -> Path:
        """The folder of the generation after the current one, there or not: what a writer works on."""
        last = int(self.manifest(name).generation) if name in self.names() else 0
        return self.place(name) / f"{last + 1:04d}"

    def publish(self, manifest: Manifest) -> None:
        """Make the manifest's generation the current one, in one step, and clear away what is older than the last."""
        place = self.place(manifest.name)
        draft = place / "manifest.json.new"
        draft.write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(place / "manifest.json")
        for path in place.iterdir():
            if _GENERATION.match(path.name) and int(path.name) < int(manifest.generation) - 1:
                shutil.rmtree(path)

    def drop(self, name: str) -> Path:
        """Delete an index, also an unfinished one; returns the folder it was in."""
        place = self.place(name)
        if not place.is_dir():
            raise self._unknown(name)
        with self.writing(name):
            (place / "manifest.json").unlink(missing_ok=True)
            shutil.rmtree(place)
        return place

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """The index's folder, made if need be and kept from other writers; what goes wrong there is a ``StoreError``."""
        place = self.place(name)
        with storing(place):
            place.mkdir(parents=True, exist_ok=True)
            handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                _lock(handle, name)
                yield place
            finally:
                os.close(handle)

    def _unknown(self, name: str) -> IndexNotFoundError:
        known = self.names()
        hint = did_you_mean(name, known) or (f" (known: {', '.join(known)})" if known else "")
        return IndexNotFoundError(
            f"no index is named {name!r} under {self.folder}{hint}: make it with `agentkit index FOLDER --name {name}`"
        )


def damaged(name: str, place: Path) -> StoreError:
    """The error for an index that cannot be read."""
    return StoreError(
        f"the index {name!r} is damaged ({place}): drop it with `agentkit index --drop {name}` and make it again"
    )


@contextmanager
def storing(place: Path) -> Iterator[None]:
    """Turn what the disk refuses into a ``StoreError`` that names ``place``."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{place} cannot be written: {error}; free some room or choose another --home") from error


def _lock(handle: int, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(f"the index {name!r} is being written by another process: wait for it to end") from None


def _manifest(name: str, data: JSON) -> Manifest:
    if not isinstance(data, Mapping) or not isinstance(data.get("format"), int):
        raise ValueError("not a manifest")
    if data["format"] > FORMAT:
        raise StoreError(
            f"the index {name!r} has format {data['format']}, this release reads up to {FORMAT}: "
            f"update agentkit, or make the index again"
        )
    manifest = Manifest(**data)
    if not _GENERATION.match(manifest.generation):
        raise ValueError("not a generation")
    return manifest
