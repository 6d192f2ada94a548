"""Folders into indexes: only what changed is read and embedded again, and an interrupted build goes on where it stopped."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from agentkit.errors import InputError, StoreError
from agentkit.protocols import Embedder
from agentkit.rag.chunk import Chunk, Chunking, chunks
from agentkit.rag.dense import Vectors
from agentkit.rag.lexical import Lexicon
from agentkit.rag.load import NO_TEXT, File, Page, Skipped, files, parse, read
from agentkit.rag.passages import Passages, passage_id
from agentkit.rag.shelf import Manifest, Shelf
from agentkit.text import language

Kind = Literal["embedding", "embedded", "removed", "skipped"]

_BATCH = 32  # passages embedded and kept at a time
_SAMPLE = 4000  # characters that tell a page's language


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened to a page: ``done`` of ``total`` bytes to embed are through, ``passages`` of this page so far."""

    path: str
    kind: Kind
    passages: int = 0
    done: int = 0
    total: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An index after a build: the counts of pages by what happened to them, and what was skipped with the reason."""

    manifest: Manifest
    place: Path
    embedded: int
    unchanged: int
    removed: int
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A readable file: its hash and its size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a folder holds against what an index knows: paths with their sizes in bytes."""

    changed: dict[str, int]
    unchanged: list[str]
    gone: list[str]
    skipped: list[Skipped]


def silent(step: Step) -> None:
    """The report of whoever does not watch."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Makes indexes on ``shelf`` with the vectors of ``embedder``, telling ``report`` what happens to each page."""

    shelf: Shelf
    embedder: Embedder
    chunking: Chunking = field(default_factory=Chunking)
    report: Callable[[Step], None] = silent

    def build(self, folder: Path, name: str) -> Built:
        """Make the index ``name`` of the files under ``folder``, or bring it up to date.

        Pages are committed one by one; an exception or a kill loses at most the batch at hand, and the same call goes on
        from there. The index that was there stays in use until the new one is whole. Raises ``InputError`` for a folder
        without readable files, ``StoreError`` when the disk refuses or another process writes the same index.
        """
        self.shelf.place(name)
        found = _survey(folder)
        with self.shelf.writing(name) as place:
            base = self._base(name)
            plan = _compare(found, base)
            for one in plan.skipped:
                self.report(Step(path=one.path, kind="skipped", reason=one.reason))
            blank = self._write(folder, plan, base, self.shelf.next(name))
            return Built(
                manifest=self.shelf.manifest(name),
                place=place,
                embedded=len(plan.changed) - len(blank),
                unchanged=len(plan.unchanged),
                removed=len(plan.gone),
                skipped=(*plan.skipped, *blank),
            )

    def _write(self, folder: Path, plan: Plan, base: Path | None, place: Path) -> list[Skipped]:
        """Write and publish the next generation if anything changed; returns the pages that turned out to be blank."""
        if base and base != place and not plan.changed and not plan.gone:
            return []
        _begin(base, place, self._settings)
        with closing(Draft(self, folder, place, plan)) as draft:
            draft.write()
        self.shelf.publish(self._manifest(place.parent.name, folder, place))
        return draft.skipped

    @property
    def _settings(self) -> dict[str, str]:
        return {"embedder": self.embedder.name, "chunking": json.dumps(asdict(self.chunking))}

    def _base(self, name: str) -> Path | None:
        """The generation to go on from: an unfinished one, else the current one, if it was made with our settings."""
        draft = self.shelf.next(name)
        if draft.is_dir():
            if self._fits(draft):
                return draft
            shutil.rmtree(draft)
        current = self.shelf.current(name) if name in self.shelf.names() else None
        return current if current and self._fits(current) else None

    def _fits(self, generation: Path) -> bool:
        try:
            return _passages(generation).settings() == self._settings
        except sqlite3.Error:
            return False

    def _manifest(self, name: str, folder: Path, draft: Path) -> Manifest:
        passages = _passages(draft)
        return Manifest(
            name=name,
            generation=draft.name,
            embedder=self.embedder.name,
            folder=str(folder.resolve()),
            pages=len(passages.hashes()) - len(passages.blank()),
            passages=len(passages.ids()),
        )


class Draft:
    """A generation that is being written."""

    def __init__(self, builder: Builder, folder: Path, place: Path, plan: Plan) -> None:
        self._builder, self._folder, self._place, self._plan = builder, folder, place, plan
        self._passages = _passages(place)
        self._vectors = Vectors(place / "vectors")
        self._done, self._total = 0, sum(plan.changed.values())
        self.skipped: list[Skipped] = []

    def write(self) -> None:
        """Bring it in line with the folder, page by page, and check that it is whole."""
        for path, size in self._plan.changed.items():
            self._page(path, size)
            self._done += size
        for path in self._plan.gone:  # last, so that a file that was moved keeps its vectors
            self._vectors.remove(self._passages.remove(path))
            self._tell(path, "removed")
        self._finish()

    def close(self) -> None:
        """Let go of the files."""
        self._vectors.close()

    def _page(self, path: str, size: int) -> None:
        """Read, cut, embed and commit one page. One that vanished meanwhile stays as it was until the next build."""
        file = read(self._folder, path)
        page = parse(file) if isinstance(file, File) else file
        if isinstance(page, Skipped):
            self.skipped.append(page)
            self._tell(path, "skipped", reason=page.reason)
        cut = chunks(page, self._builder.chunking) if isinstance(page, Page) else []
        for through in self._embed(cut):
            self._tell(path, "embedding", through, size * through // len(cut))
        if isinstance(file, File):
            spoken = language(page.text[:_SAMPLE]) if isinstance(page, Page) else ""
            self._vectors.remove(self._passages.replace(path, file.sha256, cut, spoken))
        if isinstance(page, Page):
            self._tell(path, "embedded", len(cut), size)

    def _embed(self, cut: Sequence[Chunk]) -> Iterator[int]:
        """Give every passage a vector that has none, a batch at a time; yields how many are through."""
        contexts = {passage_id(chunk.text): chunk.context for chunk in reversed(cut)}
        known = self._vectors.known(list(contexts))
        missing = [key for key in contexts if key not in known]
        for first in range(0, len(missing), _BATCH):
            batch = missing[first : first + _BATCH]
            self._vectors.add(batch, self._builder.embedder.embed([contexts[key] for key in batch]))
            yield len(known) + first + len(batch)

    def _finish(self) -> None:
        """Check that texts and vectors agree, and write the words; a draft that cannot be used goes away."""
        ids, stored = set(self._passages.ids()), self._vectors.ids()
        self._vectors.remove(stored - ids)
        if not ids:
            shutil.rmtree(self._place)
            raise InputError(f"the files of {str(self._folder)!r} hold no text to index")
        if ids - stored:
            shutil.rmtree(self._place)
            raise StoreError(f"passages had lost their vectors in {self._place}: run the same command again")
        Lexicon.build(self._passages.contexts()).save(self._place / "lexicon")

    def _tell(self, path: str, kind: Kind, passages: int = 0, here: int = 0, reason: str = "") -> None:
        done = self._done + here
        self._builder.report(Step(path=path, kind=kind, passages=passages, done=done, total=self._total, reason=reason))


def _survey(folder: Path) -> list[Seen | Skipped]:
    """Every file's hash and size, and what is skipped; raises ``InputError`` when nothing can be read."""
    found = [
        one if isinstance(one, Skipped) else Seen(path=one.path, sha256=one.sha256, size=len(one.data))
        for one in files(folder)
    ]
    skipped = [one for one in found if isinstance(one, Skipped)]
    if len(skipped) == len(found):
        said = f" ({len(skipped)} skipped, such as {skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise InputError(f"the folder {str(folder)!r} has no text, Markdown or HTML file to index{said}")
    return found


def _compare(found: Sequence[Seen | Skipped], base: Path | None) -> Plan:
    known = _passages(base).hashes() if base else {}
    blank = _passages(base).blank() if base else set()
    seen = {one.path: one for one in found if isinstance(one, Seen)}
    same = [path for path, one in seen.items() if known.get(path) == one.sha256]
    return Plan(
        changed={path: one.size for path, one in seen.items() if known.get(path) != one.sha256},
        unchanged=[path for path in same if path not in blank],
        gone=[path for path in known if path not in seen],
        skipped=[
            *(one for one in found if isinstance(one, Skipped)),
            *(Skipped(path=path, reason=NO_TEXT) for path in same if path in blank),
        ],
    )


def _begin(base: Path | None, draft: Path, settings: Mapping[str, str]) -> None:
    """Make the draft as a copy of ``base``, or empty; it takes its name only when it is whole."""
    if base == draft:
        return
    unnamed = draft.with_name(f"{draft.name}.new")
    shutil.rmtree(unnamed, ignore_errors=True)
    if base:
        shutil.copytree(base, unnamed, ignore=shutil.ignore_patterns("lexicon"))
    else:
        unnamed.mkdir()
        Passages.create(unnamed / "passages.sqlite", settings)
    unnamed.rename(draft)


def _passages(generation: Path) -> Passages:
    return Passages(generation / "passages.sqlite", writable=True)
