"""Between components and the state: values as plain data that JSON can hold, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from agentkit.errors import ConfigError, did_you_mean
from agentkit.options import plainly
from agentkit.types import JSON, Document

_DOCUMENT: dict[str, Any] = {
    "text": str,
    "id": str,
    "title": str,
    "source": str,
    "start": int,
    "score": int | float | None,
    "metadata": Mapping,
}
_LEFT_OUT = frozenset({"logprobs"})  # a long list a sample, of no use to other nodes; the journal keeps it


def to_plain(value: Any) -> JSON:
    """The value as dicts, lists and scalars; NaN and infinities become None. ``ConfigError`` for what has no such form."""
    if value is None or isinstance(value, str | bool | int):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value) if one.name not in _LEFT_OUT}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum | PurePath):
        return str(value.value if isinstance(value, Enum) else value)
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return to_plain(value.tolist())
    raise ConfigError(f"a {type(value).__name__} is not plain data, so no node can hand it on")


def documents(value: JSON) -> tuple[Document, ...]:
    """The documents of plain data; a text counts as a document. ``ConfigError`` for anything else."""
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigError("documents must be a list of texts or of mappings with a 'text'")
    return tuple(_document(one) for one in value)


def _document(value: JSON) -> Document:
    if isinstance(value, str):
        return Document(text=value)
    if not isinstance(value, Mapping) or "text" not in value:
        raise ConfigError("a document must be a text or a mapping with a 'text'")
    for name, item in value.items():
        if name not in _DOCUMENT:
            raise ConfigError(f"a document has no {name!r}{did_you_mean(str(name), _DOCUMENT)}")
        if not isinstance(item, _DOCUMENT[name]) or isinstance(item, bool):
            raise ConfigError(f"the {name!r} of a document cannot be {plainly(item)}")
    return Document(**value)
