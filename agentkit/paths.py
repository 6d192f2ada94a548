"""The one way from a path written in a file to a path on disk: inside the folder, symlinks resolved, or refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

from agentkit.errors import InputError

_SEGMENT = re.compile(r"\w[\w .,+@-]*\Z")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)", re.IGNORECASE)
_LONGEST = 1_000


def resolve_ref(root: Path, ref: str) -> Path:
    """The file that ``ref`` names below ``root``; raises ``InputError`` for anything that is, or leads, elsewhere.

    A reference is relative, with ``/`` between plain names: no ``..``, hidden, absolute, drive, URL or device names.
    The file need not exist.
    """
    if not _plain(ref):
        raise InputError(f"{ref[:100]!r} is not a plain relative path, like prompts/solve.md")
    folder = os.path.realpath(root)
    path = os.path.realpath(os.path.join(folder, ref))
    if os.path.commonpath([folder, path]) != folder:
        raise InputError(f"{ref!r} leads out of the folder {str(root)!r}")
    return Path(path)


def _plain(ref: str) -> bool:
    if not 0 < len(ref) <= _LONGEST:
        return False
    return all(_SEGMENT.match(part) and not _DEVICE.match(part) for part in ref.split("/"))
