"""Values as plain data: what a file can hold and give back unchanged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import NoReturn

from agentkit.errors import EvaluationError
from agentkit.types import JSON

_DEPTH = 100


class NotJSONError(ValueError):
    """Text that is not one JSON value; ``column`` (1-based) is where it goes wrong."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


def parse(line: bytes) -> JSON:
    """The value of a line of JSON; raises ``NotJSONError`` for a key written twice, NaN and absurd depth, too."""
    try:
        value = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise NotJSONError(f"not UTF-8 text (byte {error.start + 1} of the line)", error.start + 1) from None
    except json.JSONDecodeError as error:
        raise NotJSONError(f"not JSON: {error.msg}", error.colno) from None
    except RecursionError:
        raise NotJSONError("nested too deep") from None
    except ValueError as error:
        raise NotJSONError(str(error)) from None
    if _deeper_than(_DEPTH, value):
        raise NotJSONError(f"nested more than {_DEPTH} deep")
    return value


def plain(value: object, place: str = "value") -> JSON:
    """``value`` as JSON data: dataclasses and mappings as objects, tuples as lists.

    Raises ``EvaluationError`` naming the ``place`` of whatever has no such form: NaN, bytes, a coroutine.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {_key(key, place): plain(one, f"{place}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, f"{place}[{index}]") for index, one in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), f"{place}.{one.name}") for one in fields(value)}
    what = value if isinstance(value, float) else type(value).__name__
    raise EvaluationError(f"{place} is {what}, which is not plain data")


def canonical(data: JSON) -> str:
    """The one way of writing ``data``: equal data, equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise EvaluationError(f"{place} has the key {key!r}, which is not a string")
    return key


def _deeper_than(depth: int, value: JSON) -> bool:
    level = [value]
    for _ in range(depth):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [child for children in inner for child in children]
    return any(isinstance(one, dict | list) for one in level)


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is written twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
