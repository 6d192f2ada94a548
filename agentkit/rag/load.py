"""Files of a folder as pages of text: which are read, in which encoding, and why the others are not."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agentkit.errors import InputError
from agentkit.rag.html import to_markdown

Format = Literal["text", "markdown", "html"]

FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".rst": "text",
    "": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
"""What a file's ending says it is; files with other endings are skipped."""

LARGEST = 16 * 1024 * 1024
"""Bytes of the largest file that is read."""

NO_TEXT = "no text in it"
"""Why a readable file may yield no page."""

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}charset|<\?xml[^>]{0,200}encoding)\s*=\s*["']?([\w-]{3,20})""", re.IGNORECASE
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x0c\x1b"))
_SETEXT_TITLE = re.compile(r"\A\s*(?:#\s+(?P<atx>\S[^\n]{0,200}?)\s*#*|(?P<setext>\S[^\n]{0,200})\n=+)[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A file as text. ``path`` is relative to its folder, with ``/``; ``markdown`` tells whether headings are marked."""

    path: str
    title: str
    text: str
    markdown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file or folder that was not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The bytes of a file that looks readable, before they are understood."""

    path: str
    data: bytes
    format: Format

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def files(folder: Path) -> Iterator[File | Skipped]:
    """The readable files under ``folder`` in path order, and what is skipped there with the reason.

    Hidden files, endings that are not in ``FORMATS``, files over ``LARGEST`` bytes, binary and empty files are skipped, and
    so are links that lead out of the folder. Raises ``InputError`` when the folder is missing or cannot be read.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"the folder of documents {str(folder)!r} {what}: name a folder of .txt, .md or .html files")
    root = folder.resolve()
    for path in _walk(folder):
        yield _read(root, path, path.relative_to(folder).as_posix())


def read(folder: Path, path: str) -> File | Skipped:
    """One file of ``folder`` by its relative path, under the same rules as ``files``."""
    return _read(folder.resolve(), folder / path, path)


def parse(file: File) -> Page | Skipped:
    """The file as a page of text, or the reason why there is none in it."""
    text = decode(file.data)
    if file.format == "html":
        title, text = to_markdown(text)
    else:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        title = _title(text) if file.format == "markdown" else ""
    if not text.strip():
        return Skipped(path=file.path, reason=NO_TEXT)
    return Page(path=file.path, title=title or _name(file.path), text=text, markdown=file.format != "text")


def decode(data: bytes) -> str:
    """The text of ``data``: by its byte order mark, as UTF-8, as it declares itself, else Windows Cyrillic or Latin.

    Never fails: a byte that means nothing becomes U+FFFD. Text that is UTF-8 but for a few broken bytes stays UTF-8.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    text = data.decode("utf-8", "replace")
    foreign = sum(not char.isascii() for char in text)
    if text.count("\ufffd") * 10 <= foreign:
        return text
    return data.decode(_declared(data) or _eight_bit(data), "replace")


def _walk(folder: Path) -> Iterator[Path]:
    """Files under ``folder`` in path order; hidden folders and links to folders come as themselves, unopened."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"the folder {str(folder)!r} cannot be read: {error.strerror}") from error
    for entry in entries:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _walk(path)
        else:
            yield path


def _unwanted(path: Path, root: Path) -> str:
    """Why the path is not read, or the empty string."""
    if path.name.startswith("."):
        return "hidden"
    target = path.resolve()
    if not target.is_relative_to(root):
        return "a link that leads out of the folder"
    if target.is_dir():
        return "a link to a folder"
    if not target.is_file():
        return "a broken link" if path.is_symlink() else "not a regular file"
    if path.suffix.lower() not in FORMATS:
        return f"not text, Markdown or HTML by its ending {path.suffix}"
    size = target.stat().st_size
    return f"larger than {LARGEST // 2**20} MiB" if size > LARGEST else "" if size else "empty"


def _read(root: Path, path: Path, relative: str) -> File | Skipped:
    if reason := _unwanted(path, root):
        return Skipped(path=relative, reason=reason)
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        return Skipped(path=relative, reason=f"cannot be read: {error.strerror}")
    if _binary(data):
        return Skipped(path=relative, reason="binary")
    return File(path=relative, data=data, format=FORMATS[path.suffix.lower()])


def _binary(data: bytes) -> bool:
    head = data[:8192]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    control = len(head) - len(head.translate(None, _CONTROL))
    return b"\0" in head or control * 10 > len(head)


def _declared(data: bytes) -> str:
    """The encoding an HTML or XML text names in its first 2,048 bytes, if Python knows it and it is not UTF-8."""
    found = _DECLARED.search(data[:2048])
    if found is None:
        return ""
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return ""
    return "" if name in {"utf-8", "utf-16", "utf-32"} else name


def _eight_bit(data: bytes) -> str:
    """Cyrillic words are runs of high bytes; in a Latin text an accented letter mostly stands alone."""
    runs = re.findall(rb"[\x80-\xff]+", data)
    together = sum(len(run) for run in runs if len(run) > 1)
    return "cp1251" if together * 2 > sum(map(len, runs)) else "cp1252"


def _title(text: str) -> str:
    found = _SETEXT_TITLE.match(text)
    return (found["atx"] or found["setext"]).strip() if found else ""


def _name(path: str) -> str:
    return re.sub(r"[-_]+", " ", Path(path).stem)
