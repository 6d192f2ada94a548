"""Folders into indexes: only what changed is read and embedded again, and an interrupted build goes on where it stopped."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from agentkit.errors import InputError, StoreError
from agentkit.protocols import Embedder
from agentkit.rag.chunk import Chunk, Chunking, chunks
from agentkit.rag.index import Lexicon, Vectors
from agentkit.rag.load import NO_TEXT, File, Page, Skipped, files, parse, read
from agentkit.rag.passages import Passages, passage_id
from agentkit.rag.shelf import Manifest, Shelf
from agentkit.text import language

_BATCH = 32  # passages embedded and kept at a time
_SAMPLE = 4000  # characters that tell a page's language


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened to a page: ``done`` of ``total`` bytes to embed are through, ``passages`` of this page so far."""

    path: str
    kind: Literal["embedding", "embedded", "removed", "skipped"]
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
            draft = self.shelf.next(name)
            if plan.changed or plan.gone or base is None or base == draft:
                self._write(folder, plan, base, draft)
                self.shelf.publish(self._manifest(name, folder, draft))
            return Built(
                manifest=self.shelf.manifest(name),
                place=place,
                embedded=len(plan.changed),
                unchanged=len(plan.unchanged),
                removed=len(plan.gone),
                skipped=tuple(plan.skipped),
            )

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

    def _write(self, folder: Path, plan: Plan, base: Path | None, draft: Path) -> None:
        """Bring the draft in line with the folder, page by page."""
        if base != draft:
            _begin(base, draft, self._settings)
        passages, vectors = _passages(draft), Vectors(draft / "vectors")
        try:
            for path in plan.gone:
                vectors.remove(passages.remove(path))
                self.report(Step(path=path, kind="removed"))
            done, total = 0, sum(plan.changed.values())
            for path, size in plan.changed.items():
                self._page(folder, path, passages, vectors, done, total)
                done += size
            _finish(draft, passages, vectors)
        finally:
            vectors.close()

    def _page(self, folder: Path, path: str, passages: Passages, vectors: Vectors, done: int, total: int) -> None:
        """Read, cut, embed and commit one page. One that has meanwhile vanished stays as it was until the next build."""
        file = read(folder, path)
        page = parse(file) if isinstance(file, File) else file
        if isinstance(page, Skipped):
            self.report(Step(path=path, kind="skipped", reason=page.reason, done=done, total=total))
        cut = chunks(page, self.chunking) if isinstance(page, Page) else []
        for count in self._embed(cut, vectors):
            self.report(Step(path=path, kind="embedding", passages=count, done=done, total=total))
        if isinstance(file, File):
            spoken = language(page.text[:_SAMPLE]) if isinstance(page, Page) else ""
            vectors.remove(passages.replace(path, file.sha256, cut, spoken))
        if isinstance(page, Page):
            self.report(Step(path=path, kind="embedded", passages=len(cut), done=done, total=total))

    def _embed(self, cut: Sequence[Chunk], vectors: Vectors) -> Iterator[int]:
        """Give every passage a vector that has none, a batch at a time; yields how many are through."""
        contexts = {passage_id(chunk.text): chunk.context for chunk in reversed(cut)}
        ids = list(reversed(contexts))
        known = vectors.known(ids)
        missing = [key for key in ids if key not in known]
        for first in range(0, len(missing), _BATCH):
            batch = missing[first : first + _BATCH]
            vectors.add(batch, self.embedder.embed([contexts[key] for key in batch]))
            yield len(known) + first + len(batch)

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
    unnamed = draft.with_name(f"{draft.name}.new")
    shutil.rmtree(unnamed, ignore_errors=True)
    if base:
        shutil.copytree(base, unnamed, ignore=shutil.ignore_patterns("lexicon"))
    else:
        unnamed.mkdir()
        Passages.create(unnamed / "passages.sqlite", settings)
    unnamed.rename(draft)


def _finish(draft: Path, passages: Passages, vectors: Vectors) -> None:
    """Check that texts and vectors agree, and write the words. Without any text the draft goes away: ``InputError``."""
    ids = set(passages.ids())
    if not ids:
        shutil.rmtree(draft)
        raise InputError("the folder's files hold no text to index")
    stored = vectors.ids()
    vectors.remove(stored - ids)
    if ids - stored:
        shutil.rmtree(draft)
        raise StoreError(f"{len(ids - stored)} passages had lost their vectors in {draft}: run the same command again")
    Lexicon.build(passages.contexts()).save(draft / "lexicon")


def _passages(generation: Path) -> Passages:
    return Passages(generation / "passages.sqlite", writable=True)
